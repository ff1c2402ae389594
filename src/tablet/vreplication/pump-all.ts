import { isTopoError } from '../../lib/errors.ts';
import type { Context } from '../../runtime/context.ts';
import { allTablets, aliasText } from '../../topo/tablets.ts';
import { type Cluster, watchedCluster } from '../cluster.ts';
import type { ShardDb } from '../shard-db.ts';
import { runningStreams } from './streams.ts';
import { loading } from '../../lib/loading.ts';

/** Lets every stream of the cluster apply what it can: what would have happened since the last command. */
export async function pumpAll(ctx: Context, cluster: Cluster): Promise<void> {
  for (const { keyspace, shard } of await primaryShards(ctx, cluster)) {
    const target = cluster.shards.open(keyspace, shard);
    if (holdsStreams(target)) {
      const { letGoOfTheDead } = await loading(import('../vdiff/held-streams.ts'));
      await letGoOfTheDead(cluster, target);
    }
    const running = runningStreams(target);
    if (running.length === 0) continue;
    // Most commands meet no stream that runs, and what moves one takes longer to load than they take.
    const { pumpUntilIdle } = await loading(import('./pump.ts'));
    for (const id of running) await pumpUntilIdle(ctx, cluster, target, id);
  }
}

/** True if a VDiff holds streams of the shard back. */
function holdsStreams({ db }: ShardDb): boolean {
  return db.remember('_vdiff_run', 'held', () => db.get('SELECT 1 FROM _vdiff_run WHERE held IS NOT NULL LIMIT 1') !== undefined);
}

/** Shards that have a primary tablet: the only ones with anything in them. */
export async function primaryShards(ctx: Context, cluster: Cluster): Promise<{ keyspace: string; shard: string; alias: string }[]> {
  try {
    const tablets = await allTablets(ctx, watchedCluster(cluster).topo);
    return tablets
      .filter((tablet) => tablet.type === 'PRIMARY')
      .map((tablet) => ({ keyspace: tablet.keyspace ?? '', shard: tablet.shard ?? '', alias: aliasText(tablet.alias) }));
  } catch (error) {
    if (isTopoError(error, 'NoNode')) return [];
    throw error;
  }
}
