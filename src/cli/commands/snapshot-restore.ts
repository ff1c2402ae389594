import { loading } from '../../lib/loading.ts';
import { hostOf } from '../cluster.ts';
import { programOf } from '../program-words.ts';
import { restoreSnapshot } from '../snapshot/restore.ts';
import { endedBy } from '../snapshot/watched.ts';
import { findSnapshot } from '../snapshot/words.ts';
import type { Invocation } from '../spec.ts';

/** Puts the cluster of a snapshot in the place of the one that is there. */
export async function run(inv: Invocation): Promise<number> {
  const host = hostOf(inv);
  const world = host.world();
  try {
    const found = findSnapshot(inv.io, await host.shelf(), inv.args[0]!);
    const options = { force: inv.flags.bool('force'), keepOld: inv.flags.bool('keep-old'), checkEnded: endedBy(inv.signal) };
    // Files take real time, which is nobody's on a virtual clock.
    const { header, kept } = await loading(restoreSnapshot(host, world, found, options));
    const lines = [`Cluster restored in ${host.place} from ${found.name}: as it was at ${header.saved_at}, behaving like ${behaves(header.vitess_version)}`];
    if (kept !== undefined) lines.push(`what it replaced is saved as ${kept.name}; back to that: ${programOf(inv.flags)} snapshot restore ${kept.name} --force`);
    inv.io.stdout.write(lines.map((line) => `${line}\n`).join(''));
    return 0;
  } finally {
    world.processes.ended();
  }
}

function behaves(version: string): string {
  return version === 'hardened' ? version : `Vitess ${version}`;
}
