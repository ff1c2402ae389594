import type { Delete, Insert, Replace, Select, SelectItem, Update } from '../../sql/ast.ts';
import { compileSelect, decodeResult, type SelectPlan } from '../../sql/compile.ts';
import { compileInsert, type InsertPlan, type InsertRow } from '../../sql/compile-insert.ts';
import { conflictQuery } from '../../sql/compile-key.ts';
import { compileDelete, compileUpdate, type RowUpdate, updateRow } from '../../sql/compile-update.ts';
import { formatExpr } from '../../sql/format-expr.ts';
import type { TableDef } from '../../sql/schema.ts';
import type { CompileContext, Row, Value } from '../../sql/value.ts';
import type { BinlogEvent } from '../binlog.ts';
import type { ShardDb } from '../shard-db.ts';
import { anyRowLocks } from '../table-locks.ts';
import { done, type QueryResult, type RowStatement } from './request.ts';
import { asDuplicate, isConstraint, type RawRow, rawRows, rowImage } from './row-images.ts';

/** What a statement did: its answer, and its changes row by row. */
export interface Effect {
  result: QueryResult;
  events: BinlogEvent[];
}

/** Called with rows that a statement is about to meet, before it does: throws when somebody else has them locked. */
export type Meet = (def: TableDef, rows: readonly Row[]) => void;

/**
 * Runs a statement on a shard's rows, in the caller's transaction; what it changed is in the events, which the
 * caller writes to the binlog. `tableOf` finds the table that it names, and throws where there is none. Throws MySQL's errors; the caller must roll back then.
 */
export function runRowStatement(
  shard: ShardDb,
  statement: RowStatement,
  context: CompileContext,
  meet: Meet,
  tableOf = (name: string): TableDef => shard.table(name),
): Effect {
  if (statement.kind === 'select') return { result: select(shard, statement, context, meet, tableOf), events: [] };
  const def = tableOf(statement.table.name);
  const writer = new Writer(shard, def, context, meet);
  if (statement.kind === 'update') return writer.update(statement);
  if (statement.kind === 'delete') return writer.delete(statement);
  return writer.insert(statement);
}

function select(shard: ShardDb, statement: Select, context: CompileContext, meet: Meet, tableOf: (name: string) => TableDef): QueryResult {
  const def = statement.from === undefined ? undefined : tableOf(statement.from.name);
  const plan = compileSelect(statement, def, context);
  if (def !== undefined && statement.lock !== undefined) {
    const whole = compileSelect({ ...statement, items: [{ kind: 'star' }], distinct: false }, def, context);
    meet(def, rawRows(shard, whole).map((raw) => rowImage(def, raw)));
  }
  return { columns: plan.columns, rows: resultRows(shard, statement, def, plan, context), rowsAffected: 0 };
}

/** Rows come as objects, so labels that repeat get names of their own while the statement runs. */
function resultRows(
  shard: ShardDb,
  statement: Select,
  def: TableDef | undefined,
  plan: SelectPlan,
  context: CompileContext,
): Value[][] {
  const unique = new Set(plan.columns).size === plan.columns.length;
  const run = unique ? plan : compileSelect(withOwnLabels(statement, def), def, context);
  return rawRows(shard, run).map((raw) => decodeResult(run, run.columns.map((label) => raw[label])));
}

function withOwnLabels(statement: Select, def: TableDef | undefined): Select {
  type Item = Extract<SelectItem, { kind: 'expr' }>;
  const columns = (def?.columns ?? []).map(({ name }): Item => ({ kind: 'expr', expr: { kind: 'column', name } }));
  const items = statement.items.flatMap((item) => (item.kind === 'expr' ? [item] : columns));
  const seen = new Set<string>();
  const own = items.map((item, index) => {
    const label = item.alias ?? (item.expr.kind === 'column' ? item.expr.name : formatExpr(item.expr));
    if (!seen.has(label)) {
      seen.add(label);
      return item;
    }
    return { ...item, alias: `${label} #${index + 1}` };
  });
  return { ...statement, items: own };
}

/** One statement that writes to one table. */
class Writer {
  readonly #shard: ShardDb;
  readonly #def: TableDef;
  readonly #context: CompileContext;
  readonly #meet: Meet;
  /** Only then can a row in the way be somebody's who may still take it back. */
  readonly #rowLocks: boolean;
  readonly #events: BinlogEvent[] = [];
  #affected = 0;
  #insertId: number | bigint | undefined;

