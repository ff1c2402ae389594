/**
 * The statements of a script as a client of MySQL sees them: with DELIMITER, and with INSERT … VALUES handed out before its
 * rows are read, since one such statement may be larger than memory.
 */
import { isUtf8 } from 'node:buffer';
import { textOf } from '../value.ts';
import { type ByteCursor, LONGEST_PIECE } from './cursor.ts';
import { isExecuted, isSpace, isWordByte, skipComment, skipQuoted, skipSpace } from './space.ts';

/** How the script is read from here on: a statement may change it. */
export interface ScriptMode {
  /** What ends a statement: `;` unless DELIMITER said otherwise. */
  delimiter: string;
  /** False under the SQL mode NO_BACKSLASH_ESCAPES. */
  backslashes: boolean;
}

/** The beginning of INSERT or REPLACE … VALUES; the position is before the first row. */
export interface InsertHead {
  kind: 'insert';
  line: number;
  verb: 'insert' | 'replace';
  ignore: boolean;
  qualifier?: string;
  table: string;
  columns?: string[];
}

/** Any other statement, without what ended it. */
export interface ScriptStatement {
  kind: 'statement';
  line: number;
  text: string;
}

/** A script that begins as it should, without its byte order mark. Throws UserError for files that are no plain text. */
export function checkBeginning(cursor: ByteCursor): void {
  const [a, b, c] = cursor.buf;
  if (a === 0xef && b === 0xbb && c === 0xbf) cursor.pos = 3;
  const utf16 = (a === 0xff && b === 0xfe) || (a === 0xfe && b === 0xff);
  if (utf16) throw cursor.error('the file is UTF-16', 'dump again with mysqldump --result-file=FILE, which no shell recodes');
  if (a === 0x1f && b === 0x8b) throw cursor.error('the file is compressed', 'unpack it first: gunzip FILE');
}

/** The next statement; undefined at the end. Throws MORE, and UserError for what no statement can be. */
export function readStatement(cursor: ByteCursor, mode: ScriptMode): InsertHead | ScriptStatement | undefined {
  for (;;) {
    skipSpace(cursor, true);
    if (cursor.left === 0) return undefined;
    if (acceptDelimiter(cursor, mode)) continue;
    const start = cursor.pos;
    if (acceptClientCommand(cursor, mode)) continue;
    const insert = readInsertHead(cursor, start);
    if (insert !== undefined) return insert;
    cursor.pos = start;
    const line = cursor.line(start);
    return { kind: 'statement', line, text: readText(cursor, mode) };
  }
}

/** Moves over the delimiter if it stands here. */
export function acceptDelimiter(cursor: ByteCursor, mode: ScriptMode): boolean {
  const { delimiter } = mode;
  for (let i = 0; i < delimiter.length; i += 1) {
    const byte = cursor.buf[cursor.pos + i];
    if (byte === undefined && !cursor.ended) cursor.runOut('a statement', cursor.pos);
    if (byte !== delimiter.charCodeAt(i)) return false;
  }
  cursor.pos += delimiter.length;
  return true;
}

/** DELIMITER, which is the client's; SOURCE is refused. */
function acceptClientCommand(cursor: ByteCursor, mode: ScriptMode): boolean {
  const start = cursor.pos;
  if (cursor.buf[start] === 0x5c) throw cursor.error('\\ commands of the mysql client are not run', 'remove the line', start);
  const word = peekWord(cursor).toLowerCase();
  if (word !== 'delimiter' && word !== 'source') return false;
  const rest = restOfLine(cursor, start + word.length).trim();
  if (word === 'source') {
    const next = 'load that file by its own name, in the place of this line';
    throw cursor.error(`"source ${rest}" is a command of the mysql client`, next, start);
  }
  mode.delimiter = rest === '' ? ';' : rest.split(/\s/)[0]!;
  return true;
}

function restOfLine(cursor: ByteCursor, from: number): string {
  const end = cursor.buf.indexOf(0x0a, from);
  if (end < 0 && !cursor.ended) cursor.runOut('a line', from);
  cursor.pos = end < 0 ? cursor.buf.length : end + 1;
  return cursor.buf.toString('utf8', from, cursor.pos);
}

/** The word that stands here, '' when none does; the position stays. */
function peekWord(cursor: ByteCursor): string {
  const { buf, pos } = cursor;
  let end = pos;
  while (end < buf.length && isWordByte(buf[end]!)) end += 1;
  if (end === buf.length && !cursor.ended) cursor.runOut('a word', pos);
  return buf.toString('utf8', pos, end);
}

/** Moves over one of these words (lower case), with the space behind it. */
function acceptWord(cursor: ByteCursor, words: readonly string[]): string | undefined {
  const found = peekWord(cursor);
  const word = found.toLowerCase();
  if (!words.includes(word)) return undefined;
  cursor.pos += found.length;
  skipSpace(cursor);
  return word;
}

