import { grpcCodeName, vtError } from '../lib/errors.ts';
import { type ContextError, type Context, withTimeout } from '../runtime/context.ts';
import { findRecord } from '../topo/server.ts';
import { paths } from '../topo/paths.ts';
import type { Shard, Tablet } from '../topo/proto/types.ts';
import { aliasText, getTablet } from '../topo/tablets.ts';
import type { Cluster } from './cluster.ts';
import { type Busy, readProcess } from './process.ts';
import type { ShardDb } from './shard-db.ts';
import { readView } from './view.ts';

/** What a call to a tablet needs there. */
interface Method {
  /** Only the primary's engine is open: that of VReplication, unless another is named. */
  engine?: true | 'vdiff';
  /** It waits for the tablet's action lock, which a backup or a restore holds. */
  locks?: true;
  /** It is for whoever is the shard's primary, and not for this one tablet. */
  primary?: true;
}

/** The calls that need more than a tablet that answers. Vitess: go/vt/vttablet/tabletmanager, the callers of tm.lock and vre.Exec. */
const METHODS: Readonly<Record<string, Method>> = {
  VReplicationExec: { engine: true, primary: true },
  VReplicationWaitForPos: { engine: true, primary: true },
  CreateVReplicationWorkflow: { engine: true, primary: true },
  ReadVReplicationWorkflow: { engine: true, primary: true },
  ReadVReplicationWorkflows: { engine: true, primary: true },
  HasVReplicationWorkflows: { engine: true, primary: true },
  UpdateVReplicationWorkflow: { engine: true, primary: true },
  UpdateVReplicationWorkflows: { engine: true, primary: true },
  DeleteVReplicationWorkflow: { engine: true, primary: true },
  VDiff: { engine: 'vdiff', primary: true },
  ValidateVReplicationPermissions: { primary: true },
  PrimaryPosition: { primary: true },
  ExecuteFetchAsDba: { primary: true },
  ExecuteFetchAsApp: { primary: true },
  GetMaxValueForSequences: { primary: true },
  UpdateSequenceTables: { primary: true },
  ResetSequences: { primary: true },
  GetSchema: { primary: true },
  ApplySchema: { locks: true, primary: true },
  RefreshState: { locks: true },
  ChangeType: { locks: true },
  SetReplicationSource: { locks: true },
  DemotePrimary: { locks: true },
  PromoteReplica: { locks: true },
  InitPrimary: { locks: true },
};

/** How often a call to a tablet that does not answer is tried. */
const POLL_MS = 1000;

/** True if a call to the tablet would be answered, and if it needs the action lock, at once. */
export function answers(cluster: Cluster, tablet: Tablet, method: string): boolean {
  const { stopped, busy } = processOf(cluster, tablet);
  return !stopped && (busy === undefined || METHODS[method]?.locks !== true);
}

function processOf(cluster: Cluster, tablet: Tablet): { stopped: boolean; busy: Busy | undefined } {
  return readProcess(shardOf(cluster, tablet), aliasText(tablet.alias));
}

function shardOf(cluster: Cluster, { keyspace = '', shard = '' }: Tablet): ShardDb {
  return cluster.shards.open(keyspace, shard);
}

/**
 * The tablet that a call for a primary goes to. A release calls the one that it has read once (K18); `hardened` asks the
 * shard who it is now.
 */
export async function calleeOf(ctx: Context, cluster: Cluster, tablet: Tablet, method: string): Promise<Tablet> {
  if (cluster.release.behaviours.stalePrimary === 'called' || METHODS[method]?.primary !== true || tablet.type !== 'PRIMARY') return tablet;
  const { keyspace = '', shard = '' } = tablet;
  const now = (await findRecord<Shard>(ctx, cluster.topo.conn, paths.shard(keyspace, shard)))?.record.primary_alias;
  return now === undefined || aliasText(now) === aliasText(tablet.alias) ? tablet : getTablet(ctx, cluster.topo, now);
}

/**
 * Waits until a tablet answers: calls are wait-for-ready, and a tablet that is down is tried until the context ends.
 * `hardened` gives up after `deadTabletWaitMs`. Throws `rpc error: code = DeadlineExceeded desc = latest balancer error: …`,
 * and for one whose action lock is held what a call says that ends in flight. Vitess: go/vt/vttablet/grpctmclient, grpc-go's picker.
 */
export async function waitForTablet(ctx: Context, cluster: Cluster, tablet: Tablet, method: string): Promise<void> {
  if (answers(cluster, tablet, method)) return;
  const { clock } = cluster.world;
  const { deadTabletWaitMs } = cluster.release.behaviours;
  const limited = deadTabletWaitMs === 0 ? undefined : withTimeout(ctx, clock, deadTabletWaitMs);
  const inner = limited?.ctx ?? ctx;
  try {
    for (;;) {
      const ended = inner.err();
      if (ended !== undefined) throw unanswered(tablet, processOf(cluster, tablet).stopped, ended);
      await clock.sleep(POLL_MS, inner);
      if (answers(cluster, tablet, method)) return;
    }
  } finally {
    limited?.end();
  }
}

/** What a call says whose context has ended before the tablet answered. */
export function unanswered(tablet: Tablet, stopped: boolean, ended: ContextError): Error {
  const code = ended.reason === 'deadline' ? 'DEADLINE_EXCEEDED' : 'CANCELED';
  const refused = `latest balancer error: connection error: desc = "transport: Error while dialing: dial tcp ${address(tablet)}: connect: connection refused"`;
  return vtError(code, `rpc error: code = ${grpcCodeName(code)} desc = ${stopped ? refused : ended.message}`);
}

function address({ hostname = '', port_map: ports }: Tablet): string {
  const host = hostname === 'localhost' ? '127.0.0.1' : hostname;
  return `${host.includes(':') ? `[${host}]` : host}:${ports?.['grpc'] ?? 0}`;
}

/** Throws `vreplication engine is closed`, or of another engine, where a call needs it and the tablet is no primary, as far as it knows itself. */
export function checkEngine(cluster: Cluster, tablet: Tablet, method: string): void {
  const engine = METHODS[method]?.engine;
  if (engine === undefined) return;
  const view = readView(shardOf(cluster, tablet), aliasText(tablet.alias));
  if (view !== undefined && view.type !== 'PRIMARY') throw vtError('UNAVAILABLE', `${engine === true ? 'vreplication' : engine} engine is closed`);
}
