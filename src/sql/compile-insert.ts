/**
 * INSERT and REPLACE, row by row, so that each row's image is known for the binlog.
 *
 * How to run a plan, for each of its rows:
 * - `insert`: run `insert` and take the row it returns; a `UNIQUE constraint failed` is `duplicateFromSqlite`.
 * - `ignore`: the same; no row returned means that a duplicate was skipped. Other errors are errors still.
 * - `replace`: delete the rows that `conflicts` finds (their images first), then run `insert`.
 * - `upsert`: when `conflicts` finds rows, update the first by `updateRow(plan.onDuplicate, raw, row.values)`; else insert.
 *
 * The new id of an AUTO_INCREMENT column is in the returned row.
 */
import type { Expr, Insert, Replace } from './ast.ts';
import { checkValue } from './check-value.ts';
import { conflictQuery } from './compile-key.ts';
import { compileAssignments, type RowUpdate } from './compile-update.ts';
import { defaultValue, withGenerated } from './defaults.ts';
import { type EvalScope, evaluateScalar } from './evaluate.ts';
import { columnCount, columnTwice, generatedColumnValue, unknownColumn, unsupported } from './mysql-errors.ts';
import { type ColumnDef, findColumn, rowidColumn, type TableDef } from './schema.ts';
import { encodeRow, sqliteName } from './storage.ts';
import type { CompileContext, Row, SqlText, Value } from './value.ts';

/** One row of an INSERT. `values` is the whole row; the id is null where SQLite is to give it. */
export interface InsertRow {
  values: Row;
  insert: SqlText;
  /** The rows in the way, for `replace` and `upsert`; none when no key can clash. */
  conflicts?: SqlText;
}

/** A compiled INSERT or REPLACE. Every row's `insert` has the same text. */
export interface InsertPlan {
  mode: 'insert' | 'ignore' | 'replace' | 'upsert';
  rows: InsertRow[];
  /** Set for `upsert`. */
  onDuplicate?: RowUpdate;
}

/**
 * The SQLite statement that inserts one whole row and returns it; parameters as of `encodeRow(def.columns, row)`.
 * `skip` leaves duplicates out silently.
 */
export function insertSql(def: TableDef, storedAs: string = def.name, skip = false): string {
  return `INSERT ${insertBody(def, storedAs)}${skip ? ' ON CONFLICT DO NOTHING' : ''} RETURNING *`;
}

/**
 * The SQLite statement of a load, for so many rows at once, which returns nothing; parameters as of `insertSql`, row behind
 * row. `ignore` leaves duplicates out, `replace` removes the rows in the way.
 */
export function loadSql(def: TableDef, mode: 'insert' | 'ignore' | 'replace', rows: number): string {
  const verb = mode === 'replace' ? 'INSERT OR REPLACE' : 'INSERT';
  const more = `, (${placesOf(def, def.name)})`.repeat(rows - 1);
  return `${verb} ${insertBody(def, def.name)}${more}${mode === 'ignore' ? ' ON CONFLICT DO NOTHING' : ''}`;
}

function insertBody(def: TableDef, storedAs: string): string {
  const names = def.columns.map((column) => sqliteName(column.name)).join(', ');
  return `INTO ${sqliteName(storedAs)} (${names}) VALUES (${placesOf(def, storedAs)})`;
}

/** True when ids are given by looking at the rows there are, which only one row at a time can do. */
export function looksAtRows(def: TableDef): boolean {
  return def.columns.some((column) => column.autoIncrement && column !== rowidColumn(def));
}

function placesOf(def: TableDef, storedAs: string): string {
  const table = sqliteName(storedAs);
  const rowid = rowidColumn(def);
  const places = def.columns.map((column) => {
    if (!column.autoIncrement || column === rowid) return '?';
    const name = sqliteName(column.name);
    return `coalesce(?, (SELECT coalesce(max(${name}), 0) + 1 FROM ${table}))`;
  });
  return places.join(', ');
}

