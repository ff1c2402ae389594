// A million rows moved by real command lines, each phase in one process on files: how long it takes, and how long the loop stands.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './build.js';
import { commands, filesIn } from './cluster.js';
import { copyFolder, interleave, median, node, withFolder } from './measure.js';

const ROWS = 1_000_000;
const TABLE = 'corder';
const MOST_RUNS = 3;

/** Milliseconds of each command, the longest stretch in which the event loop did not turn in it, and the peak of memory. */
export function measureMillion(asked) {
  const runs = Math.min(asked, MOST_RUNS);
  return withFolder(async (folder) => {
    const prepared = join(folder, 'prepared');
    await commands(filesIn(prepared))(`init commerce --rows ${ROWS}`);
    const move = () => {
      const copy = join(folder, 'copy');
      copyFolder(prepared, copy);
      const answer = JSON.parse(node([join(root, 'bench/million-once.js'), copy, TABLE]));
      rmSync(copy, { recursive: true });
      return answer;
    };
    const { moved } = await interleave({ moved: move }, runs);
    const phases = Object.keys(moved[0].phases).filter((phase) => phase !== 'warmup');
    return [
      ...phases.flatMap((phase) => {
        const of = (field) => moved.map((one) => one.phases[phase][field]);
        return [
          { what: `move of ${ROWS} rows: ${phase}`, ours: median(of('took')), unit: 'ms', runs },
          { what: `move of ${ROWS} rows: ${phase}, longest block of the loop, median`, ours: median(of('blocked')), unit: 'ms', runs },
          { what: `move of ${ROWS} rows: ${phase}, longest block of the loop, worst`, ours: Math.max(...of('blocked')), unit: 'ms', runs },
        ];
      }),
      { what: `move of ${ROWS} rows: peak RSS`, ours: Math.max(...moved.map((one) => one.rss)), unit: 'MiB', runs },
    ];
  });
}
