import type { Expr } from '../sql/ast.ts';
import { readDecimal } from '../sql/decimal.ts';
import { evaluate } from '../sql/evaluate.ts';
import { compareScalars, type Scalar } from '../sql/scalar.ts';
import { type ColumnDef, columnFamily, findColumn, isCaseSensitive, type TableDef } from '../sql/schema.ts';
import type { Value } from '../sql/value.ts';

/** The column that an expression is, with its type and collation; undefined for anything else. */
export function columnOf(def: TableDef | undefined, expr: Expr): ColumnDef | undefined {
  return def === undefined || expr.kind !== 'column' ? undefined : findColumn(def, expr.name);
}

/** Orders two values of a column as MySQL does; NULL comes first. */
export function compareValues(column: ColumnDef | undefined, left: Value, right: Value): number {
  if (left === null || right === null) return Number(left !== null) - Number(right !== null);
  const exact = column !== undefined && (isCaseSensitive(column.type) || !isText(column));
  return compareScalars(sortable(column, left), sortable(column, right), exact);
}

function isText(column: ColumnDef): boolean {
  return ['text', 'enum', 'set'].includes(columnFamily(column.type));
}

/** The form a value sorts in: decimals by size, times by length, members by their place. */
function sortable(column: ColumnDef | undefined, value: Exclude<Value, null>): Exclude<Scalar, null> {
  if (column === undefined || typeof value !== 'string') return value;
  switch (columnFamily(column.type)) {
    case 'decimal':
      return readDecimal(value)?.value ?? value;
    case 'time':
      return seconds(value);
    case 'enum':
      return column.type.args.indexOf(value);
    case 'set':
      return value.split(',').reduce((bits, member) => bits + 2 ** column.type.args.indexOf(member), 0);
    default:
      return value;
  }
}

function seconds(time: string): number {
  const [, sign, hours, minutes, rest] = /^(-?)(\d+):(\d+):(.*)$/.exec(time) ?? [];
  const total = Number(hours) * 3600 + Number(minutes) * 60 + Number(rest);
  return sign === '-' ? -total : total;
}

/** The sum of two numbers as MySQL adds them: integers and decimals exactly, and passing NULL by. */
export function addValues(left: Value, right: Value): Value {
  if (left === null || right === null) return left ?? right;
  const sum = evaluate({ kind: 'arithmetic', op: '+', left: literal(left), right: literal(right) });
  // Decimals are texts, as a single shard answers them.
  return typeof left === 'string' || typeof right === 'string' ? String(sum) : sum;
}

function literal(value: Exclude<Value, null>): Expr {
  if (value instanceof Uint8Array) return { kind: 'string', value: Buffer.from(value).toString('utf8') };
  const text = String(value);
  if (text.startsWith('-')) return { kind: 'unary', op: '-', expr: { kind: 'number', text: text.slice(1) } };
  return { kind: 'number', text };
}
