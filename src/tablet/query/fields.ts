import type { Select } from '../../sql/ast.ts';
import { type ColumnDef, columnFamily, type ColumnType, findColumn, type TableDef, typeArg } from '../../sql/schema.ts';
import type { Value } from '../../sql/value.ts';
import type { QueryField } from '../../topo/proto/types-workflow.ts';
import type { QueryResult } from './request.ts';

/** Flags of a column in MySQL's protocol. */
const FLAG = {
  notNull: 1,
  primaryKey: 2,
  uniqueKey: 4,
  multipleKey: 8,
  blob: 16,
  unsigned: 32,
  zerofill: 64,
  binary: 128,
  enum: 256,
  autoIncrement: 512,
  timestamp: 1024,
  set: 2048,
  noDefault: 4096,
  onUpdateNow: 8192,
  partOfKey: 16_384,
  number: 32_768,
} as const;

/** The collation `binary`, which numbers, dates and bytes have, and the connection's own, utf8mb4_0900_ai_ci. */
const BINARY = 63;
const UTF8MB4 = 255;
const BYTES_PER_CHARACTER = 4;

/** By MySQL's name: Vitess's type, and the widest that a value is shown. */
const TYPES: Readonly<Record<string, readonly [signed: string, unsigned: string, length: number]>> = {
  tinyint: ['INT8', 'UINT8', 4],
  smallint: ['INT16', 'UINT16', 6],
  mediumint: ['INT24', 'UINT24', 9],
  int: ['INT32', 'UINT32', 11],
  bigint: ['INT64', 'UINT64', 20],
  float: ['FLOAT32', 'FLOAT32', 12],
  double: ['FLOAT64', 'FLOAT64', 22],
  year: ['YEAR', 'YEAR', 4],
  date: ['DATE', 'DATE', 10],
  datetime: ['DATETIME', 'DATETIME', 19],
  timestamp: ['TIMESTAMP', 'TIMESTAMP', 19],
  time: ['TIME', 'TIME', 10],
  tinytext: ['TEXT', 'TEXT', 255],
  text: ['TEXT', 'TEXT', 65_535],
  mediumtext: ['TEXT', 'TEXT', 16_777_215],
  longtext: ['TEXT', 'TEXT', 4_294_967_295],
  tinyblob: ['BLOB', 'BLOB', 255],
  blob: ['BLOB', 'BLOB', 65_535],
  mediumblob: ['BLOB', 'BLOB', 16_777_215],
  longblob: ['BLOB', 'BLOB', 4_294_967_295],
  json: ['JSON', 'JSON', 4_294_967_295],
  char: ['CHAR', 'CHAR', 1],
  varchar: ['VARCHAR', 'VARCHAR', 1],
  binary: ['BINARY', 'BINARY', 1],
  varbinary: ['VARBINARY', 'VARBINARY', 1],
  enum: ['ENUM', 'ENUM', 1],
  set: ['SET', 'SET', 1],
  bit: ['BIT', 'BIT', 1],
  decimal: ['DECIMAL', 'DECIMAL', 10],
};

/**
 * The columns of a result as MySQL describes them: those that are a column of the table with everything that is known of
 * it, others by the values that came out.
 */
export function fieldsOf(result: QueryResult, statement: Select, def: TableDef | undefined, database: string): QueryField[] {
  const columns = def === undefined ? [] : statement.items.flatMap((item): (ColumnDef | undefined)[] => {
    if (item.kind === 'star') return def.columns;
    return [item.expr.kind === 'column' ? findColumn(def, item.expr.name) : undefined];
  });
  return result.columns.map((name, index): QueryField => {
    const column = columns[index];
    if (def !== undefined && column !== undefined) return columnField(name, column, def, database, statement.alias);
    return valueField(name, result.rows.map((row) => row[index] ?? null));
  });
}

function columnField(name: string, column: ColumnDef, def: TableDef, database: string, alias: string | undefined): QueryField {
  const table = def.name.slice(def.name.startsWith(`${database}.`) ? database.length + 1 : 0);
  const { type } = column;
  const [signed, unsigned, length] = TYPES[type.name] ?? ['GEOMETRY', 'GEOMETRY', 4_294_967_295];
  return {
    name,
    type: type.unsigned ? unsigned : signed,
    table: alias ?? table,
    org_table: table,
    database,
    org_name: column.name,
    column_length: lengthOf(type, length),
    charset: isText(type) ? UTF8MB4 : BINARY,
    decimals: columnFamily(type) === 'real' ? 31 : columnFamily(type) === 'decimal' ? typeArg(type, 1, 0) : 0,
    flags: flagsOf(column, def),
  };
}

