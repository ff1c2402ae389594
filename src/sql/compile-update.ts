/**
 * UPDATE and DELETE: first the rows they match, with `__rowid` and their images, then a statement per row.
 * New values are worked out here, so that they are checked as MySQL checks them, and assigned from left to right, so
 * that `set a = a + 1, b = a` gives b the new a.
 */
import type { Assignment, Delete, Update } from './ast.ts';
import { checkValue } from './check-value.ts';
import { limitClause, orderClause, scopeOf, whereClause } from './compile.ts';
import { selectRows } from './compile-key.ts';
import { defaultValue, withGenerated, withOnUpdate } from './defaults.ts';
import { type EvalScope, evaluateScalar } from './evaluate.ts';
import { formatExpr } from './format-expr.ts';
import { sqlOf } from './fragment.ts';
import { generatedColumnValue, unknownColumn } from './mysql-errors.ts';
import { type ColumnDef, findColumn, rowidName, type TableDef } from './schema.ts';
import { decodeRow, encodeRow, sqliteName } from './storage.ts';
import type { CompileContext, Row, SqliteParam, SqlText, Value } from './value.ts';
import { someExpr } from './walk.ts';

/** How one row is updated. */
export interface RowUpdate {
  /** Sets the written columns of the row whose rowid is the last parameter, and returns the row. */
  sql: string;
  def: TableDef;
  context: CompileContext;
  assignments: { column: ColumnDef; value: Assignment['value'] }[];
  /** The columns `sql` writes, in the order of its parameters. */
  written: ColumnDef[];
}

/** A compiled UPDATE. Run `before`, then for each of its rows `updateRow` and, where `changed`, `set.sql`. */
export interface UpdatePlan {
  /** `SELECT rowid AS "__rowid", *` of the matched rows, in the order they are to be updated. */
  before: SqlText;
  set: RowUpdate;
  /** UPDATE IGNORE: a row that would be a duplicate is left as it is. */
  ignore: boolean;
}

/** A compiled DELETE. Run `before`, then `remove` with each row's `__rowid`. */
export interface DeletePlan {
  before: SqlText;
  remove: string;
}

/** What an update makes of one row. */
export interface UpdatedRow {
  /** Parameters of `RowUpdate.sql`. */
  params: SqliteParam[];
  before: Row;
  after: Row;
  /** False when every value stays what it was: MySQL then writes nothing and does not count the row. */
  changed: boolean;
}

function assignedColumn(def: TableDef, assignment: Assignment, tableName: string | undefined): ColumnDef {
  const { column: ref } = assignment;
  const known = ref.table === undefined || ref.table === tableName;
  const column = known ? findColumn(def, ref.name) : undefined;
  if (column === undefined) throw unknownColumn(formatExpr(ref).replaceAll('`', ''), 'field list');
  if (column.generated !== undefined && assignment.value.kind !== 'default')
    throw generatedColumnValue(column.name, def.name);
  return column;
}

/** Names of columns in a SET expression that the table lacks are refused even when no row matches. */
function refuseUnknown(def: TableDef, assignment: Assignment, tableName: string | undefined): void {
  someExpr(assignment.value, (expr) => {
    if (expr.kind !== 'column') return false;
    const known = expr.table === undefined || expr.table === tableName;
    if (known && findColumn(def, expr.name) !== undefined) return false;
    throw unknownColumn(formatExpr(expr).replaceAll('`', ''), 'field list');
  });
}

/** The assignments of a SET or ON DUPLICATE KEY UPDATE clause. Throws 1054, 3105. */
export function compileAssignments(
  set: readonly Assignment[],
  def: TableDef,
  context: CompileContext,
  alias?: string,
): RowUpdate {
  const tableName = alias ?? def.name;
  const assignments = set.map((assignment) => {
    refuseUnknown(def, assignment, tableName);
    return { column: assignedColumn(def, assignment, tableName), value: assignment.value };
  });
  const touched = new Set(assignments.map(({ column }) => column));
  const follows = (column: ColumnDef): boolean => column.generated !== undefined || column.onUpdate !== undefined;
  const written = def.columns.filter((column) => touched.has(column) || follows(column));
  const places = written.map((column) => `${sqliteName(column.name)} = ?`).join(', ');
  const table = sqliteName(context.storedAs ?? def.name);
  const sql = `UPDATE ${table} SET ${places} WHERE ${rowidName(def)} = ? RETURNING *`;
  return { sql, def, context, assignments, written };
}

function sameValue(left: Value | undefined, right: Value | undefined): boolean {
  if (left instanceof Uint8Array && right instanceof Uint8Array) return Buffer.compare(left, right) === 0;
  return left === right;
}

function assignAll(update: RowUpdate, before: Row, scope: EvalScope, number: number): Row {
  let row = before;
  for (const { column, value } of update.assignments) {
    if (column.generated !== undefined) continue;
    const defaultOf = (name: string | undefined): Value => {
      const other = name === undefined ? column : findColumn(update.def, name);
      if (other === undefined) throw unknownColumn(name ?? '', 'field list');
      return defaultValue(other, scope);
    };
    const scalar = evaluateScalar(value, { ...scope, row, defaultOf });
    row = { ...row, [column.name]: checkValue({ ...column, autoIncrement: false }, scalar, number) };
  }
  return row;
}

/**
 * The update of one row that `before` (or a `conflicts` query) returned, its `__rowid` included. `inserting` is the row
 * that VALUES() reads in ON DUPLICATE KEY UPDATE; `number` the row's number for error texts.
 * Throws MySQL's errors for values (`checkValue`), 1365, 1690.
 */
export function updateRow(update: RowUpdate, raw: Record<string, unknown>, inserting?: Row, number = 1): UpdatedRow {
  const { def, context } = update;
  const before = decodeRow(def, raw);
  const scope: EvalScope = { ...context, def, writing: true, ...(inserting === undefined ? {} : { inserting }) };
  const assigned = assignAll(update, before, scope, number);
  const names = new Set(update.assignments.map(({ column }) => column.name));
  const full = withGenerated(def, assigned, scope);
  const changed = def.columns.some(({ name }) => !sameValue(before[name], full[name]));
  const after = changed ? withGenerated(def, withOnUpdate(def, full, names, scope), scope) : before;
  const rowid = raw['__rowid'];
  const id = typeof rowid === 'number' ? BigInt(rowid) : typeof rowid === 'bigint' ? rowid : null;
  return { params: [...encodeRow(update.written, after), id], before, after, changed };
}

/** The rows that UPDATE or DELETE matches, in order. */
function matched(statement: Update | Delete, def: TableDef, context: CompileContext): SqlText {
  const scope = scopeOf(def, context, statement.alias);
  const where = whereClause(statement.where, scope);
  const order = orderClause(statement.orderBy, scope);
  return sqlOf`${selectRows(def, context)}${where}${order}${limitClause(statement.limit)}`;
}

/** An UPDATE. Throws 1054, 3105, UNIMPLEMENTED. */
export function compileUpdate(statement: Update, def: TableDef, context: CompileContext): UpdatePlan {
  const set = compileAssignments(statement.set, def, context, statement.alias);
  return { before: matched(statement, def, context), set, ignore: statement.ignore };
}

/** A DELETE. Throws 1054, UNIMPLEMENTED. */
export function compileDelete(statement: Delete, def: TableDef, context: CompileContext): DeletePlan {
  const table = sqliteName(context.storedAs ?? def.name);
  const remove = `DELETE FROM ${table} WHERE ${rowidName(def)} = ?`;
  return { before: matched(statement, def, context), remove };
}
