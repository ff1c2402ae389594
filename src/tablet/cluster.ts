import type { Release } from '../lib/releases.ts';
import type { World } from '../runtime/world.ts';
import type { TopoServer } from '../topo/server.ts';
import type { ShardStore } from './shard-db.ts';

/** A whole cluster as one command sees it: its topology, its shards, the release it behaves like. */
export interface Cluster {
  readonly world: World;
  readonly release: Release;
  readonly topo: TopoServer;
  readonly shards: ShardStore;
}

/** The world's time in whole seconds, as `_vt` tables keep it. */
export function epochSeconds(cluster: Cluster): number {
  return Math.floor(cluster.world.clock.now() / 1000);
}
