// Run by snapshot.js: `snapshot-once.js FOLDER LINE EXIT` runs one command line on a prepared cluster, and prints what it took as JSON.
import { performance } from 'node:perf_hooks';
import { commands, filesIn } from './cluster.js';
import { watchLoop } from './loop.js';

const [folder, line, exit] = process.argv.slice(2);
const run = commands(filesIn(folder));
// Loads most of what it needs, so that it is not charged with the reading of programs.
await run('snapshot restore nothing', 2);
const before = process.resourceUsage().maxRSS / 1024;
const loop = watchLoop();
await new Promise((resolve) => setImmediate(resolve));
loop.longest();
const start = performance.now();
await run(line, Number(exit));
const took = performance.now() - start;
const blocked = loop.longest();
loop.end();
process.stdout.write(JSON.stringify({ took, blocked, rss: process.resourceUsage().maxRSS / 1024, before }));
