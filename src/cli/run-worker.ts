import { errorText } from '../lib/errors.ts';
import { readScenarios, type Scenario } from '../report/scenario-file/read.ts';
import { scenarioRigs } from './rig.ts';
import { type Answer, type Order, READY } from './run-order.ts';
import { readInputText } from './scenario-files.ts';
import { newRunner, type Outcome, runJob } from './scenario-runner.ts';

/*
 * A process of `run --jobs`. Its parent names one scenario after another; it answers with what came of each. It ends with
 * its parent, however that ends; a signal that the terminal sends to both is the parent's to act on.
 */

const runner = newRunner(scenarioRigs(() => Date.now()));
let read: { file: string; scenarios: Scenario[] } | undefined;

async function carryOut(order: Order): Promise<void> {
  const outcome = await outcomeOf(order).catch(errorText);
  process.send?.({ id: order.id, outcome } satisfies Answer);
}

async function outcomeOf(order: Order): Promise<Outcome> {
  const { settings, file, ordinal, slug, alone, asked } = order;
  if (read?.file !== file) read = { file, scenarios: readScenarios(file, readInputText(settings.cwd, file)) };
  const scenario = read.scenarios[ordinal];
  if (scenario === undefined) throw new Error(`${file} has changed since it was read`);
  const job = { scenario: asked === undefined ? scenario : { ...scenario, vitess: asked }, slug, alone, asked };
  return runJob(runner, settings, job, () => {});
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
process.on('disconnect', () => process.exit(0));
process.on('message', (order: Order) => void carryOut(order));
process.send?.(READY);