  constructor(shard: ShardDb, def: TableDef, context: CompileContext, meet: Meet) {
    this.#shard = shard;
    this.#def = def;
    this.#context = context;
    this.#meet = meet;
    this.#rowLocks = anyRowLocks(shard);
  }

  insert(statement: Insert | Replace): Effect {
    const plan = compileInsert(statement, this.#def, this.#context);
    for (const [index, row] of plan.rows.entries()) this.#insertRow(plan, row, index + 1);
    return this.#effect();
  }

  update(statement: Update): Effect {
    const plan = compileUpdate(statement, this.#def, this.#context);
    for (const [index, raw] of this.#matched(plan.before).entries()) {
      try {
        this.#affected += this.#updateRow(plan.set, raw, undefined, index + 1) ? 1 : 0;
      } catch (error) {
        if (!plan.ignore || !isDuplicate(error)) throw error;
      }
    }
    return this.#effect();
  }

  delete(statement: Delete): Effect {
    const plan = compileDelete(statement, this.#def, this.#context);
    for (const raw of this.#matched(plan.before)) this.#deleteRow(plan.remove, raw);
    return this.#effect();
  }

  #effect(): Effect {
    const result = { ...done(this.#affected), ...(this.#insertId === undefined ? {} : { insertId: this.#insertId }) };
    return { result, events: this.#events };
  }

  #matched(query: { sql: string; params: RowParams }): RawRow[] {
    const rows = rawRows(this.#shard, query);
    this.#meet(this.#def, rows.map((raw) => rowImage(this.#def, raw)));
    return rows;
  }

  #insertRow(plan: InsertPlan, row: InsertRow, number: number): void {
    const conflicts = row.conflicts ?? (this.#rowLocks ? conflictQuery(this.#def, row.values, this.#context) : undefined);
    const inTheWay = conflicts === undefined ? [] : this.#matched(conflicts);
    if (plan.mode === 'replace') this.#replaced(inTheWay);
    const [first] = inTheWay;
    if (plan.onDuplicate !== undefined && first !== undefined) {
      // MySQL counts a row that was updated twice, and one that stayed as it was not at all.
      this.#affected += this.#updateRow(plan.onDuplicate, first, row.values, number) ? 2 : 0;
      return;
    }
    this.#insertNew(row);
  }

  #replaced(rows: readonly RawRow[]): void {
    const { remove } = compileDelete({ kind: 'delete', table: { name: this.#def.name }, orderBy: [] }, this.#def, this.#context);
    for (const raw of rows) this.#deleteRow(remove, raw);
  }

  #insertNew(row: InsertRow): void {
    let written: RawRow | undefined;
    try {
      [written] = rawRows(this.#shard, row.insert);
    } catch (error) {
      throw asDuplicate(error, this.#def, row.values);
    }
    // INSERT IGNORE met a duplicate.
    if (written === undefined) return;
    const after = rowImage(this.#def, written);
    this.#affected++;
    this.#events.push({ kind: 'insert', table: this.#def.name, after });
    const id = this.#def.columns.find((column) => column.autoIncrement)?.name;
    if (id === undefined || row.values[id] !== null || this.#insertId !== undefined) return;
    this.#insertId = after[id] as number | bigint;
  }

  /** True if the row changed. */
  #updateRow(set: RowUpdate, raw: RawRow, inserting: Row | undefined, number: number): boolean {
    const change = updateRow(set, raw, inserting, number);
    if (!change.changed) return false;
    let written: RawRow | undefined;
    try {
      [written] = rawRows(this.#shard, { sql: set.sql, params: change.params });
    } catch (error) {
      throw asDuplicate(error, this.#def, change.after);
    }
    const { name: table } = this.#def;
    this.#events.push({ kind: 'update', table, before: rowImage(this.#def, raw), after: rowImage(this.#def, written ?? {}) });
    return true;
  }

  #deleteRow(remove: string, raw: RawRow): void {
    this.#shard.db.run(remove, raw['__rowid'] as bigint);
    this.#affected++;
    this.#events.push({ kind: 'delete', table: this.#def.name, before: rowImage(this.#def, raw) });
  }
}

type RowParams = InsertRow['insert']['params'];

function isDuplicate(error: unknown): boolean {
  return isConstraint(error) || (error instanceof Error && error.message.includes('(errno 1062)'));
}
