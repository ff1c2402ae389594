import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findRelease } from '../../src/lib/releases.ts';
import { FULL_PATH } from '../../src/workflow/switch/path.ts';
import { planSteps } from '../../src/workflow/switch/plan.ts';
import { fingerprint, shardsOf } from '../helpers/fingerprint.ts';
import { addSequence, bareCluster, c2c, nextId, switchSequences, useSequence, vschemaOf } from '../helpers/sequences.ts';
import { forked, type TestCluster } from '../helpers/shell.ts';
import { sample } from '../helpers/sample.ts';

const STEP = 'switchTraffic/writes';
const FIND = `${STEP}/getTargetSequenceMetadata`;
const INITIALIZE = `${STEP}/initializeTargetSequences`;

/**
 * `customer` takes its ids from a sequence that is nowhere yet, `corder` from one that is too low, in a third keyspace. So a switch
 * makes a table, a VSchema entry and a row, and raises another.
 */
function mixedCluster(): Promise<TestCluster> {
  return forked('mixed sequences', async () => {
    const cluster = await bareCluster();
    await addSequence(cluster, 'commerce', 'order_seq', 3);
    await useSequence(cluster, 'customer', 'customer_id', 'customer_seq');
    await useSequence(cluster, 'corder', 'order_id', 'order_seq');
    await cluster.ok(c2c('create --source-keyspace commerce --tables customer,corder --global-keyspace seqs'));
    await cluster.ok(c2c('status'));
    return cluster;
  });
}

/** Notes of changes that are left. */
const notes = ({ host }: TestCluster): unknown[] => shardsOf(host).flatMap(([keyspace, shard]) => host.shards.open(keyspace, shard).db.all('SELECT * FROM _sequence_change'));
const state = (cluster: TestCluster): Record<string, unknown> => {
  const { locks: _locks, ...rest } = fingerprint(cluster.host);
  return rest;
};

async function expectNewIds(cluster: TestCluster): Promise<void> {
  expect(await cluster.ok(`query "insert into customer(email) values ('a'), ('b')"`)).toContain('2 rows');
  expect(await cluster.ok('query "insert into corder(customer_id) values (1)"')).toContain('1 row');
}

describe('on hardened, whatever fails before the journal leaves the sequences as they were', () => {
  const steps = planSteps({ ...FULL_PATH, sequences: true }, findRelease('hardened').behaviours);
  const from = steps.findIndex((step) => step.name === FIND);
  const journal = steps.findIndex((step) => step.pointOfNoReturn);
  const faults = (name: string): string[] => (name === FIND || name === INITIALIZE ? ['return', 'ctx(cancel)', 'lease(expire)', 'lease(steal)'] : ['return']);
  const cases = steps.slice(from, journal).flatMap((step) =>
    ['before', 'after'].flatMap((edge) => faults(step.name).map((fault) => ({ point: `${step.name}:${edge}#${step.occurrence}`, fault }))),
  );

  it.each(sample(cases, 3))('$point: $fault', async ({ point, fault }) => {
    const cluster = await mixedCluster();
    const before = state(cluster);
    const { exit, stderr } = await cluster.run(switchSequences(`--fault '${point}=1*${fault}'`));
    expect(stderr).not.toContain('never fired');
    expect(exit, stderr).toBe(1);
    expect(stderr).toContain('rolled back; everything is as it was before the command');
    cluster.machine.clock.advance(3_000);
    expect(state(cluster)).toEqual(before);
    expect(notes(cluster)).toEqual([]);
  });

  it.each(['customer/-80', 'customer/80-', 'commerce/0', 'seqs/0'].flatMap((target) => ['before', 'after'].map((edge) => ({ target, edge }))))(
    'at one shard of the last: $edge $target',
    async ({ target, edge }) => {
      const cluster = await mixedCluster();
      const before = state(cluster);
      const { exit, stderr } = await cluster.run(switchSequences(`--fault '${INITIALIZE}:${edge}@${target}=return'`));
      expect(exit, stderr).toBe(1);
      expect(state(cluster)).toEqual(before);
      await cluster.ok(switchSequences());
      await expectNewIds(cluster);
      expect(notes(cluster)).toEqual([]);
    },
  );
});

