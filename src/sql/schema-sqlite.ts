/**
 * A table in SQLite. See storage.ts for how each type is kept.
 *
 * An integer AUTO_INCREMENT primary key is `INTEGER PRIMARY KEY AUTOINCREMENT`: without that word SQLite would give the
 * id of a deleted last row again, which MySQL does not. Other AUTO_INCREMENT columns take max + 1 (see compile-insert.ts).
 * Foreign keys and checks are not enforced; FULLTEXT and SPATIAL indexes are not made.
 */
import { defaultValue } from './defaults.ts';
import {
  type ColumnDef,
  columnFamily,
  findColumn,
  type IndexDef,
  type IndexPart,
  isCaseSensitive,
  isWide,
  rowidColumn,
  type TableDef,
} from './schema.ts';
import { firstAutoIncrement } from './schema-options.ts';
import { encodeValue, sqliteName } from './storage.ts';
import type { SqliteParam } from './value.ts';

/** The declared type, which gives a column its affinity; none for values that must stay as they are bound. */
function declaredType(column: ColumnDef): string {
  if (isWide(column.type)) return '';
  switch (columnFamily(column.type)) {
    case 'int':
    case 'bit':
    case 'year':
      return 'INTEGER';
    case 'real':
      return 'REAL';
    case 'binary':
      return 'BLOB';
    default:
      return 'TEXT';
  }
}

/** True for columns whose text compares without regard to ASCII case. */
export function isNocase(column: ColumnDef): boolean {
  const family = columnFamily(column.type);
  return (family === 'text' || family === 'enum' || family === 'set') && !isCaseSensitive(column.type);
}

function literal(value: SqliteParam): string {
  if (value === null) return 'NULL';
  if (typeof value === 'string') return `'${value.replaceAll("'", "''")}'`;
  return value instanceof Uint8Array ? `x'${Buffer.from(value).toString('hex')}'` : String(value);
}

/** DEFAULT for literals only: the clock is never SQLite's. */
function defaultClause(column: ColumnDef): string {
  if (column.default.kind !== 'literal' || column.default.text === null) return '';
  return ` DEFAULT ${literal(encodeValue(column.type, defaultValue(column, {})))}`;
}

function columnClause(def: TableDef, column: ColumnDef): string {
  const name = sqliteName(column.name);
  if (rowidColumn(def) === column) return `${name} INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL`;
  const type = declaredType(column);
  const collation = isNocase(column) ? ' COLLATE NOCASE' : '';
  return `${name}${type === '' ? '' : ` ${type}`}${collation}${column.nullable ? '' : ' NOT NULL'}${defaultClause(column)}`;
}

function partClause(def: TableDef, index: IndexDef, part: IndexPart): string {
  const name = sqliteName(part.column);
  const column = findColumn(def, part.column);
  const order = part.descending === true ? ' DESC' : '';
  // Only uniqueness depends on the prefix; a plain index may as well hold all of the column.
  if (part.length === undefined || index.kind !== 'unique') return name + order;
  const collation = column !== undefined && isNocase(column) ? ' COLLATE NOCASE' : '';
  return `substr(${name}, 1, ${part.length})${collation}${order}`;
}

/** The name of an index in SQLite, where indexes of all tables share one space. */
export function sqliteIndexName(tableName: string, index: string): string {
  return sqliteName(`${tableName}.${index}`);
}

/** CREATE INDEX for each secondary index, under the table's name in SQLite. */
export function sqliteIndexes(def: TableDef, tableName: string = def.name): string[] {
  const indexes = def.indexes.filter(({ kind }) => kind === 'unique' || kind === 'key');
  return indexes.map((index) => {
    const unique = index.kind === 'unique' ? 'UNIQUE ' : '';
    const parts = index.parts.map((part) => partClause(def, index, part)).join(', ');
    return `CREATE ${unique}INDEX ${sqliteIndexName(tableName, index.name)} ON ${sqliteName(tableName)} (${parts})`;
  });
}

/** CREATE TABLE, and the first id where the options give one; no indexes. */
export function sqliteTable(def: TableDef, tableName: string = def.name): string[] {
  const columns = def.columns.map((column) => columnClause(def, column));
  const separate = def.primaryKey.length > 0 && rowidColumn(def) === undefined;
  const primary = separate ? [`PRIMARY KEY (${def.primaryKey.map(sqliteName).join(', ')})`] : [];
  const create = `CREATE TABLE ${sqliteName(tableName)} (${[...columns, ...primary].join(', ')})`;
  const first = rowidColumn(def) === undefined ? undefined : firstAutoIncrement(def);
  if (first === undefined || first <= 1n) return [create];
  return [create, `INSERT INTO sqlite_sequence (name, seq) VALUES (${literal(tableName)}, ${first - 1n})`];
}

/** The SQLite statements that make a table with its indexes, to be run in order. */
export function sqliteCreateTable(def: TableDef, tableName: string = def.name): string[] {
  return [...sqliteTable(def, tableName), ...sqliteIndexes(def, tableName)];
}

/** The SQLite statements that rename a table; its indexes are made again under the new name. */
export function sqliteRename(def: TableDef, from: string, to: string): string[] {
  const kept = def.indexes.filter(({ kind }) => kind === 'unique' || kind === 'key');
  return [
    ...kept.map((index) => `DROP INDEX IF EXISTS ${sqliteIndexName(from, index.name)}`),
    `ALTER TABLE ${sqliteName(from)} RENAME TO ${sqliteName(to)}`,
    ...sqliteIndexes(def, to),
  ];
}
