import { describe, expect, it } from 'vitest';
import { background } from '../../src/runtime/context.ts';
import { ETCD_NAMES } from '../../src/topo/conn/directory.ts';
import type { RoutingRules, Shard, ShardRoutingRules } from '../../src/topo/proto/types.ts';
import { readStreams } from '../../src/tablet/vreplication/streams.ts';
import { fingerprint } from '../helpers/fingerprint.ts';
import { createPartial, PARTIAL_ROWS, partialCluster, partialLine, twoByTwo } from '../helpers/partial.ts';
import type { TestCluster } from '../helpers/shell.ts';
import { PARTIAL, rowsOf } from '../helpers/subjects.ts';
import { CATCH_UP, record } from './behaviours/see.ts';

const RELEASES = ['18.0.8', '22.0.4', '24.0.0-SNAPSHOT'] as const;

const create = (rest: string): string => partialLine('p80d', `create --source-keyspace customer ${rest}`);

/** Shard routing rules as `from/shard > to`. */
async function shardRules(cluster: TestCluster): Promise<string[]> {
  const { rules = [] } = JSON.parse(await cluster.ok('GetShardRoutingRules --compact')) as ShardRoutingRules;
  return rules.map((rule) => `${rule.from_keyspace}/${rule.shard} > ${rule.to_keyspace}`);
}

/** Shards of a keyspace whose primary denies tables. */
const denied = (cluster: TestCluster, keyspace: string): string[] =>
  ['-80', '80-'].filter((shard) => record<Shard>(cluster, 'global', `keyspaces/${keyspace}/shards/${shard}/Shard`)?.tablet_controls?.some(({ denied_tables = [] }) => denied_tables.length > 0) === true);

async function tableRules(cluster: TestCluster): Promise<RoutingRules['rules']> {
  return (JSON.parse(await cluster.ok('GetRoutingRules --compact')) as RoutingRules).rules ?? [];
}

/** A line's error, without what follows it. */
async function errorOf(cluster: TestCluster, line: string): Promise<string> {
  const { exit, stderr } = await cluster.run(line);
  expect(exit, line).not.toBe(0);
  return stderr.split('\n')[0]!;
}

async function nextOf(cluster: TestCluster, line: string): Promise<string> {
  const { exit, stderr } = await cluster.run(line);
  expect(exit, line).not.toBe(0);
  return stderr.split('\n').find((text) => text.startsWith('next: ')) ?? '';
}

const ids = async (cluster: TestCluster, target: string): Promise<number[]> => (await rowsOf(cluster, target, 'select cid from customer order by cid')).map(([id]) => Number(id));

/** Both shards moved, each by its own workflow. */
async function moved(version = 'hardened'): Promise<TestCluster> {
  const cluster = await partialCluster(version);
  await cluster.ok(partialLine('p80d', 'switchtraffic'));
  await cluster.ok(createPartial('pd80'));
  await cluster.ok(partialLine('pd80', 'status'));
  await cluster.ok(partialLine('pd80', 'switchtraffic'));
  return cluster;
}

