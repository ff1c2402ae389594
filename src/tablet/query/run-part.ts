import { InvariantError } from '../../lib/errors.ts';
import type { World } from '../../runtime/world.ts';
import { formatStatement } from '../../sql/rewrite.ts';
import { rowidColumn, type TableDef } from '../../sql/schema.ts';
import type { Row } from '../../sql/value.ts';
import type { Cluster } from '../cluster.ts';
import type { ShardDb } from '../shard-db.ts';
import { anyRowLocks, holdTable, lockBlocker, type LockMode, rowBlocker } from '../table-locks.ts';
import { admit, checkOwnLocks, isWrite } from './checks.ts';
import { mysqlTime } from './mysql-time.ts';
import { readOnlyTransaction, WaitForLock } from './query-errors.ts';
import { isRowStatement, type QueryRequest, type QueryResult, type QueryTablet, type RowStatement } from './request.ts';
import { eventKeys, lockKeys, replayEvent } from './row-images.ts';
import { type Effect, runRowStatement } from './row-statements.ts';
import { checkTransaction, ensureSession, inTransaction, isReadOnly, storedStatements, storeStatement } from './sessions.ts';

/** True for a read that no lock can concern: it needs no write transaction. */
export function isPlainRead(tablet: QueryTablet, request: QueryRequest): boolean {
  const { statement } = request;
  if (statement.kind !== 'select' || statement.lock !== undefined || request.session !== undefined) return false;
  return tablet.shard.db.get('SELECT 1 FROM _table_lock LIMIT 1') === undefined;
}

/**
 * Runs a row statement in the caller's SQLite transaction: checks, rows, binlog; or, in an open transaction of a
 * session, keeps it for the commit. Throws WaitForLock when a lock is in the way: roll back and try again.
 */
export function runPart(cluster: Cluster, tablet: QueryTablet, request: QueryRequest): QueryResult {
  const { shard } = tablet;
  const { statement, session } = request;
  if (!isRowStatement(statement)) throw new InvariantError(`${statement.kind} is not about rows`);
  admit(tablet, request);
  checkOwnLocks(shard, session, statement);
  const at = cluster.world.clock.now();
  const scope: Scope = { shard, world: cluster.world, session, statement, at };
  if (session !== undefined) ensureSession(shard, session, at);
  if (session !== undefined && inTransaction(shard, session)) return runInTransaction(scope, session);
  const { effect } = runLocked(scope);
  if (effect.events.length > 0 && request.direct?.binlog !== false) shard.log(at, effect.events);
  return effect.result;
}

/**
 * Runs a row statement as MySQL does for a user who does not come through the query service: no rule denies it, no
 * session has it. In the caller's transaction. Throws WaitForLock when a lock is in the way.
 */
export function runUnchecked(world: World, shard: ShardDb, statement: RowStatement): QueryResult {
  const at = world.clock.now();
  const { effect } = runLocked({ shard, world, session: undefined, statement, at });
  if (effect.events.length > 0) shard.log(at, effect.events);
  return effect.result;
}

interface Scope {
  shard: ShardDb;
  world: World;
  session: string | undefined;
  statement: RowStatement;
  /** Epoch milliseconds. */
  at: number;
}

interface Locked {
  effect: Effect;
  /** The keys of the rows written, or read for update. */
  keys: string[];
}

/** Thrown to undo what a statement of an open transaction did; caught right outside. */
const UNDO = Symbol('undo');

