// Run by copy.js: `copy-once.js FOLDER TABLE ROWS` lets the workflow of a prepared cluster copy, and prints what it took as JSON.
import { performance } from 'node:perf_hooks';
import { pumpAll } from '../dist/tablet/vreplication/pump-all.js';
// Loaded where it is first needed: what is measured is the copy, not the reading of programs.
import '../dist/tablet/vreplication/pump.js';
import { filesIn, openCluster } from './cluster.js';
import { watchLoop } from './loop.js';

const [folder, table, rows] = process.argv.slice(2);
const { ctx, cluster, close } = openCluster(filesIn(folder));
const target = cluster.shards.open('customer', '0');

const loop = watchLoop();
const start = performance.now();
await pumpAll(ctx, cluster);
const took = performance.now() - start;
const blocked = loop.longest();
loop.end();

const { count } = target.db.get(`SELECT count(*) AS count FROM "${table}"`);
if (count !== Number(rows)) throw new Error(`copied ${count} rows of ${rows}`);
await close();
process.stdout.write(JSON.stringify({ rate: (count * 1000) / took, blocked, rss: process.resourceUsage().maxRSS / 1024 }));
