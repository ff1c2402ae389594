/** Values inside an expression: a Value, or an exact decimal. Conversions as MySQL makes them. */
import { compareDecimals, type Decimal, decimalNumber, decimalOf, decimalText, isDecimal, readDecimal } from './decimal.ts';
import { integerOfBytes, integerValue, utf8, type Value } from './value.ts';

/** A value while an expression is worked out: bigint for integers, number for doubles. */
export type Scalar = Value | Decimal;

/** A number while an expression is worked out. */
export type Numeric = bigint | number | Decimal;

/** A scalar as the outside sees it. A decimal is a number where that prints the same, text otherwise. */
export function valueOf(scalar: Scalar): Value {
  if (typeof scalar === 'bigint') return integerValue(scalar);
  if (!isDecimal(scalar)) return scalar;
  const text = decimalText(scalar);
  return String(Number(text)) === text ? Number(text) : text;
}

/** The number at the start of a text, 0 when there is none, as MySQL reads text in a numeric context. */
export function leadingNumber(text: string): number {
  const found = /^\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?/.exec(text);
  return found === null ? 0 : Number(found[0]);
}

/** A scalar in a numeric context. Bytes are those of a hex literal: a big-endian integer up to 8 of them. */
export function numericOf(scalar: Exclude<Scalar, null>): Numeric {
  if (typeof scalar === 'string') return leadingNumber(scalar);
  if (!(scalar instanceof Uint8Array)) return scalar;
  return scalar.length <= 8 ? integerOfBytes(scalar) : 0;
}

/** The double nearest to a number. */
export function doubleOf(value: Numeric): number {
  return isDecimal(value) ? decimalNumber(value) : Number(value);
}

/** The exact decimal of an integer or decimal; of a double, by its shortest text. */
export function exactOf(value: Numeric): Decimal {
  if (typeof value === 'bigint') return decimalOf(value);
  if (isDecimal(value)) return value;
  return readDecimal(String(value))?.value ?? decimalOf(0n);
}

/** A scalar as text; bytes by UTF-8, with replacement characters. */
export function textOfScalar(scalar: Exclude<Scalar, null>): string {
  if (isDecimal(scalar)) return decimalText(scalar);
  if (scalar instanceof Uint8Array) return Buffer.from(scalar).toString('utf8');
  return typeof scalar === 'number' ? doubleText(scalar) : String(scalar);
}

/** A double as MySQL prints it: exponents without plus sign. */
export function doubleText(value: number): string {
  return Object.is(value, -0) ? '0' : String(value).replace('e+', 'e');
}

/** True, false, or null for NULL. Text counts by its leading number. */
export function truthOf(scalar: Scalar): boolean | null {
  if (scalar === null) return null;
  const value = numericOf(scalar);
  return isDecimal(value) ? value.digits !== 0n : Number(value) !== 0;
}

const lowerAscii = (text: string): string => text.replace(/[A-Z]+/g, (part) => part.toLowerCase());

/** Order by UTF-8 bytes, as SQLite orders text. */
function compareBytes(left: Uint8Array, right: Uint8Array): number {
  return Math.sign(Buffer.compare(left, right));
}

/** Orders two texts; ASCII letters of either case are equal unless `exact`. */
export function compareText(left: string, right: string, exact: boolean): number {
  if (exact) return left === right ? 0 : compareBytes(utf8(left), utf8(right));
  return compareText(lowerAscii(left), lowerAscii(right), true);
}

function compareNumbers(left: Numeric, right: Numeric): number {
  if (typeof left === 'number' || typeof right === 'number') {
    // JavaScript compares bigint with number exactly.
    const [a, b] = [isDecimal(left) ? doubleOf(left) : left, isDecimal(right) ? doubleOf(right) : right];
    return a < b ? -1 : a > b ? 1 : 0;
  }
  return compareDecimals(exactOf(left), exactOf(right));
}

/**
 * -1, 0 or 1 for two scalars, as MySQL compares them: two texts as text (`exact`: by bytes), a text with bytes by
 * bytes, anything else as numbers.
 */
export function compareScalars(left: Exclude<Scalar, null>, right: Exclude<Scalar, null>, exact = false): number {
  if (typeof left === 'string' && typeof right === 'string') return compareText(left, right, exact);
  const bytes = (side: Scalar): Uint8Array | undefined =>
    side instanceof Uint8Array ? side : typeof side === 'string' ? utf8(side) : undefined;
  const [a, b] = [bytes(left), bytes(right)];
  return a !== undefined && b !== undefined ? compareBytes(a, b) : compareNumbers(numericOf(left), numericOf(right));
}
