/** Numbers on their way into a column, as MySQL's strict mode takes them. */
import { type Decimal, decimalText, readDecimal, rescale } from './decimal.ts';
import { dataTooLong, dataTruncated, incorrectValue, outOfRange } from './mysql-errors.ts';
import { doubleOf, exactOf, numericOf, type Scalar } from './scalar.ts';
import { type ColumnDef, typeArg } from './schema.ts';
import { integerValue, type Value } from './value.ts';

const INTEGER_BITS: Record<string, number> = { tinyint: 8, smallint: 16, mediumint: 24, int: 32, bigint: 64 };

/** The smallest and largest value of an integer type. */
export function integerRange(column: ColumnDef): [bigint, bigint] {
  const bits = BigInt(INTEGER_BITS[column.type.name] ?? 64);
  return column.type.unsigned ? [0n, 2n ** bits - 1n] : [-(2n ** (bits - 1n)), 2n ** (bits - 1n) - 1n];
}

/** Text that is a number throughout; `kind` names it in the error. */
function textNumber(kind: string, text: string, column: ColumnDef, row: number): Decimal {
  const read = readDecimal(text);
  if (read === undefined) {
    if (/^\s*[+-]?\.?\d/.test(text)) throw outOfRange(column.name, row);
    throw incorrectValue(kind, text, column.name, row);
  }
  if (read.rest.trim() !== '') throw dataTruncated(column.name, row);
  return read.value;
}

/** A scalar as an exact number. Doubles beyond a decimal's text (infinities) are out of range. */
function exactNumber(kind: string, value: Exclude<Scalar, null>, column: ColumnDef, row: number): Decimal {
  if (typeof value === 'string') return textNumber(kind, value, column, row);
  const number = numericOf(value);
  if (typeof number === 'number' && !Number.isFinite(number)) throw outOfRange(column.name, row);
  return exactOf(number);
}

/** A value of an integer column: fractions are rounded. Throws 1264, 1265 or 1366. */
export function checkInteger(column: ColumnDef, value: Exclude<Scalar, null>, row: number): Value {
  const { digits } = rescale(exactNumber('integer', value, column, row), 0);
  const [low, high] = integerRange(column);
  if (digits < low || digits > high) throw outOfRange(column.name, row);
  return integerValue(digits);
}

/** A value of a BIT column, as an integer. Throws 1406. */
export function checkBit(column: ColumnDef, value: Exclude<Scalar, null>, row: number): Value {
  const bytes = typeof value === 'string' ? Uint8Array.from(Buffer.from(value, 'utf8')) : value;
  const { digits } = rescale(exactNumber('integer', bytes, column, row), 0);
  if (digits < 0n || digits >= 2n ** BigInt(typeArg(column.type, 0, 1))) throw dataTooLong(column.name, row);
  return integerValue(digits);
}

/** A value of a YEAR column: 0, 1901 to 2155, or two digits. Throws 1264, 1265 or 1366. */
export function checkYear(column: ColumnDef, value: Exclude<Scalar, null>, row: number): Value {
  const year = Number(rescale(exactNumber('integer', value, column, row), 0).digits);
  const zero = year === 0 && !(typeof value === 'string' && value.trim().length < 4);
  const full = zero || year < 0 || year > 99 ? year : year + (year < 70 ? 2000 : 1900);
  if (full !== 0 && (full < 1901 || full > 2155)) throw outOfRange(column.name, row);
  return full;
}

/**
 * A value of a DECIMAL column, as text with all its fractional digits; more are rounded off.
 * Throws 1264, 1265 or 1366.
 */
export function checkDecimal(column: ColumnDef, value: Exclude<Scalar, null>, row: number): Value {
  const scale = typeArg(column.type, 1, 0);
  const fitted = rescale(exactNumber('decimal', value, column, row), scale);
  const limit = 10n ** BigInt(typeArg(column.type, 0, 10));
  if (fitted.digits >= limit || fitted.digits <= -limit) throw outOfRange(column.name, row);
  if (column.type.unsigned && fitted.digits < 0n) throw outOfRange(column.name, row);
  return decimalText(fitted);
}

/** The double with the fewest digits that is the same FLOAT: what MySQL prints of it. */
function shortestFloat(value: number): number {
  const float = Math.fround(value);
  for (let digits = 6; digits < 9; digits += 1) {
    const short = Number(float.toPrecision(digits));
    if (Math.fround(short) === float) return short;
  }
  return Number(float.toPrecision(9));
}

function textDouble(column: ColumnDef, text: string, row: number): number {
  const number = /^\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\s*$/.test(text) ? Number(text) : undefined;
  if (number === undefined) throw dataTruncated(column.name, row);
  return number;
}

/** A value of a FLOAT or DOUBLE column. Throws 1264 or 1265. */
export function checkReal(column: ColumnDef, value: Exclude<Scalar, null>, row: number): Value {
  const number = typeof value === 'string' ? textDouble(column, value, row) : doubleOf(numericOf(value));
  const scale = typeArg(column.type, 1, -1);
  const fitted = scale < 0 ? number : Number(number.toFixed(Math.min(scale, 100)));
  const stored = column.type.name === 'float' ? shortestFloat(fitted) : fitted;
  if (!Number.isFinite(stored) || (column.type.unsigned && stored < 0)) throw outOfRange(column.name, row);
  return Object.is(stored, -0) ? 0 : stored;
}
