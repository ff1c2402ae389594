import { loading } from '../../lib/loading.ts';
import { shellQuote } from '../../lib/shell-quote.ts';
import { sizeText } from '../../report/snapshot/size.ts';
import { hostOf } from '../cluster.ts';
import { programOf } from '../program-words.ts';
import { saveSnapshot } from '../snapshot/save.ts';
import { endedBy } from '../snapshot/watched.ts';
import { placeOf } from '../snapshot/words.ts';
import type { Invocation } from '../spec.ts';

/** Saves the whole cluster as one file. */
export async function run(inv: Invocation): Promise<number> {
  const host = hostOf(inv);
  const world = host.world();
  try {
    const to = placeOf(inv.io, inv.args[0]);
    // Files take real time, which is nobody's on a virtual clock.
    const saved = await loading(saveSnapshot(host, world, to, { replace: inv.flags.bool('force'), checkEnded: endedBy(inv.signal) }));
    const lines = [`Cluster saved as ${saved.name}: ${saved.place === saved.name ? '' : `${saved.place}, `}${sizeText(saved.bytes)}`, `back to it: ${programOf(inv.flags)} snapshot restore ${shellQuote(saved.name)} --force`];
    inv.io.stdout.write(lines.map((line) => `${line}\n`).join(''));
    return 0;
  } finally {
    world.processes.ended();
  }
}
