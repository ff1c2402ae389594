import { InvariantError } from '../../lib/errors.ts';
import { duplicateFromSqlite, keyText } from '../../sql/compile-key.ts';
import { findColumn, rowidName, type TableDef } from '../../sql/schema.ts';
import { encodeValue } from '../../sql/storage.ts';
import type { Row, SqlText } from '../../sql/value.ts';
import type { BinlogEvent } from '../binlog.ts';
import type { ShardDb } from '../shard-db.ts';
import { sqliteName } from '../../sql/storage.ts';
import { rowKey } from '../table-locks.ts';
import { narrowIntegers } from '../value-json.ts';
import { keyColumns, keyOf } from '../vreplication/apply.ts';

/** A row as SQLite gives it, integers as bigint. */
export type RawRow = Record<string, unknown>;

/** Runs a query or a statement with RETURNING. Integers beyond 2^53 come out whole. */
export function rawRows(shard: ShardDb, text: SqlText): RawRow[] {
  return shard.db.allBig<RawRow>(text.sql, ...text.params);
}

/** The image of a row as the binlog has it: the table's columns in the form they are stored in. */
export function rowImage(def: TableDef, raw: RawRow): Row {
  const row: Row = {};
  for (const { name } of def.columns) row[name] = (raw[name] ?? null) as Row[string];
  return narrowIntegers(row);
}

/** Turns SQLite's refusal of a key into MySQL's 1062; other errors are passed on. */
export function asDuplicate(error: unknown, def: TableDef, row: Row): unknown {
  if (!isConstraint(error)) return error;
  return duplicateFromSqlite(def, error.message, row) ?? error;
}

/** True for SQLite's refusal of a row. */
export function isConstraint(error: unknown): error is Error {
  const code = error instanceof Error ? (error as { code?: unknown }).code : undefined;
  return typeof code === 'string' && code.startsWith('SQLITE_CONSTRAINT');
}

/**
 * What a transaction locks when it writes a row: its key, and its value of each unique index, so that another
 * transaction cannot take a value that the first may still give back or keep.
 */
export function lockKeys(def: TableDef, row: Row): string[] {
  const unique = def.indexes.filter(
    ({ kind, parts }) => kind === 'unique' && parts.every(({ column }) => (row[column] ?? null) !== null),
  );
  const values = unique.map(({ name, parts }) => `${name}:${keyText(row, parts).toLowerCase()}`);
  return [rowKey(keyOf(def, row)), ...values];
}

/** The keys of both images of a change. */
export function eventKeys(def: TableDef, event: BinlogEvent): string[] {
  if (event.kind === 'insert') return lockKeys(def, event.after);
  if (event.kind === 'delete') return lockKeys(def, event.before);
  if (event.kind === 'update') return [...lockKeys(def, event.before), ...lockKeys(def, event.after)];
  return [];
}

/** Makes a change again from its images: what a transaction of a session did before its present statement. */
export function replayEvent(shard: ShardDb, event: BinlogEvent): void {
  if (event.kind === 'ddl' || event.kind === 'journal' || event.kind === 'copied') throw new InvariantError(`a ${event.kind} event in a transaction`);
  const def = shard.table(event.table);
  const table = sqliteName(def.name);
  if (event.kind === 'insert') {
    const places = def.columns.map(() => '?').join(', ');
    const names = def.columns.map(({ name }) => sqliteName(name)).join(', ');
    writeRow(shard, def, event.after, `INSERT INTO ${table} (${names}) VALUES (${places})`, values(def, event.after));
    return;
  }
  const rowid = rowidName(def);
  const where = keyColumns(def).map((column) => `${sqliteName(column)} IS ?`).join(' AND ');
  // Without a key several rows may be equal: one of them is meant.
  const one = `${rowid} = (SELECT ${rowid} FROM ${table} WHERE ${where} LIMIT 1)`;
  const key = keyColumns(def).map((column) => valueOf(def, column, event.before));
  if (event.kind === 'delete') {
    shard.db.run(`DELETE FROM ${table} WHERE ${one}`, ...key);
    return;
  }
  const set = def.columns.map(({ name }) => `${sqliteName(name)} = ?`).join(', ');
  writeRow(shard, def, event.after, `UPDATE ${table} SET ${set} WHERE ${one}`, [...values(def, event.after), ...key]);
}

function writeRow(shard: ShardDb, def: TableDef, row: Row, sql: string, params: SqlText['params']): void {
  try {
    shard.db.run(sql, ...params);
  } catch (error) {
    throw asDuplicate(error, def, row);
  }
}

function values(def: TableDef, row: Row): SqlText['params'] {
  return def.columns.map((column) => encodeValue(column.type, row[column.name] ?? null));
}

function valueOf(def: TableDef, name: string, row: Row): SqlText['params'][number] {
  const column = findColumn(def, name);
  const value = row[name] ?? null;
  return column === undefined ? value : encodeValue(column.type, value);
}
