import { describe, expect, it } from 'vitest';
import { background } from '../../src/runtime/context.ts';
import { ETCD_NAMES } from '../../src/topo/conn/directory.ts';
import type { MirrorRules, Shard } from '../../src/topo/proto/types.ts';
import { fingerprint } from '../helpers/fingerprint.ts';
import { shardedCluster } from '../helpers/sharded.ts';
import { movingCluster, switchLine, type TestCluster } from '../helpers/shell.ts';
import { record } from './behaviours/see.ts';

const MT = 'MoveTables --workflow c2c --target-keyspace customer';
const mirror = (more: string): string => `${MT} mirrortraffic ${more}`;

async function rules(cluster: TestCluster): Promise<Record<string, number>> {
  const { rules: all = [] } = JSON.parse(await cluster.ok('GetMirrorRules')) as MirrorRules;
  return Object.fromEntries(all.map(({ from_table: from, to_table: to, percent }) => [`${from} ${to}`, percent]));
}

/** The percentages of one table by tablet type, which have to be those of every other table. */
async function percents(cluster: TestCluster): Promise<Record<string, number>> {
  const all = await rules(cluster);
  const of = (table: string): [string, number][] =>
    [['PRIMARY', ''], ['REPLICA', '@replica'], ['RDONLY', '@rdonly']].flatMap(([type = '', suffix = '']): [string, number][] => {
      const percent = all[`commerce.${table}${suffix} customer.${table}`];
      return percent === undefined ? [] : [[type, percent]];
    });
  expect(of('corder')).toEqual(of('customer'));
  return Object.fromEntries(of('customer'));
}

function control(cluster: TestCluster, shard = '0'): unknown {
  return record<Shard>(cluster, 'global', `keyspaces/customer/shards/${shard}/Shard`)?.tablet_controls?.[0];
}

function saveMirrors(cluster: TestCluster, all: Record<string, number>): void {
  const list = Object.entries(all).map(([names, percent]) => {
    const [from, to] = names.split(' ');
    return { from_table: from, to_table: to, percent };
  });
  cluster.host.store.put('global', 'MirrorRules', JSON.stringify({ rules: list }));
}

const SUCCESS =
  'MirrorTraffic was successful for workflow customer.c2c\n\nStart State: Reads Not Switched. Writes Not Switched\nCurrent State: Reads Not Switched. Writes Not Switched\n\n';

