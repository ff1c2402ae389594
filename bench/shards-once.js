// Run by shards.js: `shards-once.js FOLDER PHASE` does one phase of moving every table of a prepared cluster to the shards of another
// keyspace and back, as a process of its own, and prints what the command took, its longest step and its peak of memory, as JSON.
import { performance } from 'node:perf_hooks';
import { commands, filesIn } from './cluster.js';

const [folder, phase] = process.argv.slice(2);
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
const start = performance.now();
await run(phases[phase]);
const took = performance.now() - start;
const longest = steps.toSorted((a, b) => b.ms - a.ms)[0];
process.stdout.write(JSON.stringify({ took, step: longest?.step ?? '', stepMs: longest?.ms ?? 0, rss: process.resourceUsage().maxRSS / 1024 }));
