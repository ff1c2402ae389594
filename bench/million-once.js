// Run by million.js: `million-once.js FOLDER TABLE` moves a table from a prepared cluster, and prints what each command took as JSON.
import { performance } from 'node:perf_hooks';
import { commands, filesIn } from './cluster.js';
import { watchLoop } from './loop.js';

const [folder, tableName] = process.argv.slice(2);
const run = commands(filesIn(folder));
const move = 'MoveTables --workflow move --target-keyspace customer';
const phases = {
  // Loads what the others need, so that none of them is charged with the reading of programs.
  warmup: [`${move} status`, 1],
  create: [`${move} create --source-keyspace commerce --tables ${tableName}`],
  copy: [`${move} status`],
  switch: [`${move} switchtraffic`],
  status: [`${move} status`],
  complete: [`${move} complete`],
};
const loop = watchLoop();
const results = {};
for (const [name, [line, exit]] of Object.entries(phases)) {
  await new Promise((resolve) => setImmediate(resolve));
  loop.longest();
  const start = performance.now();
  await run(line, exit);
  results[name] = { took: performance.now() - start, blocked: loop.longest() };
}
loop.end();
process.stdout.write(JSON.stringify({ phases: results, rss: process.resourceUsage().maxRSS / 1024 }));
