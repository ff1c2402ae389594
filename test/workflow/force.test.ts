import { describe, expect, it } from 'vitest';
import { fingerprint } from '../helpers/fingerprint.ts';
import { reshardingCluster, reshardLine } from '../helpers/reshard.ts';
import { shardedCluster } from '../helpers/sharded.ts';
import { movingCluster, switchLine, type TestCluster } from '../helpers/shell.ts';
import { denied, mirrored, ruleOf, saveMirrors } from './behaviours/see.ts';

const MT = 'MoveTables --workflow c2c --target-keyspace customer';
const DEAD = 'could not refresh all of the tablets involved in the operation';

async function refused(cluster: TestCluster, line: string): Promise<string> {
  const before = fingerprint(cluster.host);
  const { exit, stderr } = await cluster.run(line);
  expect(exit, stderr).toBe(1);
  expect(fingerprint(cluster.host)).toEqual(before);
  return stderr;
}

describe('--force on hardened', () => {
  it.each(['zone1-0000000101', 'zone1-0000000201'])('switches, and back, with the replica %s down (#16528)', async (replica) => {
    const cluster = await movingCluster();
    await cluster.ok(`tablet stop ${replica}`);
    expect(await refused(cluster, switchLine())).toContain(DEAD);
    const there = await cluster.run(switchLine('--force'));
    expect(there.exit, there.stderr).toBe(0);
    expect(there.stderr).toContain(`tablet ${replica} does not answer`);
    expect(ruleOf(cluster, 'customer')).toBe('customer.customer');
    expect(await refused(cluster, `${MT} reversetraffic`)).toContain(DEAD);
    const back = await cluster.run(`${MT} reversetraffic --force`);
    expect(back.exit, back.stderr).toBe(0);
    await cluster.ok(`query "insert into customer (email) values ('after@example.com')"`);
    // It reads its records when it starts, and nothing is left to do.
    await cluster.ok(`tablet start ${replica}`);
    await cluster.ok(switchLine());
    expect(await cluster.ok('show keyspace customer')).not.toContain('stranded');
  });

  it('passes over a replica in a backup, and not over a primary in one: it would go on taking writes', async () => {
    const cluster = await movingCluster();
    await cluster.ok('tablet set-type zone1-101 backup');
    await cluster.ok(switchLine('--force'));
    await cluster.ok(`${MT} reversetraffic --force`);
  });

  it('does not pass over the checks of lag and streams', async () => {
    const cluster = await movingCluster();
    await cluster.ok(`${MT} stop`);
    cluster.machine.clock.advance(60_000);
    expect(await refused(cluster, switchLine('--force'))).toContain('replication lag 60s is higher than allowed lag 30s');
  });

  it('goes back as it would without, when the switch fails', async () => {
    const cluster = await movingCluster();
    await cluster.ok('tablet stop zone1-0000000101');
    const before = fingerprint(cluster.host);
    const { exit, stderr } = await cluster.run(switchLine("--force --fault 'switchTraffic/writes/waitForCatchup=return'"));
    expect([exit, stderr.includes('rolled back; everything is as it was before the command')]).toEqual([1, true]);
    expect(fingerprint(cluster.host)).toEqual(before);
  });

  it('switches reads while the source cannot say whether it has a journal', async () => {
    const cluster = await movingCluster();
    await cluster.ok('tablet stop zone1-0000000100');
    const { exit, stderr } = await cluster.run(switchLine('--tablet-types replica,rdonly --force'));
    expect(exit, stderr).toBe(0);
    expect(stderr).toContain('failed to read journal in the commerce keyspace: ');
    expect(ruleOf(cluster, 'commerce.customer@replica', 'served')).toBe('customer.customer');
    // The writes stay where they are: nobody could stop them.
    const writes = await cluster.run(switchLine('--tablet-types primary --force'));
    expect(writes.exit).toBe(1);
    expect([denied(cluster, 'commerce'), ruleOf(cluster, 'customer')]).toEqual([[], 'commerce.customer']);
  });

  it('ends mirroring with a replica of the target down', async () => {
    const cluster = await movingCluster();
    saveMirrors(cluster);
    await cluster.ok('tablet stop zone1-0000000201');
    await cluster.ok(switchLine('--force'));
    expect(mirrored(cluster)).toEqual(['elsewhere']);
  });

  it('switches a Reshard', async () => {
    const cluster = await reshardingCluster('1 to 2', { rows: 6 });
    const replica = /zone1-\d+ customer -80 replica/.exec(await cluster.ok('GetTablets --keyspace customer'))![0].split(' ')[0]!;
    await cluster.ok(`tablet stop ${replica}`);
    expect(await refused(cluster, reshardLine('switchtraffic'))).toContain(DEAD);
    await cluster.ok(reshardLine('switchtraffic --force'));
    await cluster.ok(reshardLine('reversetraffic --force'));
  });
});

describe('--force on a release', () => {
  it.each(['21.0.6', '24.0.4'])('of %s changes nothing, and says why', async (version) => {
    const cluster = await movingCluster(version);
    await cluster.ok('tablet stop zone1-0000000101');
    const { exit, stderr } = await cluster.run(switchLine('--force'));
    expect(exit).toBe(1);
    expect(stderr).toContain(DEAD);
    expect(stderr).toContain(`warning: vtctldclient ${version} does not send --force: nothing is passed over\n`);
  });

  it('is no flag before v21', async () => {
    expect(await refused(await movingCluster('20.0.8'), switchLine('--force'))).toMatch(/^unknown flag: --force\n/);
  });
});

describe('--shards of a switch', () => {
  it.each(['switchtraffic', 'reversetraffic'])('%s: has to name every shard on hardened', async (verb) => {
    const cluster = await shardedCluster();
    if (verb === 'reversetraffic') await cluster.ok(`${MT} switchtraffic`);
    expect(await refused(cluster, `${MT} ${verb} --shards 80-`)).toContain(
      'workflow c2c cannot leave out shard -80 of customer: its rules are about tables, whatever their shard\nnext: leave --shards out; to go shard by shard, make a workflow for each: create --source-shards\n',
    );
    expect(await refused(cluster, `${MT} ${verb} --shards 0`)).toContain("shard 0 of customer is none of workflow c2c's, which are -80, 80-");
    await cluster.ok(`${MT} ${verb} --shards=-80,80-`);
  });

  it('is not sent by a release, and no flag of v18', async () => {
    const cluster = await shardedCluster({ version: '22.0.4' });
    const { exit, stderr } = await cluster.run(`${MT} switchtraffic --shards 80-`);
    expect([exit, stderr.includes('warning: vtctldclient 22.0.4 does not send --shards of MoveTables switchtraffic: every shard is meant\n')]).toEqual([0, true]);
    expect(ruleOf(cluster, 'customer')).toBe('customer.customer');
    expect(await refused(await movingCluster('18.0.8'), switchLine('--shards 0'))).toMatch(/^unknown flag: --shards\n/);
  });
});