/** Moves over one character, with the space behind it. */
function acceptByte(cursor: ByteCursor, char: string): boolean {
  if (cursor.buf[cursor.pos] !== char.charCodeAt(0)) return false;
  cursor.pos += 1;
  skipSpace(cursor);
  return true;
}

/** A name, in back-ticks or without, with the space behind it; undefined when none stands here. */
function readName(cursor: ByteCursor): string | undefined {
  const { buf, pos } = cursor;
  let name: string;
  if (buf[pos] === 0x60) {
    skipQuoted(cursor, false);
    name = buf.toString('utf8', pos + 1, cursor.pos - 1).replaceAll('``', '`');
  } else {
    name = peekWord(cursor);
    cursor.pos += Buffer.byteLength(name);
  }
  if (name === '') return undefined;
  skipSpace(cursor);
  return name;
}

/** INSERT and REPLACE up to VALUES; undefined for another statement or another form of these. */
function readInsertHead(cursor: ByteCursor, start: number): InsertHead | undefined {
  skipSpace(cursor);
  const verb = acceptWord(cursor, ['insert', 'replace']);
  if (verb === undefined) return undefined;
  let ignore = false;
  for (;;) {
    const modifier = acceptWord(cursor, ['low_priority', 'delayed', 'high_priority', 'ignore', 'into']);
    if (modifier === undefined) break;
    ignore ||= modifier === 'ignore';
  }
  const first = readName(cursor);
  const second = first !== undefined && acceptByte(cursor, '.') ? readName(cursor) : undefined;
  const columns = readColumns(cursor);
  if (first === undefined || columns === undefined || acceptWord(cursor, ['values', 'value']) === undefined) return undefined;
  return {
    kind: 'insert',
    line: cursor.line(start),
    verb: verb as InsertHead['verb'],
    ignore,
    ...(second === undefined ? { table: first } : { qualifier: first, table: second }),
    ...(columns.length === 0 ? {} : { columns }),
  };
}

/** The list of columns, empty when none is written; undefined for something else in parentheses. */
function readColumns(cursor: ByteCursor): string[] | undefined {
  const columns: string[] = [];
  if (!acceptByte(cursor, '(') || acceptByte(cursor, ')')) return columns;
  do {
    const column = readName(cursor);
    if (column === undefined) return undefined;
    columns.push(column);
  } while (acceptByte(cursor, ','));
  return acceptByte(cursor, ')') ? columns : undefined;
}

/** The text of the statement that begins here. Moves behind its delimiter. */
function readText(cursor: ByteCursor, mode: ScriptMode): string {
  const start = cursor.pos;
  const end = findEnd(cursor, mode, start);
  const bytes = cursor.buf.subarray(start, end);
  if (!isUtf8(bytes)) throw notUtf8(cursor, start, end);
  return bytes.toString('utf8').trim();
}

/** Moves behind the delimiter; where the statement ended. */
function findEnd(cursor: ByteCursor, mode: ScriptMode, start: number): number {
  let executed = false;
  for (;;) {
    const { buf, pos } = cursor;
    const byte = buf[pos];
    if (pos - start > LONGEST_PIECE) throw tooLong(cursor, start, 'the statement');
    if (byte === undefined) {
      if (!cursor.ended) cursor.runOut('a statement', start);
      return pos;
    }
    if (!executed && acceptDelimiter(cursor, mode)) return pos;
    if (byte === 0x27 || byte === 0x22 || byte === 0x60) skipQuoted(cursor, mode.backslashes);
    else if (byte === 0x2a && buf[pos + 1] === 0x2f) {
      executed = false;
      cursor.pos += 2;
    } else if (byte === 0x2f || byte === 0x23 || byte === 0x2d) {
      const opens = byte === 0x2f && isExecuted(cursor);
      if (!skipComment(cursor)) cursor.pos += 1;
      executed ||= opens;
    } else if (isSpace(byte)) cursor.pos += 1;
    else {
      // A delimiter may begin in the middle of what looks like a word, as in `END$$`.
      cursor.pos += 1;
    }
  }
}

/** A statement, or a row, that does not end. */
export function tooLong(cursor: ByteCursor, start: number, what: string): Error {
  const mib = LONGEST_PIECE / 1024 / 1024;
  return cursor.error(`${what} that begins here is longer than ${mib} MiB`, 'see whether a quote is not closed', start);
}

/** Text that is not UTF-8: the line it is on. */
export function notUtf8(cursor: ByteCursor, start: number, end: number): Error {
  let from = start;
  for (;;) {
    const newline = cursor.buf.indexOf(0x0a, from);
    const to = newline < 0 || newline >= end ? end : newline + 1;
    if (to >= end || textOf(cursor.buf.subarray(from, to)) === undefined) break;
    from = to;
  }
  return cursor.error('text that is not UTF-8', 'dump again with mysqldump --default-character-set=utf8mb4, or convert the file with iconv', from);
}