describe('create of single shards', () => {
  it.each(['hardened', ...RELEASES])('on %s makes a stream of the shard, and rules that change nothing', async (version) => {
    const cluster = await partialCluster(version);
    expect(await shardRules(cluster)).toEqual(['customer2/-80 > customer', 'customer2/80- > customer']);
    expect((await tableRules(cluster))?.every(({ to_tables }) => to_tables?.length === 1 && to_tables[0]!.startsWith('customer.'))).toBe(true);
    expect(readStreams(cluster.host.shards.open('customer2', '-80'))).toEqual([]);
    const [stream, ...more] = readStreams(cluster.host.shards.open('customer2', '80-'));
    expect(more).toEqual([]);
    // Vitess: VReplicationWorkflowSubType_Partial. Both sides have one range, so that nothing is left out.
    expect(stream).toMatchObject({ workflow: 'p80d', workflow_sub_type: 1, state: 'Running' });
    expect(stream!.source).toBe('keyspace:"customer" shard:"80-" filter:{rules:{match:"corder" filter:"select * from corder"} rules:{match:"customer" filter:"select * from customer"}}');
    expect(denied(cluster, 'customer2')).toEqual([]);
    expect(cluster.host.shards.open('customer2', '-80').tableNames()).toEqual([]);
    expect(await ids(cluster, 'customer2:80-')).toEqual(PARTIAL_ROWS.filter((id) => id % 2 === 1));
    // Before the switch a shard that is asked for by name serves as it did.
    expect(await ids(cluster, 'customer')).toEqual(PARTIAL_ROWS);
  });

  it.each([
    ['--source-shards 80- --all-tables --tenant-id 1', 'cannot specify both --tenant-id (i.e. a multi-tenant migration) and --source-shards (i.e. a shard-by-shard migration)'],
    ['--source-shards 80- --all-tables --shards 80-', '--shards specified, but not --tenant-id: you can only specify target shards for multi-tenant migrations'],
  ])('knows which flags exclude each other: %s', async (flags, text) => {
    for (const version of ['hardened', '24.0.0-SNAPSHOT']) expect(await errorOf(await twoByTwo(version), create(flags))).toBe(text);
  });

  it('refuses on hardened what could be made and would lose rows, and changes nothing', async () => {
    const cluster = await twoByTwo();
    await cluster.ok('tablet add zone1-900 --keyspace other --shard 80- --type primary');
    const before = fingerprint(cluster.host);
    const text = (flags: string): Promise<string> => errorOf(cluster, create(flags));
    expect(await text('--source-shards 40-80 --all-tables')).toBe("there is no shard '40-80' in keyspace customer; its shards are: -80, 80-");
    expect(await text('--source-shards -80,80- --all-tables')).toBe('--source-shards names every shard of customer: that is no partial move');
    expect(await text('--source-shards 80- --tables customer')).toBe(
      'a partial move switches all tables of a shard: corder of customer would be looked for in customer2, which does not get them',
    );
    expect(await errorOf(cluster, create('--source-shards -80,80- --all-tables').replace('customer2', 'other'))).toBe('shard -80 of customer has no counterpart in other');
    expect(fingerprint(cluster.host)).toEqual(before);
  });

  it('refuses on hardened keyspaces that share rows out differently; a release copies rows to where nobody looks for them', async () => {
    for (const version of ['hardened', '24.0.0-SNAPSHOT']) {
      const cluster = await twoByTwo(version);
      const vschema = { sharded: true, vindexes: { other: { type: 'hash' } }, tables: Object.fromEntries(['customer', 'corder'].map((table) => [table, { column_vindexes: [{ column: 'cid', name: 'other' }] }])) };
      cluster.host.store.put('global', 'keyspaces/customer2/VSchema', JSON.stringify(vschema));
      await cluster.ok('RebuildVSchemaGraph');
      if (version === 'hardened') {
        expect(await errorOf(cluster, createPartial('p80d'))).toBe(
          'rows of customer and customer2 are shared out differently: what is in one shard of the one is in several of the other',
        );
        continue;
      }
      await cluster.ok(createPartial('p80d'));
      await cluster.ok(partialLine('p80d', 'status'));
      await cluster.ok(partialLine('p80d', 'switchtraffic'));
      await cluster.ok('MoveTables --workflow p80d_reverse --target-keyspace customer cancel --keep-data');
      expect(await rowsOf(cluster, 'customer2:80-', 'select cid from customer where cid = 1')).toHaveLength(1);
      expect(await rowsOf(cluster, 'customer2', 'select cid from customer where cid = 1')).toEqual([]);
    }
  });

  it.each([
    ['18.0.8', 'no source shards specified for workflow p80d '],
    ['24.0.0-SNAPSHOT', 'no source shards specified for workflow p80d '],
  ])('passes over unknown shards on %s, until none is left', async (version, text) => {
    const cluster = await twoByTwo(version);
    expect(await errorOf(cluster, create('--source-shards 40-80 --all-tables'))).toBe(text);
    await cluster.ok(create('--source-shards 80-,c0- --all-tables'));
    expect(readStreams(cluster.host.shards.open('customer2', '80-'))).toHaveLength(1);
  });

  it('that fails late leaves nothing on hardened; on a release the stream stays', async () => {
    for (const version of ['hardened', '24.0.0-SNAPSHOT']) {
      const cluster = await twoByTwo(version);
      const before = fingerprint(cluster.host);
      const other = cluster.host.openTopology(cluster.machine.world(), { names: ETCD_NAMES, renewed: true, reapDead: true }, false);
      const lock = await other.lock(background(), { dir: 'internal/named_locks/customer2/p80d', contents: '{}', ttlMs: 60_000, mustExist: false });
      const { exit, stderr } = await cluster.run(`--lock-timeout 1s ${createPartial('p80d')}`);
      await lock.unlock(background());
      expect(exit).toBe(1);
      expect(stderr).toContain('failed to lock the customer2/p80d workflow');
      if (version === 'hardened') expect(fingerprint(cluster.host)).toEqual(before);
      else expect(readStreams(cluster.host.shards.open('customer2', '80-'))).toHaveLength(1);
    }
  });

  it('a second one that fails leaves the first one its rules', async () => {
    const cluster = await partialCluster();
    const before = fingerprint(cluster.host);
    const other = cluster.host.openTopology(cluster.machine.world(), { names: ETCD_NAMES, renewed: true, reapDead: true }, false);
    const lock = await other.lock(background(), { dir: 'internal/named_locks/customer2/pd80', contents: '{}', ttlMs: 60_000, mustExist: false });
    expect((await cluster.run(`--lock-timeout 1s ${createPartial('pd80')}`)).exit).toBe(1);
    await lock.unlock(background());
    expect(fingerprint(cluster.host)).toEqual(before);
  });
});

