import { describe, expect, it } from 'vitest';
import { findRelease } from '../../src/lib/releases.ts';
import { type Failure, predictOutcome } from '../../src/workflow/switch/outcome.ts';
import { FULL_PATH } from '../../src/workflow/switch/path.ts';
import { planSteps } from '../../src/workflow/switch/plan.ts';
import { feltState } from '../helpers/felt.ts';
import { addSequence, bareCluster, c2c, editVSchema, nextId, replacingCluster, sequenceCluster, switchSequences, useSequence, vschemaOf } from '../helpers/sequences.ts';
import { movingCluster, switchLine, type TestCluster } from '../helpers/shell.ts';

const NEWEST = '24.0.0-SNAPSHOT';
const STEP = 'switchTraffic/writes';

const insert = async (cluster: TestCluster, count: number): Promise<void> => {
  for (let i = 0; i < count; i++) await cluster.ok(`query "insert into customer(email) values ('new'), ('new')"`);
};
const idsOf = ({ host }: TestCluster, keyspace: string, shards: readonly string[]): number[] =>
  shards.flatMap((shard) => host.shards.open(keyspace, shard).db.all<{ id: number }>('SELECT customer_id AS id FROM customer').map(({ id }) => id)).toSorted((a, b) => a - b);
const customers = (cluster: TestCluster): number[] => idsOf(cluster, 'customer', ['-80', '80-']);
const stderrOf = async (cluster: TestCluster, line: string): Promise<string> => {
  const { exit, stderr } = await cluster.run(line);
  expect(exit, stderr).toBe(1);
  return stderr;
};

