import { describe, expect, it } from 'vitest';
import { idToHex } from '../../src/lib/key-range.ts';
import { createVindex } from '../../src/vindex/registry.ts';
import { fingerprint } from '../helpers/fingerprint.ts';
import { shardedCluster } from '../helpers/sharded.ts';
import { switchLine, type TestCluster } from '../helpers/shell.ts';

/** MoveTables from one shard to two: rows go where their keyspace id belongs, there and back, and after failures. */
const MT = 'MoveTables --workflow c2c --target-keyspace customer';
const ROWS = 300;

function ids(cluster: TestCluster, shard: string): number[] {
  return cluster.host.shards.open('customer', shard).db.all<{ customer_id: number }>('SELECT customer_id FROM customer').map((row) => row.customer_id);
}

function expectInPlace(cluster: TestCluster, count: number): void {
  const hash = createVindex('hash', 'hash');
  const low = ids(cluster, '-80');
  const high = ids(cluster, '80-');
  expect(low.length + high.length).toBe(count);
  for (const id of low) expect(idToHex(hash.map([id])!) < '80').toBe(true);
  for (const id of high) expect(idToHex(hash.map([id])!) >= '80').toBe(true);
}

describe('MoveTables to two shards', () => {
  it('copies, follows, switches and comes back', async () => {
    const cluster = await shardedCluster({ rows: ROWS });
    expectInPlace(cluster, ROWS);
    await cluster.ok(`query "update customer set email = 'changed@example.com' where customer_id < 11"`);
    await cluster.ok(`query "delete from customer where customer_id = 300"`);
    await cluster.ok(switchLine());
    expectInPlace(cluster, ROWS - 1);
    for (const id of [1001, 1002, 1003, 1004]) {
      await cluster.ok(`query "insert into customer (customer_id, email) values (${id}, 'new${id}@example.com')"`);
    }
    expectInPlace(cluster, ROWS + 3);
    expect(await cluster.ok(`query --format json "select count(*) from customer"`)).toContain(String(ROWS + 3));
    await cluster.ok(`${MT} reversetraffic`);
    expect(await cluster.ok(`query --format json "select count(*) from customer"`)).toContain(String(ROWS + 3));
    expect(cluster.host.shards.open('commerce', '0').db.get('SELECT count(*) AS n FROM customer')).toEqual({ n: ROWS + 3 });
  });

  it.each([
    'waitForCatchup@customer/80-=return',
    'waitForCatchup:after@customer/-80=return',
    'stopSourceWrites:after@customer/80-=return',
    'createReverseVReplication:after@commerce/0=return',
    'waitForCatchup:after@customer/-80=lease(expire)',
  ])('%s: everything goes back', async (fault) => {
    const cluster = await shardedCluster({ rows: ROWS });
    const before = fingerprint(cluster.host);
    const failed = await cluster.run(switchLine(`--fault 'switchTraffic/writes/${fault}'`));
    expect(failed.exit, failed.stderr).toBe(1);
    expect(failed.stderr).not.toContain('never fired');
    expect(fingerprint(cluster.host)).toEqual(before);
    await cluster.ok(switchLine());
    expectInPlace(cluster, ROWS);
  });

  it('a fault on a shard that does not exist is refused', async () => {
    const cluster = await shardedCluster({ rows: ROWS });
    const refused = await cluster.run(switchLine("--fault 'switchTraffic/writes/waitForCatchup@customer/8-=return'"));
    expect(refused.stderr).toContain('there is no keyspace or shard "customer/8-"; did you mean "customer/80-"?');
  });
});