describe.each(['hardened', '24.0.0-SNAPSHOT'])('MirrorTraffic on %s', (version) => {
  it('goes up and down, and a switch takes the rules of its types away', async () => {
    const cluster = await movingCluster(version);
    for (const percent of [25, 50, 75]) {
      expect(await cluster.ok(mirror(`--percent ${percent}`))).toBe(SUCCESS);
      expect(await percents(cluster)).toEqual({ PRIMARY: percent, REPLICA: percent, RDONLY: percent });
      expect(control(cluster)).toEqual({ tablet_type: 'PRIMARY', denied_tables: ['corder', 'customer'], allow_reads: true });
    }
    await cluster.ok(switchLine('--tablet-types replica,rdonly'));
    expect(await percents(cluster)).toEqual({ PRIMARY: 75 });
    expect(control(cluster)).toMatchObject({ allow_reads: true });
    await cluster.ok(mirror('--percent 100 --tablet-types primary'));
    expect(await percents(cluster)).toEqual({ PRIMARY: 100 });
    await cluster.ok(switchLine('--tablet-types primary'));
    expect(await rules(cluster)).toEqual({});
    expect(control(cluster)).toBeUndefined();
  });

  it('answers in JSON, with a percentage as vtctldclient reads it', async () => {
    const cluster = await movingCluster(version);
    expect(JSON.parse(await cluster.ok(mirror('--percent 0.1 --tablet-types replica --format json')))).toEqual({
      summary: 'MirrorTraffic was successful for workflow customer.c2c',
      start_state: 'Reads Not Switched. Writes Not Switched',
      current_state: 'Reads Not Switched. Writes Not Switched',
    });
    expect(await cluster.ok('GetMirrorRules')).toContain('"percent": 0.1\n');
  });

  it('of one type lets reads pass on every shard, whatever the type', async () => {
    const cluster = await shardedCluster({ version });
    await cluster.ok(mirror('--percent 50 --tablet-types replica'));
    expect(await rules(cluster)).toEqual({ 'commerce.corder@replica customer.corder': 50, 'commerce.customer@replica customer.customer': 50 });
    for (const shard of ['-80', '80-']) expect(control(cluster, shard)).toMatchObject({ denied_tables: ['corder', 'customer'], allow_reads: true });
    const asked = (sql: string): Promise<{ exit: number }> => cluster.run(`query --target customer:-80 '${sql}'`);
    expect((await asked('select * from customer')).exit).toBe(0);
    for (const sql of ['insert into customer values (900, null)', 'update customer set email = 5', 'delete from customer']) {
      expect((await asked(sql)).exit, sql).toBe(1);
    }
    await cluster.ok(mirror('--percent 0 --tablet-types replica'));
    expect(await rules(cluster)).toEqual({});
    expect((await asked('select * from customer')).exit).toBe(1);
  });

  it('ends without touching the rules to another keyspace, and denies nothing that was not denied', async () => {
    const cluster = await movingCluster(version);
    await cluster.ok('SetShardTabletControl --remove customer/0 primary');
    await cluster.ok('RefreshStateByShard customer/0');
    saveMirrors(cluster, { 'commerce.customer customer.customer': 50, 'commerce.customer elsewhere.customer': 25, 'commerce.corder customer.corder': 50 });
    await cluster.ok(mirror('--percent 0 --tablet-types primary'));
    expect(await rules(cluster)).toEqual({ 'commerce.customer elsewhere.customer': 25 });
    expect(control(cluster)).toBeUndefined();
  });

  it('is refused for what is switched, in the order asked for', async () => {
    const cluster = await movingCluster(version);
    await cluster.ok(switchLine('--tablet-types replica'));
    const refused = async (more = ''): Promise<string | undefined> => (await cluster.run(mirror(`--percent 50 ${more}`))).stderr.split('\n')[0];
    expect(await refused()).toBe('cannot mirror [replica] traffic for workflow c2c at this time: traffic for those tablet types is switched');
    await cluster.ok(switchLine());
    expect(await refused('--tablet-types rdonly,replica,primary')).toBe(
      'cannot mirror [rdonly,replica,primary] traffic for workflow c2c at this time: traffic for those tablet types is switched',
    );
    expect(await rules(cluster)).toEqual({});
    const reverse = await cluster.run('MoveTables --workflow c2c_reverse --target-keyspace commerce mirrortraffic');
    expect(reverse.stderr.split('\n')[0]).toBe('invalid action for reverse workflow: MirrorTraffic');
  });

  it('names a workflow and a keyspace that are not there', async () => {
    const cluster = await movingCluster(version);
    const failed = async (line: string): Promise<string | undefined> => (await cluster.run(line)).stderr.split('\n')[0];
    expect(await failed('MoveTables --workflow nope --target-keyspace customer mirrortraffic')).toBe('no streams found in keyspace customer for nope');
    expect(await failed('MoveTables --workflow c2c --target-keyspace nope mirrortraffic')).toBe(
      "FindAllShardsInKeyspace(nope): List: node doesn't exist: /vitess/global/keyspaces/nope/shards",
    );
  });

  it.each([
    ['internal/named_locks/customer/c2c', 'failed to lock the customer/c2c workflow: deadline exceeded: /vitess/global/internal/named_locks/customer/c2c/locks'],
    ['keyspaces/customer', 'failed to lock the customer keyspace: deadline exceeded: /vitess/global/keyspaces/customer/locks'],
  ])('waits for the lock on %s, and leaves none behind', async (dir, text) => {
    const cluster = await movingCluster(version);
    const blocker = cluster.host.openTopology(cluster.machine.world(), { names: ETCD_NAMES, renewed: true, reapDead: true }, false);
    const held = await blocker.lock(background(), { dir, contents: '{}', ttlMs: 60_000, mustExist: false });
    const before = fingerprint(cluster.host);
    expect((await cluster.run(`--lock-timeout 1s ${mirror('')}`)).stderr.split('\n')[0]).toBe(text);
    expect(fingerprint(cluster.host)).toEqual(before);
    await held.unlock(background());
    await cluster.ok(mirror(''));
    expect(fingerprint(cluster.host)['locks']).toEqual([]);
  });

  it('that removes rules for a switch says so in the dry run, and only for its own types', async () => {
    const cluster = await movingCluster(version);
    await cluster.ok(mirror('--tablet-types primary'));
    const line = (types: string): string => `Mirroring 0.00 percent of traffic from keyspace commerce to keyspace customer for tablet types [${types}]`;
    const lines = (await cluster.ok(switchLine('--dry-run'))).split('\n').filter((text) => text.startsWith('Mirroring'));
    expect(lines).toEqual([line('PRIMARY')]);
    await cluster.ok(mirror('--tablet-types replica,rdonly'));
    expect((await cluster.ok(switchLine('--dry-run'))).split('\n').filter((text) => text.startsWith('Mirroring'))).toEqual([line('REPLICA,RDONLY'), line('PRIMARY')]);
  });
});

