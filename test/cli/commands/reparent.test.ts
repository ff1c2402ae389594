import { describe, expect, it } from 'vitest';
import type { Shard, Tablet } from '../../../src/topo/proto/types.ts';
import { readStreams } from '../../../src/tablet/vreplication/streams.ts';
import { movingCluster, testCluster, type TestCluster } from '../../helpers/shell.ts';
import { record } from '../../workflow/behaviours/see.ts';

async function commerce(version = 'hardened'): Promise<TestCluster> {
  const cluster = testCluster();
  await cluster.ok(`init commerce --vitess-version ${version}`);
  return cluster;
}

const primaryOf = (cluster: TestCluster, shard = 'commerce/0'): string => {
  const [keyspace, name] = shard.split('/');
  const alias = record<Shard>(cluster, 'global', `keyspaces/${keyspace}/shards/${name}/Shard`)?.primary_alias;
  return `${alias?.cell}-${alias?.uid}`;
};
const typeOf = (cluster: TestCluster, uid: string): string | undefined => record<Tablet>(cluster, 'zone1', `tablets/zone1-0000000${uid}/Tablet`)?.type;

describe('PlannedReparentShard', () => {
  it('promotes another tablet, which serves the same rows, and prints the log', async () => {
    const cluster = await commerce();
    const log = await cluster.ok('PlannedReparentShard commerce/0 --new-primary zone1-101');
    const lines = log.trimEnd().split('\n').map((line) => line.replace(/^[IW]\d{4} \d\d:\d\d:\d\d\.\d{6} /, ''));
    expect(lines).toEqual([
      'planned_reparenter.go:524] Getting a new durability policy for none',
      'planned_reparenter.go:192] elected new primary candidate zone1-0000000101',
      'planned_reparenter.go:236] checking replication on primary-elect zone1-0000000101',
      'planned_reparenter.go:272] demoting current primary: zone1-0000000100',
      'planned_reparenter.go:688] setting new primary on replica zone1-0000000100',
      'planned_reparenter.go:688] setting new primary on replica zone1-0000000102',
      'planned_reparenter.go:723] populating reparent journal on new primary zone1-0000000101',
    ]);
    expect([primaryOf(cluster), typeOf(cluster, '100'), typeOf(cluster, '101'), typeOf(cluster, '102')]).toEqual(['zone1-101', 'REPLICA', 'PRIMARY', 'RDONLY']);
    expect(await cluster.ok("query 'select count(*) from customer'")).toContain('5');
    await cluster.ok("query \"insert into customer (email) values ('new primary')\"");
    await cluster.ok("query --target commerce@replica 'select * from customer'");
    expect((await cluster.run("query --target 'commerce:0@primary|zone1-100' 'select * from customer'")).exit).toBe(1);
  });

  it('chooses a replica of the cell by itself, and does nothing where the one to avoid is no primary', async () => {
    const cluster = testCluster();
    await cluster.ok('init two-cells');
    await cluster.ok('PlannedReparentShard commerce/0');
    expect(primaryOf(cluster)).toBe('zone1-101');
    const log = await cluster.ok('PlannedReparentShard commerce/0 --avoid-primary zone1-100');
    expect([primaryOf(cluster), log.split('\n').length - 1]).toEqual(['zone1-101', 1]);
    // The only other replica of the cell is the old primary; the ones of the other cell only when they are let.
    await cluster.ok('tablet set-type zone1-100 drained');
    const { stderr } = await cluster.run('PlannedReparentShard commerce/0');
    expect(stderr).toContain('cannot find a tablet to reparent to\nzone1-0000000100 is not a replica\n');
    expect(stderr).toContain('zone2-0000000103 is not in the same cell as the previous primary');
    await cluster.ok('PlannedReparentShard commerce/0 --allow-cross-cell-promotion');
    expect(primaryOf(cluster)).toBe('zone2-103');
    await cluster.ok("query \"insert into customer (email) values ('from another cell')\"");
  });

  it.each([
    ['--expected-primary zone1-101', 'primary zone1-0000000100 is not equal to expected alias zone1-0000000101'],
    ['--new-primary zone1-100 --avoid-primary zone1-100', 'primary-elect tablet zone1-0000000100 is the same as the tablet to avoid'],
    ['--new-primary zone1-999', 'cannot find a tablet to reparent to\nzone1-0000000100 does not match the new primary alias provided\n'],
  ])('%s is refused, and nothing changes', async (flags, text) => {
    const cluster = await commerce('v22');
    const { exit, stderr } = await cluster.run(`PlannedReparentShard commerce/0 ${flags}`);
    expect([exit, stderr.includes(text)], stderr).toEqual([1, true]);
    expect(primaryOf(cluster)).toBe('zone1-100');
    expect(cluster.host.store.tickets).toEqual([]);
  });

  it('needs every tablet to answer, and waits 15 seconds for it', async () => {
    const cluster = await commerce('v22');
    await cluster.ok('tablet stop zone1-102');
    const start = cluster.machine.clock.now();
    const { exit, stderr } = await cluster.run('PlannedReparentShard commerce/0');
    expect([exit, cluster.machine.clock.now() - start]).toEqual([1, 15_000]);
    expect(stderr).toContain('connect: connection refused');
    expect(primaryOf(cluster)).toBe('zone1-100');
  });

  it('goes on past a replica in a backup, which can be told later', async () => {
    const cluster = await commerce('v22');
    await cluster.ok('tablet set-type zone1-102 backup');
    const { exit, stderr } = await cluster.run('PlannedReparentShard commerce/0 --new-primary zone1-101');
    expect(exit).toBe(1);
    expect(stderr).toContain(
      'some replicas failed to reparent; retry PlannedReparentShard with the same new primary alias (zone1-0000000101) to retry failed replicas: tablet zone1-0000000102 failed to SetReplicationSource(zone1-0000000101)',
    );
    expect(primaryOf(cluster)).toBe('zone1-101');
    await cluster.ok("query \"insert into customer (email) values ('served')\"");
    await cluster.ok('tablet set-type zone1-102 rdonly');
    await cluster.ok('PlannedReparentShard commerce/0 --new-primary zone1-101');
  });

  it('waits for the lock of the shard, and not for that of the keyspace', async () => {
    const cluster = await movingCluster();
    const slow = cluster.run("MoveTables --workflow c2c --target-keyspace customer switchtraffic --fault 'switchTraffic/writes/waitForCatchup=sleep(5s)'");
    await cluster.machine.clock.sleep(1000);
    const start = cluster.machine.clock.now();
    await cluster.ok('PlannedReparentShard commerce/0');
    expect(cluster.machine.clock.now() - start).toBeLessThan(1000);
    expect((await slow).exit).toBe(0);
  });

  it('loses what was open on the old primary, and nothing that was acknowledged', async () => {
    const cluster = await commerce();
    await cluster.ok('query --session a begin');
    await cluster.ok("query --session a \"update customer set email = 'lost' where customer_id = 1\"");
    await cluster.ok("query \"update customer set email = 'kept' where customer_id = 2\"");
    await cluster.ok('PlannedReparentShard commerce/0');
    const commit = await cluster.run('query --session a commit');
    expect(commit.stderr).toContain('not found (potential transaction timeout)');
    const rows = await cluster.ok("query 'select email from customer where customer_id <= 2'");
    expect([rows.includes('lost'), rows.includes('kept')]).toEqual([false, true]);
  });

  it('gives what follows the id of another server; streams on both sides go on', async () => {
    const cluster = await movingCluster();
    const write = async (email: string): Promise<void> => void (await cluster.ok(`query "insert into customer (email) values ('${email}')"`));
    const position = (): string => cluster.host.shards.open('commerce', '0').positionText();
    const copied = (): number => cluster.host.shards.open('customer', '0').db.all('SELECT 1 FROM customer').length;
    const status = 'MoveTables --workflow c2c --target-keyspace customer status';
    await write('one');
    const first = position();
    expect(first).toMatch(/^MySQL56\/[\w-]+:1-\d+$/);
    await cluster.ok('PlannedReparentShard commerce/0');
    await write('two');
    // What the new server wrote: its row in the reparent journal, and ours.
    const [other] = position().slice('MySQL56/'.length).split(',').filter((server) => !first.includes(server));
    expect(other).toMatch(/^[\w-]+:1-2$/);
    expect(position()).toContain(first.slice('MySQL56/'.length));
    await cluster.ok(status);
    expect(copied()).toBe(7);
    await cluster.ok('PlannedReparentShard customer/0');
    await write('three');
    expect(await cluster.ok(status)).toContain('id=1 on customer/zone1-201: Status: Running');
    expect([copied(), readStreams(cluster.host.shards.open('customer', '0'))[0]?.pos]).toEqual([8, position()]);
    // Back to the first: its server goes on with its own numbers.
    await cluster.ok('PlannedReparentShard commerce/0 --new-primary zone1-100');
    await write('four');
    await cluster.ok(status);
    expect([position().split(',').length, copied()]).toEqual([2, 9]);
    await cluster.ok('MoveTables --workflow c2c --target-keyspace customer switchtraffic');
    await write('five');
    expect(copied()).toBe(10);
  });
});
