/** Comparisons with MySQL's conversions: a constant is brought to the form its column is kept in. */
import type { ComparisonOp } from './ast.ts';
import { compareDecimal, compareNumberTexts, memberNumber } from './compile-order.ts';
import { isDecimal, readDecimal } from './decimal.ts';
import { asNumber, asText, bound, constantFragment, type Fragment, isNumeric, joinSql, paramOf, sqlOf } from './fragment.ts';
import { exactOf, leadingNumber, numericOf, type Scalar, textOfScalar } from './scalar.ts';
import { type ColumnDef, columnFamily, fractionDigits, isCaseSensitive } from './schema.ts';
import { encodeValue } from './storage.ts';
import { normalDate, normalDatetime, normalTime } from './temporal.ts';
import { canonicalBytes, integerValue, type SqliteParam, type SqlText, textOf } from './value.ts';

type Present = Exclude<Scalar, null>;

const SQLITE_OPS: Record<ComparisonOp, string> = {
  '=': '=',
  '!=': '<>',
  '<': '<',
  '<=': '<=',
  '>': '>',
  '>=': '>=',
  '<=>': 'IS',
};
const FLIPPED: Partial<Record<ComparisonOp, ComparisonOp>> = { '<': '>', '<=': '>=', '>': '<', '>=': '<=' };

/** A constant compared with an integer column: integers stay exact, whether written as number or text. */
function integerParam(column: ColumnDef, scalar: Present): SqliteParam {
  const whole = typeof scalar === 'string' && /^\s*[+-]?\d+\s*$/.test(scalar) ? BigInt(scalar.trim()) : undefined;
  const number = whole ?? (typeof scalar === 'string' ? leadingNumber(scalar) : numericOf(scalar));
  const exact = typeof number === 'object' && number.digits % 10n ** BigInt(number.scale) === 0n;
  const integer = exact ? number.digits / 10n ** BigInt(number.scale) : number;
  if (typeof integer !== 'bigint') return paramOf(integer);
  const encoded = encodeValue(column.type, integerValue(integer));
  return typeof encoded === 'bigint' ? paramOf(encoded) : encoded;
}

/** A constant compared with a date or time column, in the column's own form; as it is when it is no date. */
function temporalParam(column: ColumnDef, scalar: Present): string {
  const text = textOfScalar(scalar);
  const fraction = /\.(\d+)\s*$/.exec(text)?.[1]?.length ?? 0;
  const digits = Math.max(fractionDigits(column.type), Math.min(6, fraction));
  switch (columnFamily(column.type)) {
    case 'date': {
      const full = normalDatetime(text, Math.min(6, fraction));
      return (full !== undefined && /[1-9]/.test(full.slice(11)) ? full : normalDate(text)) ?? text;
    }
    case 'time': {
      const time = normalTime(text, digits);
      return time === undefined || time === 'out-of-range' ? text : time;
    }
    default:
      return normalDatetime(text, digits) ?? text;
  }
}

/** The parameter for which `column op ?` means what MySQL means; undefined when the column must be converted. */
function plainParam(column: ColumnDef, scalar: Present): SqliteParam | undefined {
  switch (columnFamily(column.type)) {
    case 'int':
    case 'bit':
    case 'year':
      return integerParam(column, scalar);
    case 'real':
      return paramOf(typeof scalar === 'string' ? leadingNumber(scalar) : numericOf(scalar));
    case 'text':
    case 'json':
    case 'enum':
    case 'set':
      if (scalar instanceof Uint8Array) return textOf(scalar);
      return typeof scalar === 'string' ? scalar : undefined;
    case 'binary':
      return typeof scalar === 'string' || scalar instanceof Uint8Array ? canonicalBytes(scalar) : undefined;
    case 'date':
    case 'datetime':
      return temporalParam(column, scalar);
    default:
      return undefined;
  }
}

function decimalConstant(scalar: Present): ReturnType<typeof exactOf> {
  if (typeof scalar === 'string') return readDecimal(scalar)?.value ?? exactOf(0n);
  return exactOf(numericOf(scalar));
}