describe('a move from AUTO_INCREMENT in one shard to sequences in a keyspace of their own', () => {
  it.each(['hardened', NEWEST, '21.0.0', '22.0.0'])('on %s: every new row has an id that nobody had', async (version) => {
    const cluster = await replacingCluster(version);
    await cluster.ok(`query "insert into commerce.customer(customer_id, email) values (700, 'x')"`);
    await cluster.ok(`query "insert into commerce.customer(email) values ('y')"`);
    expect(nextId(cluster, 'seqs', 'customer_seq')).toBeNull();
    await cluster.ok(switchSequences());
    expect([nextId(cluster, 'seqs', 'customer_seq'), nextId(cluster, 'seqs', 'corder_seq')]).toEqual([702, 6]);
    await insert(cluster, 3);
    const ids = customers(cluster);
    expect(ids).toEqual([1, 2, 3, 4, 5, 700, 701, 702, 703, 704, 705, 706, 707]);
    expect(await cluster.ok('query "insert into corder(customer_id, sku) values (700, 1)"')).toContain('insert id 6');
    // Releases that do not drop the sequence tablet's cache would give an id twice after a second switch.
    if (findRelease(version).behaviours.sequenceCacheReset !== 'always') return;
    // The way back is open, and AUTO_INCREMENT goes on behind all of it.
    await cluster.ok(c2c('reversetraffic'));
    await insert(cluster, 1);
    expect(idsOf(cluster, 'commerce', ['0'])).toEqual([...ids, 708, 709]);
    await cluster.ok(switchSequences());
    await insert(cluster, 2);
    expect(new Set(customers(cluster)).size).toBe(customers(cluster).length);
    await cluster.ok(c2c('complete'));
    await insert(cluster, 1);
    expect(customers(cluster)).toHaveLength(21);
  });

  it('warns of a missing --global-keyspace as vtctldclient does, and fails without one', async () => {
    const cluster = await bareCluster();
    const create = c2c('create --source-keyspace commerce --tables customer,corder --sharded-auto-increment-handling REPLACE');
    expect((await cluster.ok(create)).split('\n')[0]).toBe(
      'WARNING: no global-keyspace value provided so all sequence table references not fully qualified must be created manually before switching traffic',
    );
    expect(vschemaOf(cluster, 'customer').tables?.['customer']?.auto_increment).toEqual({ column: 'customer_id', sequence: '`customer_seq`' });
    await cluster.ok(c2c('status'));
    expect(await stderrOf(cluster, switchSequences())).toContain(
      'failed to get the sequence information in the customer keyspace: failed to locate all of the backing sequence tables being used and no global-keyspace was provided to auto create them in: corder_seq,customer_seq\n',
    );
  });

  it('keeps an entry that has its sequence, and leaves AUTO_INCREMENT where it is asked to', async () => {
    const cluster = await bareCluster();
    await useSequence(cluster, 'customer', 'customer_id', 'mine');
    await cluster.ok(c2c('create --source-keyspace commerce --tables customer,corder --sharded-auto-increment-handling replace --global-keyspace seqs'));
    expect(vschemaOf(cluster, 'customer').tables).toMatchObject({
      customer: { auto_increment: { sequence: 'mine' } },
      corder: { auto_increment: { column: 'order_id', sequence: '`seqs`.`corder_seq`' } },
    });
    const left = await bareCluster();
    await left.ok(c2c('create --source-keyspace commerce --tables customer,corder --sharded-auto-increment-handling leave --global-keyspace seqs'));
    expect(vschemaOf(left, 'customer').tables?.['customer']).not.toHaveProperty('auto_increment');
    expect(left.host.shards.open('customer', '-80').table('customer').columns[0]?.autoIncrement).toBe(true);
  });

  it.each([
    ['nope', 'global-keyspace nope does not exist'],
    ['customer', 'global-keyspace customer is sharded and thus cannot be used for global resources'],
  ])('refuses --global-keyspace %s, and leaves nothing', async (keyspace, error) => {
    const cluster = await bareCluster(NEWEST);
    const create = c2c(`create --source-keyspace commerce --tables customer --sharded-auto-increment-handling replace --global-keyspace ${keyspace}`);
    expect((await stderrOf(cluster, create)).split('\n')[0]).toBe(error);
    expect(cluster.host.shards.open('customer', '-80').tableNames()).toEqual([]);
  });

  it('is refused by releases that cannot do it, and takes nothing from them that they do', async () => {
    const cluster = await bareCluster('20.0.8');
    expect(await stderrOf(cluster, c2c('create --source-keyspace commerce --tables customer --sharded-auto-increment-handling replace'))).toContain(
      '20.0.8 has no --sharded-auto-increment-handling REPLACE\nnext: leave it out, or use --vitess-version 21 or later',
    );
    await cluster.ok(c2c('create --source-keyspace commerce --tables customer --sharded-auto-increment-handling remove'));
  });

  it('takes its VSchema entries back when create fails', async () => {
    const cluster = await bareCluster();
    const before = vschemaOf(cluster, 'customer');
    await cluster.ok('query --target customer "create table corder (order_id bigint primary key, customer_id bigint)"');
    await cluster.ok('query --target customer "insert into corder(order_id, customer_id) values (1, 1)"');
    expect(await stderrOf(cluster, c2c('create --source-keyspace commerce --tables customer,corder --sharded-auto-increment-handling replace --global-keyspace seqs'))).toContain('non-empty tables found');
    expect(vschemaOf(cluster, 'customer')).toEqual(before);
  });
});

describe('sequences.cache_reset_on_back_and_forth', () => {
  it(`on ${NEWEST}: ids cached before a reversal are not used after it`, async () => {
    const cluster = await bareCluster(NEWEST);
    await addSequence(cluster, 'seqs', 'customer_seq');
    cluster.host.shards.open('seqs', '0').db.run('INSERT INTO customer_seq VALUES (0, 1000, 1000)');
    await useSequence(cluster, 'customer', 'customer_id', 'customer_seq');
    await cluster.ok(c2c('create --source-keyspace commerce --tables customer'));
    await cluster.ok(c2c('status'));
    await cluster.ok(switchSequences());
    await insert(cluster, 2);
    expect([customers(cluster).at(-1), nextId(cluster, 'seqs', 'customer_seq')]).toEqual([1003, 2000]);
    await cluster.ok(c2c('reversetraffic'));
    for (const id of [1004, 1005, 1006, 2004, 2005, 2006]) await cluster.ok(`query "insert into customer(customer_id, email) values (${id}, 'by hand')"`);
    await cluster.ok(switchSequences());
    expect(nextId(cluster, 'seqs', 'customer_seq')).toBe(2007);
    await insert(cluster, 2);
    expect(nextId(cluster, 'seqs', 'customer_seq')).toBe(3007);
    expect(customers(cluster).slice(-4)).toEqual([2007, 2008, 2009, 2010]);
  });
});

