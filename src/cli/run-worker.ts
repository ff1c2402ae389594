import { parentPort } from 'node:worker_threads';
import { errorText, InvariantError } from '../lib/errors.ts';
import { readScenarios, type Scenario } from '../report/scenario-file/read.ts';
import { scenarioRigs } from './rig.ts';
import type { Answer, Order } from './run-order.ts';
import { readInputText } from './scenario-files.ts';
import { newRunner, type Outcome, runJob } from './scenario-runner.ts';

/*
 * A thread of `run --jobs`. Whoever started it names one scenario after another; it answers with what came of each, in that order, and
 * ends when it is told to.
 */

const port = parentPort;
if (port === null) throw new InvariantError('this is a thread of `run`, not a program');

const runner = newRunner(scenarioRigs(() => Date.now()));
let read: { file: string; scenarios: Scenario[] } | undefined;
let last: Promise<void> = Promise.resolve();

async function carryOut(order: Order): Promise<void> {
  const outcome = await outcomeOf(order).catch(errorText);
  port!.postMessage({ id: order.id, outcome } satisfies Answer);
}

async function outcomeOf(order: Order): Promise<Outcome> {
  const { settings, file, ordinal, slug, alone, asked } = order;
  if (read?.file !== file) read = { file, scenarios: readScenarios(file, readInputText(settings.cwd, file)) };
  const scenario = read.scenarios[ordinal];
  if (scenario === undefined) throw new Error(`${file} has changed since it was read`);
  const job = { scenario: asked === undefined ? scenario : { ...scenario, vitess: asked }, slug, alone, asked };
  return runJob(runner, settings, job, () => {});
}

port.on('message', (order: Order | 'end') => {
  if (order !== 'end') last = last.then(() => carryOut(order));
  else {
    // Databases that are still open must not meet the end of the thread.
    runner.stages.close();
    port.close();
  }
});
