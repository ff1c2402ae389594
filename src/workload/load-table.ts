import { quoteName } from '../sql/format-expr.ts';
import { type ColumnDef, columnFamily, findColumn, type TableDef, typeArg } from '../sql/schema.ts';
import type { Value } from '../sql/value.ts';
import type { KnownTable } from '../gate/known-tables.ts';
import type { Version } from './ledger.ts';

/**
 * A table that a workload writes to: which column is the key, and which one holds a row's version: a number that
 * updates add to, which shows an update done twice, or else a text that they replace.
 */
export interface LoadTable {
  /** As it is asked for: `customer`, `commerce.customer`. */
  name: string;
  /** The name in SQL; alone it is `own`, for a target that says which keyspace. */
  sql: string;
  own: string;
  key: string;
  /** The highest key that its type takes. */
  highestKey: number;
  version: { column: string; counts: boolean };
  /** What inserts give besides. */
  others: { column: string; literal: (key: number) => string }[];
}

/** Keys of an integer type, signed; smaller types hold too few rows. */
const HIGHEST: Readonly<Record<string, number>> = { int: 2 ** 31 - 1, bigint: 2 ** 53 - 1 };
/** A version as text: `load TAG KEY VERSION`. */
const TEXT_LENGTH = 48;

/**
 * What a workload makes of a table; a text says why it cannot write to it. `values` are what every row has in some columns, as literals.
 */
export function loadTable({ name, qualifier, def, vindexColumns }: KnownTable, values: Readonly<Record<string, string>> = {}): LoadTable | string {
  const given = new Map(Object.entries(values).map(([column, literal]) => [column.toLowerCase(), literal]));
  const [keyName, second] = def.primaryKey;
  const key = keyName === undefined ? undefined : findColumn(def, keyName);
  const highestKey = HIGHEST[key?.type.name ?? ''];
  if (key === undefined || second !== undefined || highestKey === undefined) return 'its primary key is not one INT or BIGINT column';
  const unfit = unfitValue(def, key, given);
  if (unfit !== undefined) return unfit;
  const taken = new Set([key.name, ...given.keys(), ...vindexColumns, ...foreignColumns(def)].map((column) => column.toLowerCase()));
  const free = def.columns.filter((column) => !taken.has(column.name.toLowerCase()) && column.generated === undefined);
  const counter = free.findLast((column) => HIGHEST[column.type.name] !== undefined && !isUnique(def, column));
  const text = free.find((column) => textLength(column) >= TEXT_LENGTH);
  const version = counter ?? text;
  if (version === undefined) return `no column of it can be changed: it needs an INT or BIGINT, or a text of ${TEXT_LENGTH} characters`;
  const others: LoadTable['others'] = [];
  for (const column of def.columns) {
    const value = given.get(column.name.toLowerCase());
    if (value !== undefined) {
      others.push({ column: column.name, literal: () => value });
      continue;
    }
    if (column === key || column === version || !isNeeded(column, vindexColumns)) continue;
    const literal = literalOf(def, column);
    if (literal === undefined) return `its column ${column.name} needs a value of type ${column.type.name}`;
    others.push({ column: column.name, literal });
  }
  const own = quoteName(name);
  const [whole, sql] = qualifier === undefined ? [name, own] : [`${qualifier}.${name}`, `${quoteName(qualifier)}.${own}`];
  return { name: whole, sql, own, key: key.name, highestKey, version: { column: version.name, counts: version === counter }, others };
}

/** Why a column cannot hold the same in every row. */
function unfitValue(def: TableDef, key: ColumnDef, given: ReadonlyMap<string, string>): string | undefined {
  for (const name of given.keys()) {
    const column = findColumn(def, name);
    if (column === undefined) return `it has no column ${name}`;
    if (column.generated !== undefined) return `its column ${column.name} is computed`;
    if (column === key || isUnique(def, column)) return `its column ${column.name} is different in every row`;
  }
  return undefined;
}

function foreignColumns(def: TableDef): string[] {
  return (def.foreignKeys ?? []).flatMap((key) => key.columns);
}

function isUnique(def: TableDef, { name }: ColumnDef): boolean {
  return def.indexes.some((index) => index.kind === 'unique' && index.parts.some((part) => part.column === name));
}

