import { background } from '../runtime/context.ts';
import type { LeaseFaults } from '../runtime/failpoints.ts';
import type { LockDescriptor } from './conn/conn.ts';
import { lockDirs } from './paths.ts';
import type { TopoServer } from './server.ts';

/** How faults reach the leases of the locks that this process holds; without a target, all of them. */
export function leaseFaults(topo: TopoServer): LeaseFaults {
  const wanted = (target: string | undefined): LockDescriptor[] =>
    [...topo.held].filter((lock) => target === undefined || lock.resource === lockDirs.keyspace(target.split('/')[0]!));
  return {
    expire: async (target) => {
      for (const lock of wanted(target)) lock.expire();
    },
    steal: async (target) => {
      for (const lock of wanted(target)) lock.steal();
    },
    stall: async (target, ms) => {
      for (const lock of wanted(target)) lock.stall(ms);
    },
  };
}

/** Lets go of whatever a command left locked. A lock that was lost is none of ours any more. */
export async function releaseAll(topo: TopoServer): Promise<void> {
  for (const lock of topo.held) {
    try {
      await lock.unlock(background());
    } catch {
      // Lost before: whoever holds it now keeps it.
    }
  }
  topo.held.clear();
}
