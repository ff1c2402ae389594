import type { Context } from '../runtime/context.ts';
import type { Cluster } from '../tablet/cluster.ts';
import { findAllShards } from '../topo/keyspaces.ts';
import { unknownCell } from '../workflow/admin.ts';
import { letPass } from './deviations.ts';

/** For commands whose `--cells` Vitess does not look at. Throws UserError on `hardened`. */
export async function refuseUnknownCells(ctx: Context, cluster: Cluster, cells: readonly string[]): Promise<void> {
  const mistake = await unknownCell(ctx, cluster.topo, cells);
  if (mistake !== undefined) letPass(cluster, mistake.kind, mistake.text);
}

/** For commands whose `--shards` Vitess does not look at. Throws UserError on `hardened`. */
export async function refuseUnknownShards(
  ctx: Context,
  cluster: Cluster,
  keyspace: string,
  shards: readonly string[],
): Promise<void> {
  if (shards.length === 0) return;
  const there = (await findAllShards(ctx, cluster.topo, keyspace)).map((shard) => shard.name);
  const missing = shards.find((shard) => !there.includes(shard));
  if (missing === undefined) return;
  letPass(cluster, 'unknown-shard', `there is no shard '${missing}' in keyspace ${keyspace}; its shards are: ${there.join(', ')}`);
}
