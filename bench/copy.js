// The copy phase of a MoveTables over INSERT ... SELECT of the same rows. Each copy is a process of its own (copy-once.js), so
// that its peak of memory is its own too.
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import BetterSqlite3 from 'better-sqlite3';
import { root } from './build.js';
import { commands, filesIn } from './cluster.js';
import { interleave, median, node, withFolder } from './measure.js';

const ROWS = 100_000;
const TABLE = 'corder';

/** Rows per second, the longest stretch in which the event loop did not turn, and the peak of memory. */
export function measureCopy(runs) {
  return withFolder(async (folder) => {
    const prepared = join(folder, 'prepared');
    const run = commands(filesIn(prepared));
    await run(`init commerce --rows ${ROWS}`);
    await run(`MoveTables --workflow move --target-keyspace customer create --source-keyspace commerce --tables ${TABLE}`);
    const results = await interleave(
      {
        ours: () => {
          const copy = join(folder, 'copy');
          cpSync(prepared, copy, { recursive: true });
          const answer = JSON.parse(node([join(root, 'bench/copy-once.js'), copy, TABLE, String(ROWS)]));
          rmSync(copy, { recursive: true });
          return answer;
        },
        raw: () => insertSelect(folder, join(prepared, 'shards/commerce.0.db')),
      },
      runs,
    );
    const of = (field) => results.ours.map((one) => one[field]);
    const name = `copy of ${ROWS} rows`;
    return [
      { what: name, ours: median(of('rate')), baseline: median(results.raw), of: 'INSERT ... SELECT', unit: 'rows/s', runs },
      { what: `${name}: longest block of the loop, median`, ours: median(of('blocked')), unit: 'ms', runs },
      { what: `${name}: longest block of the loop, worst`, ours: Math.max(...of('blocked')), unit: 'ms', runs },
      { what: `${name}: peak RSS`, ours: median(of('rss')), unit: 'MiB', runs },
    ];
  });
}

/** The same rows from one file to another in a single statement, with the same durability. */
function insertSelect(folder, from) {
  const to = join(folder, 'raw.db');
  const raw = new BetterSqlite3(to);
  try {
    raw.pragma('journal_mode = WAL');
    raw.pragma('synchronous = FULL');
    raw.prepare('ATTACH ? AS source').run(from);
    const { sql } = raw.prepare('SELECT sql FROM source.sqlite_master WHERE name = ?').get(TABLE);
    raw.exec(sql);
    const start = performance.now();
    const { changes } = raw.prepare(`INSERT INTO main."${TABLE}" SELECT * FROM source."${TABLE}"`).run();
    return (changes * 1000) / (performance.now() - start);
  } finally {
    raw.close();
    for (const suffix of ['', '-wal', '-shm']) rmSync(`${to}${suffix}`, { force: true });
  }
}
