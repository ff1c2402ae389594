/**
 * Values as the program sees them, and as they are bound to SQLite.
 *
 * better-sqlite3 binds every JavaScript number as REAL, so integers are bound as bigint throughout; read with
 * `safeIntegers(true)` and pass rows through `decodeRow` (storage.ts).
 */

/** A MySQL value. Integers are numbers while they are safe, bigints beyond; decimals are text; bytes that are not text are Uint8Array. */
export type Value = null | number | bigint | string | Uint8Array;

/** One row: column name (as the table spells it) to value. */
export type Row = Record<string, Value>;

/** A value ready to be bound: integers are bigint, reals are number. */
export type SqliteParam = null | number | bigint | string | Uint8Array;

/** SQLite text with its positional parameters. */
export interface SqlText {
  sql: string;
  params: SqliteParam[];
}

/** What the caller supplies so that compiling stays pure. */
export interface CompileContext {
  /** Now, as `YYYY-MM-DD HH:MM:SS` with up to six fractional digits. */
  now: string;
  /** What `last_insert_id()` answers; 0 unless given. */
  lastInsertId?: number | bigint;
  /** The SQLite table's name where it is not the table's own. */
  storedAs?: string;
}

/** An integer as a Value: a number while safe, a bigint beyond. */
export function integerValue(value: bigint): number | bigint {
  return value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value;
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

/** The UTF-8 bytes of a text. */
export function utf8(text: string): Uint8Array {
  return encoder.encode(text);
}

/** The text of UTF-8 bytes, or undefined when they are not UTF-8. */
export function textOf(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}

/**
 * The one form in which a binary string is kept and compared: text when it is UTF-8 without NUL, bytes otherwise.
 * SQLite's own functions stop at NUL in text, hence the exception.
 */
export function canonicalBytes(value: string | Uint8Array): string | Uint8Array {
  if (typeof value === 'string') return value.includes('\0') ? utf8(value) : value;
  const text = textOf(value);
  return text === undefined || text.includes('\0') ? Uint8Array.from(value) : text;
}

/** Bytes of a string of hex digits (an odd first digit counts as if preceded by 0). */
export function bytesOfHex(digits: string): Uint8Array {
  const even = digits.length % 2 === 0 ? digits : `0${digits}`;
  return Uint8Array.from(Buffer.from(even, 'hex'));
}

/** Bytes read as a big-endian unsigned integer, as MySQL reads a hex literal in a numeric context. */
export function integerOfBytes(bytes: Uint8Array): bigint {
  const hex = Buffer.from(bytes).toString('hex');
  return hex === '' ? 0n : BigInt(`0x${hex}`);
}
