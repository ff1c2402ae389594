// Run by load.js: `load-once.js FOLDER FILE ROWS` loads a dump into a new shard, and prints what it took as JSON.
import { createReadStream } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { createCluster } from '../dist/tablet/bootstrap.js';
import { loadDump } from '../dist/tablet/dump/load-dump.js';
import { filesIn, keyspace, openCluster } from './cluster.js';
import { watchLoop } from './loop.js';

const [folder, file, rows] = process.argv.slice(2);
const { ctx, cluster, close } = openCluster(filesIn(folder));
const tablets = [{ alias: 'zone1-0000000100', type: 'PRIMARY' }];
await createCluster(ctx, cluster, { cells: ['zone1'], keyspaces: [keyspace('commerce', { shards: [{ name: '0', tablets }] })] });

const loop = watchLoop();
const start = performance.now();
const done = await loadDump(ctx, cluster, 'commerce', ['0'], { name: 'corder.sql', chunks: () => createReadStream(file) });
const took = performance.now() - start;
const blocked = loop.longest();
loop.end();

if (done.rows !== Number(rows)) throw new Error(`loaded ${done.rows} rows of ${rows}`);
await close();
process.stdout.write(JSON.stringify({ rate: (done.rows * 1000) / took, blocked, rss: process.resourceUsage().maxRSS / 1024 }));
