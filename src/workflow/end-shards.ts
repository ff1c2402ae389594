import { plainError } from '../lib/errors.ts';
import type { Context } from '../runtime/context.ts';
import type { StepScope } from '../runtime/step.ts';
import type { Cluster } from '../tablet/cluster.ts';
import { forgetTablet } from '../tablet/process.ts';
import { readStreams } from '../tablet/vreplication/streams.ts';
import { deleteShards } from '../topo/delete-shard.ts';
import type { Tablet } from '../topo/proto/types.ts';
import { aliasText, shardTablets } from '../topo/tablets.ts';
import { deleteStreams, removeTables } from './ending.ts';
import type { MigrationSource, MigrationTarget, TrafficSwitcher } from './switcher.ts';

/** What complete and cancel do of a Reshard, where those of MoveTables are about tables. */

/** Takes the source shards out of the topology, with their tablets. */
export async function dropSourceShards(ctx: Context, cluster: Cluster, sw: TrafficSwitcher): Promise<void> {
  await dropShards(ctx, cluster, sw.sourceKeyspace, sw.sources);
}

async function dropShards(ctx: Context, cluster: Cluster, keyspace: string, members: readonly (MigrationSource | MigrationTarget)[]): Promise<void> {
  const tablets: Tablet[] = [];
  for (const { info } of members) tablets.push(...(await shardTablets(ctx, cluster.topo, info)));
  await deleteShards(ctx, cluster.topo, keyspace, members.map(({ info }) => info));
  for (const { alias, shard } of tablets) await forgetTablet(cluster.shards.open(keyspace, shard), cluster.world, aliasText(alias));
}

/** Takes the target shards out of the topology, with their tablets: until v20.0.6 and v21.0.3 (#17965). */
export async function dropTargetShards(ctx: Context, cluster: Cluster, sw: TrafficSwitcher): Promise<void> {
  await dropShards(ctx, cluster, sw.targetKeyspace, sw.targets);
}

/** Gives the target shards back empty: every table that the source has is dropped there. */
export async function emptyTargetShards(ctx: Context, cluster: Cluster, sw: TrafficSwitcher, scope: StepScope): Promise<void> {
  const first = sw.sources[0];
  if (first === undefined) throw plainError(`no source shards in workflow ${sw.targetKeyspace}.${sw.workflow}`);
  await removeTables(ctx, cluster, sw.targets, first.db.tableNames(), 'drop', scope);
  // Create had also copied the streams of reference tables; a release leaves them, and they are in the way of the next create.
  if (cluster.release.vitess) return;
  const others = new Set(readStreams(first.db).map((row) => row.workflow));
  for (const workflow of others) await deleteStreams(ctx, cluster, sw.targets, workflow);
}
