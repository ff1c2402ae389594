// A cluster with a million rows in each of two tables saved, restored and compared, each by a process of its own, on files.
import { join } from 'node:path';
import { root } from './build.js';
import { commands, filesIn } from './cluster.js';
import { interleave, median, node, withFolder } from './measure.js';

const ROWS = 1_000_000;
const MOST_RUNS = 3;

/** Milliseconds of each command, the longest stretch in which the event loop did not turn in it, and the peak of memory. */
export function measureSnapshot(asked) {
  const runs = Math.min(asked, MOST_RUNS);
  return withFolder(async (folder) => {
    const state = join(folder, 'state');
    await commands(filesIn(state))(`init commerce --rows ${ROWS}`);
    const file = join(folder, 'one.swt-snapshot');
    const once = (line, exit = 0) => () => JSON.parse(node([join(root, 'bench/snapshot-once.js'), state, line, String(exit)]));
    const lines = {
      save: once(`snapshot save ${file} --force`),
      restore: once(`snapshot restore ${file} --force --keep-old=false`),
      diff: once(`snapshot diff ${file}`),
    };
    const found = await interleave(lines, runs);
    return Object.entries(found).flatMap(([name, all]) => {
      const what = `snapshot ${name}, 2 x ${ROWS} rows`;
      const of = (field) => all.map((one) => one[field]);
      return [
        { what, ours: median(of('took')), unit: 'ms', runs },
        { what: `${what}: longest block of the loop, worst`, ours: Math.max(...of('blocked')), unit: 'ms', runs },
        { what: `${what}: peak RSS`, ours: Math.max(...of('rss')), unit: 'MiB', runs },
      ];
    });
  });
}
