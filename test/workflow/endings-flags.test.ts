import { describe, expect, it } from 'vitest';
import { createTable } from '../../src/tablet/create-table.ts';
import { background } from '../../src/runtime/context.ts';
import { ETCD_NAMES } from '../../src/topo/conn/directory.ts';
import { fingerprint } from '../helpers/fingerprint.ts';
import { reshardingCluster, reshardLine } from '../helpers/reshard.ts';
import { shardedCluster } from '../helpers/sharded.ts';
import { movingCluster, switchLine, type TestCluster } from '../helpers/shell.ts';
import { denied, mirrored, ruleOf, saveMirrors, streams } from './behaviours/see.ts';

const MT = 'MoveTables --workflow c2c --target-keyspace customer';

async function switched(version = 'hardened'): Promise<TestCluster> {
  const cluster = await movingCluster(version);
  await cluster.ok(switchLine());
  return cluster;
}

async function refused(cluster: TestCluster, line: string): Promise<string> {
  const before = fingerprint(cluster.host);
  const { exit, stderr } = await cluster.run(line);
  expect(exit, stderr).toBe(1);
  expect(fingerprint(cluster.host)).toEqual(before);
  return stderr;
}

const tables = ({ host }: TestCluster, keyspace: string, shard = '0'): string[] => host.shards.open(keyspace, shard).tableNames();
const vschemaTables = async (cluster: TestCluster, keyspace: string): Promise<string[]> =>
  Object.keys((JSON.parse(await cluster.ok(`GetVSchema ${keyspace}`)) as { tables?: object }).tables ?? {});

describe('complete', () => {
  it('drops the source tables, takes them out of the VSchema, and the target serves', async () => {
    const cluster = await switched();
    await cluster.ok(`${MT} complete`);
    expect(tables(cluster, 'commerce')).toEqual(['product']);
    expect([await vschemaTables(cluster, 'commerce'), await vschemaTables(cluster, 'customer')]).toEqual([['product'], ['corder', 'customer']]);
    expect(await cluster.ok('query --format json "select count(*) from corder"')).toContain('5');
  });

  it.each([
    ['hardened', []],
    ['24.0.4', ['corder', 'customer']],
  ])('--keep-data on %s leaves tables and VSchema; denied tables: %j', async (version, left) => {
    const cluster = await switched(version);
    await cluster.ok(`${MT} complete --keep-data`);
    expect(tables(cluster, 'commerce')).toEqual(['corder', 'customer', 'product']);
    expect(await vschemaTables(cluster, 'commerce')).toContain('customer');
    expect([denied(cluster, 'commerce'), streams(cluster, 'c2c'), streams(cluster, 'c2c_reverse', 'commerce')]).toEqual([left, [], []]);
  });

  it('--keep-routing-rules leaves the rules, which lead to the target', async () => {
    const cluster = await switched();
    await cluster.ok(`${MT} complete --keep-routing-rules`);
    expect([ruleOf(cluster, 'customer'), ruleOf(cluster, 'commerce.customer@replica', 'served')]).toEqual(['customer.customer', 'customer.customer']);
    expect(tables(cluster, 'commerce')).toEqual(['product']);
  });

  it('--rename-tables keeps the tables under other names, and their rows', async () => {
    const cluster = await switched();
    await cluster.ok(`${MT} complete --rename-tables`);
    expect(tables(cluster, 'commerce')).toEqual(['_corder_old', '_customer_old', 'product']);
    expect(await cluster.ok('query --format json --target commerce:0 "select count(*) from _corder_old"')).toContain('5');
  });

  it('--rename-tables meets a name that is taken', async () => {
    const taken = async (version: string): Promise<TestCluster> => {
      const cluster = await switched(version);
      const db = cluster.host.shards.open('commerce', '0');
      createTable(db, { ...db.table('product'), name: '_customer_old' });
      return cluster;
    };
    expect(await refused(await taken('hardened'), `${MT} complete --rename-tables`)).toContain(
      'commerce/0 has a table _customer_old already: customer cannot be kept under that name',
    );
    const release = await taken('24.0.4');
    const { stderr } = await release.run(`${MT} complete --rename-tables`);
    expect(stderr).toContain("Table '_customer_old' already exists (errno 1050) (sqlstate 42S01)");
    expect(tables(release, 'commerce')).toEqual(['_corder_old', '_customer_old', 'customer', 'product']);
    const before = await taken('hardened');
    await before.ok(`${MT} complete`);
    expect(tables(before, 'commerce')).toEqual(['_customer_old', 'product']);
  });

  it('takes mirror rules along that somebody has left', async () => {
    const cluster = await switched();
    saveMirrors(cluster);
    expect(await cluster.ok(`${MT} complete --dry-run`)).toContain('Mirroring 0.00 percent of traffic from keyspace commerce to keyspace customer for tablet types [PRIMARY,REPLICA,RDONLY]');
    await cluster.ok(`${MT} complete`);
    expect(mirrored(cluster)).toEqual(['elsewhere']);
  });

  it('--shards has to name them all; no vtctldclient sends it', async () => {
    const cluster = await shardedCluster();
    await cluster.ok(`${MT} switchtraffic`);
    expect(await refused(cluster, `${MT} complete --shards=-80`)).toContain(
      'workflow c2c cannot leave out shard 80- of customer: its rules are about tables, whatever their shard\nnext: leave --shards out; to go shard by shard, make a workflow for each: create --source-shards',
    );
    expect(await refused(cluster, `${MT} complete --shards=0`)).toContain("shard 0 of customer is none of workflow c2c's, which are -80, 80-");
    await cluster.ok(`${MT} complete --shards=80-,-80`);

    const release = await switched('22.0.4');
    expect((await release.run(`${MT} complete --shards=nope`)).stderr).toContain('warning: vtctldclient 22.0.4 does not send --shards of MoveTables complete: every shard is meant');
    expect(streams(release, 'c2c')).toEqual([]);
    expect(await refused(await switched('18.0.8'), `${MT} complete --shards=0`)).toMatch(/^unknown flag: --shards\n/);
  });

  it('a dry run changes nothing on hardened, and tells tablets in the order of their numbers', async () => {
    const cluster = await shardedCluster();
    await cluster.ok('tablet add zone1-150 --keyspace customer --shard -80 --type replica');
    await cluster.ok(`${MT} switchtraffic`);
    const before = fingerprint(cluster.host);
    const text = await cluster.ok(`${MT} complete --dry-run`);
    expect(text).toContain('will be removed from: [keyspace:customer;shard:-80;tablet:200,keyspace:customer;shard:80-;tablet:300]');
    expect(fingerprint(cluster.host)).toEqual(before);
  });

  it('stands back from a name that is locked: before it looks at the traffic since v22, after it on v21', async () => {
    const locked = async (version: string): Promise<string> => {
      const cluster = await movingCluster(version);
      await holdName(cluster);
      return (await cluster.run(`${MT} complete --dry-run --lock-timeout 1s`)).stderr;
    };
    expect(await locked('22.0.4')).toContain('failed to lock the customer/c2c workflow: ');
    expect(await locked('hardened')).toContain('failed to lock the customer/c2c workflow: ');
    for (const version of ['18.0.8', '21.0.6']) expect(await locked(version)).toContain('cannot complete workflow because you have not yet switched all read and write traffic');
  });
});

