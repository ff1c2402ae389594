import { vtError } from '../../lib/errors.ts';
import type { World } from '../../runtime/world.ts';
import type { BinlogEvent } from '../binlog.ts';
import type { ShardDb } from '../shard-db.ts';
import { type LockMode, releaseSession, tableLocks } from '../table-locks.ts';
import { parseValues, stringifyValues } from '../value-json.ts';

/** A statement of an open transaction: its text, and the images of what it did, by which it is done again. */
export interface StoredStatement {
  sql: string;
  /** When it ran, in epoch milliseconds: what its now() was. */
  at: number;
  events: BinlogEvent[];
}

/** A session as one shard knows it. */
export interface SessionView {
  name: string;
  /** When this shard first saw it, in epoch milliseconds. */
  started: number;
  /** True between BEGIN and COMMIT or ROLLBACK. */
  transaction: boolean;
  /** The statements of its open transaction. */
  statements: string[];
  /** Its table locks and the ones it waits for. */
  locks: { table: string; mode: LockMode; granted: boolean }[];
}

interface SessionRow {
  name: string;
  started: number;
  /** 0 none, 1 open, `LOST`. */
  transaction_open: number;
}

/** Its tablet has ended, or is no primary any more: gone, and the client does not know yet. */
const LOST = 2;

const READ_ONLY = 'start transaction read only';

/** True if the shard knows the session. */
export function hasSession(shard: ShardDb, name: string): boolean {
  return shard.db.get('SELECT 1 FROM _session WHERE name = ?', name) !== undefined;
}

/** True while the session has a transaction open here. */
export function inTransaction(shard: ShardDb, name: string): boolean {
  const row = shard.db.get<SessionRow>('SELECT * FROM _session WHERE name = ?', name);
  return row !== undefined && row.transaction_open !== 0;
}

/**
 * Throws ABORTED if the tablet that had the session's transaction has gone with it.
 * Vitess: go/vt/vttablet/tabletserver/stateful_connection_pool.go GetAndLock.
 */
export function checkTransaction(shard: ShardDb, name: string): void {
  const row = shard.db.get<SessionRow>('SELECT * FROM _session WHERE name = ?', name);
  if (row?.transaction_open !== LOST) return;
  // Vitess numbers transactions from the nanosecond at which the tablet started.
  throw vtError('ABORTED', `transaction ${BigInt(Math.round(row.started)) * 1_000_000n}: not found (potential transaction timeout)`);
}

/** What the end of a primary does to the sessions there: transactions are rolled back, locks let go. Returns how many were open. */
export function loseTransactions(shard: ShardDb, world: World): Promise<number> {
  return shard.db.write(world.clock, () => {
    const sessions = shard.db.all<SessionRow>('SELECT * FROM _session');
    for (const { name } of sessions) {
      releaseSession(shard, name);
      shard.db.run('DELETE FROM _session_statement WHERE session = ?', name);
    }
    return shard.db.run('UPDATE _session SET transaction_open = ? WHERE transaction_open = 1', LOST);
  });
}

/** Makes the session known here. `at` is in epoch milliseconds. */
export function ensureSession(shard: ShardDb, name: string, at: number): void {
  shard.db.run('INSERT INTO _session VALUES (?, ?, 0) ON CONFLICT (name) DO NOTHING', name, at);
}

/**
 * Opens a transaction, inside the caller's SQLite transaction. LOCK TABLES ends with it, as in MySQL; an open
 * transaction must have been committed by the caller. `at` is in epoch milliseconds.
 */
export function openTransaction(shard: ShardDb, name: string, at: number, readOnly = false): void {
  ensureSession(shard, name, at);
  releaseLockTables(shard, name);
  shard.db.run('UPDATE _session SET transaction_open = 1 WHERE name = ?', name);
  if (readOnly) storeStatement(shard, name, { sql: READ_ONLY, at, events: [] });
}

/** True for a transaction that began READ ONLY. */
export function isReadOnly(shard: ShardDb, name: string): boolean {
  return storedStatements(shard, name)[0]?.sql === READ_ONLY;
}

/** Ends a transaction's bookkeeping: its statements and the locks that it took. LOCK TABLES stays. */
export function closeTransaction(shard: ShardDb, name: string): void {
  shard.db.run('DELETE FROM _session_statement WHERE session = ?', name);
  shard.db.run('DELETE FROM _row_lock WHERE session = ?', name);
  shard.db.run(`DELETE FROM _table_lock WHERE session = ? AND mode IN ('shared-read', 'shared-write')`, name);
  shard.db.run('UPDATE _session SET transaction_open = 0 WHERE name = ?', name);
}

/** What UNLOCK TABLES does. */
export function releaseLockTables(shard: ShardDb, name: string): void {
  shard.db.run(`DELETE FROM _table_lock WHERE session = ? AND mode IN ('read-only', 'exclusive')`, name);
}

/** Keeps a statement of an open transaction. */
export function storeStatement(shard: ShardDb, name: string, statement: StoredStatement): void {
  const { sql, events, at } = statement;
  shard.db.run(
    'INSERT INTO _session_statement (session, statement, at) VALUES (?, ?, ?)',
    name,
    stringifyValues({ sql, events }),
    at,
  );
}

/** The statements of an open transaction, in order. */
export function storedStatements(shard: ShardDb, name: string): StoredStatement[] {
  return shard.db
    .all<{ statement: string; at: number }>('SELECT statement, at FROM _session_statement WHERE session = ? ORDER BY id', name)
    .map((row) => ({ ...parseValues<Pick<StoredStatement, 'sql' | 'events'>>(row.statement), at: row.at }));
}

/** The sessions of a shard by name. */
export function listSessions(shard: ShardDb): SessionView[] {
  const locks = tableLocks(shard);
  return shard.db.all<SessionRow>('SELECT * FROM _session ORDER BY name').map(({ name, started, transaction_open: open }) => ({
    name,
    started,
    transaction: open !== 0,
    statements: storedStatements(shard, name).map(({ sql }) => sql),
    locks: locks
      .filter((lock) => lock.session === name)
      .map(({ table, mode, granted }) => ({ table, mode, granted })),
  }));
}

/** Ends a session: its transaction is rolled back, its locks are let go. False if the shard does not know it. */
export function closeSession(shard: ShardDb, world: World, name: string): Promise<boolean> {
  return shard.db.write(world.clock, () => {
    const known = hasSession(shard, name);
    shard.db.run('DELETE FROM _session_statement WHERE session = ?', name);
    releaseSession(shard, name);
    shard.db.run('DELETE FROM _session WHERE name = ?', name);
    return known;
  });
}

/** Ends somebody else's session, as KILL does. False if the shard does not know it. */
export function killSession(shard: ShardDb, world: World, name: string): Promise<boolean> {
  return closeSession(shard, world, name);
}