describe('the value that a sequence is set to', () => {
  it('is the one after the largest over all shards, empty ones included', async () => {
    const cluster = await sequenceCluster(NEWEST);
    await cluster.ok('query "insert into commerce.corder(order_id, customer_id) values (999999, 1)"');
    await cluster.ok('query "delete from commerce.customer"');
    await cluster.ok(switchSequences('--tablet-types primary'));
    expect([nextId(cluster, 'commerce', 'order_seq'), nextId(cluster, 'commerce', 'customer_seq')]).toEqual([1000000, 1000]);
  });

  it('is 1 where there are no rows at all and no row of the sequence', async () => {
    const cluster = await sequenceCluster(NEWEST);
    await cluster.ok('query "delete from commerce.customer"');
    await cluster.ok('query "delete from commerce.customer_seq"');
    await cluster.ok(switchSequences());
    expect(nextId(cluster, 'commerce', 'customer_seq')).toBe(1);
  });

  it('is not touched where the source is sharded (sequences.only_for_unsharded_source)', async () => {
    const cluster = await sequenceCluster();
    await cluster.ok(switchSequences());
    await cluster.ok('tablet add zone1-500 --keyspace shop --shard 0 --type primary');
    await editVSchema(cluster, 'shop', () => ({ tables: { customer: { auto_increment: { column: 'customer_id', sequence: 'customer_seq' } } } }));
    await cluster.ok(c2c('complete'));
    await cluster.ok('MoveTables --workflow out --target-keyspace shop create --source-keyspace customer --tables customer');
    await cluster.ok('MoveTables --workflow out --target-keyspace shop status');
    cluster.host.shards.open('commerce', '0').db.run('UPDATE customer_seq SET next_id = 2');
    const { exit, stderr } = await cluster.run('MoveTables --workflow out --target-keyspace shop switchtraffic --initialize-target-sequences');
    expect(exit, stderr).toBe(0);
    expect(stderr).toContain('--initialize-target-sequences does nothing here: keyspace customer is sharded');
    expect(nextId(cluster, 'commerce', 'customer_seq')).toBe(2);
  });

  it.each([
    ['customer_seq', 'customer_seq'],
    ['commerce.customer_seq', 'customer_seq'],
    ['`commerce`.`customer_seq`', 'customer_seq'],
    ['`customer-seq`', 'customer-seq'],
    ['commerce.`customer-seq`', 'customer-seq'],
    ['`my seq`', 'my seq'],
  ])('is that of the sequence named %s', async (sequence, table) => {
    const cluster = await sequenceCluster();
    if (table !== 'customer_seq') await addSequence(cluster, 'commerce', table, 1);
    await useSequence(cluster, 'customer', '`customer_id`', sequence);
    await cluster.ok(`query "insert into commerce.customer(customer_id, email) values (3000, 'x')"`);
    await cluster.ok(switchSequences());
    expect(nextId(cluster, 'commerce', table)).toBe(3001);
    await useSequence(cluster, 'customer', 'customer_id', sequence);
    await insert(cluster, 1);
    expect(customers(cluster).slice(-2)).toEqual([3001, 3002]);
  });

  it('is above every table that uses the sequence, and of the sequence that the rules lead to', async () => {
    const cluster = await sequenceCluster();
    await useSequence(cluster, 'corder', 'order_id', 'commerce.customer_seq');
    await useSequence(cluster, 'customer', 'customer_id', '`commerce`.customer_seq');
    await addSequence(cluster, 'commerce', 'elsewhere', 1);
    cluster.host.store.put('global', 'RoutingRules', JSON.stringify({
      rules: [...(JSON.parse(cluster.host.store.cell('global').get('RoutingRules')?.contents ?? '{}') as { rules: object[] }).rules,
        { from_table: 'commerce.customer_seq', to_tables: ['commerce.elsewhere'] }],
    }));
    await cluster.ok('query "insert into commerce.corder(order_id, customer_id) values (8000, 1)"');
    await cluster.ok(switchSequences());
    expect([nextId(cluster, 'commerce', 'customer_seq'), nextId(cluster, 'commerce', 'elsewhere')]).toEqual([1000, 8001]);
    await insert(cluster, 1);
    expect(customers(cluster).slice(-2)).toEqual([8001, 8002]);
  });
});