describe('a switch of single shards', () => {
  it.each(['hardened', ...RELEASES])('on %s goes shard by shard, and back', async (version) => {
    const cluster = await partialCluster(version);
    const partly = 'Reads partially switched, for shards: 80-. Writes partially switched, for shards: 80-';
    expect(await cluster.ok(partialLine('p80d', 'switchtraffic'))).toContain(`Start State: Reads Not Switched. Writes Not Switched\nCurrent State: ${partly}\n`);
    expect(await shardRules(cluster)).toEqual(['customer/80- > customer2', 'customer2/-80 > customer']);
    expect(denied(cluster, 'customer')).toEqual(['80-']);
    await PARTIAL.write(cluster);
    await PARTIAL.whole(cluster, true);
    // The reverse stream brings what is written there back.
    await cluster.ok('MoveTables --workflow p80d_reverse --target-keyspace customer status');
    expect(cluster.host.shards.open('customer', '80-').db.all('SELECT cid FROM customer WHERE cid > 5')).toEqual([{ cid: 7 }]);

    await cluster.ok(createPartial('pd80'));
    await cluster.ok(partialLine('pd80', 'status'));
    expect(await cluster.ok(partialLine('pd80', 'switchtraffic'))).toContain(`Start State: ${partly}\nCurrent State: All Reads Switched. All Writes Switched\n`);
    expect(await shardRules(cluster)).toEqual(['customer/-80 > customer2', 'customer/80- > customer2']);
    await PARTIAL.whole(cluster, true);
    for (const [workflow, state] of [
      ['p80d', 'Reads partially switched, for shards: -80. Writes partially switched, for shards: -80'],
      ['pd80', 'Reads Not Switched. Writes Not Switched'],
    ] as const) {
      expect(await cluster.ok(partialLine(workflow, 'reversetraffic'))).toContain(`Current State: ${state}\n`);
      await PARTIAL.whole(cluster, true);
    }
    expect(await shardRules(cluster)).toEqual(['customer2/-80 > customer', 'customer2/80- > customer']);
    expect(denied(cluster, 'customer')).toEqual([]);
  });

  it('a query for a shard goes where its rule leads', async () => {
    const cluster = await partialCluster('24.0.0-SNAPSHOT');
    const asked = async (target: string): Promise<string> => /target: (\S+?): /.exec((await cluster.run(`query --target ${target} "select nowhere from customer where cid = 1"`)).stderr)![1]!;
    expect(await asked('customer2:80-')).toBe('customer.80-.primary');
    expect(await asked('customer:80-')).toBe('customer.80-.primary');
    await cluster.ok(partialLine('p80d', 'switchtraffic'));
    for (const target of ['customer', 'customer2', 'customer:80-', 'customer2:80-', 'customer2:80-@primary']) expect(await asked(target), target).toBe('customer2.80-.primary');
    expect(await asked('customer:80-@replica')).toBe('customer2.80-.replica');
    expect(await asked('customer2:-80')).toBe('customer.-80.primary');
  });

  it('a gate that is not told to follow shard rules meets the denied tables', async () => {
    const cluster = await partialCluster();
    await cluster.ok(partialLine('p80d', 'switchtraffic'));
    const { exit, stderr } = await cluster.run('query --enable-partial-keyspace-migration=false "insert into customer (cid, name) values (9, \'x\')"');
    expect(exit).toBe(1);
    expect(stderr).toContain('disallowed due to rule: enforce denied tables');
    await cluster.ok('query "insert into customer (cid, name) values (9, \'x\')"');
  });

  it('of reads alone is refused on hardened; a release says that it was made', async () => {
    const reads = partialLine('p80d', 'switchtraffic --tablet-types replica,rdonly');
    const cluster = await partialCluster();
    const before = fingerprint(cluster.host);
    expect(await errorOf(cluster, reads)).toBe('reads of single shards cannot be switched alone: their rules are about reads and writes alike');
    expect(fingerprint(cluster.host)).toEqual(before);
    const release = await partialCluster('24.0.0-SNAPSHOT');
    const rules = await shardRules(release);
    expect(await release.ok(reads)).toContain('Start State: Reads Not Switched. Writes Not Switched\nCurrent State: Reads Not Switched. Writes Not Switched\n');
    expect(await shardRules(release)).toEqual(rules);
  });

  it('made a second time changes nothing: hardened says so, a release meets a frozen workflow', async () => {
    const cluster = await partialCluster();
    await cluster.ok(partialLine('p80d', 'switchtraffic'));
    await cluster.ok(partialLine('p80d', 'status'));
    const before = fingerprint(cluster.host);
    const again = await cluster.run(partialLine('p80d', 'switchtraffic'));
    expect(again.exit).toBe(0);
    expect(again.stderr).toBe('warning: traffic of shard 80- has been switched already; nothing was done\n');
    expect(fingerprint(cluster.host)).toEqual(before);
    await cluster.ok(partialLine('p80d', 'reversetraffic'));
    expect((await cluster.run(partialLine('p80d', 'reversetraffic'))).stderr).toBe('warning: traffic of p80d has been reversed already; nothing was done\n');

    const release = await partialCluster('24.0.0-SNAPSHOT');
    await release.ok(partialLine('p80d', 'switchtraffic'));
    const { stderr } = await release.run(partialLine('p80d', 'switchtraffic'));
    expect(stderr).toContain('cannot switch traffic for workflow p80d at this time: workflow is frozen');
    expect(stderr).toContain('next: nothing: traffic of shard 80- goes to customer2 already');
    expect(stderr).not.toContain('on other releases');
  });

  it('that is rolled back leaves denied tables on the target of a release (K16), and nothing on hardened', async () => {
    const failed = partialLine('p80d', `switchtraffic --fault '${CATCH_UP}=return'`);
    const release = await partialCluster('24.0.0-SNAPSHOT');
    expect((await release.run(failed)).exit).toBe(1);
    expect(denied(release, 'customer2')).toEqual(['80-']);
    const cluster = await partialCluster();
    const before = fingerprint(cluster.host);
    expect((await cluster.run(failed)).exit).toBe(1);
    expect(fingerprint(cluster.host)).toEqual(before);
  });
});

