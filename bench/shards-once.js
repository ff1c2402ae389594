// Run by shards.js: `shards-once.js FOLDER` moves every table of a prepared cluster to the shards of another keyspace and back, and
// prints what each command took, and its longest step, as JSON.
import { performance } from 'node:perf_hooks';
import { commands, filesIn } from './cluster.js';

const [folder] = process.argv.slice(2);
const host = filesIn(folder);
const steps = [];
const makeWorld = host.world;
host.world = () => {
  const world = makeWorld();
  const began = new Map();
  world.events.listen((event) => {
    if (event.kind !== 'step') return;
    if (event.state === 'begin') began.set(event.step, performance.now());
    else steps.push({ step: event.step, ms: performance.now() - began.get(event.step) });
  });
  return world;
};
const run = commands(host);
const move = 'MoveTables --workflow move --target-keyspace customer';
const phases = {
  create: `${move} create --source-keyspace commerce --all-tables`,
  copy: `${move} status --format json`,
  switch: `${move} switchtraffic --timeout 120s`,
  reverse: `${move} reversetraffic --timeout 120s`,
};
const results = {};
for (const [name, line] of Object.entries(phases)) {
  steps.length = 0;
  const start = performance.now();
  await run(line);
  const took = performance.now() - start;
  const longest = steps.toSorted((a, b) => b.ms - a.ms)[0];
  results[name] = { took, step: longest?.step, stepMs: longest?.ms ?? 0 };
  if (process.env.SHOW_STEPS) for (const one of steps.filter(({ ms }) => ms > 200)) process.stderr.write(`${name} ${one.step} ${Math.round(one.ms)}\n`);
}
process.stdout.write(JSON.stringify({ phases: results, rss: process.resourceUsage().maxRSS / 1024 }));
