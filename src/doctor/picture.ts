import type { Context } from '../runtime/context.ts';
import { type Cluster, observing } from '../tablet/cluster.ts';
import { cellNames } from '../topo/cells.ts';
import { implementationOf, type TopoImplementationName } from '../topo/conn/implementations.ts';
import { type LockEvent, MOST_EVENTS } from '../topo/conn/lock-events.ts';
import { findAllShards, keyspaceNames, shardText } from '../topo/keyspaces.ts';
import { isHeldOrLent } from '../topo/locks.ts';
import { paths } from '../topo/paths.ts';
import type { KeyspaceRoutingRules, MirrorRules, RoutingRules, Shard, ShardRoutingRules, SrvKeyspace, VSchemaKeyspace } from '../topo/proto/types.ts';
import { getKeyspaceRoutingRules, getMirrorRules, getRoutingRules, getShardRoutingRules } from '../topo/rules.ts';
import { findRecord } from '../topo/server.ts';
import { getSrvKeyspace } from '../topo/srv-keyspace.ts';
import { gatherHistory, type HistoryFacts } from '../workflow/facts/history.ts';
import { gatherPicture } from '../workflow/facts/keyspace.ts';
import type { Picture } from '../workflow/facts/stranded/found.ts';
import { gatherSequences, type SequenceFacts } from './sequence-facts.ts';
import { gatherVDiffs, type VDiffFacts } from './vdiff-facts.ts';

/** A shard's record. */
export interface ShardRecord {
  keyspace: string;
  shard: string;
  record: Shard;
}

/** What the cells serve by, for one keyspace; undefined where a cell has nothing of it. */
export interface ServingRecord {
  cell: string;
  keyspace: string;
  record: SrvKeyspace | undefined;
}

/** The records as they are stored, for what the facts do not tell. */
export interface Records {
  shards: readonly ShardRecord[];
  serving: readonly ServingRecord[];
  rules: RoutingRules;
  shardRules: ShardRoutingRules;
  keyspaceRules: KeyspaceRoutingRules;
  mirrorRules: MirrorRules;
  vschemas: Readonly<Record<string, VSchemaKeyspace>>;
}

/** Everything that a diagnosis is made from. */
export interface DoctorPicture extends Picture {
  /** The topology server whose locks a release has. */
  implementation: TopoImplementationName;
  history: readonly HistoryFacts[];
  lockEvents: readonly LockEvent[];
  records: Records;
  sequences: readonly SequenceFacts[];
  vdiffs: readonly VDiffFacts[];
}

/** Reads everything. Takes no lock and changes nothing. */
export async function gatherDoctorPicture(ctx: Context, looked: Cluster): Promise<DoctorPicture> {
  const cluster = observing(looked);
  const picture = await gatherPicture(ctx, looked);
  const records = await gatherRecords(ctx, cluster);
  const history = await gatherHistory(ctx, cluster, Infinity);
  // What a repair holds itself keeps nobody from it.
  const locks = picture.locks.filter(({ resource }) => !isHeldOrLent(ctx, resource));
  const implementation = implementationOf(cluster.topo.conn.policy.implementation);
  const lockEvents = cluster.topo.conn.lockEvents(MOST_EVENTS);
  return { ...picture, locks, implementation, history, lockEvents, records, sequences: gatherSequences(cluster, picture, records), vdiffs: gatherVDiffs(cluster, picture) };
}

async function gatherRecords(ctx: Context, cluster: Cluster): Promise<Records> {
  const { topo } = cluster;
  const shards: ShardRecord[] = [];
  const serving: ServingRecord[] = [];
  const vschemas: Record<string, VSchemaKeyspace> = {};
  const cells = await cellNames(ctx, topo);
  for (const keyspace of await keyspaceNames(ctx, topo)) {
    for (const info of await findAllShards(ctx, topo, keyspace)) shards.push({ keyspace, shard: info.name, record: info.record });
    for (const cell of cells) serving.push({ cell, keyspace, record: await getSrvKeyspace(ctx, topo, cell, keyspace) });
    vschemas[keyspace] = (await findRecord<VSchemaKeyspace>(ctx, topo.conn, paths.vschema(keyspace)))?.record ?? {};
  }
  return {
    shards,
    serving,
    rules: await getRoutingRules(ctx, topo),
    shardRules: await getShardRoutingRules(ctx, topo),
    keyspaceRules: (await getKeyspaceRoutingRules(ctx, topo)) ?? {},
    mirrorRules: await getMirrorRules(ctx, topo),
    vschemas,
  };
}

/** `keyspace/shard` of a record. */
export function nameOfShard({ keyspace, shard }: { keyspace: string; shard: string }): string {
  return shardText({ keyspace, name: shard });
}
