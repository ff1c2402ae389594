/** What the tests of this folder share: a table in SQLite, and statements run as a tablet would. */
import Database from 'better-sqlite3';
import type { Delete, Insert, Replace, Select, Statement, Update } from '../../src/sql/ast.ts';
import { compileSelect, decodeResult } from '../../src/sql/compile.ts';
import { compileInsert } from '../../src/sql/compile-insert.ts';
import { duplicateFromSqlite } from '../../src/sql/compile-key.ts';
import { compileDelete, compileUpdate, type RowUpdate, updateRow } from '../../src/sql/compile-update.ts';
import { parseStatement } from '../../src/sql/parser.ts';
import type { TableDef } from '../../src/sql/schema.ts';
import { tableDef } from '../../src/sql/schema-build.ts';
import { sqliteCreateTable } from '../../src/sql/schema-sqlite.ts';
import { decodeRow } from '../../src/sql/storage.ts';
import type { CompileContext, Row, SqlText, Value } from '../../src/sql/value.ts';

export const NOW = '2026-03-04 05:06:07.891011';

/** The definition of a CREATE TABLE statement. */
export function define(sql: string): TableDef {
  const create = parseStatement(sql);
  if (create.kind !== 'create-table') throw new Error(`no CREATE TABLE: ${sql}`);
  return tableDef(create);
}

type Raw = Record<string, unknown>;

/** A table in memory that runs compiled statements. */
export class TestTable {
  readonly def: TableDef;
  readonly db = new Database(':memory:');
  readonly context: CompileContext = { now: NOW, lastInsertId: 7 };

  constructor(create: string) {
    this.def = define(create);
    for (const sql of sqliteCreateTable(this.def)) this.db.exec(sql);
  }

  private rows(text: SqlText): Raw[] {
    return this.db.prepare(text.sql).safeIntegers(true).all(...text.params) as Raw[];
  }

  select(sql: string): Value[][] {
    const plan = compileSelect(parseStatement(sql) as Select, this.def, this.context);
    const rows = this.db.prepare(plan.sql).raw(true).safeIntegers(true).all(...plan.params) as unknown[][];
    return rows.map((row) => decodeResult(plan, row));
  }

  columns(sql: string): string[] {
    return compileSelect(parseStatement(sql) as Select, this.def, this.context).columns;
  }

  /** Runs a write; the images of the rows it wrote (or deleted). */
  run(sql: string): Row[] {
    const statement: Statement = parseStatement(sql);
    if (statement.kind === 'insert' || statement.kind === 'replace') return this.insert(statement);
    if (statement.kind === 'update') return this.update(statement);
    if (statement.kind === 'delete') return this.remove(statement);
    throw new Error(`not a write: ${sql}`);
  }

  private write(text: SqlText, row: Row): Row[] {
    try {
      return this.rows(text).map((raw) => decodeRow(this.def, raw));
    } catch (error) {
      throw duplicateFromSqlite(this.def, (error as Error).message, row) ?? error;
    }
  }

  private insert(statement: Insert | Replace): Row[] {
    const plan = compileInsert(statement, this.def, this.context);
    return plan.rows.flatMap((row) => {
      const found = row.conflicts === undefined ? [] : this.rows(row.conflicts);
      const [first] = found;
      if (plan.onDuplicate !== undefined && first !== undefined) return this.set(plan.onDuplicate, first, row.values);
      if (plan.mode === 'replace') for (const raw of found) this.db.prepare('DELETE FROM t WHERE rowid = ?').run(raw['__rowid']);
      return this.write(row.insert, row.values);
    });
  }

  private set(update: RowUpdate, raw: Raw, inserting?: Row): Row[] {
    const { params, after, changed } = updateRow(update, raw, inserting);
    return changed ? this.write({ sql: update.sql, params }, after) : [];
  }

  private update(statement: Update): Row[] {
    const plan = compileUpdate(statement, this.def, this.context);
    return this.rows(plan.before).flatMap((raw) => this.set(plan.set, raw));
  }

  private remove(statement: Delete): Row[] {
    const plan = compileDelete(statement, this.def, this.context);
    return this.rows(plan.before).map((raw) => {
      this.db.prepare(plan.remove).run(raw['__rowid']);
      return decodeRow(this.def, raw);
    });
  }
}
