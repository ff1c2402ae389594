import { formatDuration } from '../lib/duration.ts';
import { UserError } from '../lib/errors.ts';
import { findRelease, type Release } from '../lib/releases.ts';
import { background, withCancel, withTimeout, withValue } from '../runtime/context.ts';
import type { WorldEvent } from '../runtime/events.ts';
import { ExitFault } from '../lib/exit-fault.ts';
import { COMMAND_LINE } from '../runtime/command-line.ts';
import { CALLER } from '../runtime/perform-fault.ts';
import type { Cluster } from '../tablet/cluster.ts';
import type { ShardStore } from '../tablet/shard-db.ts';
import { pumpAll } from '../tablet/vreplication/pump-all.ts';
import { withOutages } from '../topo/conn/outages.ts';
import type { Conn } from '../topo/conn/conn.ts';
import type { LeasePolicy } from '../topo/conn/lease-policy.ts';
import { ETCD_NAMES } from '../topo/conn/directory.ts';
import { leasePolicyOf, repairPolicyOf } from '../topo/conn/implementations.ts';
import { releaseAll } from '../topo/held-locks.ts';
import { type ClusterRecord, readCluster } from '../topo/cluster-record.ts';
import type { TopoServer } from '../topo/server.ts';
import { type ClusterHost, fileHost } from './host.ts';
import { commandItself } from './command-again.ts';
import { CommandFailure } from './command-failure.ts';
import { deliverLate } from '../tablet/call-faults.ts';
import { armFaults, struckFaults, unfiredFaults } from './faults.ts';
import { isWorkflowCommand } from './flags.ts';
import { keepHistory } from './history.ts';
import type { CommandScope } from './scope.ts';
import type { Invocation } from './spec.ts';
import { loading } from '../lib/loading.ts';

export interface OpenOptions {
  /** Makes the cluster where it is missing, with this version and the locks of this topology server. */
  create?: { version: string; implementation: string | undefined };
  /** The command changes something worth remembering. */
  history?: boolean;
  /** The command repairs: its own leases are renewed and those of the dead taken away, whatever the release does. */
  repairs?: boolean;
}

/** The host of an invocation: what the caller of `main` handed in, or the folder that `--state` names. */
export function hostOf(inv: Invocation): ClusterHost {
  return (inv.host as ClusterHost | undefined) ?? fileHost(inv.flags.str('state'), inv.io.cwd);
}

/**
 * Opens the cluster, lets the streams apply what they would have applied by now, runs the command, and leaves no lock
 * behind however it ends.
 */
export async function withCluster(
  inv: Invocation,
  options: OpenOptions,
  body: (scope: CommandScope) => Promise<number>,
): Promise<number> {
  const { lockTimeoutMs, actionTimeoutMs } = timeLimits(inv);
  const host = hostOf(inv);
  const world = host.world();
  // From the first: where the state lies may be worth a warning.
  const events: WorldEvent[] = [];
  world.events.listen((event) => events.push(event));
  const policy: LeasePolicy = { names: ETCD_NAMES, renewed: true, reapDead: true };
  const conn = withOutages(host.openTopology(world, policy, options.create !== undefined), world.clock);
  const caller = withCancel(inv.parent ?? background());
  const limited = withTimeout(caller.ctx, world.clock, actionTimeoutMs);
  const stop = (): void => {
    caller.end();
    // What waits at a pause past the point of no return would never learn of it, and has to be completed.
    world.faults.release('**');
  };
  inv.signal.addEventListener('abort', stop);
  // What is to be said besides: after the answer, or after the error, which scripts look for at the start of stderr.
  const late: string[] = [];
  let disarm = (): void => {};
  let shards: ShardStore | undefined;
  try {
    // Not in the command's time: what runs out is to be told by the step it runs out in, as Vitess does.
    const record = await readCluster(background(), conn);
    shards = host.openShards(world, record?.shard_folder);
    const release = chooseRelease(inv, record, options.create?.version, late);
    const locksOf = options.repairs === true ? repairPolicyOf : leasePolicyOf;
    Object.assign(policy, locksOf(release, options.create?.implementation ?? record?.topo_implementation));
    const topo: TopoServer & { conn: Conn } = { conn, release, world, lockTimeoutMs, held: new Set() };
    const cluster: Cluster = { world, release, topo, shards };
    const ctx = withValue(withValue(limited.ctx, CALLER, limited), COMMAND_LINE, commandItself(inv));
    const scope: CommandScope = { ctx, cluster, events };
    disarm = await armFaults(scope.ctx, inv, cluster, { creating: options.create !== undefined, late });
    // Whoever has no faults has nothing of them to pass through.
    if (!world.faults.disarmed) topo.conn = (await loading(import('../topo/conn/fault-conn.ts'))).withFaults(conn, world);
    let exit: number;
    try {
      await pumpAll(scope.ctx, cluster);
      exit = await withHints(inv, cluster, () => runAndRemember(inv, options, scope, body));
    } finally {
      await releaseAll(topo);
      await deliverLate(world);
      if (inv.parent === undefined) {
        late.push(...struckFaults(cluster));
        await world.faults.forgetKept();
      }
      // Faults are those of the whole process: who runs this line says of them what there is to say.
      late.push(...warnings(scope), ...(inv.parent === undefined ? unfiredFaults(cluster) : []));
    }
    for (const line of late) inv.io.stderr.write(`${line}\n`);
    return exit;
  } catch (error) {
    throw late.length === 0 ? error : new CommandFailure(error, late);
  } finally {
    inv.signal.removeEventListener('abort', stop);
    disarm();
    limited.end();
    await host.release(world, conn, shards);
    world.processes.ended();
  }
}