describe('a switch of mirrored reads', () => {
  it('of types that are not all mirrored: hardened switches, a release cannot (K39)', async () => {
    const cluster = await movingCluster('24.0.0-SNAPSHOT');
    await cluster.ok(mirror('--tablet-types replica'));
    const before = fingerprint(cluster.host);
    const failed = await cluster.run(switchLine('--tablet-types replica,rdonly'));
    expect(failed.stderr.split('\n')[0]).toBe(
      'failed to remove mirror rules from source keyspace commerce to target keyspace customer, workflow c2c, for read-only tablet types: wrong number of pre-existing mirror rules',
    );
    expect(fingerprint(cluster.host)).toEqual(before);
    const hardened = await movingCluster();
    await hardened.ok(mirror('--tablet-types replica'));
    await hardened.ok(switchLine('--tablet-types replica,rdonly'));
    expect(await rules(hardened)).toEqual({});
  });

  it.each(['reads/mirrorOff:after', 'reads/switchTableReads', 'writes/mirrorOff:after', 'writes/waitForCatchup', 'writes/checkLocks#6'])(
    'that fails at %s: hardened mirrors as before, a release no more (K12)',
    async (step) => {
      for (const version of ['hardened', '24.0.0-SNAPSHOT']) {
        const cluster = await movingCluster(version);
        await cluster.ok(mirror('--percent 10'));
        const before = fingerprint(cluster.host);
        const failed = await cluster.run(switchLine(`--fault 'switchTraffic/${step}=return'`));
        expect(failed.exit, failed.stderr).toBe(1);
        if (version === 'hardened') {
          expect(fingerprint(cluster.host)).toEqual(before);
          expect((await cluster.run("query --target customer:0 'select * from customer'")).exit).toBe(0);
        } else {
          expect(Object.keys(await percents(cluster))).toEqual(step.startsWith('reads') ? ['PRIMARY'] : []);
        }
      }
    },
  );

  it('that fails while somebody else denies a table beside: reads pass again', async () => {
    const cluster = await movingCluster();
    await cluster.ok(mirror(''));
    await cluster.ok("query --target customer 'create table other (id int primary key)'");
    const running = cluster.run(switchLine("--fault 'switchTraffic/writes/waitForCatchup=1*lease(expire)' --fault 'switchTraffic/rollback/relock=sleep(5s)'"));
    await cluster.machine.clock.sleep(2_000);
    await cluster.ok('SetShardTabletControl --denied-tables=other customer/0 primary');
    expect((await running).exit).toBe(1);
    expect(control(cluster)).toEqual({ tablet_type: 'PRIMARY', denied_tables: ['corder', 'customer', 'other'], allow_reads: true });
  });
});

describe('MirrorTraffic that fails half-way', () => {
  /** A tablet of the target cannot read what it needs. */
  async function broken(version: string): Promise<TestCluster> {
    const cluster = await movingCluster(version);
    await cluster.ok(mirror('--percent 5 --tablet-types primary'));
    cluster.host.store.cell('zone1').delete('keyspaces/customer/SrvKeyspace');
    return cluster;
  }

  it('leaves everything as it was on hardened', async () => {
    const cluster = await broken('hardened');
    const before = fingerprint(cluster.host);
    const failed = await cluster.run(mirror('--percent 30'));
    expect(failed.exit).toBe(1);
    expect(failed.stderr).toContain('failed to update target denied tables: failed to successfully refresh all tablets in the customer/0 target shard (<nil>):\n  failed to refresh tablet zone1-0000000200: ');
    expect(fingerprint(cluster.host)).toEqual(before);
  });

  it('leaves the rules saved and not published on a release', async () => {
    const cluster = await broken('24.0.0-SNAPSHOT');
    const failed = await cluster.run(mirror('--percent 30 --tablet-types primary'));
    expect(failed.stderr).toContain('failed to update target denied tables: ');
    expect(await percents(cluster)).toEqual({ PRIMARY: 30 });
    expect(await cluster.ok('GetSrvVSchema zone1')).toContain('"percent": 5\n');
  });
});

it('two workflows to one target: reads pass as long as either is mirrored', async () => {
  const other = 'MoveTables --workflow p2c --target-keyspace customer';
  for (const [version, kept] of [['hardened', true], ['24.0.0-SNAPSHOT', false]] as const) {
    const cluster = await movingCluster(version);
    await cluster.ok(mirror(''));
    await cluster.ok(`${other} create --source-keyspace commerce --tables product`);
    expect((control(cluster) as { allow_reads?: boolean }).allow_reads === true, version).toBe(kept);
    await cluster.ok(`${other} mirrortraffic`);
    await cluster.ok(mirror('--percent 0'));
    expect((control(cluster) as { allow_reads?: boolean }).allow_reads === true, version).toBe(kept);
  }
});