describe('what cannot be done is said before writes stop', () => {
  const refused: [what: string, spoil: (cluster: TestCluster) => Promise<void>, error: string][] = [
    [
      'two keyspaces have the sequence',
      async (cluster) => {
        await cluster.ok('tablet add zone1-400 --keyspace seqs --shard 0 --type primary');
        await addSequence(cluster, 'seqs', 'customer_seq', 1);
      },
      'the sequence table customer_seq, which customer uses, is in more than one keyspace: commerce, seqs; name one of them in the VSchema, as commerce.customer_seq',
    ],
    [
      'the keyspace is not there',
      (cluster) => useSequence(cluster, 'customer', 'customer_id', 'nowhere.customer_seq'),
      "failed to get the primary tablet for keyspace nowhere: node doesn't exist: /vitess/global/keyspaces/nowhere/shards\nFindAllShardsInKeyspace(nowhere): List",
    ],
    [
      'the keyspace is sharded',
      (cluster) => useSequence(cluster, 'customer', 'customer_id', 'customer.customer_seq'),
      'failed to get the primary tablet for keyspace customer: Code: INVALID_ARGUMENT\nkeyspace customer must have one and only one shard: map[-80:primary_alias:{cell:"zone1" uid:200}',
    ],
    [
      'the table is no sequence',
      (cluster) => useSequence(cluster, 'customer', 'customer_id', 'commerce.product'),
      "commerce.product, from which customer takes ids, is no sequence: it lacks the comment 'vitess_sequence'",
    ],
  ];
  it.each(refused)('%s', async (_what, spoil, error) => {
    const cluster = await sequenceCluster();
    await spoil(cluster);
    for (const dry of ['', '--dry-run']) {
      const { exit, stderr } = await cluster.run(switchSequences(dry));
      expect(exit).toBe(1);
      expect(stderr).toContain(`failed to get the sequence information in the customer keyspace: ${error}`);
      expect(stderr).not.toContain('were refused for');
    }
    await cluster.ok(`query "insert into customer(email) values ('still served')"`);
  });
});

