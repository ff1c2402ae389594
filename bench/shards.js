// Many shards and many tables: a whole move on files, each size in a process of its own. Times must grow with shards x tables.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { createCluster } from '../dist/tablet/bootstrap.js';
import { textSource } from '../dist/tablet/dump/source.js';
import { generateShardRanges } from '../dist/lib/key-range.js';
import { writeCluster } from '../dist/topo/cluster-record.js';
import { root } from './build.js';
import { filesIn, keyspace, openCluster } from './cluster.js';
import { interleave, median, node, withFolder } from './measure.js';

/** A quarter, a half and the whole of 64 shards x 500 tables. */
const SIZES = [
  { shards: 16, tables: 500 },
  { shards: 32, tables: 500 },
  { shards: 64, tables: 500 },
];
const MOST_RUNS = 3;

const PHASES = ['create', 'copy', 'switch', 'reverse'];

/** Microseconds per shard and table of each command, the longest step, and the peak of memory: each command is a process. */
export function measureShards(asked) {
  const runs = Math.min(asked, MOST_RUNS);
  const cases = Object.fromEntries(SIZES.map((size) => [nameOf(size), () => once(size)]));
  return interleave(cases, runs).then((results) => SIZES.flatMap((size) => rows(size, results, runs)));
}

const nameOf = ({ shards, tables }) => `${shards}x${tables}`;

function rows(size, results, runs) {
  const own = results[nameOf(size)];
  const count = size.shards * size.tables;
  const first = SIZES[0];
  const perUnit = (of, phase, units) => (median(of.map((one) => one[phase].took)) * 1000) / units;
  return [
    ...PHASES.flatMap((phase) => [
      {
        what: `${size.shards} shards x ${size.tables} tables: ${phase}, per shard and table`,
        ours: perUnit(own, phase, count),
        ...(size === first ? {} : { baseline: perUnit(results[nameOf(first)], phase, first.shards * first.tables), of: `${first.shards} shards` }),
        unit: 'us',
        runs,
      },
    ]),
    ...['switch', 'reverse'].map((phase) => {
      const longest = own.map((one) => one[phase]).toSorted((a, b) => b.stepMs - a.stepMs)[0];
      return { what: `${size.shards} shards x ${size.tables} tables: longest step of ${phase} (${longest.step.split('/').at(-1)})`, ours: longest.stepMs, unit: 'ms', runs };
    }),
    { what: `${size.shards} shards x ${size.tables} tables: peak RSS`, ours: Math.max(...own.flatMap((one) => PHASES.map((phase) => one[phase].rss))), unit: 'MiB', runs },
  ];
}

function once(size) {
  return withFolder(async (folder) => {
    const prepared = join(folder, 'prepared');
    await make(filesIn(prepared), size);
    const answer = Object.fromEntries(PHASES.map((phase) => [phase, JSON.parse(node([join(root, 'bench/shards-once.js'), prepared, phase]))]));
    rmSync(prepared, { recursive: true });
    return answer;
  });
}

const tablet = (uid) => ({ alias: `zone1-${String(uid).padStart(10, '0')}`, type: 'PRIMARY' });

async function make(host, { shards, tables }) {
  const names = Array.from({ length: tables }, (_, i) => `t${String(i).padStart(4, '0')}`);
  const { ctx, cluster, close } = openCluster(host);
  await createCluster(ctx, cluster, {
    cells: ['zone1'],
    keyspaces: [
      keyspace('commerce', {
        shards: [{ name: '0', tablets: [tablet(100)] }],
        vschema: { tables: Object.fromEntries(names.map((name) => [name, {}])) },
        schema: [textSource('tables.sql', names.map((name) => `CREATE TABLE ${name} (id BIGINT NOT NULL, name VARCHAR(64), PRIMARY KEY (id));`).join('\n'))],
        rows: [textSource('rows.sql', names.map((name) => `INSERT INTO ${name} VALUES (1, 'a'), (2, 'b'), (3, 'c'), (4, 'd');`).join('\n'))],
      }),
      keyspace('customer', {
        shards: generateShardRanges(shards).map((name, i) => ({ name, tablets: [tablet(1000 + i)] })),
        vschema: {
          sharded: true,
          vindexes: { hash: { type: 'hash' } },
          tables: Object.fromEntries(names.map((name) => [name, { column_vindexes: [{ column: 'id', name: 'hash' }] }])),
        },
      }),
    ],
  });
  await writeCluster(ctx, cluster.topo.conn, { vitess_version: 'hardened', made_from: 'bench', made_at: cluster.world.clock.now() });
  await close();
}
