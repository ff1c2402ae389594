// Many trials, some at a time.
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { seededRandom } from '../../dist/runtime/random.js';
import { allotment, trialForEmpty } from './allot.js';
import { clusterMaker, measurePlan } from './bases.js';
import { startApplication } from './client.js';
import { runTrial } from './trial.js';

/** Failed trials of which everything is kept. */
const KEPT = 10;

/** Of so many kills again, at most, those go on that look for steps which none came upon. */
const SEARCH = 0.5;

/**
 * Measures the plans, then kills until there are as many kills as asked for and, unless it is a sample, no step is empty. A trial draws from a chance of its own, so that a seed
 * draws the same instants whatever the number of jobs; the machine does the rest. `each`: one kill instead of every commit in turn.
 */
export async function crash({ kills, seed, jobs, by, sample, each, plans, folder, keep }) {
  const started = performance.now();
  const workers = Array.from({ length: jobs }, (_, index) => ({ application: startApplication(), folder: join(folder, `job-${index}`) }));
  for (const worker of workers) mkdirSync(worker.folder);
  try {
    const make = clusterMaker(folder);
    const measured = [];
    await inTurns(workers, plans.length, async (index, worker) => {
      const plan = plans[index];
      measured[index] = await measurePlan(plan, await make(plan), worker.application, worker.folder);
    });
    process.stderr.write(`${plans.length} plans of ${measured.reduce((sum, { profile }) => sum + profile.length, 0)} commits measured in ${seconds(started)} s\n`);
    const trials = [];
    let counted = 0;
    let kept = 0;
    const one = async (index, order, worker) => {
      const random = seededRandom(seed * 1_000_003 + index);
      const trial = await runTrial({ by: by ?? ['doctor', 'again'][random.below(2)], random, ...worker, seed: index, ...order });
      trials.push({ index, ...trial });
      counted += trial.kills.length;
      if (trial.wrong.length > 0 && kept < KEPT) keepTrial(trial, worker.folder, join(keep, `trial-${index}`), ++kept);
      if (trials.length % 25 === 0) process.stderr.write(`${counted} kills, ${trials.filter(({ wrong }) => wrong.length > 0).length} trials went wrong, ${seconds(started)} s\n`);
    };
    if (each) {
      const instants = measured.flatMap((plan) => plan.profile.slice(1).map((_, index) => ({ plan, instead: index + 2 })));
      await inTurns(workers, instants.length, (index, worker) => one(index, instants[index], worker));
      return { seed, plans: measured, trials, tookMs: performance.now() - started };
    }
    const allot = allotment(measured);
    const sought = () => (sample || counted < kills || counted >= kills * (1 + SEARCH) ? undefined : trialForEmpty(measured, trials));
    await inTurns(workers, () => counted < kills || sought() !== undefined, (index, worker) => one(index, sought() ?? { plan: allot(index) }, worker));
    return { seed, plans: measured, trials, tookMs: performance.now() - started };
  } finally {
    for (const { application } of workers) application.end();
  }
}

function seconds(started) {
  return Math.round((performance.now() - started) / 1000);
}

/** Gives every worker the next number when it has done one: so many, or as long as a function says. */
async function inTurns(workers, most, one) {
  let next = 0;
  const more = () => (typeof most === 'function' ? most() : next < most);
  await Promise.all(
    workers.map(async (worker) => {
      while (more()) await one(next++, worker);
    }),
  );
}

/** What is needed to look at a trial that went wrong. */
function keepTrial(trial, from, to) {
  rmSync(to, { recursive: true, force: true });
  mkdirSync(to, { recursive: true });
  cpSync(from, to, { recursive: true });
  writeFileSync(join(to, 'trial.json'), `${JSON.stringify(trial, null, 2)}\n`);
  process.stderr.write(`${trial.plan}, by ${trial.by}: ${trial.wrong[0].split('\n', 1)[0]}; kept in ${to}\n`);
}
