import { plainError } from '../lib/errors.ts';
import type { Context } from '../runtime/context.ts';
import type { StepScope } from '../runtime/step.ts';
import type { Cluster } from '../tablet/cluster.ts';
import { FROZEN, readStreams } from '../tablet/vreplication/streams.ts';
import { deleteShards } from '../topo/delete-shard.ts';
import { deleteStreams, removeTables } from './ending.ts';
import type { MigrationSource, MigrationTarget, TrafficSwitcher } from './switcher.ts';

/** What complete and cancel do of a Reshard, where those of MoveTables are about tables. */

/** What forbids to complete a Reshard: a source shard that serves, a stream that is not frozen. */
export function unfinishedShards(cluster: Cluster, sw: TrafficSwitcher): string[] {
  const serving = sw.sources.filter(({ info }) => info.record.is_primary_serving === true);
  // Vitess looks at the streams of MoveTables alone; one that runs on would follow the shards that are about to go.
  const running = cluster.release.vitess ? [] : sw.targets.filter((target) => readStreams(target.db, sw.workflow).some((row) => row.message !== FROZEN));
  return [
    ...serving.map(({ info }) => `shard ${info.name} is still serving`),
    ...running.map((target) => `vreplication streams are not frozen on tablet ${target.primary.alias?.uid ?? 0}`),
  ];
}

/** Takes the source shards out of the topology, with their tablets. */
export async function dropSourceShards(ctx: Context, cluster: Cluster, sw: TrafficSwitcher): Promise<void> {
  await dropShards(ctx, cluster, sw.sourceKeyspace, sw.sources);
}

async function dropShards(ctx: Context, cluster: Cluster, keyspace: string, members: readonly (MigrationSource | MigrationTarget)[]): Promise<void> {
  await deleteShards(ctx, cluster.topo, keyspace, members.map(({ info }) => info));
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
