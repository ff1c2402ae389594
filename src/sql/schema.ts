/**
 * What a table is: columns, keys, options. Plain objects that survive JSON. `columnFamily` groups MySQL's types by how
 * they are checked, stored and compared.
 */

/** A column's type: MySQL's canonical lower-case name and its arguments as written (`enum` members without quotes). */
export interface ColumnType {
  name: string;
  args: string[];
  unsigned: boolean;
  zerofill?: true;
  charset?: string;
  collation?: string;
}

/** A column's DEFAULT. A literal keeps its text (null for DEFAULT NULL); an expression is SQL. */
export type ColumnDefault =
  | { kind: 'none' }
  | { kind: 'literal'; text: string | null }
  | { kind: 'expression'; text: string };

/** One column of a table. */
export interface ColumnDef {
  name: string;
  type: ColumnType;
  nullable: boolean;
  default: ColumnDefault;
  autoIncrement: boolean;
  /** The expression of ON UPDATE, as `CURRENT_TIMESTAMP(3)`. */
  onUpdate?: string;
  generated?: { expression: string; stored: boolean };
  comment?: string;
  /** The spatial reference system of a geometry column: kept, shown, not checked. */
  srid?: string;
}

/** A column of a key; `length` is a prefix in characters (bytes for binary columns). */
export interface IndexPart {
  column: string;
  length?: number;
  descending?: true;
}

/** The kinds of secondary index. FULLTEXT and SPATIAL are kept in the definition only. */
export type IndexKind = 'unique' | 'key' | 'fulltext' | 'spatial';

/** A secondary index. */
export interface IndexDef {
  name: string;
  kind: IndexKind;
  parts: IndexPart[];
  comment?: string;
}

/** A foreign key: kept, shown, copied by MoveTables (Vitess: createDDLAsCopy), not enforced. `table` is the parent, as written. */
export interface ForeignKeyDef {
  name: string;
  columns: string[];
  table: { qualifier?: string; name: string };
  referenced: string[];
  onDelete?: string;
  onUpdate?: string;
}

/** A CHECK: kept, shown, not enforced. */
export interface CheckDef {
  name: string;
  expression: string;
}

/** A table. `options` is the text behind the closing parenthesis in SHOW CREATE TABLE. */
export interface TableDef {
  name: string;
  columns: ColumnDef[];
  primaryKey: string[];
  indexes: IndexDef[];
  foreignKeys?: ForeignKeyDef[];
  checks?: CheckDef[];
  options: string;
}

/** How a type is checked, stored and compared. */
export type ColumnFamily =
  | 'int'
  | 'bit'
  | 'year'
  | 'real'
  | 'decimal'
  | 'text'
  | 'binary'
  | 'enum'
  | 'set'
  | 'json'
  | 'date'
  | 'datetime'
  | 'time';

const FAMILIES: Record<string, ColumnFamily> = {
  tinyint: 'int',
  smallint: 'int',
  mediumint: 'int',
  int: 'int',
  bigint: 'int',
  bit: 'bit',
  year: 'year',
  float: 'real',
  double: 'real',
  decimal: 'decimal',
  char: 'text',
  varchar: 'text',
  tinytext: 'text',
  text: 'text',
  mediumtext: 'text',
  longtext: 'text',
  binary: 'binary',
  varbinary: 'binary',
  tinyblob: 'binary',
  blob: 'binary',
  mediumblob: 'binary',
  longblob: 'binary',
  geometry: 'binary',
  point: 'binary',
  linestring: 'binary',
  polygon: 'binary',
  multipoint: 'binary',
  multilinestring: 'binary',
  multipolygon: 'binary',
  geomcollection: 'binary',
  enum: 'enum',
  set: 'set',
  json: 'json',
  date: 'date',
  datetime: 'datetime',
  timestamp: 'datetime',
  time: 'time',
};

/** The family of a type, or undefined for a name that is not MySQL's. */
export function familyOf(typeName: string): ColumnFamily | undefined {
  return FAMILIES[typeName];
}

/** The family of a column's type. Types come from the parser, which lets no other name pass. */
export function columnFamily(type: ColumnType): ColumnFamily {
  return FAMILIES[type.name] ?? 'binary';
}

/** A numeric argument of a type, as the 10 of decimal(10,2); `otherwise` when it is not written. */
export function typeArg(type: ColumnType, index: number, otherwise: number): number {
  const arg = type.args[index];
  return arg === undefined ? otherwise : Number(arg);
}

/** Fractional digits that a decimal or temporal type keeps. */
export function fractionDigits(type: ColumnType): number {
  return columnFamily(type) === 'decimal' ? typeArg(type, 1, 0) : typeArg(type, 0, 0);
}

/** True for types whose values may pass 2^63-1, which SQLite's integers cannot hold (see storage.ts). */
export function isWide(type: ColumnType): boolean {
  return (type.name === 'bigint' && type.unsigned) || (type.name === 'bit' && typeArg(type, 0, 1) > 63);
}

/** True when text of this type compares by its bytes: a `_bin` or `_cs` collation, the binary charset, JSON. */
export function isCaseSensitive(type: ColumnType): boolean {
  const collation = type.collation ?? '';
  return /_(bin|cs)$|_as_cs/.test(collation) || collation === 'binary' || type.charset === 'binary' || type.name === 'json';
}

/** The column of this name, case-insensitively; undefined when there is none. */
export function findColumn(def: TableDef, name: string): ColumnDef | undefined {
  const exact = def.columns.find((column) => column.name === name);
  if (exact !== undefined) return exact;
  const lower = name.toLowerCase();
  return def.columns.find((column) => column.name.toLowerCase() === lower);
}

/** A key that admits each value once: the primary key (named PRIMARY) first, then the unique indexes in order. */
export function uniqueKeys(def: TableDef): { name: string; parts: IndexPart[] }[] {
  const primary = def.primaryKey.map((column) => ({ column }));
  const unique = def.indexes.filter((index) => index.kind === 'unique');
  return [...(primary.length === 0 ? [] : [{ name: 'PRIMARY', parts: primary }]), ...unique];
}

/** The one column whose values are SQLite's rowid, as an integer AUTO_INCREMENT primary key is; else undefined. */
export function rowidColumn(def: TableDef): ColumnDef | undefined {
  const [first, second] = def.primaryKey;
  if (first === undefined || second !== undefined) return undefined;
  const column = findColumn(def, first);
  return column?.autoIncrement === true && columnFamily(column.type) === 'int' ? column : undefined;
}

/** The name under which SQLite's rowid can be reached: none of its names may be a column's. */
export function rowidName(def: TableDef): string {
  return ['rowid', '_rowid_', 'oid'].find((name) => findColumn(def, name) === undefined) ?? 'rowid';
}
