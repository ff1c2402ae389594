// One whole rehearsal in memory: a cutover that fails at catch-up, goes back, and then succeeds. Run by itself it is a process
// that rehearses once.
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { commands, inMemory } from './cluster.js';
import { median } from './measure.js';

const WORKFLOW = 'MoveTables --workflow c2c --target-keyspace customer';

/** Throws if the failed switch does not fail, or if anything else does. */
export async function rehearse() {
  const run = commands(inMemory());
  await run('init commerce');
  await run(`${WORKFLOW} create --source-keyspace commerce --tables customer,corder`);
  await run(`${WORKFLOW} switchtraffic --fault switchTraffic/writes/waitForCatchup=return`, 1);
  await run(`${WORKFLOW} switchtraffic`);
}

/** How many rehearsals a warm process does in a second: the median of `runs` batches. */
export async function measureRehearsals(runs) {
  const batch = 5;
  const rates = [];
  for (let round = 0; round <= runs; round++) {
    const start = performance.now();
    for (let i = 0; i < batch; i++) await rehearse();
    if (round > 0) rates.push((batch * 1000) / (performance.now() - start));
  }
  return [{ what: 'whole rehearsals, warm', ours: median(rates), unit: '1/s', runs }];
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await rehearse();
