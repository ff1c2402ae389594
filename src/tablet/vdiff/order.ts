/** Order and equality of rows as two SQLite files hold them, so that what one statement sorts another can be merged with. */
import { compareDecimals, type Decimal, readDecimal } from '../../sql/decimal.ts';
import { type ColumnDef, columnFamily, type ColumnFamily } from '../../sql/schema.ts';
import { isNocase } from '../../sql/schema-sqlite.ts';
import { leadingNumber } from '../../sql/scalar.ts';
import type { SqlValue } from '../../store/database.ts';
import { compareUtf8 } from '../../topo/proto/utf8-order.ts';

/** A row as SQLite keeps it. */
export type StoredRow = readonly SqlValue[];

/** Orders two rows by the columns at these places. */
export type RowOrder = (a: StoredRow, b: StoredRow) => number;

/** The order of `ORDER BY` these columns; two rows are the same to it as they are to a unique key. */
export function rowOrder(columns: readonly ColumnDef[], keys: readonly number[]): RowOrder {
  const compare = keys.map((at) => (isNocase(columns[at]!) ? compareNocase : compareStored));
  return (a, b) => {
    for (let i = 0; i < keys.length; i++) {
      const order = compare[i]!(a[keys[i]!] ?? null, b[keys[i]!] ?? null);
      if (order !== 0) return order;
    }
    return 0;
  };
}

/** SQLite's order of storage classes: NULL, numbers, text, blobs. */
function rank(value: SqlValue): number {
  if (value === null) return 0;
  if (typeof value === 'string') return 2;
  return value instanceof Uint8Array ? 3 : 1;
}

function compareStored(a: SqlValue, b: SqlValue): number {
  if (a === b) return 0;
  if (typeof a === 'bigint' && typeof b === 'bigint') return a < b ? -1 : 1;
  if (typeof a === 'string' && typeof b === 'string') return compareUtf8(a, b);
  const [ra, rb] = [rank(a), rank(b)];
  if (ra !== rb) return ra - rb;
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b);
  return a! < b! ? -1 : a! > b! ? 1 : 0;
}

const UPPER = /[A-Z]+/g;

/** SQLite's NOCASE: ASCII letters alone are the same in either case. */
function compareNocase(a: SqlValue, b: SqlValue): number {
  if (a === b) return 0;
  if (typeof a !== 'string' || typeof b !== 'string') return compareStored(a, b);
  const fold = (text: string): string => text.replace(UPPER, (part) => part.toLowerCase());
  return compareUtf8(fold(a), fold(b));
}

/** Whether two values of one column are the same. */
type Same = (source: SqlValue, target: SqlValue) => boolean;

/**
 * Tells whether two rows hold the same in these columns. Text is compared by its bytes. A number written otherwise (`1.50` and
 * `1.5`, `5` and `'5'`) and a date with and without its time are the same, as where MySQL compares columns of different types.
 */
export function sameColumns(source: readonly (ColumnDef | undefined)[], target: readonly ColumnDef[], at: readonly number[]): (a: StoredRow, b: StoredRow) => boolean {
  const same = at.map((index) => sameValue(source[index], target[index]!));
  return (a, b) => {
    for (let i = 0; i < at.length; i++) {
      const [left, right] = [a[at[i]!] ?? null, b[at[i]!] ?? null];
      if (left !== right && !same[i]!(left, right)) return false;
    }
    return true;
  };
}

function sameValue(source: ColumnDef | undefined, target: ColumnDef): Same {
  const families = [columnFamily(source?.type ?? target.type), columnFamily(target.type)];
  const alike = source === undefined || typeText(source) === typeText(target);
  if (alike) return sameBytes;
  if (families.every(isTemporal)) return (a, b) => sameBytes(normalTime(a), normalTime(b));
  if (families.some(isNumber)) return sameNumber;
  return sameBytes;
}

function typeText({ type }: ColumnDef): string {
  return `${type.name}(${type.args.join(',')})${type.unsigned ? ' unsigned' : ''}`;
}

function isNumber(family: ColumnFamily): boolean {
  return family === 'int' || family === 'bit' || family === 'year' || family === 'real' || family === 'decimal';
}

function isTemporal(family: ColumnFamily): boolean {
  return family === 'date' || family === 'datetime' || family === 'time';
}

function sameBytes(a: SqlValue, b: SqlValue): boolean {
  return compareStored(a, b) === 0;
}

function sameNumber(a: SqlValue, b: SqlValue): boolean {
  const [x, y] = [exact(a), exact(b)];
  if (x === undefined || y === undefined) return sameBytes(a, b);
  return compareDecimals(x, y) === 0;
}

function exact(value: SqlValue): Decimal | undefined {
  if (value === null || value instanceof Uint8Array) return undefined;
  if (typeof value === 'bigint') return { digits: value, scale: 0 };
  return readDecimal(typeof value === 'number' ? String(value) : value)?.value ?? { digits: BigInt(Math.trunc(leadingNumber(String(value)))), scale: 0 };
}

/** Without a fraction that is zero, and without a time of day that is. */
function normalTime(value: SqlValue): SqlValue {
  if (typeof value !== 'string') return value;
  return value.replace(/\.(\d*?)0+$/, (_, digits: string) => (digits === '' ? '' : `.${digits}`)).replace(/^(\d{4}-\d\d-\d\d) 00:00:00$/, '$1');
}