describe('the end of single shards', () => {
  it('complete goes shard by shard on hardened, in either order; the last takes the rules along', async () => {
    for (const order of [['p80d', 'pd80'], ['pd80', 'p80d']] as const) {
      const cluster = await moved();
      await PARTIAL.write(cluster);
      const dryRun = await cluster.ok(partialLine(order[0], 'complete --dry-run'));
      expect(dryRun).not.toContain('outing rules');
      await cluster.ok(partialLine(order[0], 'complete'));
      const [first, second] = order[0] === 'p80d' ? ['80-', '-80'] : ['-80', '80-'];
      expect(cluster.host.shards.open('customer', first!).tableNames()).toEqual([]);
      expect(cluster.host.shards.open('customer', second!).tableNames()).toEqual(['corder', 'customer']);
      await PARTIAL.whole(cluster, true);
      expect(await shardRules(cluster)).toHaveLength(2);

      expect(await cluster.ok(partialLine(order[1], 'complete --dry-run'))).toContain(
        'Routing rules for participating tables will be deleted\nShard routing rules for participating shards will be deleted\n',
      );
      await cluster.ok(partialLine(order[1], 'complete'));
      expect(await shardRules(cluster)).toEqual([]);
      expect(await tableRules(cluster)).toEqual([]);
      expect(denied(cluster, 'customer')).toEqual([]);
      expect(JSON.parse(await cluster.ok('Workflow --keyspace customer list'))).toEqual([]);
      expect(JSON.parse(await cluster.ok('Workflow --keyspace customer2 list'))).toEqual([]);
      expect(await ids(cluster, 'customer2')).toEqual([...PARTIAL_ROWS, 7, 8]);
      expect(await ids(cluster, '')).toEqual([...PARTIAL_ROWS, 7, 8]);
    }
  });

  it('complete of the first shard is possible before the second is created', async () => {
    const cluster = await partialCluster();
    await cluster.ok(partialLine('p80d', 'switchtraffic'));
    await cluster.ok(partialLine('p80d', 'complete'));
    await PARTIAL.write(cluster);
    await PARTIAL.whole(cluster, true);
    // The tables of the shard that is left are found in it.
    await cluster.ok(createPartial('pd80'));
    await cluster.ok(partialLine('pd80', 'status'));
    await cluster.ok(partialLine('pd80', 'switchtraffic'));
    await PARTIAL.whole(cluster, true);
    await cluster.ok(partialLine('pd80', 'complete'));
    expect(await shardRules(cluster)).toEqual([]);
    expect(await ids(cluster, '')).toEqual([...PARTIAL_ROWS, 7, 8]);
  });

  it('complete keeps the data if it is told so', async () => {
    const cluster = await moved();
    await cluster.ok(partialLine('p80d', 'complete --keep-data'));
    await cluster.ok(partialLine('pd80', 'complete --keep-data'));
    expect(denied(cluster, 'customer')).toEqual([]);
    expect(await ids(cluster, 'customer')).toEqual(PARTIAL_ROWS);
    expect(await shardRules(cluster)).toEqual([]);
  });

  it('complete needs the switch of its own shard', async () => {
    const cluster = await partialCluster();
    expect(await errorOf(cluster, partialLine('p80d', 'complete'))).toBe('cannot complete workflow because you have not yet switched all read and write traffic');
    await cluster.ok(createPartial('pd80'));
    await cluster.ok(partialLine('p80d', 'switchtraffic'));
    expect(await errorOf(cluster, partialLine('pd80', 'complete'))).toBe('cannot complete workflow because you have not yet switched all read and write traffic');
  });

  it.each(RELEASES)('complete is impossible on %s', async (version) => {
    const cluster = await moved(version);
    expect(await errorOf(cluster, partialLine('p80d', 'complete'))).toBe('cannot complete workflow because you have not yet switched all read and write traffic');
  });

  it('cancel takes everything away again, also while another shard is on its way', async () => {
    const empty = await twoByTwo();
    const before = fingerprint(empty.host);
    const cluster = await partialCluster();
    const one = fingerprint(cluster.host);
    await cluster.ok(createPartial('pd80'));
    await cluster.ok(partialLine('pd80', 'status'));
    expect(await cluster.ok(partialLine('pd80', 'cancel'))).toBe('Successfully cancelled the pd80 workflow in the customer2 keyspace\n\n');
    expect(fingerprint(cluster.host)).toEqual(one);
    await cluster.ok(partialLine('p80d', 'cancel'));
    expect(fingerprint(cluster.host)).toEqual(before);
  });

  it('cancel of a switched shard is refused on hardened, and drops what serves on a release (K30)', async () => {
    const cluster = await partialCluster();
    await cluster.ok(partialLine('p80d', 'switchtraffic'));
    await cluster.ok(partialLine('p80d', 'status'));
    const before = fingerprint(cluster.host);
    expect(await errorOf(cluster, partialLine('p80d', 'cancel'))).toBe('cancelling p80d would drop corder, customer of shard 80- in customer2, which serves them');
    expect(await nextOf(cluster, partialLine('p80d', 'cancel'))).toContain('MoveTables --workflow p80d --target-keyspace customer2 complete');
    const reverse = 'MoveTables --workflow p80d_reverse --target-keyspace customer cancel';
    expect(await errorOf(cluster, `${reverse} --keep-data`)).toBe('cancelling p80d_reverse would delete the rules that lead traffic of shard 80- to customer2');
    expect(fingerprint(cluster.host)).toEqual(before);

    const release = await partialCluster('24.0.0-SNAPSHOT');
    await release.ok(partialLine('p80d', 'switchtraffic'));
    await release.ok(partialLine('p80d', 'cancel'));
    expect(release.host.shards.open('customer2', '80-').tableNames()).toEqual([]);
    expect((await release.run('query "select * from customer where cid = 1"')).exit).toBe(1);
  });

  it.each(['22.0.4', '24.0.0-SNAPSHOT'])('the cancel of both reverse workflows takes the rules along on %s', async (version) => {
    const cluster = await moved(version);
    for (const workflow of ['p80d', 'pd80']) await cluster.ok(`MoveTables --workflow ${workflow}_reverse --target-keyspace customer cancel --keep-data`);
    expect(await cluster.ok('GetRoutingRules --compact')).toBe('{}\n');
    expect(await shardRules(cluster)).toEqual([]);
  });
});

