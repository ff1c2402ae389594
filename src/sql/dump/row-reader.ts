/**
 * One row of INSERT … VALUES, read from bytes straight into what SQLite binds. A literal goes to its column's reader; any
 * other expression is cut out as text. This is the hot path of a load.
 */
import { isUtf8 } from 'node:buffer';
import { UserError } from '../../lib/errors.ts';
import type { SqliteParam } from '../value.ts';
import { type ByteCursor, LONGEST_PIECE, MORE } from './cursor.ts';
import { isSpace, isWordByte, skipComment, skipQuoted, skipSpace } from './space.ts';
import { notUtf8, type ScriptMode, tooLong } from './statements.ts';

/** What a column makes of a literal. Each throws MySQL's error for a value that the column does not take. */
export interface ColumnReader {
  /** True for columns that hold bytes: strings are given to `bytes`, whatever their encoding. */
  binary: boolean;
  null(): SqliteParam;
  /** An integer of at most 15 digits. */
  integer(value: number): SqliteParam;
  /** Another number, as written. */
  number(text: string): SqliteParam;
  /** A string; `ascii` when all of it is. */
  text(value: string, ascii: boolean): SqliteParam;
  /** Bytes, which are the reader's to keep: `_binary '..'`, `0x..`, `x'..'`, `b'..'`. */
  bytes(value: Uint8Array): SqliteParam;
  /** Any other expression, as written. */
  expression(sql: string): SqliteParam;
}

const QUOTE = 0x27;
const DOUBLE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const CLOSE = 0x29;
const LONGEST_INTEGER = 15;

/** What `\x` stands for, where that is not x itself. */
const ESCAPES = new Map([
  [0x30, 0x00],
  [0x62, 0x08],
  [0x6e, 0x0a],
  [0x72, 0x0d],
  [0x74, 0x09],
  [0x5a, 0x1a],
]);

function isNumberByte(byte: number): boolean {
  return (byte >= 0x30 && byte <= 0x39) || byte === 0x2e || (byte | 0x20) === 0x65;
}

function isSign(byte: number): boolean {
  return byte === 0x2b || byte === 0x2d;
}

/** Reads rows at a cursor. One reader serves one list of columns. */
export class RowReader {
  readonly #cursor: ByteCursor;
  readonly #columns: readonly ColumnReader[];
  readonly #mode: ScriptMode;
  /** Set by `#string`: where its bytes are, and whether they are all ASCII. */
  #bytes: Buffer = Buffer.alloc(0);
  #from = 0;
  #to = 0;
  #ascii = true;

  constructor(cursor: ByteCursor, columns: readonly ColumnReader[], mode: ScriptMode) {
    this.#cursor = cursor;
    this.#columns = columns;
    this.#mode = mode;
  }

  /**
   * Reads `(v, …)` and returns how many values stood there; those that have a column are in `into`.
   * Throws MORE, UserError for what is no row, and the errors of the columns.
   */
  read(into: SqliteParam[]): number {
    const cursor = this.#cursor;
    const start = cursor.pos;
    if (cursor.buf[start] !== 0x28) this.#fail('a row in parentheses is expected');
    cursor.pos += 1;
    let refused: unknown;
    for (let i = 0; ; i += 1) {
      this.#skip();
      if (i === 0 && cursor.buf[cursor.pos] === CLOSE) return this.#closed(start, 0);
      const reader = this.#columns[i];
      if (reader === undefined || refused !== undefined) this.#expressionText();
      else {
        const from = cursor.pos;
        try {
          into[i] = this.#value(reader);
        } catch (error) {
          if (error === MORE || error instanceof UserError) throw error;
          refused = error;
          cursor.pos = from;
          this.#expressionText();
        }
      }
      const byte = cursor.buf[cursor.pos];
      if (byte === CLOSE) {
        // Values in the wrong column are refused first; that there are too many or too few is the better answer.
        if (refused !== undefined && i + 1 === this.#columns.length) throw refused;
        return this.#closed(start, i + 1);
      }
      if (byte !== COMMA) this.#fail('"," or ")" is expected behind a value');
      cursor.pos += 1;
    }
  }

  #closed(start: number, count: number): number {
    this.#cursor.pos += 1;
    if (this.#cursor.pos - start > LONGEST_PIECE) throw tooLong(this.#cursor, start, 'the row');
    return count;
  }

  #fail(what: string): never {
    const { buf, pos } = this.#cursor;
    if (pos >= buf.length) this.#cursor.runOut('a row', pos);
    const near = buf.toString('utf8', pos, Math.min(pos + 24, buf.length)).split('\n')[0] ?? '';
    throw this.#cursor.error(`${what}, near ${JSON.stringify(near)}`, 'correct the line', pos);
  }

