import { describe, expect, it } from 'vitest';
import type { SrvKeyspace } from '../../../src/topo/proto/types.ts';
import { fingerprint, shardsOf } from '../../helpers/fingerprint.ts';
import { allRows, beforeReshard, misplacedRows, reshardCreate, reshardingCluster, reshardLine, RESHARDS, type ReshardShape } from '../../helpers/reshard.ts';
import type { TestCluster } from '../../helpers/shell.ts';

const SHAPES = Object.keys(RESHARDS) as ReshardShape[];
const TABLES = ['customer', 'corder'];

/** Which shards the graph of a cell names for each tablet type. */
function graph(cluster: TestCluster): Record<string, string> {
  const record = JSON.parse(cluster.host.store.cell('zone1').get('keyspaces/customer/SrvKeyspace')!.contents) as SrvKeyspace;
  return Object.fromEntries((record.partitions ?? []).map((partition) => [partition.served_type, (partition.shard_references ?? []).map(({ name }) => name).join()]));
}

/** Ids of customers that an application adds. */
async function insert(cluster: TestCluster, ...ids: number[]): Promise<void> {
  for (const id of ids) {
    await cluster.ok(`query "insert into customer (customer_id, email) values (${id}, 'c${id}@example.com')"`);
    await cluster.ok(`query "insert into corder (order_id, customer_id, sku, price) values (${id}, ${id}, 'SKU', ${id})"`);
  }
}

/** The serving side holds every row once, each in its shard. */
function expectWhole(cluster: TestCluster, shards: readonly string[], customers: number): void {
  for (const table of TABLES) {
    expect(misplacedRows(cluster, table, shards)).toEqual([]);
    const rows = allRows(cluster, table, shards);
    expect(new Set(rows).size).toBe(rows.length);
  }
  expect(allRows(cluster, 'customer', shards)).toHaveLength(customers);
}

describe.each(SHAPES)('a Reshard %s', (shape) => {
  const { from, to } = RESHARDS[shape];

  it('is switched, reversed, switched again and completed, with writes in between', async () => {
    const cluster = await reshardingCluster(shape, { rows: 12 });
    await insert(cluster, 101, 102);
    expect(await cluster.ok(reshardLine('switchtraffic'))).toContain('Start State: Reads Not Switched. Writes Not Switched\nCurrent State: All Reads Switched. Writes Switched');
    const all = { PRIMARY: to.join(), REPLICA: to.join(), RDONLY: to.join() };
    expect(graph(cluster)).toEqual(all);
    await insert(cluster, 103, 104, 105);
    expectWhole(cluster, to, 17);

    expect(await cluster.ok(reshardLine('reversetraffic'))).toContain('Current State: Reads Not Switched. Writes Not Switched');
    expect(graph(cluster)).toEqual({ PRIMARY: from.join(), REPLICA: from.join(), RDONLY: from.join() });
    await insert(cluster, 106);
    expectWhole(cluster, from, 18);

    await cluster.ok(reshardLine('switchtraffic'));
    await insert(cluster, 107);
    expectWhole(cluster, to, 19);
    expect(await cluster.ok(reshardLine('complete'))).toContain('Successfully completed the cust2cust workflow in the customer keyspace');
    expect(shardsOf(cluster.host).filter(([keyspace]) => keyspace === 'customer').map(([, shard]) => shard).toSorted()).toEqual(to.toSorted());
    expect(await cluster.ok('GetTablets --keyspace customer')).not.toMatch(new RegExp(` customer ${from[0]} `));
    await insert(cluster, 108);
    expectWhole(cluster, to, 20);
    expect(await cluster.ok('show keyspace customer')).not.toContain('stranded');
  });

  it('is cancelled: the source serves on, the target shards are empty', async () => {
    const cluster = await reshardingCluster(shape, { rows: 12 });
    const served = graph(cluster);
    expect(await cluster.ok(reshardLine('cancel'))).toContain('Successfully cancelled the cust2cust workflow in the customer keyspace');
    for (const shard of to) expect(cluster.host.shards.open('customer', shard).tableNames()).toEqual([]);
    expect(graph(cluster)).toEqual(served);
    await insert(cluster, 101);
    expectWhole(cluster, from, 13);
    await cluster.ok(reshardCreate(shape));
    await cluster.ok(reshardLine('switchtraffic'));
    expectWhole(cluster, to, 13);
  });
});