function isNeeded(column: ColumnDef, vindexColumns: readonly string[]): boolean {
  if (column.generated !== undefined) return false;
  if (vindexColumns.some((name) => name.toLowerCase() === column.name.toLowerCase())) return true;
  return !column.nullable && column.default.kind === 'none' && !column.autoIncrement;
}

function textLength({ type }: ColumnDef): number {
  if (['char', 'varchar', 'varbinary'].includes(type.name)) return typeArg(type, 0, 1);
  return /^(?:medium|long)?(?:text|blob)$/.test(type.name) ? Number.POSITIVE_INFINITY : 0;
}

function literalOf(def: TableDef, column: ColumnDef): ((key: number) => string) | undefined {
  const unique = isUnique(def, column);
  const constant = (text: string): ((key: number) => string) | undefined => (unique ? undefined : () => text);
  switch (columnFamily(column.type)) {
    case 'int':
      return (key) => String(unique ? key : 1 + (key % 100));
    case 'text':
    case 'binary':
      if (textLength(column) < 1) return undefined;
      return unique && textLength(column) < 20 ? undefined : (key) => `'${(unique ? String(key) : `load ${key % 100}`).slice(0, textLength(column))}'`;
    case 'decimal':
    case 'real':
      return constant('1');
    case 'enum':
    case 'set':
      return constant(`'${(column.type.args[0] ?? '').replaceAll("'", "''")}'`);
    case 'json':
      return constant("'{}'");
    case 'year':
      return constant('2026');
    case 'date':
      return constant("'2026-03-27'");
    case 'datetime':
      return constant("'2026-03-27 12:00:00'");
    case 'time':
      return constant("'12:00:00'");
    default:
      return undefined;
  }
}

/** The statements of one table. `tag` marks the texts of one workload. */
export class Statements {
  readonly table: LoadTable;
  readonly #tag: string;

  constructor(table: LoadTable, tag: string) {
    this.table = table;
    this.#tag = tag;
  }

  insert(key: number, version: Version): string {
    const { sql, key: keyColumn, version: value, others } = this.table;
    const columns = [keyColumn, value.column, ...others.map(({ column }) => column)].map(quoteName);
    const values = [String(key), this.#literal(key, version), ...others.map(({ literal }) => literal(key))];
    return `insert into ${sql} (${columns.join(', ')}) values (${values.join(', ')})`;
  }

  update(key: number, version: Version): string {
    const { sql, key: keyColumn, version: value } = this.table;
    const column = quoteName(value.column);
    const set = value.counts ? `${column} + 1` : this.#literal(key, version);
    return `update ${sql} set ${column} = ${set} where ${quoteName(keyColumn)} = ${key}`;
  }

  delete(key: number): string {
    return `delete from ${this.table.sql} where ${quoteName(this.table.key)} = ${key}`;
  }

  /** Answers key and version, as do the rows of `readMany`. */
  read(key: number): string {
    return `${this.#select()} where ${quoteName(this.table.key)} = ${key}`;
  }

  /** Rows with keys above `after` and up to `to`, in order; `bare` for a target that names the place. */
  readMany(after: number, to: number, most: number, bare = false): string {
    const key = quoteName(this.table.key);
    return `${this.#select(bare ? this.table.own : this.table.sql)} where ${key} > ${after} and ${key} <= ${to} order by ${key} limit ${most}`;
  }

  highestKey(): string {
    return `select max(${quoteName(this.table.key)}) from ${this.table.sql}`;
  }

  /** The key and version of a row of the answer; undefined version for a row that is not this workload's. */
  parse(row: readonly Value[]): { key: number; version: Version | undefined } {
    const [key = null, value = null] = row;
    if (this.table.version.counts) return { key: Number(key), version: value === null ? undefined : Number(value) };
    const text = value instanceof Uint8Array ? Buffer.from(value).toString('utf8') : String(value);
    const match = new RegExp(`^load ${this.#tag} (\\d+) (\\d+)$`).exec(text);
    return { key: Number(key), version: match === null || match[1] !== String(key) ? undefined : Number(match[2]) };
  }

  #select(table = this.table.sql): string {
    const { key, version } = this.table;
    return `select ${quoteName(key)}, ${quoteName(version.column)} from ${table}`;
  }

  #literal(key: number, version: Version): string {
    return this.table.version.counts ? String(version) : `'load ${this.#tag} ${key} ${version}'`;
  }
}