function isText(type: ColumnType): boolean {
  return ['text', 'enum', 'set'].includes(columnFamily(type)) || type.name === 'json';
}

function lengthOf(type: ColumnType, length: number): number {
  switch (type.name) {
    case 'char':
    case 'varchar':
      return typeArg(type, 0, 1) * BYTES_PER_CHARACTER;
    case 'binary':
    case 'varbinary':
    case 'bit':
      return typeArg(type, 0, 1);
    case 'decimal':
      // A sign and a point.
      return typeArg(type, 0, 10) + (typeArg(type, 1, 0) > 0 ? 1 : 0) + (type.unsigned ? 0 : 1);
    case 'enum':
      return Math.max(0, ...type.args.map((arg) => [...arg].length)) * BYTES_PER_CHARACTER;
    case 'set':
      return type.args.join(',').length * BYTES_PER_CHARACTER;
    case 'tinyint':
      return typeArg(type, 0, length);
    default:
      return type.unsigned && length > 1 && columnFamily(type) === 'int' && type.name !== 'bigint' ? length - 1 : length;
  }
}

function flagsOf(column: ColumnDef, def: TableDef): number {
  const { type, name } = column;
  const family = columnFamily(type);
  const large = /text$|blob$/.test(type.name) || family === 'json' || type.name === 'geometry';
  const keys = def.indexes.filter((index) => index.parts[0]?.column === name);
  const inPrimary = def.primaryKey.includes(name);
  const unique = keys.some((index) => index.kind === 'unique' && index.parts.length === 1);
  let flags = 0;
  const set = (flag: number, when: boolean): void => void (flags |= when ? flag : 0);
  set(FLAG.notNull, !column.nullable || inPrimary);
  set(FLAG.primaryKey, inPrimary);
  set(FLAG.uniqueKey, !inPrimary && unique);
  set(FLAG.multipleKey, !inPrimary && !unique && keys.length > 0);
  set(FLAG.partOfKey, inPrimary || def.indexes.some((index) => index.parts.some((part) => part.column === name)));
  set(FLAG.blob, large);
  set(FLAG.unsigned, type.unsigned);
  set(FLAG.zerofill, type.zerofill === true);
  set(FLAG.binary, !isText(type) && !['int', 'real', 'decimal', 'bit', 'year'].includes(family));
  set(FLAG.enum, family === 'enum');
  set(FLAG.set, family === 'set');
  set(FLAG.autoIncrement, column.autoIncrement);
  set(FLAG.timestamp, type.name === 'timestamp' && column.onUpdate !== undefined);
  set(FLAG.onUpdateNow, column.onUpdate !== undefined);
  set(FLAG.noDefault, !column.nullable && column.default.kind === 'none' && !column.autoIncrement);
  set(FLAG.number, ['int', 'real', 'decimal', 'year'].includes(family));
  return flags;
}

/** An expression: what it is can only be told from what came out. */
function valueField(name: string, values: readonly Value[]): QueryField {
  const value = values.find((candidate) => candidate !== null) ?? null;
  if (value === null) return { name, type: 'NULL_TYPE', charset: BINARY, flags: FLAG.binary };
  if (typeof value === 'bigint' || Number.isInteger(value)) {
    return { name, type: 'INT64', column_length: 21, charset: BINARY, flags: FLAG.notNull | FLAG.binary | FLAG.number };
  }
  if (typeof value === 'number') return { name, type: 'FLOAT64', column_length: 23, charset: BINARY, decimals: 31, flags: FLAG.binary | FLAG.number };
  if (value instanceof Uint8Array) return { name, type: 'VARBINARY', column_length: value.length, charset: BINARY, flags: FLAG.binary };
  return { name, type: 'VARCHAR', column_length: [...String(value)].length * BYTES_PER_CHARACTER, charset: UTF8MB4 };
}