describe('a process that dies', () => {
  it.each([`${FIND}:after`, `${INITIALIZE}:before@seqs/0`, `${INITIALIZE}:after@seqs/0`, `${INITIALIZE}:after`])('at %s is tidied up by the next run', async (point) => {
    const cluster = await mixedCluster();
    expect((await cluster.run(switchSequences(`--fault '${point}=panic'`))).exit).not.toBe(0);
    expect(nextId(cluster, 'seqs', 'customer_seq')).not.toBeNull();
    const { exit, stderr } = await cluster.run(switchSequences());
    expect(exit, stderr).toBe(0);
    expect(notes(cluster)).toEqual([]);
    expect([nextId(cluster, 'seqs', 'customer_seq'), nextId(cluster, 'commerce', 'order_seq')]).toEqual([6, 6]);
    await expectNewIds(cluster);
  });

  it('past the journal is completed, and nothing is put back', async () => {
    const cluster = await mixedCluster();
    expect((await cluster.run(switchSequences(`--fault '${STEP}/createJournals:after=panic'`))).exit).not.toBe(0);
    await cluster.ok(switchSequences());
    expect(notes(cluster)).toEqual([]);
    await expectNewIds(cluster);
  });

  it('in the roll-back is gone on with', async () => {
    const cluster = await mixedCluster();
    const before = state(cluster);
    const died = await cluster.run(switchSequences(`--fault '${INITIALIZE}:after=return' --fault 'switchTraffic/rollback/restoreSequences:before=panic'`));
    expect(died.exit).not.toBe(0);
    expect(nextId(cluster, 'commerce', 'order_seq')).toBe(6);
    // A switch that then fails at its first step has settled what was left before.
    expect((await cluster.run(switchSequences("--fault 'switchTraffic/prepare/canSwitch=return'"))).exit).toBe(1);
    cluster.machine.clock.advance(3_000);
    expect(state(cluster)).toEqual(before);
  });
});

describe('a roll-back', () => {
  /** Takes values of a sequence through the gate, as another table that uses it would. */
  async function takeMeanwhile(point: string): Promise<{ cluster: TestCluster; taken: string; stderr: string }> {
    const cluster = await mixedCluster();
    await cluster.ok('query --target seqs "create table other (id bigint primary key, v int)"');
    cluster.host.store.put('global', 'keyspaces/seqs/VSchema', JSON.stringify({ ...vschemaOf(cluster, 'seqs'), tables: { other: { auto_increment: { column: 'id', sequence: 'commerce.order_seq' } } } }));
    await cluster.ok('RebuildVSchemaGraph');
    expect((await cluster.run(switchSequences(`--fault '${point}=panic'`))).exit).not.toBe(0);
    const taken = await cluster.ok('query "insert into seqs.other(v) values (1)"');
    const { stderr } = await cluster.run(switchSequences("--fault 'switchTraffic/prepare/canSwitch=return'"));
    return { cluster, taken, stderr };
  }

  it('leaves a sequence from which values were taken meanwhile: none is given out twice', async () => {
    const { cluster, taken, stderr } = await takeMeanwhile(`${INITIALIZE}:after`);
    expect(taken).toContain('insert id 6');
    expect(stderr).toContain('values were taken from the sequences commerce.order_seq meanwhile: they are left as they are');
    expect(nextId(cluster, 'commerce', 'order_seq')).toBe(106);
    expect(await cluster.ok('query "insert into seqs.other(v) values (2)"')).toContain('insert id 7');
    expect(nextId(cluster, 'seqs', 'customer_seq')).toBeNull();
    expect(notes(cluster)).toEqual([]);
  });

  it('puts one back where it stood, if values were taken before it was raised', async () => {
    const { cluster, taken } = await takeMeanwhile(`${INITIALIZE}:before`);
    expect(taken).toContain('insert id 3');
    expect(nextId(cluster, 'commerce', 'order_seq')).toBe(103);
    expect(await cluster.ok('query "insert into seqs.other(v) values (2)"')).toContain('insert id 4');
  });

  it('keeps what somebody else has written to a table or an entry that the switch had made', async () => {
    const cluster = await mixedCluster();
    expect((await cluster.run(switchSequences(`--fault '${INITIALIZE}:after=panic'`))).exit).not.toBe(0);
    await cluster.ok('query --target seqs "insert into customer_seq values (1, 1, 1)"');
    const entry = { type: 'sequence', columns: [{ name: 'id' }] };
    cluster.host.store.put('global', 'keyspaces/seqs/VSchema', JSON.stringify({ tables: { customer_seq: entry } }));
    expect((await cluster.run(switchSequences("--fault 'switchTraffic/prepare/canSwitch=return'"))).stderr).toContain('seqs.customer_seq meanwhile');
    expect(vschemaOf(cluster, 'seqs').tables).toEqual({ customer_seq: entry });
    expect(nextId(cluster, 'seqs', 'customer_seq')).toBe(6);
    await cluster.ok(switchSequences());
    await expectNewIds(cluster);
  });

  it('on a release leaves sequences raised and made, which harms nobody', async () => {
    const cluster = await mixedCluster();
    const { exit } = await cluster.run(switchSequences(`--vitess-version 24.0.0-SNAPSHOT --fault '${INITIALIZE}:after=return'`));
    expect(exit).toBe(1);
    expect([nextId(cluster, 'seqs', 'customer_seq'), nextId(cluster, 'commerce', 'order_seq')]).toEqual([6, 6]);
    expect(notes(cluster)).toEqual([]);
  });
});

