// A thousand random seeds, each run twice in worlds of their own: the traces have to be equal, hash for hash.
import { performance } from 'node:perf_hooks';
import { scenarioRigs } from '../dist/cli/rig.js';
import { readScenarios } from '../dist/report/scenario-file/read.js';
import { runScenario } from '../dist/scenario/run-scenario.js';
import { Stages } from '../dist/scenario/stages.js';

const SEEDS = 1000;

/** Chance decides what fails, an application works meanwhile, and two commands contend for the same locks. */
const TEXT = `scenario: chance
given:
  cluster: commerce
  workload: { writers: 2, readers: 1, rate: 20/s, table: customer }
  run:
    - MoveTables --workflow c2c --target-keyspace customer create --source-keyspace commerce --tables customer,corder
steps:
  - parallel:
      - run: MoveTables --workflow c2c --target-keyspace customer switchtraffic
        faults: { 'switchTraffic/writes/*': 10%return->20%sleep(300ms) }
        expect: { exit: [0, 1], fired: { 'switchTraffic/writes/*': { min: 0 } } }
      - after: 100ms
        run: MoveTables --workflow c2c --target-keyspace customer switchtraffic --tablet-types replica
        expect: { exit: [0, 1] }
always: { locks: [] }
`;

export async function measureSeeds() {
  const [scenario] = readScenarios('chance.swt.yaml', TEXT);
  const rigs = scenarioRigs(() => performance.now());
  const seen = new Set();
  const different = [];
  const failed = [];
  const start = performance.now();
  for (let i = 0; i < SEEDS; i++) {
    const seed = Math.floor(Math.random() * 0x7fffffff);
    const traces = [];
    for (let time = 0; time < 2; time++) {
      const stages = new Stages(rigs);
      const { trace, status } = await runScenario(rigs, stages, scenario, { seed, files: '.', golden: () => undefined, traced: true });
      stages.close();
      traces.push(trace);
      if (status !== 'passed') failed.push(seed);
    }
    if (traces[0] !== traces[1]) different.push(seed);
    seen.add(traces[0]);
  }
  if (different.length > 0) process.stderr.write(`seeds whose two runs differ: ${different.join(', ')}\n`);
  if (failed.length > 0) process.stderr.write(`seeds that failed: ${[...new Set(failed)].join(', ')}\n`);
  const common = { unit: 'seeds', runs: 1 };
  return [
    { what: `${SEEDS} random seeds: two runs that differ`, ours: different.length, ...common },
    { what: `${SEEDS} random seeds: different traces`, ours: seen.size, ...common },
    { what: 'runs of a scenario, its cluster made anew', ours: (2 * SEEDS * 1000) / (performance.now() - start), unit: '1/s', runs: 2 * SEEDS },
  ];
}