/** `column op constant`. */
function compareColumn(fragment: Fragment, column: ColumnDef, op: ComparisonOp, scalar: Present): SqlText {
  const family = columnFamily(column.type);
  if (family === 'decimal') return compareDecimal(fragment, fractionDigits(column.type), op, decimalConstant(scalar));
  if (family === 'time') {
    const value = temporalParam(column, scalar);
    if (op === '<' || op === '<=' || op === '>' || op === '>=') return compareNumberTexts(fragment, op, value);
    return sqlOf`${fragment} ${SQLITE_OPS[op]} ${bound(value)}`;
  }
  const param = plainParam(column, scalar);
  if (param !== undefined) {
    const exact = scalar instanceof Uint8Array && family === 'text' ? ' COLLATE BINARY' : '';
    return sqlOf`${fragment} ${SQLITE_OPS[op]} ${bound(param)}${exact}`;
  }
  const members = family === 'enum' || family === 'set';
  const number = members ? sqlOf`${memberNumber(fragment)}` : asNumber({ ...fragment, type: 'text' });
  return sqlOf`${number} ${SQLITE_OPS[op]} ${asNumber(constantFragment(scalar))}`;
}

/** `left op right` for any two fragments. */
export function compareFragments(left: Fragment, op: ComparisonOp, right: Fragment): SqlText {
  if (left.column !== undefined && right.constant !== undefined && right.constant !== null)
    return compareColumn(left, left.column, op, right.constant);
  if (right.column !== undefined && left.constant !== undefined && left.constant !== null)
    return compareColumn(right, right.column, FLIPPED[op] ?? op, left.constant);
  if (left.type === 'null' || right.type === 'null') return sqlOf`${left} ${SQLITE_OPS[op]} ${right}`;
  const texts = !isNumeric(left.type) && !isNumeric(right.type) && left.type !== 'decimal' && right.type !== 'decimal';
  if (!texts) return compareNumbers(left, op, right);
  // SQLite would take the left column's collation; in MySQL bytes and `_bin` win, and the default is blind to case.
  const collation = comparesBytes(left) || comparesBytes(right) ? 'BINARY' : 'NOCASE';
  return sqlOf`${asText(left)} COLLATE ${collation} ${SQLITE_OPS[op]} ${asText(right)}`;
}

function comparesBytes(side: Fragment): boolean {
  return side.type === 'binary' || (side.column !== undefined && isCaseSensitive(side.column.type));
}

/** Two DECIMAL columns of one scale are equal when their texts are; anything else compares as numbers. */
function compareNumbers(left: Fragment, op: ComparisonOp, right: Fragment): SqlText {
  const scale = (side: Fragment): number | undefined =>
    side.type === 'decimal' && side.column !== undefined ? fractionDigits(side.column.type) : undefined;
  const equality = op === '=' || op === '!=' || op === '<=>';
  if (equality && scale(left) !== undefined && scale(left) === scale(right))
    return sqlOf`${left} ${SQLITE_OPS[op]} ${right}`;
  return sqlOf`${asNumber(left)} ${SQLITE_OPS[op]} ${asNumber(right)}`;
}

/** `left in (..)`: one IN where every constant has a plain form, so that an index can serve it; an OR otherwise. */
export function inFragments(left: Fragment, list: readonly Fragment[]): SqlText {
  const { column } = left;
  const params = list.map(({ constant }) => {
    if (column === undefined || constant === undefined) return undefined;
    if (constant === null) return null;
    return constant instanceof Uint8Array && columnFamily(column.type) === 'text' ? undefined : plainParam(column, constant);
  });
  if (params.every((param) => param !== undefined)) return sqlOf`${left} IN (${joinSql(params.map(bound), ', ')})`;
  return sqlOf`(${joinSql(list.map((right) => compareFragments(left, '=', right)), ' OR ')})`;
}

/** A constant pattern, or undefined for one that is worked out per row. */
export function constantText(fragment: Fragment): string | null | undefined {
  const { constant } = fragment;
  if (constant === undefined || constant === null) return constant;
  return isDecimal(constant) ? undefined : textOfScalar(constant);
}
