/** What may stand between the words of a script: blanks, comments, and the frame of comments that are executed. */
import { SERVER_VERSION } from '../tokenizer.ts';
import type { ByteCursor } from './cursor.ts';

const SLASH = 0x2f;
const STAR = 0x2a;
const DASH = 0x2d;
const HASH = 0x23;
const BANG = 0x21;
const NEWLINE = 0x0a;

/** True for what MySQL takes for a blank; NUL included, which editors leave at ends of files. */
export function isSpace(byte: number): boolean {
  return byte === 0x20 || (byte >= 0x09 && byte <= 0x0d) || byte === 0;
}

/** True for a byte of an unquoted name: letters, digits, `_`, `$`, and everything beyond ASCII. */
export function isWordByte(byte: number): boolean {
  return (
    (byte >= 0x61 && byte <= 0x7a) ||
    (byte >= 0x41 && byte <= 0x5a) ||
    (byte >= 0x30 && byte <= 0x39) ||
    byte === 0x5f ||
    byte === 0x24 ||
    byte >= 0x80
  );
}

/**
 * Moves over blanks and comments, and stops at the end of the bytes when no more will come. `/*!NNNNN` and the `*\/` that
 * closes it are moved over too, their content is not; with `stopAtExecuted` the opening is not either.
 */
export function skipSpace(cursor: ByteCursor, stopAtExecuted = false): void {
  for (;;) {
    const { buf } = cursor;
    while (cursor.pos < buf.length && isSpace(buf[cursor.pos]!)) cursor.pos += 1;
    const start = cursor.pos;
    const byte = buf[start];
    if (byte === undefined) {
      if (cursor.ended) return;
      cursor.runOut('a comment', start);
    }
    if (byte === STAR && at(cursor, start + 1) === SLASH) cursor.pos += 2;
    else if (byte === SLASH && stopAtExecuted && isExecuted(cursor)) return;
    else if (!skipComment(cursor)) return;
  }
}

/** Moves over a comment, or the opening of one that is executed; false when neither stands here. */
export function skipComment(cursor: ByteCursor): boolean {
  const { buf, pos } = cursor;
  const byte = buf[pos];
  if (byte === HASH) return skipLine(cursor);
  if (byte === DASH && at(cursor, pos + 1) === DASH) {
    const behind = at(cursor, pos + 2);
    return (behind === undefined || isSpace(behind)) && skipLine(cursor);
  }
  if (byte !== SLASH || at(cursor, pos + 1) !== STAR) return false;
  if (at(cursor, pos + 2) === BANG) {
    const opening = openingEnd(cursor);
    if (opening !== undefined) {
      cursor.pos = opening;
      return true;
    }
  }
  const close = buf.indexOf('*/', pos + 2, 'latin1');
  if (close < 0) cursor.runOut('a comment', pos);
  cursor.pos = close + 2;
  return true;
}

/** Behind `/*!NNNNN` when such a server would execute it. */
function openingEnd(cursor: ByteCursor): number | undefined {
  let i = cursor.pos + 3;
  let version = 0;
  for (; ; i += 1) {
    const digit = (at(cursor, i) ?? 0) - 0x30;
    if (digit < 0 || digit > 9) break;
    version = version * 10 + digit;
  }
  return version > SERVER_VERSION ? undefined : i;
}

/** True where the comment at the position is executed. */
export function isExecuted(cursor: ByteCursor): boolean {
  const { pos } = cursor;
  return at(cursor, pos + 1) === STAR && at(cursor, pos + 2) === BANG && openingEnd(cursor) !== undefined;
}

function skipLine(cursor: ByteCursor): boolean {
  const end = cursor.buf.indexOf(NEWLINE, cursor.pos);
  if (end < 0 && !cursor.ended) cursor.runOut('a comment', cursor.pos);
  cursor.pos = end < 0 ? cursor.buf.length : end + 1;
  return true;
}

/** The byte at a position; undefined only at the end of the file. Throws MORE. */
function at(cursor: ByteCursor, index: number): number | undefined {
  const byte = cursor.buf[index];
  if (byte === undefined && !cursor.ended) cursor.runOut('a comment', cursor.pos);
  return byte;
}

/** Moves behind the quoted text whose opening quote stands here. Backslashes escape, except between back-ticks. */
export function skipQuoted(cursor: ByteCursor, backslashes: boolean): void {
  const { buf, pos } = cursor;
  const quote = buf[pos]!;
  const escapes = backslashes && quote !== 0x60;
  for (let i = pos + 1; i < buf.length; i += 1) {
    const byte = buf[i];
    if (byte === 0x5c && escapes) i += 1;
    else if (byte === quote) {
      if (i + 1 >= buf.length && !cursor.ended) break;
      if (buf[i + 1] !== quote) {
        cursor.pos = i + 1;
        return;
      }
      i += 1;
    }
  }
  cursor.runOut('a quoted text', pos);
}
