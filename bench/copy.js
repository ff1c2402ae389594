// The copy phase of a MoveTables over INSERT ... SELECT of the same rows. Each copy is a process of its own (copy-once.js), so
// that its peak of memory is its own too.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import BetterSqlite3 from 'better-sqlite3';
import { root } from './build.js';
import { commands, filesIn } from './cluster.js';
import { copyFolder, interleave, median, node, withFolder } from './measure.js';

const SIZES = [100_000, 1_000_000];
const TABLE = 'corder';
/** Of the sizes that take seconds. */
const MOST_RUNS = 5;

/** Rows per second, the longest stretch in which the event loop did not turn, and the peak of memory. */
export async function measureCopy(runs) {
  const results = [];
  for (const rows of SIZES) results.push(...(await measureSize(rows, rows > 100_000 ? Math.min(runs, MOST_RUNS) : runs)));
  return results;
}

function measureSize(count, runs) {
  return withFolder(async (folder) => {
    const prepared = join(folder, 'prepared');
    const run = commands(filesIn(prepared));
    await run(`init commerce --rows ${count}`);
    await run(`MoveTables --workflow move --target-keyspace customer create --source-keyspace commerce --tables ${TABLE}`);
    const from = join(prepared, 'shards/commerce.0.db');
    const results = await interleave(
      {
        ours: () => {
          const copy = join(folder, 'copy');
          copyFolder(prepared, copy);
          const answer = JSON.parse(node([join(root, 'bench/copy-once.js'), copy, TABLE, String(count)]));
          rmSync(copy, { recursive: true });
          return answer;
        },
        select: () => intoNewFile(folder, from, insertSelect),
        rows: () => intoNewFile(folder, from, rowByRow),
      },
      runs,
    );
    const of = (field) => results.ours.map((one) => one[field]);
    const name = `copy of ${count} rows`;
    return [
      { what: name, ours: median(of('rate')), baseline: median(results.select), of: 'INSERT ... SELECT', unit: 'rows/s', runs },
      { what: name, ours: median(of('rate')), baseline: median(results.rows), of: 'driver, row by row', unit: 'rows/s', runs },
      { what: `${name}: longest block of the loop, median`, ours: median(of('blocked')), unit: 'ms', runs },
      { what: `${name}: longest block of the loop, worst`, ours: Math.max(...of('blocked')), unit: 'ms', runs },
      { what: `${name}: peak RSS`, ours: median(of('rss')), unit: 'MiB', runs },
    ];
  });
}

/** Rows per second of a copy of the same rows into a new file, with the same durability, by the bare driver. */
function intoNewFile(folder, from, copy) {
  const to = join(folder, 'raw.db');
  const raw = new BetterSqlite3(to);
  try {
    raw.pragma('journal_mode = WAL');
    raw.pragma('synchronous = FULL');
    raw.prepare('ATTACH ? AS source').run(from);
    const { sql } = raw.prepare('SELECT sql FROM source.sqlite_master WHERE name = ?').get(TABLE);
    raw.exec(sql);
    const start = performance.now();
    const count = copy(raw);
    return (count * 1000) / (performance.now() - start);
  } finally {
    raw.close();
    for (const suffix of ['', '-wal', '-shm']) rmSync(`${to}${suffix}`, { force: true });
  }
}

/** The least that any copy can take: no row ever leaves SQLite, and there is one commit. */
function insertSelect(raw) {
  return raw.prepare(`INSERT INTO main."${TABLE}" SELECT * FROM source."${TABLE}"`).run().changes;
}

/** What a program needs that looks at each row, and commits now and then. It keeps no binlog, ours does. */
function rowByRow(raw) {
  const select = raw.prepare(`SELECT * FROM source."${TABLE}" WHERE order_id > ? ORDER BY order_id LIMIT 2000`);
  const insert = raw.prepare(`INSERT INTO main."${TABLE}" VALUES (?, ?, ?, ?)`);
  const chunk = raw.transaction((rows) => {
    for (const row of rows) insert.run(row.order_id, row.customer_id, row.sku, row.price);
  });
  let count = 0;
  for (let last = 0; ; ) {
    const rows = select.all(last);
    if (rows.length === 0) return count;
    chunk(rows);
    count += rows.length;
    last = rows.at(-1).order_id;
  }
}
