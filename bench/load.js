// A dump of a million rows, as mysqldump writes it, loaded into a shard on the disk, over the bare driver given the same rows.
// Each load is a process of its own (load-once.js), so that its peak of memory is its own too.
import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import BetterSqlite3 from 'better-sqlite3';
import { root } from './build.js';
import { interleave, median, node, withFolder } from './measure.js';

const ROWS = 1_000_000;
/** mysqldump fills its statements up to net_buffer_length. */
const STATEMENT = 1_000_000;

const HEAD = `-- MySQL dump 10.13  Distrib 8.0.36, for Linux (x86_64)
/*!50503 SET NAMES utf8mb4 */;
/*!40101 SET @OLD_SQL_MODE=@@SQL_MODE, SQL_MODE='NO_AUTO_VALUE_ON_ZERO' */;
DROP TABLE IF EXISTS \`corder\`;
CREATE TABLE \`corder\` (
  \`order_id\` bigint NOT NULL AUTO_INCREMENT,
  \`customer_id\` bigint DEFAULT NULL,
  \`sku\` varbinary(128) DEFAULT NULL,
  \`price\` bigint DEFAULT NULL,
  PRIMARY KEY (\`order_id\`)
) ENGINE=InnoDB AUTO_INCREMENT=${ROWS + 1} DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci;
LOCK TABLES \`corder\` WRITE;
/*!40000 ALTER TABLE \`corder\` DISABLE KEYS */;
`;
const TAIL = '/*!40000 ALTER TABLE `corder` ENABLE KEYS */;\nUNLOCK TABLES;\n-- Dump completed\n';

const row = (id) => [id, 1 + (id % 50_000), `SKU-${1000 + (id % 900)}`, 10 + (id % 90)];

/** Rows and megabytes per second, the longest stretch in which the event loop did not turn, and the peak of memory. */
export function measureLoad(runs) {
  return withFolder(async (folder) => {
    const file = join(folder, 'corder.sql');
    const size = writeDump(file);
    const results = await interleave(
      {
        ours: () => {
          const target = join(folder, 'loaded');
          const answer = JSON.parse(node([join(root, 'bench/load-once.js'), target, file, String(ROWS)]));
          rmSync(target, { recursive: true });
          return answer;
        },
        bare: () => insertAll(join(folder, 'raw.db')),
      },
      runs,
    );
    const of = (field) => results.ours.map((one) => one[field]);
    const name = `load of ${ROWS} rows`;
    return [
      { what: name, ours: median(of('rate')), baseline: median(results.bare), of: 'driver, rows at hand', unit: 'rows/s', runs },
      { what: `${name}: bytes`, ours: (median(of('rate')) * size) / ROWS / 1e6, unit: 'MB/s', runs },
      { what: `${name}: longest block of the loop, median`, ours: median(of('blocked')), unit: 'ms', runs },
      { what: `${name}: longest block of the loop, worst`, ours: Math.max(...of('blocked')), unit: 'ms', runs },
      { what: `${name}: peak RSS`, ours: median(of('rss')), unit: 'MiB', runs },
    ];
  });
}

/** Writes the dump and returns its size in bytes. */
function writeDump(path) {
  const file = openSync(path, 'w');
  let size = writeSync(file, HEAD);
  for (let id = 1; id <= ROWS; ) {
    const rows = [];
    for (let length = 0; id <= ROWS && length < STATEMENT; id++) {
      const [order, customer, sku, price] = row(id);
      rows.push(`(${order},${customer},_binary '${sku}',${price})`);
      length += rows.at(-1).length + 1;
    }
    size += writeSync(file, `INSERT INTO \`corder\` VALUES ${rows.join(',')};\n`);
  }
  size += writeSync(file, TAIL);
  closeSync(file);
  return size;
}

/** Rows per second of the driver alone, with the same durability: nothing is read, checked or converted. */
function insertAll(path) {
  const raw = new BetterSqlite3(path);
  try {
    raw.pragma('journal_mode = WAL');
    raw.pragma('synchronous = FULL');
    raw.exec('CREATE TABLE corder (order_id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, customer_id INTEGER, sku BLOB, price INTEGER)');
    const insert = raw.prepare('INSERT INTO corder VALUES (?, ?, ?, ?)');
    const chunk = raw.transaction((from) => {
      for (let id = from; id < from + 2000 && id <= ROWS; id++) insert.run(...row(id));
    });
    const start = performance.now();
    for (let from = 1; from <= ROWS; from += 2000) chunk(from);
    return (ROWS * 1000) / (performance.now() - start);
  } finally {
    raw.close();
    for (const suffix of ['', '-wal', '-shm']) rmSync(`${path}${suffix}`, { force: true });
  }
}
