import type { ByteCursor } from '../../sql/dump/cursor.ts';
import { columnReader, type LoadScope } from '../../sql/dump/columns.ts';
import { RowReader } from '../../sql/dump/row-reader.ts';
import type { DumpSession } from '../../sql/dump/session.ts';
import type { InsertHead } from '../../sql/dump/statements.ts';
import { loadSql, looksAtRows, namedColumns } from '../../sql/compile-insert.ts';
import { defaultValue, withGenerated } from '../../sql/defaults.ts';
import { columnCount } from '../../sql/mysql-errors.ts';
import type { ColumnDef, TableDef } from '../../sql/schema.ts';
import { decodeValue, encodeRow, encodeValue } from '../../sql/storage.ts';
import type { Row, SqliteParam } from '../../sql/value.ts';
import type { RowPlace } from './place.ts';

/** Values bound at once. More gain nothing. */
const GROUPED_VALUES = 120;

/** How the rows of one form of INSERT go into a table: worked out once, used for every statement of that form. */
export interface InsertTarget {
  def: TableDef;
  /** The SQLite statement for one row; its parameters are those of a whole row. */
  sql: string;
  /** How many rows `groupSql` takes at once, which is what makes a load fast. */
  group: number;
  groupSql: string;
  place: RowPlace;
  /** Reads a row at the cursor; the parameters of all the table's columns. Throws MORE and MySQL's errors. */
  read(): SqliteParam[];
}

/** The target of an INSERT. Throws 1054 and 1110, and 1364 for a column that must be given and is not. */
export function insertTarget(
  cursor: ByteCursor,
  session: DumpSession,
  def: TableDef,
  head: InsertHead,
  place: RowPlace,
): InsertTarget {
  const { scope } = session;
  const columns = namedColumns(def, head.columns);
  const rows = new RowReader(cursor, columns.map((column) => columnReader(def, column, scope)), session.mode);
  const fill = filler(def, columns, scope);
  const mode = head.verb === 'replace' ? 'replace' : head.ignore ? 'ignore' : 'insert';
  const read = (): SqliteParam[] => {
    const given: SqliteParam[] = [];
    const count = rows.read(given);
    if (count === columns.length) return fill(given);
    // `()` is a row of defaults.
    if (count === 0 && head.columns === undefined) return filler(def, [], scope)([]);
    throw columnCount(scope.rowNumber);
  };
  const group = looksAtRows(def) ? 1 : Math.max(1, Math.floor(GROUPED_VALUES / def.columns.length));
  return { def, sql: loadSql(def, mode, 1), group, groupSql: loadSql(def, mode, group), place, read };
}

/** Makes a whole row of the values given, in the order of the definition. */
function filler(def: TableDef, columns: readonly ColumnDef[], scope: LoadScope): (given: SqliteParam[]) => SqliteParam[] {
  const computed = def.columns.some((column) => column.generated !== undefined);
  const inOrder = columns.length === def.columns.length && columns.every((column, i) => column === def.columns[i]);
  const whole = inOrder ? (given: SqliteParam[]): SqliteParam[] => given : completer(def, columns, scope);
  if (!computed) return whole;
  return (given) => {
    const row: Row = {};
    const params = whole(given);
    def.columns.forEach((column, i) => (row[column.name] = decodeValue(column.type, params[i])));
    return encodeRow(def.columns, withGenerated(def, row, scope));
  };
}

function completer(def: TableDef, columns: readonly ColumnDef[], scope: LoadScope): (given: SqliteParam[]) => SqliteParam[] {
  const parts = def.columns.map((column): ((given: SqliteParam[]) => SqliteParam) => {
    const at = columns.indexOf(column);
    if (at >= 0) return (given) => given[at] ?? null;
    if (column.generated !== undefined) return () => null;
    const param = (): SqliteParam => encodeValue(column.type, defaultValue(column, scope));
    if (column.default.kind === 'expression') return param;
    const constant = param();
    return () => constant;
  });
  return (given) => parts.map((part) => part(given));
}