describe('a switch that forgets the sequences of its tables', () => {
  const forgotten: [spoil: string, problem: string][] = [
    ['update commerce.customer_seq set next_id = 5', 'stands at 5, and ids up to 5 are taken'],
    ['delete from commerce.customer_seq', 'has no row'],
    ['drop table commerce.customer_seq', 'does not exist'],
  ];
  it.each(forgotten)('is refused on hardened, and warned of by a release: %s', async (sql, problem) => {
    const text = `the sequence commerce.customer_seq, from which customer will take ids, ${problem}: add --initialize-target-sequences`;
    const cluster = await sequenceCluster();
    await cluster.ok(`query "${sql}"`);
    expect((await stderrOf(cluster, c2c('switchtraffic'))).split('\n')[0]).toBe(text);
    await cluster.ok(c2c('switchtraffic --tablet-types replica,rdonly'));
    await cluster.ok(switchSequences());
    await insert(cluster, 1);
    const released = await sequenceCluster(NEWEST);
    await released.ok(`query "${sql}"`);
    const { exit, stderr } = await released.run(c2c('switchtraffic'));
    expect(exit).toBe(0);
    expect(stderr).toContain(`warning: ${text}`);
  });

  it('is no such switch where the sequence is far enough', async () => {
    const cluster = await sequenceCluster();
    expect((await cluster.run(c2c('switchtraffic'))).stderr).not.toContain('sequence');
    await insert(cluster, 1);
    expect(customers(cluster).slice(-2)).toEqual([1000, 1001]);
  });

  it('asked for without writes, is refused', async () => {
    const cluster = await sequenceCluster();
    expect(await stderrOf(cluster, switchSequences('--tablet-types replica'))).toContain('--initialize-target-sequences does nothing without the primary type');
  });
});

describe('sequence tables that move', () => {
  const move = (rest: string): string => `MoveTables --workflow seqs --target-keyspace seqs ${rest}`;
  const moving = async (version: string): Promise<TestCluster> => {
    const cluster = await sequenceCluster(version);
    await cluster.ok(switchSequences());
    await cluster.ok('tablet add zone1-400 --keyspace seqs --shard 0 --type primary');
    await cluster.ok(move('create --source-keyspace commerce --tables customer_seq,order_seq'));
    await cluster.ok(move('status'));
    return cluster;
  };

  it.each(['hardened', NEWEST, '18.0.8'])('on %s: ids go on where they were, there and back', async (version) => {
    const cluster = await moving(version);
    expect(vschemaOf(cluster, 'seqs').tables).toEqual({ customer_seq: { type: 'sequence' }, order_seq: { type: 'sequence' } });
    await insert(cluster, 1);
    expect((await cluster.ok(move('switchtraffic --dry-run'))).split('\n')).toContain(
      'The sequence caches will be reset on the source since sequence tables are being moved',
    );
    await cluster.ok(move('switchtraffic'));
    // The block that commerce had cached is used up.
    await insert(cluster, 1);
    expect(customers(cluster).slice(-4)).toEqual([1000, 1001, 1100, 1101]);
    expect(nextId(cluster, 'seqs', 'customer_seq')).toBe(1200);
    await cluster.ok(move('reversetraffic'));
    await insert(cluster, 1);
    expect(nextId(cluster, 'commerce', 'customer_seq')).toBe(1300);
    await cluster.ok(move('switchtraffic'));
    await insert(cluster, 1);
    expect(customers(cluster).slice(-4)).toEqual([1200, 1201, 1300, 1301]);
    await cluster.ok(move('complete'));
    await insert(cluster, 1);
    expect(customers(cluster).slice(-2)).toEqual([1302, 1303]);
  });

  it('on hardened: together with the tables that use them', async () => {
    const cluster = await sequenceCluster();
    await cluster.ok(c2c('cancel'));
    await cluster.ok('tablet add zone1-400 --keyspace shop --shard 0 --type primary');
    const shop = (rest: string): string => `MoveTables --workflow shop --target-keyspace shop ${rest}`;
    await editVSchema(cluster, 'commerce', (now) => ({ ...now, tables: { ...now.tables, customer: { auto_increment: { column: 'customer_id', sequence: 'customer_seq' } } } }));
    await cluster.ok(`query "insert into commerce.customer(customer_id, email) values (4000, 'x')"`);
    await cluster.ok(shop('create --source-keyspace commerce --tables customer,customer_seq'));
    await cluster.ok(shop('status'));
    await cluster.ok(shop('switchtraffic --initialize-target-sequences'));
    await insert(cluster, 1);
    expect(idsOf(cluster, 'shop', ['0']).slice(-3)).toEqual([4000, 4001, 4002]);
    await cluster.ok(shop('reversetraffic'));
    await insert(cluster, 1);
    expect(idsOf(cluster, 'commerce', ['0']).slice(-2)).toEqual([4101, 4102]);
  });

  it('does not reset what is no sequence', async () => {
    const cluster = await sequenceCluster();
    expect(await cluster.ok(c2c('switchtraffic --dry-run'))).not.toContain('sequence caches');
  });
});

