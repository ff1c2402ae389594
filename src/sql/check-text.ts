/** Text, bytes, members and dates on their way into a column, as MySQL's strict mode takes them. */
import {
  dataTooLong,
  dataTruncated,
  incorrectTemporal,
  incorrectValue,
  invalidJson,
  outOfRange,
} from './mysql-errors.ts';
import { textOfScalar, type Scalar } from './scalar.ts';
import { type ColumnDef, fractionDigits, typeArg } from './schema.ts';
import { normalDate, normalDatetime, normalTime } from './temporal.ts';
import { canonicalBytes, textOf, utf8, type Value } from './value.ts';

type Present = Exclude<Scalar, null>;

/** Largest length in bytes of the types without a length of their own. */
const BYTE_LIMITS: Record<string, number> = {
  tinytext: 255,
  tinyblob: 255,
  text: 65535,
  blob: 65535,
  mediumtext: 16777215,
  mediumblob: 16777215,
};

/** Bytes as MySQL shows them in an error: `\xFF`. */
function shown(bytes: Uint8Array): string {
  return [...bytes.subarray(0, 6)].map((byte) => `\\x${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('');
}

/** A value of a CHAR, VARCHAR or TEXT column. Throws 1366 (not UTF-8) or 1406. Trailing spaces may be cut. */
export function checkText(column: ColumnDef, value: Present, row: number): Value {
  const text = value instanceof Uint8Array ? textOf(value) : textOfScalar(value);
  if (text === undefined) throw incorrectValue('string', shown(value as Uint8Array), column.name, row);
  const limit = BYTE_LIMITS[column.type.name];
  if (limit !== undefined && utf8(text).length > limit) throw dataTooLong(column.name, row);
  const { name } = column.type;
  if (name !== 'char' && name !== 'varchar') return text;
  return fitCharacters(column, name === 'char' ? text.replace(/ +$/, '') : text, row);
}

function fitCharacters(column: ColumnDef, text: string, row: number): string {
  const length = typeArg(column.type, 0, 1);
  if (text.length <= length) return text;
  const characters = [...text];
  if (characters.slice(length).some((char) => char !== ' ')) throw dataTooLong(column.name, row);
  return characters.slice(0, length).join('');
}

/**
 * A value of a BINARY, VARBINARY, BLOB or geometry column, in the form of `canonicalBytes`: text where it is UTF-8
 * without NUL. BINARY is filled up with NUL, as in MySQL. Throws 1406.
 */
export function checkBinary(column: ColumnDef, value: Present, row: number): Value {
  const bytes = value instanceof Uint8Array ? value : textOfScalar(value);
  const length = typeof bytes === 'string' ? utf8(bytes).length : bytes.length;
  const { name } = column.type;
  const fixed = name === 'binary' || name === 'varbinary' ? typeArg(column.type, 0, 1) : undefined;
  if (length > (fixed ?? BYTE_LIMITS[name] ?? Number.POSITIVE_INFINITY)) throw dataTooLong(column.name, row);
  if (name !== 'binary' || length === fixed) return canonicalBytes(bytes);
  const padded = new Uint8Array(fixed ?? length);
  padded.set(typeof bytes === 'string' ? utf8(bytes) : bytes);
  return canonicalBytes(padded);
}

function memberOf(column: ColumnDef, text: string): string | undefined {
  const lower = text.replace(/ +$/, '').toLowerCase();
  return column.type.args.find((member) => member.toLowerCase() === lower);
}

/** A value of an ENUM column: a member in any case, or its number from 1. Throws 1265. */
export function checkEnum(column: ColumnDef, value: Present, row: number): Value {
  const text = textOfScalar(value);
  const named = typeof value === 'string' ? memberOf(column, text) : undefined;
  const numbered = /^\d+$/.test(text) ? column.type.args[Number(text) - 1] : undefined;
  const member = named ?? numbered;
  if (member === undefined) throw dataTruncated(column.name, row);
  return member;
}

/** A value of a SET column: members joined by commas, kept in the order of the definition; or their bits. Throws 1265. */
export function checkSet(column: ColumnDef, value: Present, row: number): Value {
  const { args } = column.type;
  const text = textOfScalar(value);
  const names = text === '' ? [] : text.split(',').map((part) => memberOf(column, part));
  if (typeof value === 'string' && !names.includes(undefined)) return args.filter((arg) => names.includes(arg)).join(',');
  if (!/^\d+$/.test(text) || BigInt(text) >= 2n ** BigInt(args.length)) throw dataTruncated(column.name, row);
  return args.filter((_, i) => (BigInt(text) >> BigInt(i)) % 2n === 1n).join(',');
}

/** A value of a JSON column: the text as written, once it parses. MySQL would also sort its keys. Throws 3140. */
export function checkJson(column: ColumnDef, value: Present): Value {
  const text = textOfScalar(value);
  try {
    JSON.parse(text);
  } catch {
    throw invalidJson(column.name);
  }
  return text.trim();
}

/** A value of a DATE, DATETIME, TIMESTAMP or TIME column. Throws 1292 or 1264. */
export function checkTemporal(column: ColumnDef, value: Present, row: number): Value {
  const text = textOfScalar(value);
  const { name } = column.type;
  const kind = name === 'timestamp' ? 'datetime' : name;
  const digits = fractionDigits(column.type);
  const found =
    kind === 'date' ? normalDate(text) : kind === 'time' ? normalTime(text, digits) : normalDatetime(text, digits);
  if (found === 'out-of-range') throw outOfRange(column.name, row);
  const beyond = name === 'timestamp' && found !== undefined && (found < '1970-01-01 00:00:01' || found >= '2038-01-19 03:14:08');
  if (found === undefined || beyond) throw incorrectTemporal(kind, text, column.name, row);
  return found;
}
