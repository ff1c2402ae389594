import { findRelease } from '../lib/releases.ts';
import { background } from '../runtime/context.ts';
import { ETCD_NAMES } from '../topo/conn/directory.ts';
import { readCluster } from '../topo/cluster-record.ts';
import { type ClusterHost, fileHost } from './host.ts';

/** True if there is a cluster and it is one of a Vitess release. Anything that goes wrong is for the command to say. */
export async function recordedRelease(state: string, cwd: string, given: unknown): Promise<boolean> {
  try {
    const host = (given as ClusterHost | undefined) ?? fileHost(state, cwd);
    if (!host.exists()) return false;
    const conn = host.openTopology(host.world(), { names: ETCD_NAMES, renewed: true, reapDead: true }, false);
    try {
      const record = await readCluster(background(), conn);
      return record !== undefined && findRelease(record.vitess_version).vitess;
    } finally {
      if (given === undefined) conn.close();
    }
  } catch {
    return false;
  }
}