describe('what a tablet has cached of a sequence is gone', () => {
  it.each([
    ['with its process', ['tablet stop zone1-100', 'tablet start zone1-100']],
    ['when another one becomes primary', ['PlannedReparentShard commerce/0 --new-primary zone1-101']],
    ['when it is primary again', ['PlannedReparentShard commerce/0 --new-primary zone1-101', 'PlannedReparentShard commerce/0 --new-primary zone1-100']],
  ])('%s', async (_how, lines) => {
    const cluster = await sequenceCluster();
    await cluster.ok(switchSequences());
    await insert(cluster, 1);
    for (const line of lines) await cluster.ok(line);
    await insert(cluster, 1);
    expect(customers(cluster).slice(-4)).toEqual([1000, 1001, 1100, 1101]);
  });

  it('on hardened, wherever the primary is by now, once a switch has set the sequence', async () => {
    const cluster = await sequenceCluster();
    await cluster.ok(switchSequences());
    await insert(cluster, 1);
    await cluster.ok('PlannedReparentShard commerce/0 --new-primary zone1-101');
    await insert(cluster, 1);
    await cluster.ok(c2c('reversetraffic'));
    await insert(cluster, 1);
    await cluster.ok(switchSequences());
    await insert(cluster, 1);
    expect(customers(cluster).slice(-6)).toEqual([1100, 1101, 1102, 1103, 1200, 1201]);
  });
});

describe('a dry run with sequences', () => {
  it('on hardened leaves nothing, though sequences are missing', async () => {
    const cluster = await replacingCluster();
    await useSequence(cluster, 'customer', 'customer_id', 'fresh');
    const lines = (await cluster.ok(switchSequences('--dry-run'))).split('\n');
    const at = lines.indexOf('The following sequence backing tables used by tables being moved will be initialized:');
    expect(lines.slice(at - 1, at + 4)).toEqual([
      'Create reverse vreplication workflow c2c_reverse',
      'The following sequence backing tables used by tables being moved will be initialized:',
      '\tBacking table: corder_seq, current value 0, new value 6',
      '\tBacking table: fresh, current value 0, new value 6',
      'Create journal entries on source databases',
    ]);
    expect(cluster.host.shards.open('seqs', '0').tableNames()).toEqual([]);
    expect(vschemaOf(cluster, 'seqs')).toEqual({});
  });

  it(`on ${NEWEST} fails for a qualified sequence that is yet to be made, as Vitess does`, async () => {
    const cluster = await replacingCluster(NEWEST);
    expect(await stderrOf(cluster, switchSequences('--dry-run'))).toContain(
      "failed to initialize the sequences used in the customer keyspace: failed to get the current value for the sequence table vt_seqs.corder_seq: Code: UNKNOWN\nrpc error: code = Unknown desc = TabletManager.ExecuteFetchAsApp on zone1-0000000400: rpc error: code = Unknown desc = Table 'vt_seqs.corder_seq' doesn't exist (errno 1146) (sqlstate 42S02) during query: select next_id from `vt_seqs`.`corder_seq` where id = 0",
    );
    await cluster.ok(switchSequences());
  });
});