/** The columns a statement names, all of them when it names none. Throws 1054 or 1110. */
export function namedColumns(def: TableDef, names: readonly string[] | undefined): ColumnDef[] {
  if (names === undefined) return def.columns;
  const columns = names.map((name) => {
    const column = findColumn(def, name);
    if (column === undefined) throw unknownColumn(name, 'field list');
    return column;
  });
  columns.forEach((column, i) => {
    if (columns.indexOf(column) !== i) throw columnTwice(column.name);
  });
  return columns;
}

function givenValue(def: TableDef, column: ColumnDef, expr: Expr, scope: EvalScope, number: number): Value {
  const bare = expr.kind === 'default' && expr.column === undefined;
  if (column.generated !== undefined) {
    if (!bare) throw generatedColumnValue(column.name, def.name);
    return null;
  }
  const defaultOf = (name: string | undefined): Value => {
    const other = name === undefined ? column : findColumn(def, name);
    if (other === undefined) throw unknownColumn(name ?? '', 'field list');
    return defaultValue(other, scope);
  };
  const value = checkValue(column, evaluateScalar(expr, { ...scope, defaultOf }), number);
  // 0 asks for the next id as NULL does.
  return column.autoIncrement && value === 0 ? null : value;
}

/** The rows of a statement as whole rows. Throws 1136 and the errors of each value. */
function completeRows(def: TableDef, statement: Insert | Replace, scope: EvalScope): Row[] {
  const columns = namedColumns(def, statement.columns);
  const { rows } = statement;
  rows.forEach((row, i) => {
    const allDefaults = row.length === 0 && (statement.columns === undefined || statement.columns.length === 0);
    if (row.length !== columns.length && !allDefaults) throw columnCount(i + 1);
  });
  return rows.map((exprs, i) => completeRow(def, columns, exprs, scope, i + 1));
}

function completeRow(
  def: TableDef,
  columns: readonly ColumnDef[],
  exprs: readonly Expr[],
  scope: EvalScope,
  number: number,
): Row {
  const given = new Map(exprs.map((expr, i) => [columns[i], expr]));
  const entries = def.columns.map((column): [string, Value] => {
    const expr = given.get(column);
    if (expr !== undefined) return [column.name, givenValue(def, column, expr, scope, number)];
    return [column.name, column.generated === undefined ? defaultValue(column, scope) : null];
  });
  return withGenerated(def, Object.fromEntries(entries), scope);
}

/** An id that SQLite's rowid cannot be. */
function refuseLargeId(def: TableDef, row: Row): void {
  const column = rowidColumn(def);
  const id = column === undefined ? null : row[column.name];
  if (typeof id === 'bigint' && id >= 2n ** 63n)
    throw unsupported(`the id ${id} in an AUTO_INCREMENT column`, 'up to 9223372036854775807');
}

function modeOf(statement: Insert | Replace): InsertPlan['mode'] {
  if (statement.kind === 'replace') return 'replace';
  if (statement.onDuplicate.length > 0) return 'upsert';
  return statement.ignore ? 'ignore' : 'insert';
}

/**
 * An INSERT or REPLACE with its rows complete and checked. See the top of this file for how to run it.
 * Throws MySQL's errors: 1048, 1054, 1110, 1136, 1264, 1265, 1292, 1364, 1366, 1406, 3105, 3140.
 */
export function compileInsert(statement: Insert | Replace, def: TableDef, context: CompileContext): InsertPlan {
  const mode = modeOf(statement);
  const sql = insertSql(def, context.storedAs, mode === 'ignore');
  const rows = completeRows(def, statement, { ...context, writing: true }).map((values): InsertRow => {
    refuseLargeId(def, values);
    const insert = { sql, params: encodeRow(def.columns, values) };
    const wanted = mode === 'replace' || mode === 'upsert';
    const conflicts = wanted ? conflictQuery(def, values, context) : undefined;
    return { values, insert, ...(conflicts === undefined ? {} : { conflicts }) };
  });
  if (statement.kind === 'replace' || mode !== 'upsert') return { mode, rows };
  return { mode, rows, onDuplicate: compileAssignments(statement.onDuplicate, def, context) };
}
