/**
 * Column values as vindexes see them. Vitess: sqltypes.Value, of which a vindex reads either the raw text or an
 * unsigned integer (go/mysql/fastparse).
 */
import { type VtError, plainError } from '../lib/errors.ts';
import { goQuote } from '../lib/go-quote.ts';

/**
 * A column value. Numbers without a fraction, and bigints up to 2^63-1, are signed integers; bigints above are
 * unsigned. Hexadecimal and bit literals are given as the bytes they stand for.
 */
export type VindexValue = null | number | bigint | string | Uint8Array;

const MAX_UINT64 = 0xffffffffffffffffn;
const MAX_INT64 = 0x7fffffffffffffffn;
const MIN_INT64 = -0x8000000000000000n;
const TWO_32 = 0x100000000;

/** The value's raw text as bytes; NULL has none. Vitess: Value.ToBytes. */
export function toBytes(value: VindexValue): Uint8Array {
  return value instanceof Uint8Array ? value : Buffer.from(toText(value), 'utf8');
}

/** The value's raw text; NULL has none, bytes are read as UTF-8. */
export function toText(value: VindexValue): string {
  if (value === null) return '';
  if (typeof value === 'string') return value;
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'number') return Number.isSafeInteger(value) ? String(value || 0) : numberText(value);
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('utf8');
}

function numberText(value: number): string {
  return Number.isInteger(value) ? BigInt(value).toString() : String(value);
}

/** A DataView and the bytes under it: where a 64-bit number is put together. Eight bytes, big-endian. */
export interface Scratch64 {
  readonly bytes: Buffer;
  readonly view: DataView;
}

/** Makes a place for one 64-bit number. */
export function makeScratch64(): Scratch64 {
  const bytes = Buffer.alloc(8);
  return { bytes, view: new DataView(bytes.buffer, bytes.byteOffset, 8) };
}

/**
 * Writes the value as an unsigned 64-bit number, read from its text: digits, with blanks and tabs around them, and
 * no sign. Vitess: Value.ToCastUint64.
 *
 * @returns the error to throw, if any: `cannot parse uint64 from "aa"`,
 *   `unparsed tail left after parsing uint64 from "1.1": ".1"`
 */
export function writeUint64(value: VindexValue, to: Scratch64): VtError | undefined {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) {
    writeSafeInteger(value, to);
    return undefined;
  }
  const parsed = parseUint64(toText(value));
  if (typeof parsed !== 'bigint') return parsed;
  to.view.setBigUint64(0, parsed);
  return undefined;
}

/**
 * As writeUint64, but a signed integer keeps its two's complement, so that -1 is 2^64-1. Vitess: Hash.Hash.
 */
export function writeInt64(value: VindexValue, to: Scratch64): VtError | undefined {
  if (typeof value === 'number' && Number.isSafeInteger(value)) {
    writeSafeInteger(value, to);
    return undefined;
  }
  const integer = typeof value === 'number' && Number.isInteger(value) ? BigInt(value) : value;
  if (typeof integer === 'bigint' && integer >= MIN_INT64 && integer <= MAX_INT64) {
    to.view.setBigInt64(0, integer);
    return undefined;
  }
  return writeUint64(value, to);
}

function writeSafeInteger(value: number, to: Scratch64): void {
  // Both conversions wrap modulo 2^32, which gives two's complement.
  to.view.setUint32(0, Math.floor(value / TWO_32));
  to.view.setUint32(4, value);
}

/** Go's reading of an unsigned number, or the error that it ends with. */
function parseUint64(text: string): bigint | VtError {
  if (text === '') return plainError('cannot parse uint64 from empty string');
  const [, digits = '', tail = ''] = /^[ \t]*(\d*)[ \t]*([^]*)$/.exec(text) ?? [];
  const message = `cannot parse uint64 from ${goQuote(text)}`;
  if (digits === '') return plainError(message);
  const number = BigInt(digits);
  if (number > MAX_UINT64) return plainError(`${message}: overflow`);
  if (tail !== '') {
    return plainError(`unparsed tail left after parsing uint64 from ${goQuote(text)}: ${goQuote(tail)}`);
  }
  return number;
}