describe('what show says of single shards', () => {
  it('tells where each shard is served', async () => {
    const cluster = await partialCluster();
    await cluster.ok(partialLine('p80d', 'switchtraffic'));
    await cluster.ok(partialLine('p80d', 'status'));
    expect(await cluster.ok('show keyspace customer')).toMatchInlineSnapshot(`
      "customer  serves its tables; shard 80- of corder, customer is served by customer2
        shards
          customer/-80  serving  primary zone1-0000000100, replica zone1-0000000101
          customer/80-  serving  primary zone1-0000000200, replica zone1-0000000201
            denied to primary: corder, customer
        tables
          TABLE             WRITES                     REPLICA READS              RDONLY READS
          corder, customer  customer (80-: customer2)  customer (80-: customer2)  customer (80-: customer2)
        locks
          none is held
        workflows
          customer.p80d_reverse  MoveTables of single shards  customer2/80- -> customer/80-  corder, customer
            Vitess prints    Reads partially switched, for shards: 80-. Writes partially switched, for shards: 80-
            the records say  writes of corder, customer served by customer2/80-, source open, target
                             denied; streams Running; reverse workflow Stopped (FROZEN); no journal; not
                             frozen
          customer2.p80d  MoveTables of single shards  customer/80- -> customer2/80-  corder, customer
            Vitess prints    Reads partially switched, for shards: 80-. Writes partially switched, for shards: 80-
            the records say  writes of corder, customer served by customer2/80-, source denied, target
                             open; streams Stopped (FROZEN); reverse workflow Running; journal written;
                             frozen
      "
    `);
    expect(await cluster.ok('show keyspace customer2')).toMatchInlineSnapshot(`
      "customer2  serves shard 80- of corder, customer; the other shards are served by customer
        shards
          customer2/-80  serving  primary zone1-0000000300, replica zone1-0000000301
          customer2/80-  serving  primary zone1-0000000400, replica zone1-0000000401
        tables
          TABLE             WRITES                     REPLICA READS              RDONLY READS
          corder, customer  customer (80-: customer2)  customer (80-: customer2)  customer (80-: customer2)
        locks
          none is held
        workflows
          customer.p80d_reverse  MoveTables of single shards  customer2/80- -> customer/80-  corder, customer
            Vitess prints    Reads partially switched, for shards: 80-. Writes partially switched, for shards: 80-
            the records say  writes of corder, customer served by customer2/80-, source open, target
                             denied; streams Running; reverse workflow Stopped (FROZEN); no journal; not
                             frozen
          customer2.p80d  MoveTables of single shards  customer/80- -> customer2/80-  corder, customer
            Vitess prints    Reads partially switched, for shards: 80-. Writes partially switched, for shards: 80-
            the records say  writes of corder, customer served by customer2/80-, source denied, target
                             open; streams Stopped (FROZEN); reverse workflow Running; journal written;
                             frozen
      "
    `);
    expect(await cluster.ok('show routing')).toMatchInlineSnapshot(`
      "A QUERY FOR         PRIMARY            REPLICA            RDONLY
      corder              customer.corder    customer.corder    customer.corder
      customer.corder     customer.corder    customer.corder    customer.corder
      customer2.corder    customer.corder    customer.corder    customer.corder
      customer            customer.customer  customer.customer  customer.customer
      customer.customer   customer.customer  customer.customer  customer.customer
      customer2.customer  customer.customer  customer.customer  customer.customer

      OF IT, WHAT IS FOR  ALL TYPES
      customer/80-        customer2/80-
      customer2/-80       customer/-80
      the copies of zone1 say the same
      "
    `);
    expect(await cluster.ok('show workflow')).toMatchInlineSnapshot(`
      "customer.p80d_reverse  MoveTables of single shards  customer2/80- -> customer/80-  corder, customer
        Vitess prints    Reads partially switched, for shards: 80-. Writes partially switched, for shards: 80-
        the records say  writes of corder, customer served by customer2/80-, source open, target denied;
                         streams Running; reverse workflow Stopped (FROZEN); no journal; not frozen
        streams
          ID  FROM           TO            STATE    LAG  COPIED
           1  customer2/80-  customer/80-  Running   0s       0
          stream 1 is at MySQL56/cb3275d9-4092-4643-a2bb-caae0d053a1d:1-2
        reverse  customer2.p80d Stopped
        journal  none
        frozen   no

      customer2.p80d  MoveTables of single shards  customer/80- -> customer2/80-  corder, customer
        Vitess prints    Reads partially switched, for shards: 80-. Writes partially switched, for shards: 80-
        the records say  writes of corder, customer served by customer2/80-, source denied, target open;
                         streams Stopped (FROZEN); reverse workflow Running; journal written; frozen
        streams
          ID  FROM          TO             STATE    LAG  COPIED
           1  customer/80-  customer2/80-  Stopped   0s       6
          stream 1 is at MySQL56/5e0a2350-0e5f-4482-9c83-650641fa542e:1-9
          stream 1 message: FROZEN
        reverse  customer.p80d_reverse Running
        journal  3273948063082106489 on customer/80-
        frozen   yes
      "
    `);
  });
});

describe('a release that strands a shard', () => {
  it('says so, and its commands bring it back', async () => {
    const cluster = await partialCluster('20.0.4');
    const { stderr } = await cluster.run(partialLine('p80d', `switchtraffic --fault '${CATCH_UP}=ctx(cancel)'`));
    const commands = [...stderr.matchAll(/^ {2}switchtraffic (.*)$/gm)].map(([, command]) => command!);
    expect(stderr).toContain('STRANDED: nobody serves writes to corder, customer');
    expect(commands.length).toBeGreaterThan(2);
    for (const command of commands) await cluster.ok(command);
    expect(denied(cluster, 'customer')).toEqual([]);
    expect(denied(cluster, 'customer2')).toEqual([]);
    await PARTIAL.write(cluster);
    await cluster.ok(partialLine('p80d', 'switchtraffic'));
    await PARTIAL.whole(cluster, true);
  });
});