/** How long the command may take, and wait for a lock. Throws UserError for no time at all. */
function timeLimits({ flags }: Invocation): { lockTimeoutMs: number; actionTimeoutMs: number } {
  const lockTimeoutMs = flags.duration('lock-timeout');
  if (lockTimeoutMs < 0) throw new UserError(`--lock-timeout ${formatDuration(lockTimeoutMs)} is negative`, { exit: 2 });
  const actionTimeoutMs = flags.duration('action-timeout');
  if (actionTimeoutMs > 0) return { lockTimeoutMs, actionTimeoutMs };
  // What gRPC says of a deadline that is over before the call.
  const text = `context deadline exceeded: --action-timeout ${formatDuration(actionTimeoutMs)} leaves no time`;
  throw new UserError(text, { exit: 2 });
}

function warnings({ events }: CommandScope): string[] {
  return events.flatMap((event) => (event.kind === 'warning' ? [`warning: ${event.text}`] : []));
}

/** `hardened` says what there is, after an error about a name that is not there. */
async function withHints(inv: Invocation, cluster: Cluster, run: () => Promise<number>): Promise<number> {
  try {
    return await run();
  } catch (error) {
    if (cluster.release.vitess || inv.flags.bool('quiet')) throw error;
    const { hintFor } = await loading(import('./hints.ts'));
    // A damaged cluster may not be able to say: then the error stands alone.
    const hint = await hintFor(error, cluster, keyspaceFlag(inv)).catch(() => undefined);
    throw hint === undefined ? error : new CommandFailure(error, [hint]);
  }
}

function keyspaceFlag({ path, flags }: Invocation): string {
  if (isWorkflowCommand(path) || path[0] === 'VDiff') return flags.str('target-keyspace');
  return path[0] === 'Workflow' ? flags.str('keyspace') : '';
}

async function runAndRemember(
  inv: Invocation,
  options: OpenOptions,
  scope: CommandScope,
  body: (scope: CommandScope) => Promise<number>,
): Promise<number> {
  const started = scope.cluster.world.clock.now();
  let exit = 1;
  let failure: unknown;
  try {
    exit = await body(scope);
    const { exited } = scope.cluster.world.faults;
    if (exited !== undefined) throw exited;
    return exit;
  } catch (thrown) {
    const told = thrown instanceof CommandFailure ? thrown.cause : thrown;
    // What was made of the error on its way here does not matter.
    const error = told instanceof ExitFault ? thrown : (scope.cluster.world.faults.exited ?? thrown);
    failure = error;
    const cause = error instanceof CommandFailure ? error.cause : error;
    if (cause instanceof ExitFault) exit = cause.status;
    throw error;
  } finally {
    if (options.history === true) await keepHistory(scope, { inv, started, exit, failure });
  }
}

/** The cluster's version, unless this command names another: then a warning says so. */
function chooseRelease(
  inv: Invocation,
  record: ClusterRecord | undefined,
  create: string | undefined,
  late: string[],
): Release {
  const flag = inv.flags.str('vitess-version');
  const asked = flag !== '' ? flag : (inv.io.env['SWITCHTRAFFIC_VITESS_VERSION'] ?? '');
  if (create !== undefined) return findRelease(create);
  if (record === undefined) {
    throw new UserError('the state holds no cluster', { next: 'switchtraffic init commerce --force', exit: 2 });
  }
  const own = findRelease(record.vitess_version);
  if (asked === '') return own;
  const wanted = findRelease(asked);
  if (wanted.name !== own.name && !inv.flags.bool('quiet')) {
    late.push(`warning: this cluster is ${own.name}; this one command runs as ${wanted.name}`);
  }
  return wanted;
}
