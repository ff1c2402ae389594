import { loading } from '../../lib/loading.ts';
import { renderDifference } from '../../report/snapshot/difference.ts';
import { background } from '../../runtime/context.ts';
import { areEqualStates, compareStates } from '../../workflow/facts/compare/compare.ts';
import { hostOf } from '../cluster.ts';
import { printFacts } from '../facts-output.ts';
import { colorLevel, createPaint } from '../paint.ts';
import { endedBy } from '../snapshot/watched.ts';
import { openNow, openSnapshot, type StillCluster } from '../snapshot/open.ts';
import { findSnapshot } from '../snapshot/words.ts';
import type { Invocation } from '../spec.ts';

/** Says what differs between two snapshots, or a snapshot and the cluster as it is now; ends with 1 if anything does. */
export async function run(inv: Invocation): Promise<number> {
  const host = hostOf(inv);
  const world = host.world();
  const shelf = await host.shelf();
  const [first = '', second] = inv.args;
  const stop = endedBy(inv.signal);
  const open: StillCluster[] = [];
  const look = async (word: string | undefined): Promise<StillCluster> => {
    const opened = await (word === undefined ? openNow(host, world, stop) : openSnapshot(host, findSnapshot(inv.io, shelf, word), stop));
    open.push(opened);
    return opened;
  };
  try {
    // Files take real time, which is nobody's on a virtual clock.
    const { a, b, difference } = await loading(
      (async () => {
        const [before, after] = [await look(first), await look(second)];
        const found = await compareStates(background(), before.cluster, after.cluster, { copied: inv.flags.bool('copied') });
        return { a: { name: first, savedAt: before.savedAt }, b: { name: second, savedAt: after.savedAt }, difference: found };
      })(),
    );
    const equal = areEqualStates(difference);
    if (inv.flags.str('format') === 'json') {
      printFacts(inv, { before: a, after: b, equal, ...difference });
    } else {
      const paint = await createPaint(colorLevel(inv.io.stdout, inv.flags, inv.io.env));
      inv.io.stdout.write(renderDifference(a, b, difference, paint).map((line) => `${line.trimEnd()}\n`).join(''));
    }
    return equal ? 0 : 1;
  } finally {
    for (const one of open) await one.close();
    world.processes.ended();
  }
}
