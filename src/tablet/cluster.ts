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
  /** It only looks on: what is true is read, also behind tablets and cells that are down. */
  readonly observes?: true;
}

/** The cluster as those see it who watch its topology, gates and streams: a cell that cannot be reached is as it was last. */
export function watchedCluster(cluster: Cluster): Cluster {
  const { topo } = cluster;
  const conn = topo.conn.watched();
  return conn === topo.conn ? cluster : { ...cluster, topo: { ...topo, conn } };
}

/** The cluster as somebody sees it who is no part of it: for facts and reports. */
export function observing(cluster: Cluster): Cluster {
  return cluster.observes === true ? cluster : { ...watchedCluster(cluster), observes: true };
}

/** The world's time in whole seconds, as `_vt` tables keep it. */
export function epochSeconds(cluster: Cluster): number {
  return Math.floor(cluster.world.clock.now() / 1000);
}
