import { UserError } from '../../lib/errors.ts';
import type { SessionStatement, TableLock } from '../../sql/ast.ts';
import type { Context } from '../../runtime/context.ts';
import type { Cluster } from '../cluster.ts';
import type { ShardDb } from '../shard-db.ts';
import { acquireTables, type LockMode } from '../table-locks.ts';
import { checkServing, checkWritable } from './checks.ts';
import { replayEvent } from './row-images.ts';
import { done, type QueryRequest, type QueryResult, type QueryTablet } from './request.ts';
import {
  checkTransaction,
  closeTransaction,
  ensureSession,
  inTransaction,
  openTransaction,
  releaseLockTables,
  storedStatements,
} from './sessions.ts';
import { withinLockWait } from './waiting.ts';

/** The session of a statement that needs one. Throws UserError. */
export function neededSession(session: string | undefined, what: string): string {
  if (session !== undefined) return session;
  throw new UserError(`${what} needs a session: without one it would end with the statement`, {
    next: `give the session a name: switchtraffic query --session a '${what.toLowerCase()} …'`,
    exit: 2,
  });
}

/** BEGIN, COMMIT, ROLLBACK, LOCK TABLES and UNLOCK TABLES on one tablet. */
export async function executeSessionStatement(
  ctx: Context,
  cluster: Cluster,
  tablet: QueryTablet,
  request: QueryRequest,
  statement: Exclude<SessionStatement, { kind: 'use' | 'show' }>,
): Promise<QueryResult> {
  const { shard } = tablet;
  const session = neededSession(request.session, statement.kind.replace('-', ' ').toUpperCase());
  const write = <T>(fn: () => T): Promise<T> => shard.db.write(cluster.world.clock, fn);
  const now = cluster.world.clock.now();
  switch (statement.kind) {
    case 'begin':
      await commit(cluster, tablet, request, session);
      await write(() => openTransaction(shard, session, now, statement.readOnly));
      return done();
    case 'commit':
      await commit(cluster, tablet, request, session);
      return done();
    case 'rollback':
      await write(() => closeTransaction(shard, session));
      return done();
    case 'unlock-tables':
      await write(() => releaseLockTables(shard, session));
      return done();
    case 'lock-tables':
      await commit(cluster, tablet, request, session);
      await lockTables(ctx, cluster, tablet, request, session, statement.locks);
      return done();
  }
}

/**
 * Commits what a session has open on a tablet, if anything: its changes are made again, for real, in one transaction
 * with the binlog. A tablet that does not serve any more has rolled the transaction back. Rules on denied tables do
 * not hold here; see `checkDenied`.
 */
async function commit(cluster: Cluster, tablet: QueryTablet, request: QueryRequest, session: string): Promise<void> {
  const { shard } = tablet;
  const { clock } = cluster.world;
  try {
    await shard.db.write(clock, () => {
      checkServing(tablet, request.tabletType);
      commitHere(shard, session, clock.now());
    });
  } catch (error) {
    await shard.db.write(clock, () => closeTransaction(shard, session));
    throw error;
  }
}

/** The commit itself, inside the caller's SQLite transaction. Nothing happens where no transaction is open. */
export function commitHere(shard: ShardDb, session: string, at: number): void {
  if (!inTransaction(shard, session)) return;
  checkTransaction(shard, session);
  const events = storedStatements(shard, session).flatMap((statement) => statement.events);
  for (const event of events) replayEvent(shard, event);
  if (events.length > 0) shard.log(at, events);
  closeTransaction(shard, session);
}

const MODES: Readonly<Record<TableLock['mode'], LockMode>> = { READ: 'read-only', WRITE: 'exclusive' };

async function lockTables(
  ctx: Context,
  cluster: Cluster,
  tablet: QueryTablet,
  request: QueryRequest,
  session: string,
  locks: readonly TableLock[],
): Promise<void> {
  const { shard } = tablet;
  const { world } = cluster;
  const wanted = new Map<string, LockMode>();
  for (const { table, mode } of locks) {
    if (wanted.get(table.name) !== 'exclusive') wanted.set(table.name, MODES[mode]);
  }
  await shard.db.write(world.clock, () => {
    checkWritable(checkServing(tablet, request.tabletType), request);
    for (const table of wanted.keys()) shard.table(table);
    ensureSession(shard, session, world.clock.now());
    releaseLockTables(shard, session);
  });
  const tickets = [...wanted].map(([table, mode]) => ({ table, mode }));
  const client = { holder: `session ${session}`, session };
  await withinLockWait(ctx, world, (limited) => acquireTables(limited, shard, world, tickets, client));
}
