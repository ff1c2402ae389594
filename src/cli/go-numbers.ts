import { plainError, type VtError } from '../lib/errors.ts';
import { goQuote } from '../lib/go-quote.ts';

/** Booleans and numbers as Go's strconv reads them, with its error texts. All throw VtError (plain). */

const TRUE = new Set(['1', 't', 'T', 'true', 'TRUE', 'True']);
const FALSE = new Set(['0', 'f', 'F', 'false', 'FALSE', 'False']);

/** Go: strconv.ParseBool. */
export function parseGoBool(text: string): boolean {
  if (TRUE.has(text)) return true;
  if (FALSE.has(text)) return false;
  throw numberError('ParseBool', text, 'invalid syntax');
}

const INT_FORMS = [/^0x(?:_?[0-9a-f])+$/i, /^0b(?:_?[01])+$/i, /^0o(?:_?[0-7])+$/i, /^0(?:_?[0-7])*$/, /^[1-9](?:_?\d)*$/];
const INT64_MAX = 2n ** 63n - 1n;

/** A 64-bit integer in any of Go's notations; above 2^53, the nearest number. Go: strconv.ParseInt(s, 0, 64). */
export function parseGoInt(text: string): number {
  const negative = text.startsWith('-');
  const body = /^[+-]/.test(text) ? text.slice(1) : text;
  if (!INT_FORMS.some((form) => form.test(body))) throw numberError('ParseInt', text, 'invalid syntax');
  const digits = body.replaceAll('_', '').toLowerCase();
  const magnitude = BigInt(/^0\d/.test(digits) ? `0o${digits.slice(1)}` : digits);
  if (magnitude > INT64_MAX + (negative ? 1n : 0n)) throw numberError('ParseInt', text, 'value out of range');
  return Number(negative ? -magnitude : magnitude);
}

const DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;
const HEX_FLOAT = /^([+-]?)0x([0-9a-f]*)\.?([0-9a-f]*)p([+-]?\d+)$/i;
const SPECIAL = /^([+-]?)inf(?:inity)?$|^nan$/i;

/** A 32-bit float, rounded as it is stored. Go: strconv.ParseFloat(s, 32). */
export function parseGoFloat32(text: string): number {
  const special = SPECIAL.exec(text);
  if (special !== null) return special[1] === undefined ? Number.NaN : special[1] === '-' ? -Infinity : Infinity;
  const value = parseFinite(text);
  if (value === undefined) throw numberError('ParseFloat', text, 'invalid syntax');
  const rounded = Math.fround(value);
  if (!Number.isFinite(rounded)) throw numberError('ParseFloat', text, 'value out of range');
  return rounded;
}

function parseFinite(text: string): number | undefined {
  // An underscore stands between two digits, or after a base prefix.
  if (/(?<![0-9a-fx])_|_(?![0-9a-f])/i.test(text)) return undefined;
  const plain = text.replaceAll('_', '');
  if (DECIMAL.test(plain)) return Number(plain);
  const [, sign = '', whole = '', part = '', power = '0'] = HEX_FLOAT.exec(plain) ?? [];
  if (whole + part === '') return undefined;
  const magnitude = Number(`0x${whole}${part}`) * 2 ** (Number(power) - 4 * part.length);
  return sign === '-' ? -magnitude : magnitude;
}

function numberError(parser: string, text: string, what: string): VtError {
  return plainError(`strconv.${parser}: parsing ${goQuote(text)}: ${what}`);
}