/** Does again what the transaction did so far, runs the statement on it, undoes it all and keeps what it did. */
function runInTransaction(scope: Scope, session: string): QueryResult {
  const { shard, statement, at } = scope;
  checkTransaction(shard, session);
  if (isWrite(statement) && isReadOnly(shard, session)) throw readOnlyTransaction();
  const before = storedStatements(shard, session);
  let locked: Locked | undefined;
  let lastId: number | undefined;
  try {
    shard.db.transact(() => {
      for (const { events } of before) for (const event of events) replayEvent(shard, event);
      locked = runLocked(scope);
      lastId = lastAutoId(shard, statement);
      throw UNDO;
    });
  } catch (error) {
    if (error !== UNDO) throw error;
  }
  if (locked === undefined) throw new InvariantError('a statement that left nothing');
  const { effect, keys } = locked;
  storeStatement(shard, session, { sql: formatStatement(statement), at, events: effect.events });
  keepLocks(scope, session, keys);
  if (lastId !== undefined) keepAutoId(shard, statement, lastId);
  return effect.result;
}

function keepLocks(scope: Scope, session: string, keys: readonly string[]): void {
  const { shard, statement, at } = scope;
  const table = tableOf(statement);
  if (table === undefined) return;
  holdTable(shard, table, modeOf(statement), { holder: `session ${session}`, session }, at);
  for (const key of new Set(keys)) {
    shard.db.run('INSERT INTO _row_lock VALUES (?, ?, ?) ON CONFLICT ("table", key) DO NOTHING', table, key, session);
  }
}

/** Runs a statement unless a lock of somebody else is in its way, before it or on a row it wrote. */
function runLocked(scope: Scope): Locked {
  const { shard, world, session, statement, at } = scope;
  const table = tableOf(statement);
  if (table !== undefined) checkTableLock(shard, world, table, modeOf(statement), session);
  const keys: string[] = [];
  const locks = anyRowLocks(shard);
  const meet = (def: TableDef, rows: readonly Row[]): void => {
    const met = rows.flatMap((row) => lockKeys(def, row));
    if (locks) checkRowLocks(shard, def.name, met, session);
    if (statement.kind === 'select') keys.push(...met);
  };
  const effect = runRowStatement(shard, statement, { now: mysqlTime(at) }, meet);
  if (table !== undefined && effect.events.length > 0 && (locks || session !== undefined)) {
    const def = shard.table(table);
    keys.push(...effect.events.flatMap((event) => eventKeys(def, event)));
    checkRowLocks(shard, table, keys, session);
  }
  return { effect, keys };
}

function checkRowLocks(shard: ShardDb, table: string, keys: readonly string[], session: string | undefined): void {
  const holder = rowBlocker(shard, table, keys, session);
  if (holder !== undefined) throw new WaitForLock(`a row of ${table}`, holder);
}

function checkTableLock(shard: ShardDb, world: World, table: string, mode: LockMode, session: string | undefined): void {
  // What the session holds already goes before those that wait for it to end.
  const own = shard.db.get<{ ticket: number }>(
    'SELECT ticket FROM _table_lock WHERE session = ? AND "table" = ? AND granted = 1',
    session ?? '',
    table,
  );
  const holder = lockBlocker(shard, world, table, mode, { session, ...(own === undefined ? {} : { ticket: own.ticket }) });
  if (holder !== undefined) throw new WaitForLock(`table ${table}`, holder);
}

function tableOf(statement: RowStatement): string | undefined {
  return statement.kind === 'select' ? statement.from?.name : statement.table.name;
}

function modeOf(statement: RowStatement): LockMode {
  return statement.kind === 'select' && statement.lock !== 'update' ? 'shared-read' : 'shared-write';
}

/** The last id that a table's AUTO_INCREMENT gave. An undone INSERT uses its ids up, as in InnoDB. */
function lastAutoId(shard: ShardDb, statement: RowStatement): number | undefined {
  if (statement.kind !== 'insert' && statement.kind !== 'replace') return undefined;
  const def = shard.table(statement.table.name);
  if (rowidColumn(def) === undefined) return undefined;
  return shard.db.get<{ seq: number }>('SELECT seq FROM sqlite_sequence WHERE name = ?', def.name)?.seq;
}

function keepAutoId(shard: ShardDb, statement: RowStatement, id: number): void {
  const table = tableOf(statement) ?? '';
  if (shard.db.run('UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = ?', id, table) > 0) return;
  shard.db.run('INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)', table, id);
}
