import { describe, expect, it } from 'vitest';
import { Gate } from '../../src/gate/gate.ts';
import { MirrorRuleSet } from '../../src/gate/mirror-rules.ts';
import { background } from '../../src/runtime/context.ts';
import { readMirrored } from '../../src/tablet/mirrored.ts';
import type { MirrorRule } from '../../src/topo/proto/types.ts';
import { openCluster } from '../helpers/open-cluster.ts';
import { movingCluster, switchLine, type TestCluster } from '../helpers/shell.ts';

const MT = 'MoveTables --workflow c2c --target-keyspace customer';
const READ = 'select * from customer';

async function mirroring(percent: number, types = 'primary,replica,rdonly', version = 'hardened'): Promise<TestCluster> {
  const cluster = await movingCluster(version);
  await cluster.ok(`${MT} mirrortraffic --percent ${percent} --tablet-types ${types}`);
  return cluster;
}

function gateOf(cluster: TestCluster, version = 'hardened'): Gate {
  return new Gate(openCluster(cluster.host, version), { cell: 'zone1' });
}

/** Runs statements through one gate, and says what it sent to the mirror. */
async function sent(cluster: TestCluster, statements: readonly { sql: string; target?: string; session?: string }[]): Promise<{ sent: number; failed: number }> {
  const gate = gateOf(cluster);
  for (const statement of statements) await gate.run(background(), statement);
  await gate.close();
  return gate.mirrored;
}

describe('a gate with mirror rules', () => {
  it('mirrors SELECTs of all types at 100 percent, and nothing else', async () => {
    const cluster = await mirroring(100);
    const reads = [READ, 'select count(*) from commerce.customer', 'select * from customer.corder where customer_id = 1'].map((sql) => ({ sql }));
    const replicas = ['@replica', '@rdonly'].map((target) => ({ sql: READ, target }));
    expect(await sent(cluster, [...reads, ...replicas])).toEqual({ sent: 5, failed: 0 });
    const others = [
      { sql: "insert into customer (email) values ('x')" },
      { sql: 'select * from product' },
      { sql: 'select 1' },
      { sql: 'show tables', target: 'commerce' },
      // A target that names a shard goes there as it is.
      { sql: READ, target: 'commerce:0' },
    ];
    expect(await sent(cluster, others)).toEqual({ sent: 0, failed: 0 });
    expect(await cluster.ok('show workflow c2c')).toContain('mirrored 100% of PRIMARY reads, 100% of REPLICA reads, 100% of RDONLY reads; 5 so far, 0 of them failed');
  });

  it('mirrors about the percentage, and a seed draws the same again', async () => {
    const many = Array.from({ length: 400 }, () => ({ sql: READ }));
    const first = await sent(await mirroring(25), many);
    expect(first.sent).toBeGreaterThan(60);
    expect(first.sent).toBeLessThan(140);
    expect(await sent(await mirroring(25), many)).toEqual(first);
    expect((await sent(await mirroring(0.0001), many.slice(0, 50))).sent).toBe(0);
  });

  it('answers from where the rules lead, whatever the mirror has', async () => {
    const cluster = await mirroring(100);
    cluster.host.shards.open('customer', '0').db.exec('DELETE FROM customer');
    const { rows } = await gateOf(cluster).run(background(), { sql: 'select count(*) from customer' });
    expect(Number(rows[0]![0])).toBe(5);
  });

  it('forgets errors of the mirror, and counts them', async () => {
    const cluster = await mirroring(100);
    cluster.host.shards.open('customer', '0').dropTable('customer');
    expect(await sent(cluster, [{ sql: READ }, { sql: 'select * from corder' }])).toEqual({ sent: 2, failed: 1 });
    expect(await cluster.ok('show workflow c2c')).toContain('2 so far, 1 of them failed');
  });

  it('has its mirror refuse the reads of primaries until v23 (F67)', async () => {
    for (const [version, failed] of [['23', 2], ['24', 0]] as const) {
      const cluster = await mirroring(100, 'primary,replica,rdonly', version);
      const gate = gateOf(cluster, version);
      for (const target of ['', '', '@replica']) await gate.run(background(), { sql: READ, target });
      expect(gate.mirrored, version).toEqual({ sent: 3, failed });
    }
  });

  it('takes no part of a transaction to the mirror', async () => {
    const cluster = await mirroring(100);
    const statements = ['begin', "insert into customer (email) values ('mine')", READ, 'rollback'].map((sql) => ({ sql, session: 's' }));
    expect(await sent(cluster, statements)).toEqual({ sent: 1, failed: 0 });
    expect(cluster.host.shards.open('customer', '0').db.all('SELECT * FROM _session')).toEqual([]);
  });

  it('waits 100ms for its mirror and no longer', async () => {
    const cluster = await mirroring(100);
    await cluster.ok("query --session blocker --target customer:0 'lock tables customer write'");
    const from = cluster.machine.clock.now();
    expect(await sent(cluster, [{ sql: READ }, { sql: 'select * from corder' }])).toEqual({ sent: 2, failed: 1 });
    expect(cluster.machine.clock.now() - from).toBe(100);
  });

  it('follows the switch: what is switched is mirrored no more', async () => {
    const cluster = await mirroring(100);
    await cluster.ok(switchLine('--tablet-types replica,rdonly'));
    expect(await sent(cluster, [{ sql: READ }, { sql: READ, target: '@replica' }])).toEqual({ sent: 1, failed: 0 });
    await cluster.ok(switchLine());
    expect(await sent(cluster, [{ sql: READ }])).toEqual({ sent: 0, failed: 0 });
  });

  it('is not asked by those who only look', async () => {
    const cluster = await mirroring(100);
    await cluster.ok('workload --for 1s --writers 2 --readers 0 --seed 3');
    expect(readMirrored([cluster.host.shards.open('commerce', '0')], ['customer.customer', 'customer.corder'])).toEqual({ sent: 0, failed: 0 });
    expect(await cluster.ok('workload --for 1s --writers 2 --readers 2 --seed 3')).toMatch(/\nmirrored: \d+ reads, 0 failed there\n/);
  });

  it('counts from 0 when mirroring begins again', async () => {
    const cluster = await mirroring(100);
    await sent(cluster, [{ sql: READ }]);
    await cluster.ok(`${MT} mirrortraffic --percent 50`);
    expect(await cluster.ok('show workflow c2c')).toContain('50% of RDONLY reads; 1 so far');
    await cluster.ok(`${MT} mirrortraffic --percent 0`);
    await cluster.ok(`${MT} mirrortraffic --percent 50`);
    expect(await cluster.ok('show workflow c2c')).toContain('50% of RDONLY reads; 0 so far');
  });
});

