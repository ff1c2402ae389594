/** Numbers as Go prints them. */
import { InvariantError } from '../../lib/errors.ts';

/** The width of a floating-point field. */
export type FloatBits = 32 | 64;

/** A number rounded to a float's width, as the shortest decimal that reads back as the same float. */
export function shortest(value: number, bits: FloatBits): number {
  if (bits === 64) return value;
  const single = Math.fround(value);
  if (!Number.isFinite(single) || single === 0) return single;
  return Math.sign(single) * shortestSingle(Math.abs(single));
}

/**
 * The shortest decimal that reads back as this positive float32; of two equally short ones the nearer, of two
 * equally near ones the even one.
 */
function shortestSingle(single: number): number {
  // oxlint-disable-next-line oxc/number-arg-out-of-range -- the limit has been 100 since ES2018
  const [mantissa = '', power = ''] = single.toExponential(100).split('e');
  const digits = mantissa.replace('.', '');
  for (let length = 1; length < 9; length++) {
    const below = Number(digits.slice(0, length));
    const rest = digits.slice(length);
    const half = `5${'0'.repeat(rest.length - 1)}`;
    const up = rest > half || (rest === half && below % 2 === 1);
    // At a power of two the floats below lie closer than those above, so the farther decimal may be the only one.
    for (const decimal of up ? [below + 1, below] : [below, below + 1]) {
      const candidate = Number(`${decimal}e${Number(power) - length + 1}`);
      if (Math.fround(candidate) === single) return candidate;
    }
  }
  return Number(single.toPrecision(9));
}

/**
 * A finite float as both of Go's JSON encoders print it: the shortest form, with an exponent below 1e-6
 * and from 1e21. That is JavaScript's own rule, but for the width and for negative zero (taken as 0 here).
 */
export function jsonFloat(value: number, bits: FloatBits): string {
  return String(shortest(value, bits));
}

/** A float as prototext prints it, Go's `%g` in its shortest form: an exponent below 1e-4 and from 1e6. */
export function textFloat(value: number, bits: FloatBits): string {
  const number = shortest(value, bits);
  if (Number.isNaN(number)) return 'nan';
  if (!Number.isFinite(number)) return number > 0 ? 'inf' : '-inf';
  const [digits = '0', power = '+0'] = number.toExponential().split('e');
  const exponent = Number(power);
  if (exponent >= -4 && exponent < 6) return String(number);
  const sign = exponent < 0 ? '-' : '+';
  return `${digits}e${sign}${String(Math.abs(exponent)).padStart(2, '0')}`;
}

/** The value of a float field in memory: a number, or the words protojson has for what JSON numbers cannot say. */
export function floatValue(value: unknown): number {
  if (typeof value === 'number') return value;
  if (value === 'NaN' || value === 'Infinity' || value === '-Infinity') return Number(value);
  throw new InvariantError(`not a number: ${String(value)}`);
}

/** An integer field of any width as bare decimal digits. */
export function integerText(value: unknown): string {
  const text = String(value);
  if (!/^-?\d+$/.test(text)) throw new InvariantError(`not an integer: ${text}`);
  return text;
}
