import type { World } from '../runtime/world.ts';
import { loading } from '../lib/loading.ts';
import type { ShardStore } from '../tablet/shard-db.ts';
import type { Conn } from '../topo/conn/conn.ts';
import { hostOf } from './cluster.ts';
import type { Invocation } from './spec.ts';

/** A cluster that is only looked at. */
export interface OpenToLook {
  conn: Conn;
  shards: ShardStore;
  world: World;
}

/**
 * Looks at the cluster, if there is one, without letting streams run, as opening it for a command would.
 * Undefined where there is none.
 */
export async function lookAtCluster<T>(inv: Invocation, look: (open: OpenToLook) => Promise<T>): Promise<T | undefined> {
  const host = hostOf(inv);
  if (!host.exists()) return undefined;
  const { ETCD_NAMES } = await loading(import('../topo/conn/directory.ts'));
  const world = host.world();
  const conn = host.openTopology(world, { names: ETCD_NAMES, renewed: false, reapDead: false }, false);
  const shards = host.openShards(world);
  try {
    return await look({ conn, shards, world });
  } finally {
    await host.release(world, conn, shards);
  }
}
