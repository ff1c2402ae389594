import { vtError } from '../lib/errors.ts';
import { checkContext, type Context } from '../runtime/context.ts';
import type { ProcessIdentity } from '../runtime/processes.ts';
import type { World } from '../runtime/world.ts';
import type { ShardDb } from './shard-db.ts';

/**
 * MySQL's metadata locks, as rows of the shard's file. Tickets queue: a waiting LOCK TABLES lets those ahead of it
 * finish and holds up those behind it, which is how one long transaction stalls a whole cutover (#20340).
 */
export type LockMode =
  /** A transaction has read the table. */
  | 'shared-read'
  /** A transaction has written to it. */
  | 'shared-write'
  /** LOCK TABLES … READ. */
  | 'read-only'
  /** LOCK TABLES … WRITE, or DDL. */
  | 'exclusive';

const CONFLICTS: Readonly<Record<LockMode, readonly LockMode[]>> = {
  'shared-read': ['exclusive'],
  'shared-write': ['read-only', 'exclusive'],
  'read-only': ['shared-write', 'exclusive'],
  exclusive: ['shared-read', 'shared-write', 'read-only', 'exclusive'],
};

interface TableLockRow {
  ticket: number;
  /** What people read: `session s1`, `SwitchTraffic`. */
  holder: string;
  session: string | null;
  /** The waiting process, as JSON. A granted lock of a session belongs to no process. */
  owner: string | null;
  table: string;
  mode: LockMode;
  granted: number;
  since: number;
}

export interface TableLockView {
  holder: string;
  session: string | undefined;
  table: string;
  mode: LockMode;
  granted: boolean;
  since: number;
}

/** Every lock and waiter of a shard, in order of arrival. */
export function tableLocks(shard: ShardDb): TableLockView[] {
  return shard.db.all<TableLockRow>('SELECT * FROM _table_lock ORDER BY ticket').map((row) => ({
    holder: row.holder,
    session: row.session ?? undefined,
    table: row.table,
    mode: row.mode,
    granted: row.granted === 1,
    since: row.since,
  }));
}

/** Who asks for a lock. */
export interface LockClient {
  holder: string;
  session?: string;
}

/**
 * Who stands in the way of this mode on a table: holders, and waiters that came before. The client's own locks
 * never do. Run it inside the transaction that acts on the answer.
 */
export function lockBlocker(
  shard: ShardDb,
  world: World,
  table: string,
  mode: LockMode,
  client: { session?: string | undefined; ticket?: number },
): string | undefined {
  if (!hasLocks(shard)) return undefined;
  const rows = shard.db.all<TableLockRow>('SELECT * FROM _table_lock WHERE "table" = ? ORDER BY ticket', table);
  return blockerAmong(dropDead(shard, world, rows), mode, client);
}

/** The first in the way among the locks and waiters of one table. */
function blockerAmong(
  rows: readonly TableLockRow[],
  mode: LockMode,
  client: { session?: string | undefined; ticket?: number },
): string | undefined {
  const before = client.ticket ?? Number.MAX_SAFE_INTEGER;
  for (const row of rows) {
    if (row.ticket === before) continue;
    if (client.session !== undefined && row.session === client.session) continue;
    if (row.granted === 0 && row.ticket > before) continue;
    if (CONFLICTS[mode].includes(row.mode)) return row.holder;
  }
  return undefined;
}

/** The session that holds one of these rows, if it is not the client's own. */
export function rowBlocker(
  shard: ShardDb,
  table: string,
  keys: readonly string[],
  session: string | undefined,
): string | undefined {
  for (const key of keys) {
    const row = shard.db.get<{ session: string }>('SELECT session FROM _row_lock WHERE "table" = ? AND key = ?', table, key);
    if (row !== undefined && row.session !== session) return `session ${row.session}`;
  }
  return undefined;
}

/** True if any session holds row locks here: the quick way out of looking at every row. */
export function anyRowLocks(shard: ShardDb): boolean {
  return shard.db.get('SELECT 1 FROM _row_lock LIMIT 1') !== undefined;
}

function hasLocks(shard: ShardDb): boolean {
  return shard.db.get('SELECT 1 FROM _table_lock LIMIT 1') !== undefined;
}

/** Those whose waiter still lives; those of dead processes are removed. */
function dropDead(shard: ShardDb, world: World, rows: readonly TableLockRow[]): TableLockRow[] {
  // The waiters of one command are many rows of one owner: each owner is looked up once.
  const dead = new Map<string, boolean>();
  return rows.filter(({ owner, ticket }) => {
    if (owner === null) return true;
    if (!dead.has(owner)) dead.set(owner, world.processes.liveness(JSON.parse(owner) as ProcessIdentity) === 'dead');
    if (dead.get(owner) !== true) return true;
    shard.db.run('DELETE FROM _table_lock WHERE ticket = ?', ticket);
    return false;
  });
}

