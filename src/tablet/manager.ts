import { errorCode, errorText, errorVerbose, grpcCodeName, isTopoError, vtError } from '../lib/errors.ts';
import { checkContext, type Context, withTimeout } from '../runtime/context.ts';
import { heldLocks, LockLostError, lostLock } from '../topo/locks.ts';
import type { Tablet } from '../topo/proto/types.ts';
import { aliasText, shardTablets } from '../topo/tablets.ts';
import type { Cluster } from './cluster.ts';
import type { ShardDb } from './shard-db.ts';
import { refreshView } from './view.ts';

/**
 * Calls to a tablet, with the words that a call over gRPC gives its errors.
 * Vitess: go/vt/vttablet/tabletmanager/rpc_server.go, go/vt/vttablet/grpctmclient.
 */
export async function callTablet<T>(ctx: Context, tablet: Tablet, method: string, call: () => Promise<T>): Promise<T> {
  throwEnded(ctx);
  try {
    return await call();
  } catch (error) {
    throwEnded(ctx);
    throw error instanceof LockLostError ? error : onTablet(tablet, method, error);
  }
}

/** A tablet's error as its caller sees it. */
export function onTablet(tablet: Tablet, method: string, error: unknown): Error {
  const text = `TabletManager.${method} on ${aliasText(tablet.alias)}: ${errorText(error)}`;
  return vtError(errorCode(error), `rpc error: code = ${grpcCodeName(errorCode(error))} desc = ${text}`);
}

/** A call whose context has ended fails on the caller's side, without the method's name. */
function throwEnded(ctx: Context): void {
  const ended = ctx.err();
  if (ended === undefined) return;
  const code = ended.reason === 'deadline' ? 'DEADLINE_EXCEEDED' : 'CANCELED';
  throw vtError(code, `rpc error: code = ${grpcCodeName(code)} desc = ${ended.message}`);
}

/**
 * Writes on a tablet on behalf of a workflow. On `hardened` the transaction commits while the topology's write lock
 * is held and the leases of the context's locks were checked there, so a late owner changes nothing.
 */
export function writeTablet<T>(ctx: Context, cluster: Cluster, shard: ShardDb, fn: () => T): Promise<T> {
  checkContext(ctx);
  const guards = cluster.release.behaviours.fencedWrites ? heldLocks(ctx) : [];
  if (guards.length === 0) return shard.db.write(cluster.world.clock, fn);
  return guardedWrite(ctx, cluster, guards, shard, fn);
}

async function guardedWrite<T>(
  ctx: Context,
  cluster: Cluster,
  guards: ReturnType<typeof heldLocks>,
  shard: ShardDb,
  fn: () => T,
): Promise<T> {
  try {
    return await cluster.topo.conn.atomically(ctx, { guards }, () => shard.db.transact(fn));
  } catch (error) {
    if (!isTopoError(error, 'NoNode') || error.node !== 'lease') throw error;
    throw lostLock(cluster.topo, guards, error);
  }
}

/** Tells a tablet to re-read its shard. */
export function refreshState(ctx: Context, cluster: Cluster, tablet: Tablet): Promise<void> {
  return callTablet(ctx, tablet, 'RefreshState', () => refreshView(ctx, cluster, tablet));
}

/** How refreshing a shard's tablets went. */
export interface RefreshResult {
  /** Some tablet did not answer. */
  partial: boolean;
  details: string;
}

/**
 * Refreshes every tablet of a shard; those that fail are told in `details`, not thrown.
 * Vitess: go/vt/topotools/tablet.go RefreshTabletsByShard.
 */
export async function refreshTabletsByShard(
  ctx: Context,
  cluster: Cluster,
  shard: { keyspace: string; name: string },
  options: { cells?: readonly string[]; timeoutMs?: number } = {},
): Promise<RefreshResult> {
  const tablets = await shardTablets(ctx, cluster.topo, shard, options.cells);
  const limited = withTimeout(ctx, cluster.world.clock, options.timeoutMs ?? 60_000);
  const failures: string[] = [];
  try {
    for (const tablet of tablets) {
      if ((tablet.hostname ?? '') === '') continue;
      try {
        await refreshState(limited.ctx, cluster, tablet);
      } catch (error) {
        failures.push(`failed to refresh tablet ${aliasText(tablet.alias)}: ${errorVerbose(error)}`);
      }
    }
  } finally {
    limited.end();
  }
  return { partial: failures.length > 0, details: failures.join('') };
}
