// `npm run bench [-- --json] [-- --runs N] [-- --only NAME]`: how long things take, as ratios over what the machine itself needs.
// Figures only: no time is ever asserted. Every pair of figures comes from one run, interleaved; each is a median.
import { parseArgs } from 'node:util';
import { ensureBuilt } from './build.js';
import { machine, table } from './print.js';

/** Loaded once dist is there. */
const MEASUREMENTS = {
  'start-up': async (runs) => (await import('./start-up.js')).measureStartUp(runs),
  rehearsal: async (runs) => (await import('./rehearsal.js')).measureRehearsals(runs),
  scenarios: async (runs) => (await import('./scenarios.js')).measureScenarios(runs),
  seeds: async () => (await import('./seeds.js')).measureSeeds(),
  locks: async (runs) => (await import('./locks.js')).measureLocks(runs),
  copy: async (runs) => (await import('./copy.js')).measureCopy(runs),
  million: async (runs) => (await import('./million.js')).measureMillion(runs),
  load: async (runs) => (await import('./load.js')).measureLoad(runs),
  tables: async (runs) => (await import('./tables.js')).measureTables(runs),
  shards: async (runs) => (await import('./shards.js')).measureShards(runs),
  snapshot: async (runs) => (await import('./snapshot.js')).measureSnapshot(runs),
};

function readOptions() {
  const names = Object.keys(MEASUREMENTS);
  try {
    const { values } = parseArgs({ options: { json: { type: 'boolean' }, runs: { type: 'string' }, only: { type: 'string', multiple: true } } });
    const runs = Number(values.runs ?? 11);
    if (!Number.isInteger(runs) || runs < 1) throw new Error(`--runs ${values.runs} is not a positive number`);
    const unknown = values.only?.find((name) => !names.includes(name));
    if (unknown !== undefined) throw new Error(`--only ${unknown}: there are ${names.join(', ')}`);
    return { json: values.json === true, runs, only: values.only ?? names };
  } catch (error) {
    process.stderr.write(`${error.message}\n`);
    process.exit(2);
  }
}

const { json, runs, only } = readOptions();
ensureBuilt();
const results = [];
for (const name of only) {
  process.stderr.write(`${name} ...\n`);
  for (const one of await MEASUREMENTS[name](runs)) {
    results.push({ measurement: name, ...one, ...(one.baseline === undefined ? {} : { ratio: one.ours / one.baseline }) });
  }
}
const here = machine();
if (json) {
  process.stdout.write(`${JSON.stringify({ machine: here, results }, null, 2)}\n`);
} else {
  process.stdout.write(`${here.cpus} x ${here.cpu}, node ${here.node}, ${here.platform}; medians, interleaved\n\n`);
  process.stdout.write(`${table(results).join('\n')}\n`);
}