/** Grants a lock at once, for a transaction that has just passed `lockBlocker`. A stronger mode replaces a weaker. */
export function holdTable(shard: ShardDb, table: string, mode: LockMode, client: LockClient, at: number): void {
  const own = shard.db.get<TableLockRow>(
    'SELECT * FROM _table_lock WHERE session = ? AND "table" = ? AND granted = 1',
    client.session ?? '',
    table,
  );
  if (own !== undefined) {
    if (own.mode === 'shared-read' && mode !== 'shared-read') {
      shard.db.run('UPDATE _table_lock SET mode = ? WHERE ticket = ?', mode, own.ticket);
    }
    return;
  }
  shard.db.run(
    'INSERT INTO _table_lock (holder, session, owner, "table", mode, granted, since) VALUES (?, ?, NULL, ?, ?, 1, ?)',
    client.holder,
    client.session ?? null,
    table,
    mode,
    at,
  );
}

/** Releases everything that a session holds here. */
export function releaseSession(shard: ShardDb, session: string): void {
  shard.db.run('DELETE FROM _table_lock WHERE session = ?', session);
  shard.db.run('DELETE FROM _row_lock WHERE session = ?', session);
}

const POLL_MS = 10;

/**
 * Waits in line for locks on several tables, all at once as LOCK TABLES takes them. Throws the context's error
 * when it ends first; the tickets are gone then. Without a session the locks are let go at once, as when the
 * connection that took them is closed: in the transaction that would grant them, for a lock of nobody would outlive a
 * process that is killed before the next.
 */
export async function acquireTables(
  ctx: Context,
  shard: ShardDb,
  world: World,
  wanted: readonly { table: string; mode: LockMode }[],
  client: LockClient,
): Promise<void> {
  checkContext(ctx);
  const owner = JSON.stringify(world.processes.self);
  const tickets = await shard.db.write(world.clock, () =>
    wanted.map(({ table, mode }) =>
      shard.db.insert(
        'INSERT INTO _table_lock (holder, session, owner, "table", mode, granted, since) VALUES (?, ?, ?, ?, ?, 0, ?)',
        client.holder,
        client.session ?? null,
        owner,
        table,
        mode,
        world.clock.now(),
      ),
    ),
  );
  const forget = (): Promise<void> =>
    shard.db.write(world.clock, () => {
      for (const ticket of tickets) shard.db.run('DELETE FROM _table_lock WHERE ticket = ?', ticket);
    });
  for (let waited = POLL_MS; ; waited = Math.min(waited * 2, 100)) {
    const granted = await shard.db.write(world.clock, () => grantAll(shard, world, wanted, tickets, client));
    if (granted) return;
    if (ctx.err() !== undefined) {
      await forget();
      throw ctx.err()!;
    }
    await world.clock.sleep(waited, ctx);
  }
}

function grantAll(
  shard: ShardDb,
  world: World,
  wanted: readonly { table: string; mode: LockMode }[],
  tickets: readonly number[],
  client: LockClient,
): boolean {
  // Read once for all tables: a switch may lock thousands.
  const rows = dropDead(shard, world, shard.db.all<TableLockRow>('SELECT * FROM _table_lock ORDER BY ticket'));
  const byTable = new Map<string, TableLockRow[]>();
  for (const row of rows) {
    const same = byTable.get(row.table);
    if (same === undefined) byTable.set(row.table, [row]);
    else same.push(row);
  }
  const blocked = wanted.some(
    ({ table, mode }, index) =>
      blockerAmong(byTable.get(table) ?? [], mode, { session: client.session, ticket: tickets[index]! }) !== undefined,
  );
  if (blocked) return false;
  const end = client.session === undefined ? 'DELETE FROM _table_lock WHERE ticket = ?' : 'UPDATE _table_lock SET granted = 1, owner = NULL WHERE ticket = ?';
  for (const ticket of tickets) shard.db.run(end, ticket);
  return true;
}

/** MySQL's 1205, when a wait for a lock has run out. */
export function lockWaitTimeout(): Error {
  return vtError('DEADLINE_EXCEEDED', 'Lock wait timeout exceeded; try restarting transaction (errno 1205) (sqlstate HY000)');
}

/** A row's key as row locks name it. */
export function rowKey(values: readonly unknown[]): string {
  return JSON.stringify(values, (_key, value: unknown) =>
    typeof value === 'bigint' ? String(value) : value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value,
  );
}
