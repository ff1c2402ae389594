/**
 * How the rows of one table are compared. Vitess: go/vt/vttablet/tabletmanager/vdiff/table_plan.go.
 */
import { plainError } from '../../lib/errors.ts';
import { type ColumnDef, findColumn, type TableDef } from '../../sql/schema.ts';
import { type RowOrder, rowOrder, sameColumns, type StoredRow } from './order.ts';

/** A table to be compared: rows of both sides as arrays of the target's columns. */
export interface TablePlan {
  /** The target's name, and the source's. */
  table: string;
  sourceTable: string;
  columns: readonly ColumnDef[];
  /** Places of the columns that tell rows apart, and that both sides are sorted by. */
  keys: readonly number[];
  order: RowOrder;
  /** Whether the other columns of two rows with one key are the same. */
  same: (source: StoredRow, target: StoredRow) => boolean;
}

/**
 * Plans the comparison of a table. Without a source table there are no rows on that side.
 * Throws `column C not found in table T` for a column that the source's table lacks.
 */
export function planTable(target: TableDef, source: TableDef | undefined, sourceTable: string): TablePlan {
  const { columns } = target;
  const keys = keyOf(target).map((name) => columns.findIndex((column) => column.name === name));
  const others = columns.map((_, at) => at).filter((at) => !keys.includes(at));
  const sources = columns.map((column) => (source === undefined ? column : findColumn(source, column.name)));
  const missing = columns.find((_, at) => sources[at] === undefined);
  if (missing !== undefined) absent(missing.name, sourceTable);
  return {
    table: target.name,
    sourceTable,
    columns,
    keys,
    order: rowOrder(columns, keys),
    same: sameColumns(sources, columns, others),
  };
}

/**
 * Plans the comparison of a table that a select fills: of its columns those that the select names. What the select gives is brought to
 * the target's types before. Throws `column C not found in table T` for one that the target lacks, and for a key that is not filled.
 */
export function planShaped(target: TableDef, sourceTable: string, names: readonly string[]): TablePlan {
  const columns = names.map((name) => findColumn(target, name) ?? absent(name, target.name));
  const keys = keyOf(target).map((name) => columns.findIndex((column) => column.name === name));
  keys.forEach((at, i) => at >= 0 || absent(keyOf(target)[i]!, target.name));
  const others = columns.map((_, at) => at).filter((at) => !keys.includes(at));
  const order = rowOrder(columns, keys);
  return { table: target.name, sourceTable, columns, keys, order, same: sameColumns(columns, columns, others) };
}

function absent(column: string, table: string): never {
  throw plainError(`column ${column} not found in table ${table}`);
}

/**
 * The primary key; where there is none, the smallest unique key whose columns cannot be NULL; else every column.
 * Vitess: go/vt/mysqlctl GetPrimaryKeyEquivalentColumns.
 */
function keyOf(def: TableDef): readonly string[] {
  const named = (name: string): string => findColumn(def, name)?.name ?? name;
  if (def.primaryKey.length > 0) return def.primaryKey.map(named);
  const fitting = def.indexes.filter(
    ({ kind, parts }) => kind === 'unique' && parts.every(({ column, length }) => length === undefined && findColumn(def, column)?.nullable === false),
  );
  const [best] = fitting.toSorted((a, b) => a.parts.length - b.parts.length);
  return best === undefined ? def.columns.map((column) => column.name) : best.parts.map((part) => named(part.column));
}
