import type { AlterAction } from '../../sql/ast.ts';
import { insertSql } from '../../sql/compile-insert.ts';
import { selectRows } from '../../sql/compile-key.ts';
import { applyAlters, columnOrigins, convertRow } from '../../sql/schema-alter.ts';
import { sqliteCreateTable, sqliteIndexes, sqliteIndexName, sqliteRename } from '../../sql/schema-sqlite.ts';
import type { DefinitionMode } from '../../sql/schema-build.ts';
import { rowidName, type TableDef } from '../../sql/schema.ts';
import { decodeRow, encodeRow } from '../../sql/storage.ts';
import type { ShardDb } from '../shard-db.ts';
import { sqliteName } from '../../sql/storage.ts';
import { asDuplicate, type RawRow, rawRows } from './row-images.ts';

/** Where the new form of a table is built; no table may be called so. */
const BUILDING = '_building';

/** Takes away what steps left that were not gone through to the end. */
export function dropUnfinished(shard: ShardDb): void {
  shard.db.exec(`DROP TABLE IF EXISTS ${BUILDING}`);
}

/** Rows copied in one step. */
const STEP = 500;
/** From this many rows on, an index is not made at once where there are steps. */
const LARGE = 20_000;

/** How a change is made. */
export interface ChangeMode extends DefinitionMode {
  /** Each step gets a transaction of its own, which is only for tables that nobody uses yet. */
  stepwise?: boolean;
}

/**
 * ALTER TABLE in steps, each for the caller's SQLite transaction. Rows are copied, converted and checked one by one where
 * columns or unique keys change; otherwise only indexes and the definition do. Throws MySQL's errors.
 */
export function* alterSteps(
  shard: ShardDb,
  before: TableDef,
  actions: readonly AlterAction[],
  now: string,
  mode: ChangeMode,
): Generator<void, void> {
  const after = applyAlters(before, actions);
  const indexed = JSON.stringify(before.indexes) !== JSON.stringify(after.indexes);
  const large = indexed && mode.stepwise === true && isLarge(shard, before);
  if (large || needsCopy(before, after)) yield* copyInto(shard, before, after, actions, { ...mode, now });
  else if (indexed || after.name !== before.name) reindex(shard, before, after);
  if (after.name !== before.name) shard.db.run('DELETE FROM _tables WHERE name = ?', before.name);
  shard.saveDefinition(after);
}

function needsCopy(before: TableDef, after: TableDef): boolean {
  const shape = ({ columns, primaryKey, indexes }: TableDef): string =>
    JSON.stringify({ columns, primaryKey, unique: indexes.filter(({ kind }) => kind === 'unique') });
  return shape(before) !== shape(after);
}

function reindex(shard: ShardDb, before: TableDef, after: TableDef): void {
  dropIndexes(shard, before);
  if (after.name !== before.name) {
    shard.db.exec(`ALTER TABLE ${sqliteName(before.name)} RENAME TO ${sqliteName(after.name)}`);
  }
  for (const sql of sqliteIndexes(after)) shard.db.exec(sql);
}

function dropIndexes(shard: ShardDb, def: TableDef): void {
  for (const { name } of def.indexes) shard.db.exec(`DROP INDEX IF EXISTS ${sqliteIndexName(def.name, name)}`);
}

function isLarge(shard: ShardDb, { name }: TableDef): boolean {
  return shard.db.get(`SELECT 1 FROM ${sqliteName(name)} LIMIT 1 OFFSET ${LARGE}`) !== undefined;
}

function* copyInto(
  shard: ShardDb,
  before: TableDef,
  after: TableDef,
  actions: readonly AlterAction[],
  scope: ChangeMode & { now: string },
): Generator<void, void> {
  dropUnfinished(shard);
  for (const sql of sqliteCreateTable(after, BUILDING)) shard.db.exec(sql);
  const origins = columnOrigins(before, actions);
  const insert = insertSql(after, BUILDING);
  const next = `${selectRows(before, {})} WHERE ${rowidName(before)} > ? ORDER BY ${rowidName(before)} LIMIT ${STEP}`;
  let copied = 0;
  for (let last: bigint | undefined = -(2n ** 63n); last !== undefined; ) {
    const rows = rawRows(shard, { sql: next, params: [last] });
    for (const raw of rows) copyRow(shard, before, after, origins, insert, raw, scope, (copied += 1));
    last = rows.at(-1)?.['__rowid'] as bigint | undefined;
    yield;
  }
  const last = shard.db.get<{ seq: number }>('SELECT seq FROM sqlite_sequence WHERE name = ?', before.name)?.seq ?? 0;
  shard.removeRows(before);
  for (const sql of sqliteRename(after, BUILDING, after.name)) shard.db.exec(sql);
  // Ids of rows deleted before the change are not given again.
  shard.db.run('UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = ?', last, after.name);
}

function copyRow(
  shard: ShardDb,
  before: TableDef,
  after: TableDef,
  origins: ReadonlyMap<string, string>,
  insert: string,
  raw: RawRow,
  scope: ChangeMode & { now: string },
  number: number,
): void {
  const row = convertRow(after, origins, decodeRow(before, raw), scope, number);
  try {
    rawRows(shard, { sql: insert, params: encodeRow(after.columns, row) });
  } catch (error) {
    throw asDuplicate(error, after, row);
  }
}
