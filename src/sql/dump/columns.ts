/**
 * What each type makes of the literals of a dump. What needs no look comes first, as almost all values do; the rest goes
 * through `checkKept`, so that a load takes and refuses what an INSERT does, zero dates and the empty ENUM apart:
 * mysqldump clears the modes that forbid them.
 */
import { checkKept } from '../check-value.ts';
import { checkBinary } from '../check-text.ts';
import { isDecimal } from '../decimal.ts';
import { defaultValue } from '../defaults.ts';
import { type EvalScope, evaluateScalar, numberLiteral } from '../evaluate.ts';
import { generatedColumnValue } from '../mysql-errors.ts';
import { parseExpression } from '../parser-expr.ts';
import type { Scalar } from '../scalar.ts';
import { type ColumnDef, columnFamily, findColumn, fractionDigits, isWide, type TableDef, typeArg } from '../schema.ts';
import { encodeValue } from '../storage.ts';
import { plainMoment } from '../temporal.ts';
import { canonicalBytes, type SqliteParam, type Value } from '../value.ts';
import type { ColumnReader } from './row-reader.ts';

/** What values depend on beside their column. Changes while a file is read. */
export interface LoadScope extends EvalScope {
  /** The number of the row in its statement, for error texts. */
  rowNumber: number;
  /** False under NO_AUTO_VALUE_ON_ZERO: 0 is then an id like any other. */
  zeroGivesId: boolean;
}

/** The reader of a column's literals. */
export function columnReader(def: TableDef, column: ColumnDef, scope: LoadScope): ColumnReader {
  const reader = basicReader(def, column, scope);
  if (column.generated !== undefined) return generatedReader(def, column, reader);
  const special = SPECIAL[columnFamily(column.type)];
  return special === undefined ? reader : { ...reader, ...special(column, reader, scope) };
}

function basicReader(def: TableDef, column: ColumnDef, scope: LoadScope): ColumnReader {
  const { type } = column;
  const family = columnFamily(type);
  const check = (value: Scalar): SqliteParam => {
    const checked = checkKept(column, value, scope.rowNumber);
    if (column.autoIncrement && checked === 0 && scope.zeroGivesId) return null;
    return encodeValue(type, checked);
  };
  const number = (text: string): SqliteParam => check(text.startsWith('-') ? negative(text.slice(1)) : numberLiteral(text));
  return {
    binary: family === 'binary' || family === 'bit',
    null: () => check(null),
    integer: (value) => check(BigInt(value)),
    number,
    text: check,
    bytes: check,
    expression: (sql) => expressionValue(def, column, scope, sql, check),
  };
}

function negative(text: string): Scalar {
  const value = numberLiteral(text);
  if (isDecimal(value)) return { digits: -value.digits, scale: value.scale };
  return typeof value === 'bigint' || typeof value === 'number' ? -value : value;
}

function expressionValue(
  def: TableDef,
  column: ColumnDef,
  scope: LoadScope,
  sql: string,
  check: (value: Scalar) => SqliteParam,
): SqliteParam {
  const defaultOf = (name: string | undefined): Value => defaultValue((name === undefined ? undefined : findColumn(def, name)) ?? column, scope);
  return check(evaluateScalar(parseExpression(sql), { ...scope, defaultOf }));
}

/** A generated column takes the word DEFAULT only; its value is worked out from the row. */
function generatedReader(def: TableDef, column: ColumnDef, reader: ColumnReader): ColumnReader {
  const refuse = (): never => {
    throw generatedColumnValue(column.name, def.name);
  };
  const expression = (sql: string): SqliteParam => (/^default$/i.test(sql) ? null : refuse());
  return { binary: reader.binary, null: refuse, integer: refuse, number: refuse, text: refuse, bytes: refuse, expression };
}

type Special = (column: ColumnDef, reader: ColumnReader, scope: LoadScope) => Partial<ColumnReader>;