/** Somebody else holds the lock on the workflow's name. */
async function holdName({ host, machine }: TestCluster): Promise<void> {
  const other = host.openTopology(machine.world(), { names: ETCD_NAMES, renewed: true, reapDead: true }, false);
  await other.lock(background(), { dir: 'internal/named_locks/customer/c2c', contents: '{}', ttlMs: 60_000, mustExist: false });
}

describe.each(['complete', 'cancel'] as const)('%s with a replica down', (verb) => {
  it.each(['101', '201'])('goes on without zone1-%s on hardened; a release fails, and goes on when it is back', async (uid) => {
    const down = async (version: string): Promise<TestCluster> => {
      const cluster = verb === 'complete' ? await switched(version) : await movingCluster(version);
      saveMirrors(cluster);
      await cluster.ok(`tablet stop zone1-${uid}`);
      return cluster;
    };
    const cluster = await down('hardened');
    const { exit, stderr } = await cluster.run(`${MT} ${verb}`);
    expect([exit, stderr.includes(`tablet zone1-0000000${uid} does not answer`)]).toEqual([0, true]);
    expect([denied(cluster, 'commerce'), denied(cluster, 'customer'), streams(cluster, 'c2c')]).toEqual([[], [], []]);
    const release = await down('24.0.4');
    const failed = await release.run(`${MT} ${verb}`);
    expect([failed.exit, failed.stderr.includes('failed to successfully refresh all tablets'), failed.stderr.includes('run it again, which does the rest')]).toEqual([1, true, true]);
    await release.ok(`tablet start zone1-${uid}`);
    await release.ok(`${MT} ${verb}`);
  });
});

