import { errorCode, errorText, grpcCodeName, type VtCode, vtError } from '../lib/errors.ts';
import { checkContext, type Context } from '../runtime/context.ts';
import { heldLocks } from '../topo/locks.ts';
import { isLeaseGone, LockLostError, lostLock } from '../topo/lost-locks.ts';
import type { Tablet } from '../topo/proto/types.ts';
import { aliasText } from '../topo/tablets.ts';
import type { Cluster } from './cluster.ts';
import { calleeOf, checkEngine, waitForTablet } from './reach.ts';
import type { ShardDb } from './shard-db.ts';
import { refreshView } from './view.ts';

/**
 * Calls a tablet, once it answers (reach.ts), with the words that a call over gRPC gives its errors. `call` is what the
 * tablet does: everything that a workflow has a tablet read or write goes through here.
 * Vitess: go/vt/vttablet/tabletmanager/rpc_server.go, go/vt/vttablet/grpctmclient.
 */
export async function callTablet<T>(ctx: Context, cluster: Cluster, tablet: Tablet, method: string, call: () => T | Promise<T>): Promise<T> {
  throwEnded(ctx);
  if (cluster.observes === true) return call();
  const callee = await calleeOf(ctx, cluster, tablet, method);
  await waitForTablet(ctx, cluster, callee, method);
  try {
    checkEngine(cluster, callee, method);
    return await call();
  } catch (error) {
    throwEnded(ctx);
    if (error instanceof LockLostError) throw error;
    throw answered(method, callee, error);
  }
}

/** Those that run SQL turn their errors into gRPC's themselves, and lose their code when that is done once more. */
const TWICE = new Set(['ExecuteFetchAsDba', 'ExecuteFetchAsAllPrivs', 'ExecuteFetchAsApp']);

/** An error of a tablet as its caller gets it. */
export function answered(method: string, { alias }: Tablet, error: unknown): Error {
  const rpc = (code: VtCode, text: string): string => `rpc error: code = ${grpcCodeName(code)} desc = ${text}`;
  const where = `TabletManager.${method} on ${aliasText(alias)}`;
  const code = errorCode(error);
  if (TWICE.has(method)) return vtError('UNKNOWN', rpc('UNKNOWN', `${where}: ${rpc(code, errorText(error))}`));
  return vtError(code, rpc(code, `${where}: ${errorText(error)}`));
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
    if (!isLeaseGone(error)) throw error;
    throw lostLock(cluster.topo, guards, error);
  }
}

/** Tells a tablet to re-read its shard. */
export function refreshState(ctx: Context, cluster: Cluster, tablet: Tablet): Promise<void> {
  return callTablet(ctx, cluster, tablet, 'RefreshState', () => refreshView(ctx, cluster, tablet));
}