describe('mirror rules', () => {
  const exists = (keyspace: string, table: string): boolean => ['a', 'b', 'c'].includes(keyspace) && table !== 'gone';
  const rule = (from: string, to: string, percent = 50): MirrorRule => ({ from_table: from, to_table: to, percent });
  const found = (rules: MirrorRule[], type: 'PRIMARY' | 'REPLICA' = 'PRIMARY'): number | undefined => new MirrorRuleSet(rules, exists).find('a', 't', type)?.percent;

  it('for a type count before the one for any, which is for every type', () => {
    expect(found([rule('a.t', 'b.t', 1)], 'REPLICA')).toBe(1);
    expect(found([rule('a.t', 'b.t', 1), rule('a.t@replica', 'b.t', 2)], 'REPLICA')).toBe(2);
    expect(found([rule('a.t@replica', 'b.t', 2)])).toBeUndefined();
    expect(found([rule('a.t@primary', 'b.t', 3)])).toBe(3);
  });

  it.each([
    ['a second one for the same table', [rule('a.t', 'b.t'), rule('a.t', 'c.t')]],
    ['within a keyspace', [rule('a.t', 'a.u')]],
    ['to a table that is not there', [rule('a.t', 'b.gone')]],
    ['to a keyspace that is not there', [rule('a.t', 'd.t')]],
    ['to a tablet type', [rule('a.t', 'b.t@replica')]],
    ['to a name without keyspace', [rule('a.t', 't')]],
    ['from a keyspace that is mirrored to', [rule('a.t', 'b.t'), rule('c.t', 'a.t')]],
    ['of no percentage', [rule('a.t', 'b.t', 0)]],
    ['of a negative percentage', [rule('a.t', 'b.t', -1)]],
  ])('mirror nothing when wrong: %s', (_, rules) => expect(found(rules)).toBeUndefined());

  it('that are wrong hide the one for every type', () => {
    expect(found([rule('a.t', 'b.t'), rule('a.t@replica', 'b.gone')], 'REPLICA')).toBeUndefined();
  });
});
