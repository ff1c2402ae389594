import { errorText, plainError } from '../lib/errors.ts';
import type { Context } from '../runtime/context.ts';
import type { StepScope } from '../runtime/step.ts';
import type { Cluster } from '../tablet/cluster.ts';
import { refreshTabletsByShard } from '../tablet/manager.ts';
import { updateDeniedTables } from '../topo/denied-tables.ts';
import { type ShardInfo, shardText, updateShardFields } from '../topo/keyspaces.ts';
import type { TrafficSwitcher } from './switcher.ts';

/** How long refreshing one shard's tablets may take. */
export const REFRESH_TIMEOUT_MS = 30_000;

export type Side = 'source' | 'target';

/** Denies (or frees) the workflow's tables on each shard of one side and has its tablets notice. */
export async function denyTables(
  ctx: Context,
  cluster: Cluster,
  sw: TrafficSwitcher,
  side: Side,
  remove: boolean,
  scope?: StepScope,
): Promise<void> {
  const shards = (side === 'source' ? sw.sources : sw.targets).map((member) => member.info);
  for (const shard of shards) {
    const edit = (): Promise<void> => denyOnShard(ctx, cluster, shard, sw.tables, side, remove);
    await (scope === undefined ? edit() : scope.onTarget(shardText(shard), edit));
  }
}

async function denyOnShard(
  ctx: Context,
  cluster: Cluster,
  shard: ShardInfo,
  tables: readonly string[],
  side: Side,
  remove: boolean,
): Promise<void> {
  await updateShardFields(ctx, cluster.topo, shard.keyspace, shard.name, async (record) => {
    const change = { tabletType: 'PRIMARY', tables, remove, allowCreate: true };
    await updateDeniedTables(ctx, cluster.topo, shard, record, change);
    return true;
  });
  await refreshOrFail(ctx, cluster, shard, side);
}

/** Refreshes every tablet of a shard. Throws `failed to successfully refresh all tablets in the …`. */
export async function refreshOrFail(ctx: Context, cluster: Cluster, shard: ShardInfo, side: Side): Promise<void> {
  const { partial, details } = await refreshTabletsByShard(ctx, cluster, shard, { timeoutMs: REFRESH_TIMEOUT_MS });
  if (!partial) return;
  throw plainError(`failed to successfully refresh all tablets in the ${shardText(shard)} ${side} shard (<nil>):\n  ${details}`);
}

/**
 * Moves the denial from one side to the other: forward denies the source and frees the target.
 * Vitess: trafficSwitcher.switchDeniedTables, where the two halves run at once and the first error wins (K52).
 */
export async function switchDeniedTables(
  ctx: Context,
  cluster: Cluster,
  sw: TrafficSwitcher,
  backward: boolean,
  scope?: StepScope,
): Promise<void> {
  try {
    await denyTables(ctx, cluster, sw, 'source', backward, scope);
    await denyTables(ctx, cluster, sw, 'target', !backward, scope);
  } catch (error) {
    cluster.world.events.log('warning', `Error in switchDeniedTables: ${errorText(error)}`);
    throw error;
  }
}