describe('reads of a Reshard', () => {
  const { from, to } = RESHARDS['1 to 2'];

  it('go by tablet type, and come back before the writes have gone', async () => {
    const cluster = await reshardingCluster('1 to 2', { rows: 6 });
    expect(await cluster.ok(reshardLine('switchtraffic --tablet-types rdonly'))).toContain(
      'Current State: Reads partially switched. Replica not switched. All Rdonly Reads Switched. Writes Not Switched',
    );
    expect(graph(cluster)).toEqual({ PRIMARY: '0', REPLICA: '0', RDONLY: to.join() });
    await cluster.ok(reshardLine('switchtraffic --tablet-types replica'));
    expect(graph(cluster)).toEqual({ PRIMARY: '0', REPLICA: to.join(), RDONLY: to.join() });
    // The replicas that are asked no more refuse nobody.
    expect(await cluster.ok('show keyspace customer')).toMatch(/^customer {2}serves its tables$/m);
    expect(await cluster.ok(reshardLine('reversetraffic --tablet-types replica,rdonly'))).toContain('Current State: Reads Not Switched. Writes Not Switched');
    expect(graph(cluster)).toEqual({ PRIMARY: '0', REPLICA: '0', RDONLY: '0' });
    await insert(cluster, 50);
    expectWhole(cluster, from, 7);
  });

  it('cannot come back where they have not gone', async () => {
    const cluster = await reshardingCluster('1 to 2', { rows: 6 });
    const before = fingerprint(cluster.host);
    const { exit, stderr } = await cluster.run(reshardLine('reversetraffic --tablet-types replica'));
    expect(exit).toBe(1);
    expect(stderr).toContain('invalid request: requesting reversal of read traffic for REPLICAs but REPLICA reads have not been switched');
    expect(fingerprint(cluster.host)).toEqual(before);
  });

  it('stay, on a release, when the writes of a later command fail; K15: the source keeps an empty tablet control', async () => {
    const cluster = await reshardingCluster('1 to 2', { rows: 6, version: '24.0.0-SNAPSHOT' });
    const { exit } = await cluster.run(reshardLine("switchtraffic --fault 'switchTraffic/writes/waitForCatchup=return'"));
    expect(exit).toBe(1);
    expect(graph(cluster)).toEqual({ PRIMARY: '0', REPLICA: to.join(), RDONLY: to.join() });
    const record = JSON.parse(cluster.host.store.cell('zone1').get('keyspaces/customer/SrvKeyspace')!.contents) as SrvKeyspace;
    const primary = record.partitions?.find((partition) => partition.served_type === 'PRIMARY');
    expect(primary?.shard_tablet_controls?.map(({ name, query_service_disabled: off }) => [name, off ?? false])).toEqual([['0', false]]);
    await insert(cluster, 50);
  });
});

describe('completing a Reshard', () => {
  it('is refused while a source shard serves', async () => {
    const cluster = await reshardingCluster('2 to 4', { rows: 6 });
    const { exit, stderr } = await cluster.run(reshardLine('complete'));
    expect(exit).toBe(1);
    expect(stderr).toContain('cannot complete workflow because you have not yet switched all read and write traffic');
    const writes = await cluster.run(reshardLine('switchtraffic --tablet-types primary'));
    expect(writes.exit, writes.stderr).toBe(0);
    expect((await cluster.run(reshardLine('complete'))).stderr).toContain('cannot complete workflow because you have not yet switched all read and write traffic');
  });

  it('leaves nothing of a shard to one that is made anew', async () => {
    const cluster = await reshardingCluster('1 to 2', { rows: 6 });
    await cluster.ok(reshardLine('switchtraffic'));
    await cluster.ok(reshardLine('complete'));
    await cluster.ok('tablet add zone1-950 --keyspace customer --shard 0 --type primary');
    const db = cluster.host.shards.open('customer', '0');
    expect(db.tableNames()).toEqual([]);
    expect(db.db.get('SELECT count(*) AS n FROM "_vt.resharding_journal"')).toEqual({ n: 0 });
    // And back: a merge of the two into the shard that was split.
    const merge = 'Reshard --workflow back --target-keyspace customer';
    await cluster.ok(`${merge} create --source-shards=-80,80- --target-shards=0`);
    const { exit, stderr } = await cluster.run(`${merge} switchtraffic`);
    expect(exit, stderr).toBe(0);
    expectWhole(cluster, ['0'], 6);
  });
});

it('a Reshard of a keyspace in which nothing serves is no Reshard', async () => {
  const cluster = await beforeReshard('1 to 2', { rows: 3 });
  const { exit, stderr } = await cluster.run(reshardLine('create --source-shards=-80,80- --target-shards=0'));
  expect(exit).toBe(1);
  expect(stderr).toContain('source shard -80 is not in serving state');
});
