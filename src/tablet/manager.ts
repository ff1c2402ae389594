import { errorCode, errorText, grpcCodeName, type VtCode, vtError } from '../lib/errors.ts';
import { ExitFault } from '../lib/exit-fault.ts';
import { checkContext, type Context, withoutCancel } from '../runtime/context.ts';
import { atCommit } from '../runtime/offer-fault.ts';
import type { LockDescriptor } from '../topo/conn/conn.ts';
import { heldLocks } from '../topo/locks.ts';
import { isLeaseGone, LockLostError, lostLock } from '../topo/lost-locks.ts';
import type { Tablet } from '../topo/proto/types.ts';
import { aliasText, shortAlias } from '../topo/tablets.ts';
import type { Cluster } from './cluster.ts';
import { callWithFaults, sentUnder } from './call-faults.ts';
import { calleeOf, checkEngine, waitForTablet } from './reach.ts';
import type { ShardDb } from './shard-db.ts';
import type { Rpc } from './rpc-names.ts';
import { refreshView } from './view.ts';

/**
 * Calls a tablet, once it answers (reach.ts), with the words that a call over gRPC gives its errors. `call` is what the
 * tablet does: everything that a workflow has a tablet read or write goes through here.
 * Vitess: go/vt/vttablet/tabletmanager/rpc_server.go, go/vt/vttablet/grpctmclient.
 */
export async function callTablet<T>(ctx: Context, cluster: Cluster, tablet: Tablet, method: Rpc, call: () => T | Promise<T>): Promise<T> {
  throwEnded(ctx);
  if (cluster.observes === true) return call();
  const callee = await calleeOf(ctx, cluster, tablet, method);
  const deliver = async (): Promise<T> => {
    await waitForTablet(ctx, cluster, callee, method);
    try {
      checkEngine(cluster, callee, method);
      return await call();
    } catch (error) {
      throwEnded(ctx);
      // Those by which a fault ends the command, or its step in the middle of what it writes, are no answers.
      if (error instanceof LockLostError || error instanceof ExitFault) throw error;
      throw answered(method, callee, error);
    }
  };
  if (cluster.world.faults.disarmed) return deliver();
  return callWithFaults(ctx, cluster.world, { rpc: method, alias: shortAlias(callee.alias) }, deliver);
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
export function writeTablet<T>(caller: Context, cluster: Cluster, shard: ShardDb, fn: () => T): Promise<T> {
  const sent = cluster.world.faults.disarmed ? undefined : sentUnder(cluster.world);
  // A tablet that is late knows nothing of what became of its caller.
  const ctx = sent === undefined ? caller : withoutCancel(caller);
  checkContext(ctx);
  const guards = cluster.release.behaviours.fencedWrites ? (sent ?? heldLocks(ctx)) : [];
  const write = (body: () => T): Promise<T> =>
    guards.length === 0 ? shard.db.write(cluster.world.clock, body) : guardedWrite(ctx, cluster, guards, shard, body);
  if (cluster.world.faults.disarmed) return write(fn);
  return atCommit(ctx, cluster.world, [`${shard.keyspace}/${shard.shard}`], {
    plain: () => write(fn),
    struck: (strike) =>
      write(() => {
        fn();
        return strike();
      }),
  });
}

async function guardedWrite<T>(
  ctx: Context,
  cluster: Cluster,
  guards: readonly LockDescriptor[],
  shard: ShardDb,
  fn: () => T,
): Promise<T> {
  try {
    return await cluster.topo.conn.atomically(ctx, { guards, elsewhere: true }, () => shard.db.transact(fn));
  } catch (error) {
    if (!isLeaseGone(error)) throw error;
    throw lostLock(cluster.topo, guards, error);
  }
}

/** Tells a tablet to re-read its shard. */
export function refreshState(ctx: Context, cluster: Cluster, tablet: Tablet): Promise<void> {
  return callTablet(ctx, cluster, tablet, 'RefreshState', () => refreshView(ctx, cluster, tablet));
}