  #skip(): void {
    const byte = this.#cursor.buf[this.#cursor.pos];
    // Most values begin at once; `/`, `-` and `#` may open a comment, `*` close one.
    if (byte === undefined || isSpace(byte) || byte === 0x2f || byte === 0x2d || byte === 0x23 || byte === 0x2a) skipSpace(this.#cursor);
  }

  /** A value and the space behind it. */
  #value(reader: ColumnReader): SqliteParam {
    const cursor = this.#cursor;
    const start = cursor.pos;
    const value = this.#literal(reader, start);
    if (value !== undefined) {
      this.#skip();
      const behind = cursor.buf[cursor.pos];
      if (behind === COMMA || behind === CLOSE) return value;
      if (behind === undefined) cursor.runOut('a row', start);
    }
    cursor.pos = start;
    return reader.expression(this.#expressionText());
  }

  /** A literal; undefined when what stands here is something else. */
  #literal(reader: ColumnReader, start: number): SqliteParam | undefined {
    const byte = this.#cursor.buf[start];
    if (byte === undefined) this.#cursor.runOut('a row', start);
    if (byte === QUOTE || byte === DOUBLE) return this.#stringFor(reader, start);
    if ((byte >= 0x30 && byte <= 0x39) || byte === 0x2d || byte === 0x2e) return this.#number(reader, start);
    if (byte === 0x4e || byte === 0x6e) return this.#nullWord(reader, start);
    return this.#introduced(reader, start);
  }

  #nullWord(reader: ColumnReader, start: number): SqliteParam | undefined {
    const { buf } = this.#cursor;
    if (start + 4 >= buf.length) this.#cursor.runOut('a row', start);
    const whole = !isWordByte(buf[start + 4]!) && buf.toString('latin1', start, start + 4).toUpperCase() === 'NULL';
    if (!whole) return undefined;
    this.#cursor.pos = start + 4;
    return reader.null();
  }

  #number(reader: ColumnReader, start: number): SqliteParam | undefined {
    const { buf } = this.#cursor;
    const negative = buf[start] === 0x2d;
    let i = negative ? start + 1 : start;
    const first = i;
    let value = 0;
    let byte = buf[i] ?? 0;
    for (; byte >= 0x30 && byte <= 0x39; byte = buf[++i] ?? 0) value = value * 10 + (byte - 0x30);
    if (i >= buf.length) this.#cursor.runOut('a row', start);
    const digits = i - first;
    if (digits > 0 && digits <= LONGEST_INTEGER && (byte === COMMA || byte === CLOSE)) {
      this.#cursor.pos = i;
      return reader.integer(negative ? -value : value);
    }
    if (digits === 1 && value === 0 && !negative && (byte | 0x20) === 0x78) return this.#hex(reader, i + 1);
    return this.#longNumber(reader, start, i);
  }

  /** A number with more digits, a fraction or an exponent; undefined when it is none after all. */
  #longNumber(reader: ColumnReader, start: number, from: number): SqliteParam | undefined {
    const { buf } = this.#cursor;
    let i = from;
    let byte = buf[i] ?? 0;
    // A sign belongs to an exponent only; elsewhere `--` may begin a comment.
    for (let last = 0; isNumberByte(byte) || (isSign(byte) && (last | 0x20) === 0x65); byte = buf[++i] ?? 0) last = byte;
    if (i >= buf.length) this.#cursor.runOut('a row', start);
    const text = buf.toString('latin1', start, i);
    if (!/^-?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(text)) return undefined;
    this.#cursor.pos = i;
    return reader.number(text);
  }

  /** The digits behind `0x`. */
  #hex(reader: ColumnReader, from: number): SqliteParam | undefined {
    const { buf } = this.#cursor;
    let i = from;
    while (i < buf.length && isWordByte(buf[i]!)) i += 1;
    if (i >= buf.length) this.#cursor.runOut('a row', from);
    const digits = buf.toString('latin1', from, i);
    if (!/^[0-9a-fA-F]+$/.test(digits)) return undefined;
    this.#cursor.pos = i;
    return reader.bytes(Buffer.from(digits.length % 2 === 0 ? digits : `0${digits}`, 'hex'));
  }

  /** `_binary '..'`, `_utf8mb4 '..'`, `x'..'`, `n'..'`; undefined for all else. */
  #introduced(reader: ColumnReader, start: number): SqliteParam | undefined {
    const cursor = this.#cursor;
    const { buf } = cursor;
    // What mysqldump writes before each string of a binary column.
    if (buf[start + 8] === QUOTE && buf[start] === 0x5f && buf[start + 7] === 0x20 && buf.toString('latin1', start, start + 7) === '_binary') {
      return this.#bytesFor(reader, start + 8);
    }
    let end = start;
    while (end < buf.length && isWordByte(buf[end]!)) end += 1;
    if (end >= buf.length) cursor.runOut('a row', start);
    const word = buf.toString('latin1', start, end).toLowerCase();
    cursor.pos = end;
    if (word === 'x' && buf[end] === QUOTE) return this.#quotedHex(reader, end);
    if (!word.startsWith('_')) return undefined;
    skipSpace(cursor);
    const byte = buf[cursor.pos];
    if (byte === undefined) cursor.runOut('a row', start);
    if (byte !== QUOTE && byte !== DOUBLE) return word === '_binary' && byte === 0x30 ? this.#number(reader, cursor.pos) : undefined;
    return word === '_binary' ? this.#bytesFor(reader, cursor.pos) : this.#stringFor(reader, cursor.pos);
  }

  #quotedHex(reader: ColumnReader, open: number): SqliteParam | undefined {
    this.#string(open);
    const digits = this.#bytes.toString('latin1', this.#from, this.#to);
    return /^(?:[0-9a-fA-F]{2})*$/.test(digits) ? reader.bytes(Buffer.from(digits, 'hex')) : undefined;
  }

  #stringFor(reader: ColumnReader, open: number): SqliteParam {
    if (reader.binary) return this.#bytesFor(reader, open);
    this.#string(open);
    if (this.#ascii) return reader.text(this.#bytes.toString('latin1', this.#from, this.#to), true);
    if (!isUtf8(this.#bytes.subarray(this.#from, this.#to))) throw notUtf8(this.#cursor, open, this.#cursor.pos);
    return reader.text(this.#bytes.toString('utf8', this.#from, this.#to), false);
  }

  #bytesFor(reader: ColumnReader, open: number): SqliteParam {
    this.#string(open);
    if (this.#ascii) return reader.text(this.#bytes.toString('latin1', this.#from, this.#to), true);
    return reader.bytes(Uint8Array.from(this.#bytes.subarray(this.#from, this.#to)));
  }

  /** Reads the string whose opening quote is at `open`: its bytes are then those of `#bytes`. Moves behind it. */
  #string(open: number): void {
    const cursor: ByteCursor = this.#cursor;
    const { buf } = cursor;
    const quote = buf[open];
    const { backslashes } = this.#mode;
    let escapes = false;
    let all = 0;
    let i = open + 1;
    for (; ; i += 1) {
      const byte = buf[i];
      if (byte === undefined) cursor.runOut('a string', open);
      if (byte === quote) {
        if (buf[i + 1] !== quote) break;
        escapes = true;
        i += 1;
      } else if (byte === BACKSLASH && backslashes) {
        escapes = true;
        all |= buf[i + 1] ?? 0;
        i += 1;
      } else all |= byte;
    }
    if (i + 1 >= buf.length) cursor.runOut('a string', open);
    cursor.pos = i + 1;
    this.#ascii = all < 0x80;
    this.#bytes = buf;
    this.#from = open + 1;
    this.#to = i;
    if (!escapes) return;
    this.#bytes = unescaped(buf.subarray(open + 1, i), quote, backslashes);
    this.#from = 0;
    this.#to = this.#bytes.length;
  }

  /** The expression that stands here, up to the `,` or `)` behind it. */
  #expressionText(): string {
    const cursor = this.#cursor;
    const start = cursor.pos;
    for (let depth = 0; ; ) {
      const { buf, pos } = cursor;
      const byte = buf[pos];
      if (byte === undefined) cursor.runOut('a row', start);
      if (depth === 0 && (byte === COMMA || byte === CLOSE)) break;
      if (byte === QUOTE || byte === DOUBLE || byte === 0x60) skipQuoted(cursor, this.#mode.backslashes);
      else if (!skipComment(cursor)) {
        if (byte === 0x28) depth += 1;
        if (byte === CLOSE) depth -= 1;
        if (byte === 0x3b && depth === 0) this.#fail('"," or ")" is expected behind a value');
        cursor.pos += 1;
      }
    }
    const bytes = cursor.buf.subarray(start, cursor.pos);
    if (!isUtf8(bytes)) throw notUtf8(cursor, start, cursor.pos);
    const text = bytes.toString('utf8').trim();
    if (text === '') this.#fail('a value is expected');
    return text;
  }
}

/** A string's bytes without its escapes. `\%` and `\_` stay as they are, as in MySQL. */
function unescaped(raw: Buffer, quote: number | undefined, backslashes: boolean): Buffer {
  const out = Buffer.allocUnsafe(raw.length);
  let to = 0;
  for (let i = 0; i < raw.length; i += 1) {
    let byte = raw[i]!;
    if (byte === quote) i += 1;
    else if (byte === BACKSLASH && backslashes) {
      byte = raw[++i] ?? BACKSLASH;
      if (byte === 0x25 || byte === 0x5f) out[to++] = BACKSLASH;
      byte = ESCAPES.get(byte) ?? byte;
    }
    out[to++] = byte;
  }
  return out.subarray(0, to);
}
