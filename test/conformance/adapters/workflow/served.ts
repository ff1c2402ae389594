import { servingShardsOf } from '../../../../src/gate/shards.ts';
import { outcomeOf } from '../../compare.ts';
import type { Stage } from './stage.ts';

const TYPES = ['PRIMARY', 'REPLICA', 'RDONLY'] as const;

/** For each shard of the workflow, how many tablet types a gate of the cell sends there. */
export async function servedTypes(stage: Stage, cell: string): Promise<Record<string, number>> {
  const { ctx, cluster } = stage.world.engine();
  const { keyspace } = stage.side('target');
  const counts: Record<string, number> = Object.fromEntries(stage.shardsOf(keyspace).map((shard) => [shard, 0]));
  for (const type of TYPES) {
    const { value = [] } = await outcomeOf(() => servingShardsOf(ctx, cluster, cell, keyspace, type));
    for (const { name } of value) counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}