describe('a failure', () => {
  it('to set them in half of --timeout rolls back', async () => {
    const cluster = await sequenceCluster();
    const stderr = await stderrOf(cluster, switchSequences(`--timeout 20s --fault '${STEP}/initializeTargetSequences:before@customer/80-=sleep(11s)'`));
    expect(stderr).toContain(
      'failed to initialize the sequences used in the customer keyspace: failed to get the max used sequence values on tablet zone1-0000000300 in order to initialize the backing sequence table: Code: DEADLINE_EXCEEDED\nrpc error: code = DeadlineExceeded desc = context deadline exceeded',
    );
    expect(stderr).toContain('rolled back');
  });

  it.each(['18.0.8', '22.0.4', NEWEST])('of the statement is told as on %s', async (version) => {
    const cluster = await sequenceCluster(version);
    await useSequence(cluster, 'customer', 'nope', 'customer_seq');
    const sql = "Unknown column 'nope' in 'field list' (errno 1054) (sqlstate 42S22) during query: select max(`nope`) as maxval from `vt_customer`.`customer`";
    const alias = (uid: number): string => `zone1-0000000${uid}`;
    const together = (uid: number): string =>
      `failed to get the max used sequence values on tablet ${alias(uid)} in order to initialize the backing sequence table: Code: INTERNAL\nrpc error: code = Internal desc = TabletManager.GetMaxValueForSequences on ${alias(uid)}: failed to get the max used sequence value for target table \`customer\` in order to initialize the backing sequence table: ${sql}\n`;
    const alone = (uid: number): string =>
      `failed to get the max used sequence value for target table customer.customer on tablet ${alias(uid)} in order to initialize the backing sequence table: Code: UNKNOWN\nrpc error: code = Unknown desc = TabletManager.ExecuteFetchAsApp on ${alias(uid)}: rpc error: code = Unknown desc = ${sql}\n`;
    const text = findRelease(version).behaviours.sequenceRpcs === 'batched' ? together : alone;
    expect(await stderrOf(cluster, switchSequences())).toContain(
      `failed to initialize the sequences used in the customer keyspace: ${[200, 300].map(text).join('\n')}`,
    );
  });

  it('of v19 for a name in backticks is one that later releases do not have', async () => {
    const cluster = await sequenceCluster('19.0.8');
    await useSequence(cluster, 'customer', 'customer_id', '`customer_seq`');
    const stderr = await stderrOf(cluster, switchSequences());
    expect(stderr.split('\n')[0]).toBe(
      'failed to get the sequence information in the customer keyspace: failed to locate all of the backing sequence tables being used; sequence table metadata: map[`customer_seq`:0xc000 order_seq:0xc000]',
    );
    expect(stderr).toMatch(/would not have failed: 20\.0\.4, .*24\.0\.0-SNAPSHOT/);
  });

  it('of v18.0.2 for an empty shard is one that later releases do not have', async () => {
    const cluster = await sequenceCluster('18.0.2');
    await cluster.ok('query "delete from commerce.corder"');
    const stderr = await stderrOf(cluster, switchSequences());
    expect(stderr).toContain('failed to get the max used sequence value for target table customer.corder in order to initialize the backing sequence table: Cannot convert value to desired type');
    expect(stderr).toContain('past the point of no return');
    expect(stderr).toMatch(/would not have failed: 18\.0\.8, .*24\.0\.0-SNAPSHOT/);
  });
});

/** The two steps fail as any other does: what is left is what is computed. */
describe.each(['18.0.2', '19.0.9', '20.0.6', NEWEST])('a failed step of the sequences on %s', (version) => {
  const path = { ...FULL_PATH, sequences: true };
  const { behaviours } = findRelease(version);
  const steps = planSteps(path, behaviours).filter(({ name }) => name.includes('equence') && !name.includes('reset'));

  it.each(steps.map(({ name }) => name))('leaves what was computed: %s', async (name) => {
    const cluster = await movingCluster(version);
    const { exit, stderr } = await cluster.run(switchLine(`--initialize-target-sequences --fault '${name}=return(INTERNAL)'`));
    expect(exit, stderr).toBe(1);
    const failure: Failure = { step: name, occurrence: 1, effectDone: false, callerEnded: false, locksLost: false };
    const { unnoticed, ...outcome } = predictOutcome(behaviours, path, failure);
    expect(unnoticed).toBe(false);
    expect(feltState(cluster)).toEqual(outcome);
  });
});
