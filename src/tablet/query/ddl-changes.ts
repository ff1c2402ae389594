import { vtError } from '../../lib/errors.ts';
import type { AlterAction, CreateTable, DdlStatement } from '../../sql/ast.ts';
import { tableExists, unknownTable } from '../../sql/mysql-errors.ts';
import { indexAction } from '../../sql/schema-alter.ts';
import { tableDef } from '../../sql/schema-build.ts';
import { canonicalOptions, optionsOf } from '../../sql/schema-options.ts';
import { sqliteCreateTable, sqliteRename } from '../../sql/schema-sqlite.ts';
import type { TableDef } from '../../sql/schema.ts';
import { createTable } from '../create-table.ts';
import { putAside } from '../dropped-tables.ts';
import type { ShardDb } from '../shard-db.ts';
import { sqliteName } from '../../sql/storage.ts';
import { alterSteps, type ChangeMode } from './ddl-alter.ts';

/**
 * Makes a statement's changes to the tables, in the caller's SQLite transaction, and says which tables they were.
 * `now` is what CURRENT_TIMESTAMP means for new columns. Throws MySQL's errors.
 */
export function changeTables(shard: ShardDb, statement: DdlStatement, now: string): string[] {
  const steps = changeSteps(shard, statement, now);
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}

/** The same in steps of bounded length, for a load that gives each a transaction of its own. */
export function* changeSteps(
  shard: ShardDb,
  statement: DdlStatement,
  now: string,
  mode: ChangeMode = {},
): Generator<void, string[]> {
  switch (statement.kind) {
    case 'create-table':
      return create(shard, statement, mode);
    case 'drop-table':
      return drop(shard, statement.tables.map(({ name }) => name), statement.ifExists);
    case 'truncate':
      truncate(shard, statement.table.name);
      return [statement.table.name];
    case 'rename-table':
      for (const { from, to } of statement.renames) rename(shard, from.name, to.name);
      return statement.renames.map(({ from }) => from.name);
    case 'alter-table':
      return yield* alter(shard, statement.table.name, statement.actions, now, mode);
    case 'create-index':
    case 'drop-index':
      return yield* alter(shard, statement.table.name, [indexAction(statement)], now, mode);
  }
}

function* alter(
  shard: ShardDb,
  name: string,
  actions: readonly AlterAction[],
  now: string,
  mode: ChangeMode,
): Generator<void, string[]> {
  for (const action of actions) {
    if (action.action === 'rename-table' && action.to.name !== name) checkNewName(shard, action.to.name);
  }
  yield* alterSteps(shard, shard.table(name), actions, now, mode);
  return [name];
}

/**
 * Refuses names that a table of ours has or could have: they all begin with an underscore, SQLite's own with
 * `sqlite_`. SQLite does not tell names apart by case. Throws MySQL's 1050 for a table that is there.
 */
function checkNewName(shard: ShardDb, name: string): void {
  if (shard.findTable(name) !== undefined) throw tableExists(name);
  if (/^(_|sqlite_)/i.test(name)) {
    throw vtError('INVALID_ARGUMENT', `the table name ${name} is reserved: choose one that does not begin with _ or sqlite_`);
  }
  const other = shard.db.get<{ name: string }>('SELECT name FROM sqlite_master WHERE lower(name) = lower(?)', name);
  if (other === undefined) return;
  throw vtError('INVALID_ARGUMENT', `the table name ${name} is taken: names must differ in more than case from ${other.name}`);
}

function create(shard: ShardDb, statement: CreateTable, mode: ChangeMode): string[] {
  const { name } = statement.table;
  if (statement.ifNotExists && shard.findTable(name) !== undefined) return [];
  checkNewName(shard, name);
  createTable(shard, statement.like === undefined ? tableDef(statement, mode) : likeTable(shard, statement.like.name, name));
  return [name];
}

/** The definition of CREATE TABLE … LIKE: without foreign keys, and counting from 1. */
function likeTable(shard: ShardDb, model: string, name: string): TableDef {
  const { foreignKeys: _, ...def } = shard.table(model);
  return { ...def, name, options: canonicalOptions(optionsOf(def).filter((option) => option.name !== 'AUTO_INCREMENT')) };
}

function drop(shard: ShardDb, names: readonly string[], ifExists: boolean): string[] {
  const there = names.filter((name) => shard.findTable(name) !== undefined);
  const missing = names.find((name) => !there.includes(name));
  // All or nothing, as in MySQL 8.
  if (missing !== undefined && !ifExists) throw unknownTable(shard.dbName, missing);
  for (const name of there) shard.dropTable(name);
  return there;
}

/** Empties a table; ids start anew, as in MySQL. */
function truncate(shard: ShardDb, name: string): void {
  const def = shard.table(name);
  if (shard.db.isFile && putAside(shard.db, def)) for (const sql of sqliteCreateTable(def)) shard.db.exec(sql);
  else shard.db.run(`DELETE FROM ${sqliteName(def.name)}`);
  shard.db.run('DELETE FROM sqlite_sequence WHERE name = ?', def.name);
}

function rename(shard: ShardDb, from: string, to: string): void {
  const def = shard.table(from);
  checkNewName(shard, to);
  for (const sql of sqliteRename(def, from, to)) shard.db.exec(sql);
  shard.db.run('DELETE FROM _tables WHERE name = ?', from);
  shard.saveDefinition({ ...def, name: to });
}
