// Many tables in one workflow: what each costs must not grow with their number.
import { performance } from 'node:perf_hooks';
import { createCluster } from '../dist/tablet/bootstrap.js';
import { textSource } from '../dist/tablet/dump/source.js';
import { writeCluster } from '../dist/topo/cluster-record.js';
import { commands, inMemory, keyspace, openCluster } from './cluster.js';
import { interleave, median } from './measure.js';

const COUNTS = [250, 500, 1000];
const WORKFLOW = 'MoveTables --workflow many --target-keyspace customer';
const SHARD = (first) => ({
  name: '0',
  tablets: ['PRIMARY', 'REPLICA', 'RDONLY'].map((type, i) => ({ alias: `zone1-${String(first + i).padStart(10, '0')}`, type })),
});

/** Milliseconds per table of a create and of a switch, in memory; the ratio is over the smallest number of tables. */
export async function measureTables(runs) {
  const results = await interleave(Object.fromEntries(COUNTS.map((count) => [`n${count}`, () => createAndSwitch(count)])), runs);
  return ['create', 'switch'].flatMap((phase) => {
    const perTable = COUNTS.map((count) => median(results[`n${count}`].map((one) => one[phase] / count)));
    return COUNTS.map((count, i) => ({
      what: `${phase}, ${count} tables: per table`,
      ours: perTable[i],
      ...(i === 0 ? {} : { baseline: perTable[0], of: `${COUNTS[0]} tables` }),
      unit: 'ms',
      runs,
    }));
  });
}

async function createAndSwitch(count) {
  const host = inMemory();
  await makeTables(host, count);
  const run = commands(host);
  const timed = async (line) => {
    const start = performance.now();
    await run(line);
    return performance.now() - start;
  };
  const create = await timed(`${WORKFLOW} create --source-keyspace commerce --all-tables`);
  return { create, switch: await timed(`${WORKFLOW} switchtraffic`) };
}

async function makeTables(host, count) {
  const names = Array.from({ length: count }, (_, i) => `t${String(i).padStart(4, '0')}`);
  const { ctx, cluster } = openCluster(host);
  await createCluster(ctx, cluster, {
    cells: ['zone1'],
    keyspaces: [
      keyspace('commerce', {
        shards: [SHARD(100)],
        vschema: { tables: Object.fromEntries(names.map((name) => [name, {}])) },
        schema: [textSource('tables.sql', names.map((name) => `CREATE TABLE ${name} (id BIGINT NOT NULL, name VARCHAR(64), PRIMARY KEY (id));`).join('\n'))],
      }),
      keyspace('customer', { shards: [SHARD(200)] }),
    ],
  });
  await writeCluster(ctx, cluster.topo.conn, { vitess_version: 'hardened', made_from: 'bench', made_at: cluster.world.clock.now() });
}
