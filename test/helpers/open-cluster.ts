import { findRelease } from '../../src/lib/releases.ts';
import type { Cluster } from '../../src/tablet/cluster.ts';
import { ETCD_NAMES } from '../../src/topo/conn/directory.ts';
import type { MemoryHost } from '../../src/cli/host.ts';

/** A cluster in memory as one process of its machine sees it. */
export function openCluster(host: MemoryHost, release = 'hardened'): Cluster {
  const world = host.world();
  const found = findRelease(release);
  const conn = host.openTopology(world, { names: ETCD_NAMES, renewed: true, reapDead: true }, false);
  return { world, release: found, topo: { conn, release: found, world, lockTimeoutMs: 45_000, held: new Set() }, shards: host.openShards(world) };
}