type Deed = { insert: number } | { jump: number } | { turn: true } | { fail: string; how: string };

/** Whatever happens, in whatever order: nobody is given an id that somebody has. */
it('no id is given twice on hardened, through switches, reversals, failures and deaths', async () => {
  const names = planSteps({ ...FULL_PATH, sequences: true }, findRelease('hardened').behaviours).map((step) => `${step.name}:after#${step.occurrence}`);
  const deed: fc.Arbitrary<Deed> = fc.oneof(
    fc.record({ insert: fc.integer({ min: 1, max: 3 }) }),
    fc.record({ jump: fc.integer({ min: 1, max: 1500 }) }),
    fc.record({ turn: fc.constant<true>(true) }),
    fc.record({ fail: fc.constantFrom(...names), how: fc.constantFrom('return', 'panic', 'ctx(cancel)') }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(deed, { minLength: 4, maxLength: 9 }), async (deeds) => {
      const cluster = await mixedCluster();
      let [there, expected] = [false, 5];
      const ids = (): number[] =>
        (there ? [['customer', '-80'], ['customer', '80-']] : [['commerce', '0']]).flatMap(([keyspace, shard]) =>
          cluster.host.shards.open(keyspace!, shard!).db.all<{ id: number }>('SELECT customer_id AS id FROM customer').map(({ id }) => id),
        );
      for (const one of deeds) {
        if ('insert' in one) {
          await cluster.ok(`query "insert into customer(email) values ${Array(one.insert).fill("('a')").join(', ')}"`);
          expected += one.insert;
        } else if ('jump' in one) {
          // By hand, where ids are not given by the sequence.
          if (there) continue;
          await cluster.ok(`query "insert into customer(customer_id, email) values (${Math.max(...ids()) + one.jump}, 'by hand')"`);
          expected++;
        } else if ('turn' in one) {
          await cluster.ok(there ? c2c('reversetraffic') : switchSequences());
          there = !there;
        } else if (!there) {
          await cluster.run(switchSequences(`--fault '${one.fail}=1*${one.how}'`));
          // It went back, or on, or waits for the next run to finish it; then it is switched.
          cluster.machine.clock.advance(3_000);
          await cluster.ok(switchSequences());
          there = true;
        }
        expect(new Set(ids()).size).toBe(expected);
      }
    }),
    { numRuns: 12 },
  );
}, 60_000);
