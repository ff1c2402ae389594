/**
 * How values are kept in SQLite, and read back.
 *
 * | MySQL | SQLite |
 * |---|---|
 * | integers, BIT, YEAR | INTEGER |
 * | BIGINT UNSIGNED, BIT(64) | a column without affinity: INTEGER up to 2^63-1, beyond it 20 digits of TEXT, which SQLite orders behind every integer |
 * | FLOAT, DOUBLE | REAL |
 * | DECIMAL | TEXT with all fractional digits, so that 65 digits stay; compared and ordered as numbers by compile-decimal.ts |
 * | CHAR, VARCHAR, TEXT | TEXT COLLATE NOCASE (an approximation of utf8mb4_0900_ai_ci); plain for `_bin`, `_cs` |
 * | BINARY, VARBINARY, BLOB, geometry | a BLOB column (no affinity): TEXT for UTF-8 without NUL, BLOB otherwise |
 * | dates, times, JSON, ENUM, SET | TEXT |
 *
 * A binary value has one form only (`canonicalBytes`), so `=` is exact and `where sku = 'abc'` finds it. In a column
 * that holds both, SQLite orders all texts before all blobs.
 */
import type { ColumnDef, ColumnType, TableDef } from './schema.ts';
import { columnFamily, isWide } from './schema.ts';
import { integerValue, type Row, type SqliteParam, type Value } from './value.ts';

const MAX_INT64 = 2n ** 63n - 1n;
const WIDE_DIGITS = 20;

/** A checked value as it is bound. */
export function encodeValue(type: ColumnType, value: Value): SqliteParam {
  if (value === null) return null;
  const family = columnFamily(type);
  if (family !== 'int' && family !== 'bit' && family !== 'year') return value;
  if (typeof value !== 'number' && typeof value !== 'bigint') return value;
  const integer = BigInt(value);
  return isWide(type) && integer > MAX_INT64 ? integer.toString().padStart(WIDE_DIGITS, '0') : integer;
}

/**
 * A value read from SQLite (with or without `safeIntegers`). `type` is that of the column it comes from; without one,
 * as for an expression, only integers are brought to their form. Decoding twice does no harm.
 */
export function decodeValue(type: ColumnType | undefined, value: unknown): Value {
  if (typeof value === 'bigint') return integerValue(value);
  if (typeof value === 'string' && type !== undefined && isWide(type)) return integerValue(BigInt(value));
  if (value instanceof Uint8Array) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  return typeof value === 'string' || typeof value === 'number' ? value : null;
}

/** A row of a table read from SQLite, its columns in the order of the definition; other fields are dropped. */
export function decodeRow(def: TableDef, raw: Record<string, unknown>): Row {
  return Object.fromEntries(def.columns.map((column) => [column.name, decodeValue(column.type, raw[column.name])]));
}

/** The parameters for these columns of a row; a column the row lacks is NULL. */
export function encodeRow(columns: readonly ColumnDef[], row: Row): SqliteParam[] {
  return columns.map((column) => encodeValue(column.type, row[column.name] ?? null));
}

/** A name as SQLite quotes it. */
export function sqliteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