const SPECIAL: Partial<Record<ReturnType<typeof columnFamily>, Special>> = {
  int: (column, reader, scope) => {
    const [low, high] = safeRange(column);
    const wide = isWide(column.type);
    return {
      integer: (value) => {
        if (value < low || value > high) return reader.integer(value);
        if (value === 0 && column.autoIncrement && scope.zeroGivesId) return null;
        // An INTEGER column makes an integer of a whole double; one without affinity would keep the double.
        return wide ? BigInt(value) : value;
      },
    };
  },
  real: (column, reader) => {
    if (column.type.name !== 'double' || column.type.args.length > 0 || column.type.unsigned) return {};
    // Adding 0 makes 0 of -0.
    return {
      integer: (value) => value + 0,
      number: (text) => (Number.isFinite(Number(text)) ? Number(text) + 0 : reader.number(text)),
    };
  },
  decimal: (column, reader) => {
    const scale = typeArg(column.type, 1, 0);
    const whole = typeArg(column.type, 0, 10) - scale;
    return { number: (text) => (isPlainDecimal(text, whole, scale) ? text : reader.number(text)) };
  },
  text: (column, reader) => {
    const longest = textLimit(column);
    const padded = column.type.name === 'char';
    return {
      text: (value, ascii) => {
        const fits = value.length <= (ascii ? longest.units : longest.safe);
        return fits && !(padded && value.endsWith(' ')) ? value : reader.text(value, ascii);
      },
    };
  },
  binary: (column, reader, scope) => {
    const longest = column.type.name === 'varbinary' ? typeArg(column.type, 0, 1) : (TEXT_LIMITS[column.type.name] ?? 0);
    return {
      text: (value, ascii) => {
        return ascii && value.length <= longest ? canonicalBytes(value) : reader.text(value, ascii);
      },
      bytes: (value) => checkBinary(column, value, scope.rowNumber) as SqliteParam,
    };
  },
  enum: (column, reader) => {
    const members = new Set(column.type.args);
    return { text: (value, ascii) => (members.has(value) ? value : reader.text(value, ascii)) };
  },
  date: (column, reader) => temporal(column, reader),
  datetime: (column, reader) => temporal(column, reader),
};

function temporal(column: ColumnDef, reader: ColumnReader): Partial<ColumnReader> {
  const { name } = column.type;
  if (fractionDigits(column.type) > 0) return {};
  return { text: (value, ascii) => (plainMoment(value, name) ? value : reader.text(value, ascii)) };
}

const BITS: Record<string, number> = { tinyint: 8, smallint: 16, mediumint: 24, int: 32 };

/** The range of an integer type, as far as 15 digits reach into it. */
function safeRange({ type }: ColumnDef): [number, number] {
  const bits = BITS[type.name];
  if (bits === undefined) return [type.unsigned ? 0 : -Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER];
  return type.unsigned ? [0, 2 ** bits - 1] : [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1];
}

/** `12.50` for decimal(4,2): digits that are kept as they are. */
function isPlainDecimal(text: string, whole: number, scale: number): boolean {
  const dot = text.indexOf('.');
  if (dot < 1 || dot > whole || text.length - dot - 1 !== scale) return false;
  const first = text.charCodeAt(0);
  // No sign, and no leading zero but that of `0.5`; an exponent makes the digits fewer than they look.
  return first >= 0x31 && first <= 0x39 && !/[eE]/.test(text);
}

const TEXT_LIMITS: Record<string, number> = {
  tinytext: 255,
  tinyblob: 255,
  text: 65_535,
  blob: 65_535,
  mediumtext: 16_777_215,
  mediumblob: 16_777_215,
  longtext: Number.POSITIVE_INFINITY,
  longblob: Number.POSITIVE_INFINITY,
};

/** The UTF-16 units that surely fit: of ASCII, and of any text. */
function textLimit(column: ColumnDef): { units: number; safe: number } {
  const bytes = TEXT_LIMITS[column.type.name];
  if (bytes !== undefined) return { units: bytes, safe: Math.floor(bytes / 3) };
  const characters = typeArg(column.type, 0, 1);
  return { units: characters, safe: characters };
}