describe('cancel', () => {
  it('--keep-data frees the tables on hardened, so that they can be read', async () => {
    const cluster = await movingCluster();
    await cluster.ok(`${MT} cancel --keep-data`);
    expect([tables(cluster, 'customer'), denied(cluster, 'customer')]).toEqual([['corder', 'customer'], []]);
    const release = await movingCluster('24.0.4');
    await release.ok(`${MT} cancel --keep-data`);
    expect(denied(release, 'customer')).toEqual(['corder', 'customer']);
  });

  it.each(['', '--keep-data', '--keep-routing-rules'])('%s leads reads back to the source before anything else', async (flags) => {
    const cluster = await movingCluster();
    await cluster.ok(switchLine('--tablet-types replica,rdonly'));
    const read = 'query --format json --target @replica "select count(*) from corder"';
    expect((await cluster.run(`${MT} cancel ${flags} --fault 'cancel/stopStreams:after=return'`)).exit).toBe(1);
    await cluster.ok("query --target commerce:0 'delete from corder where order_id = 1'");
    expect(await cluster.ok(read)).toContain('4');
    await cluster.ok(`${MT} cancel ${flags}`);
    expect(await cluster.ok(read.replace('corder', 'commerce.corder'))).toContain('4');
    if (flags === '--keep-routing-rules') expect(ruleOf(cluster, 'corder@replica')).toBe('commerce.corder');
  });

  it('of a frozen workflow needs --keep-data, whatever the rules say', async () => {
    const cluster = await switched();
    await cluster.ok("ApplyRoutingRules --rules '{}'");
    expect(await refused(cluster, `${MT} cancel`)).toContain('c2c is frozen: its writes were switched, and cancelling it would drop corder, customer in customer');
    await cluster.ok(`${MT} cancel --keep-data`);
    expect(tables(cluster, 'customer')).toEqual(['corder', 'customer']);
    const release = await switched('24.0.4');
    await release.ok("ApplyRoutingRules --rules '{}'");
    await release.ok(`${MT} cancel`);
    expect(tables(release, 'customer')).toEqual([]);
  });

  it('of a reverse workflow needs --keep-data (K31)', async () => {
    const cluster = await switched();
    await cluster.ok(`${MT} reversetraffic`);
    const reverse = 'Workflow --keyspace commerce delete --workflow c2c_reverse';
    expect(await refused(cluster, reverse)).toContain('cancelling c2c_reverse would drop corder, customer in commerce, which serves them');
    const release = await switched('24.0.4');
    await release.ok(`${MT} reversetraffic`);
    await release.ok(reverse);
    expect(tables(release, 'commerce')).toEqual(['product']);
  });

  it('of a Reshard whose reads are switched is refused, on a release nobody serves them any more', async () => {
    const cluster = await reshardingCluster('1 to 2', { rows: 6 });
    await cluster.ok(reshardLine('switchtraffic --tablet-types replica'));
    const words = await refused(cluster, reshardLine('cancel'));
    expect(words).toContain('cancelling cust2cust would empty shards that serve replica reads of customer');
    const next = /next: lead them back first: switchtraffic (.*)\n/.exec(words)?.[1];
    await cluster.ok(next!);
    await cluster.ok(reshardLine('cancel'));
    const release = await reshardingCluster('1 to 2', { rows: 6, version: '24.0.4' });
    await release.ok(reshardLine('switchtraffic --tablet-types replica'));
    await release.ok(reshardLine('cancel'));
    expect((await release.run('query --target customer@replica "select count(*) from customer"')).exit).toBe(1);
  });

  it('--shards: a release leaves streams behind, hardened wants them all', async () => {
    const cluster = await shardedCluster();
    expect(await refused(cluster, `${MT} cancel --shards=-80`)).toContain('workflow c2c cannot leave out shard 80- of customer');
    await cluster.ok(`${MT} cancel --shards=-80,80-`);
    const release = await shardedCluster({ version: '24.0.4' });
    const answer = JSON.parse(await release.ok('Workflow --keyspace customer delete --workflow c2c --shards=-80')) as { details: object[] };
    expect(answer.details).toEqual([{ tablet: { cell: 'zone1', uid: 200 }, deleted: true }]);
    expect(streams(release, 'c2c', 'customer', '80-')).toHaveLength(1);
    expect(await refused(await movingCluster('18.0.8'), `${MT} cancel --shards=0`)).toMatch(/^unknown flag: --shards\n/);
  });

  it('names every primary of the keyspace, by tablet, and whether it had streams', async () => {
    const cluster = await reshardingCluster('1 to 2', { rows: 6 });
    const { details } = JSON.parse(await cluster.ok('Workflow --keyspace customer delete --workflow cust2cust')) as { details: { tablet: { uid: number }; deleted: boolean }[] };
    expect(details.map(({ deleted }) => deleted).toSorted()).toEqual([false, true, true]);
    expect(details.map(({ tablet }) => tablet.uid)).toEqual(details.map(({ tablet }) => tablet.uid).toSorted((a, b) => a - b));
  });

  it('says what failed: the lock, in the words of the release, and the shard whose streams do not stop', async () => {
    const locked = async (version: string): Promise<string> => {
      const cluster = await movingCluster(version);
      await holdName(cluster);
      return (await cluster.run(`${MT} cancel --lock-timeout 1s`)).stderr;
    };
    for (const version of ['21.0.6', '22.0.4', 'hardened']) expect(await locked(version)).toContain('failed to lock the customer/c2c workflow: ');
    expect(await locked('20.0.8')).toBe('');
    const cluster = await movingCluster();
    const { stderr } = await cluster.run(`${MT} cancel --fault 'cancel/stopStreams:before@customer/0=return(UNAVAILABLE,"gone")'`);
    expect(stderr).toContain('failed to stop workflow c2c on shard customer/0: ');
  });
});
