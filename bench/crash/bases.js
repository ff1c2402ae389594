// What is made once: the cluster of each plan as it is when the command begins, how many commits the command has, and what the state is
// before and after it.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { makeShell } from '../../dist/cli/shell.js';
import { filesIn } from '../cluster.js';
import { copyFolder } from '../measure.js';
import { CLUSTERS } from './clusters.js';
import { profileOf, readNotes } from './notes.js';
import { run, runHooked } from './process.js';

/** Makes each cluster that the plans need, in a folder of its own; a second plan takes it from the first. */
export function clusterMaker(folder) {
  const made = new Map();
  const once = (key, make) => {
    if (!made.has(key)) made.set(key, make());
    return made.get(key);
  };
  let folders = 0;
  const next = async (from, lines) => {
    const state = join(folder, `base-${folders++}`);
    copyFolder(await from, state);
    for (const line of lines) must(line, await run(state, line));
    return state;
  };
  const bare = (name) =>
    once(`${name}, bare`, async () => {
      const state = join(folder, `cluster-${name}`);
      const shell = makeShell(filesIn(state));
      await CLUSTERS[name].make(async (argv) => must(argv, await shell(argv)), join(folder, `files-${name}`));
      return state;
    });
  const running = (name) => once(name, () => next(bare(name), [CLUSTERS[name].create, CLUSTERS[name].line('status')]));
  /** The cluster of a plan after the commands that go before it. */
  return ({ cluster, before }) => {
    if (before === undefined) return bare(cluster);
    if (before.length === 0) return running(cluster);
    return once(`${cluster} ${JSON.stringify(before)}`, () => next(running(cluster), before));
  };
}

function must(argv, { exit, stdout, stderr }, wanted = 0) {
  if (exit === wanted) return;
  throw new Error(`${argv.join(' ')}\nexit ${exit}, expected ${wanted}\n${stdout}${stderr}`);
}

/** Runs a plan without a kill, beside the application, and looks at what it leaves as a killed one is looked at. */
export async function measurePlan(plan, state, application, folder) {
  const copy = join(folder, 'state');
  const log = join(folder, 'log');
  const notes = join(folder, 'notes');
  copyFolder(state, copy);
  await application.ask('begin', { state: copy, log, shape: plan.shape, seed: 1 });
  try {
    const before = await application.ask('mark');
    must(plan.line, await runHooked(copy, plan.line, notes, undefined), plan.fails ? 1 : 0);
    const between = await application.ask('mark');
    if (plan.fails && between !== before) throw new Error(`${plan.name}: the failed command leaves something else than what was`);
    if (plan.fails) must(plan.again, await run(copy, plan.again));
    const after = await application.ask('mark');
    // Killed after its last change, it is run once more, as it would be on what it left.
    if (!plan.ends) must(plan.again, await run(copy, plan.again));
    const twice = await application.ask('mark');
    const { wrong } = await application.ask('check');
    const { left, ofTheDead } = await application.ask('leftovers');
    wrong.push(...left, ...ofTheDead);
    if (wrong.length > 0) throw new Error(`${plan.name}, without a kill:\n${wrong.join('\n')}`);
    const seen = readNotes(notes);
    return { ...plan, state, before, after, twice, profile: profileOf(seen), steps: seen.steps };
  } finally {
    await application.ask('close');
    for (const path of [copy, log, notes]) rmSync(path, { recursive: true, force: true });
  }
}
