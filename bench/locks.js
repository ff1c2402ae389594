// What a lock costs: a pair of acquire and release, over one-row commits of the bare driver on the same disk.
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import BetterSqlite3 from 'better-sqlite3';
import { createCluster } from '../dist/tablet/bootstrap.js';
import { lockKeyspace } from '../dist/topo/locks.js';
import { filesIn, keyspace, openCluster } from './cluster.js';
import { interleave, median, withFolder } from './measure.js';

const PAIRS = 100;
const COMMITS = 300;

/** Rates per second. A pair is two commits, so a ratio of 0.5 would be perfect. */
export function measureLocks(runs) {
  return withFolder(async (folder) => {
    const { ctx, cluster, close } = openCluster(filesIn(join(folder, 'state')));
    await createCluster(ctx, cluster, { cells: ['zone1'], keyspaces: [keyspace('commerce')] });
    const raw = new BetterSqlite3(join(folder, 'raw.db'));
    raw.pragma('journal_mode = WAL');
    raw.pragma('synchronous = FULL');
    raw.exec('CREATE TABLE t (id INTEGER PRIMARY KEY, value TEXT)');
    const insert = raw.prepare('INSERT INTO t (value) VALUES (?)');
    const rates = await interleave(
      {
        ours: () => rate(PAIRS, () => lockOnce(ctx, cluster.topo)),
        raw: () => rate(COMMITS, () => insert.run('some text')),
      },
      runs,
    );
    raw.close();
    await close();
    return [{ what: 'lock pairs (2 commits each)', ours: median(rates.ours), baseline: median(rates.raw), of: 'one-row commits', unit: '1/s', runs }];
  });
}

async function lockOnce(ctx, topo) {
  const locked = await lockKeyspace(ctx, topo, 'commerce', 'bench');
  await locked.unlock(undefined);
}

async function rate(times, run) {
  const start = performance.now();
  for (let i = 0; i < times; i++) await run();
  return (times * 1000) / (performance.now() - start);
}
