import { UserError } from '../lib/errors.ts';
import { findRelease, type Release } from '../lib/releases.ts';
import { suggest } from '../lib/suggest.ts';
import { background, type Context, withCancel, withTimeout, withValue } from '../runtime/context.ts';
import type { WorldEvent } from '../runtime/events.ts';
import { CALLER } from '../runtime/step.ts';
import type { Cluster } from '../tablet/cluster.ts';
import { pumpAll } from '../tablet/vreplication/pump.ts';
import type { LeasePolicy } from '../topo/conn/lock-table.ts';
import { ETCD_NAMES } from '../topo/conn/directory.ts';
import { leaseFaults, releaseAll } from '../topo/held-locks.ts';
import { findAllShards, keyspaceNames, shardText } from '../topo/keyspaces.ts';
import { type ClusterRecord, readCluster } from '../topo/cluster-record.ts';
import type { TopoServer } from '../topo/server.ts';
import { faultPoints } from '../workflow/switch/points.ts';
import { type ClusterHost, fileHost } from './host.ts';
import { keepHistory } from './history.ts';
import type { CommandScope } from './scope.ts';
import type { Invocation } from './spec.ts';

export interface OpenOptions {
  /** Makes the cluster where it is missing, with this version. */
  create?: string;
  /** The command changes something worth remembering. */
  history?: boolean;
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
  const host = hostOf(inv);
  const world = host.world();
  const policy: LeasePolicy = { names: ETCD_NAMES, renewed: true, reapDead: true };
  const conn = host.openTopology(world, policy, options.create !== undefined);
  const shards = host.openShards(world);
  const caller = withCancel(background());
  const limited = withTimeout(caller.ctx, world.clock, inv.flags.duration('action-timeout'));
  const stop = (): void => caller.end();
  inv.signal.addEventListener('abort', stop);
  try {
    const record = await readCluster(limited.ctx, conn);
    const release = chooseRelease(inv, record, options.create);
    policy.renewed = release.behaviours.leases === 'renewed';
    policy.reapDead = policy.renewed;
    const topo: TopoServer = { conn, release, world, lockTimeoutMs: inv.flags.duration('lock-timeout'), held: new Set() };
    const cluster: Cluster = { world, release, topo, shards };
    const scope = startScope(withValue(limited.ctx, CALLER, limited), cluster);
    await armFaults(scope.ctx, inv, cluster, options.create !== undefined);
    try {
      await pumpAll(scope.ctx, cluster);
      return await runAndRemember(inv, options, scope, body);
    } finally {
      await releaseAll(topo);
      reportFaults(inv, cluster);
    }
  } finally {
    inv.signal.removeEventListener('abort', stop);
    limited.end();
    host.release(conn, shards);
    world.processes.ended();
  }
}

function startScope(ctx: Context, cluster: Cluster): CommandScope {
  const events: WorldEvent[] = [];
  cluster.world.events.listen((event) => events.push(event));
  return { ctx, cluster, events };
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
    return exit;
  } catch (error) {
    failure = error;
    throw error;
  } finally {
    if (options.history === true) await keepHistory(scope, { inv, started, exit, failure });
    for (const event of scope.events) if (event.kind === 'warning') inv.io.stderr.write(`warning: ${event.text}\n`);
  }
}

/** The cluster's version, unless this command names another: then a warning says so. */
function chooseRelease(inv: Invocation, record: ClusterRecord | undefined, create: string | undefined): Release {
  const flag = inv.flags.str('vitess-version');
  const asked = flag !== '' ? flag : (inv.io.env['SWITCHTRAFFIC_VITESS_VERSION'] ?? '');
  if (create !== undefined) return findRelease(create);
  if (record === undefined) {
    throw new UserError('the state holds no cluster', { next: 'switchtraffic init commerce --force' });
  }
  const own = findRelease(record.vitess_version);
  if (asked === '') return own;
  const wanted = findRelease(asked);
  if (wanted.name !== own.name && !inv.flags.bool('quiet')) {
    inv.io.stderr.write(`warning: this cluster is ${own.name}; this one command runs as ${wanted.name}\n`);
  }
  return wanted;
}

/** A fault that can never fire is a mistake: steps and targets have to exist. */
async function armFaults(ctx: Context, inv: Invocation, cluster: Cluster, creating: boolean): Promise<void> {
  const { faults } = cluster.world;
  faults.leases = leaseFaults(cluster.topo);
  const specs = [...inv.flags.strings('fault')];
  const fromEnvironment = inv.io.env['SWITCHTRAFFIC_FAILPOINTS'] ?? '';
  if (fromEnvironment !== '') specs.push(fromEnvironment);
  const points = specs.length > 0 ? faultPoints(cluster.release.behaviours) : [];
  for (const spec of specs) faults.arm(spec, points);
  const wanted = creating ? [] : faults.targets();
  if (wanted.length === 0) return;
  const there = await allTargets(ctx, cluster);
  const unknown = wanted.find(({ target }) => !there.includes(target));
  if (unknown === undefined) return;
  const near = suggest(unknown.target, there);
  const hint = near === undefined ? '' : `; did you mean "${near}"?`;
  throw new UserError(`bad fault "${unknown.text}": there is no keyspace or shard "${unknown.target}"${hint}`, {
    next: 'switchtraffic show keyspace',
  });
}

async function allTargets(ctx: Context, cluster: Cluster): Promise<string[]> {
  const keyspaces = await keyspaceNames(ctx, cluster.topo);
  const shards = await Promise.all(keyspaces.map((keyspace) => findAllShards(ctx, cluster.topo, keyspace)));
  return [...keyspaces, ...shards.flat().map(shardText)];
}

function reportFaults(inv: Invocation, cluster: Cluster): void {
  for (const { text, fired, evaluated } of cluster.world.faults.report()) {
    if (fired > 0) continue;
    const why = evaluated > 0 ? 'its place was reached, but none of its terms applied' : 'its place was never reached';
    inv.io.stderr.write(`fault "${text}" never fired: ${why}\n`);
  }
}

