import { describe, expect, it } from 'vitest';
import { fingerprint } from '../../helpers/fingerprint.ts';
import { createPartial, partialCluster, partialLine } from '../../helpers/partial.ts';
import { deniedShards, errorOf, shardRules } from '../../helpers/parts.ts';
import { PARTIAL } from '../../helpers/subjects.ts';
import { CATCH_UP } from '../behaviours/see.ts';

const RELEASES = ['18.0.8', '22.0.4', '24.0.0-SNAPSHOT'] as const;

describe('a switch of single shards', () => {
  it.each(['hardened', ...RELEASES])('on %s goes shard by shard, and back', async (version) => {
    const cluster = await partialCluster(version);
    const partly = 'Reads partially switched, for shards: 80-. Writes partially switched, for shards: 80-';
    expect(await cluster.ok(partialLine('p80d', 'switchtraffic'))).toContain(`Start State: Reads Not Switched. Writes Not Switched\nCurrent State: ${partly}\n`);
    expect(await shardRules(cluster)).toEqual(['customer/80- > customer2', 'customer2/-80 > customer']);
    expect(deniedShards(cluster, 'customer')).toEqual(['80-']);
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
    expect(deniedShards(cluster, 'customer')).toEqual([]);
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
    expect(deniedShards(release, 'customer2')).toEqual(['80-']);
    const cluster = await partialCluster();
    const before = fingerprint(cluster.host);
    expect((await cluster.run(failed)).exit).toBe(1);
    expect(fingerprint(cluster.host)).toEqual(before);
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
    expect(deniedShards(cluster, 'customer')).toEqual([]);
    expect(deniedShards(cluster, 'customer2')).toEqual([]);
    await PARTIAL.write(cluster);
    await cluster.ok(partialLine('p80d', 'switchtraffic'));
    await PARTIAL.whole(cluster, true);
  });
});
