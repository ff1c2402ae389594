import { beforeEach, describe, expect, it } from 'vitest';
import { nextSequenceValues } from '../../../src/tablet/query/sequence.ts';
import { forgetAllSequences, readSequenceCache, resetSequences } from '../../../src/tablet/sequence-cache.ts';
import { withTimeout } from '../../../src/runtime/context.ts';
import { TestCluster } from '../../helpers/cluster.ts';

const ALIAS = 'zone1-0000000100';
const SEQUENCE = "create table seq (id int, next_id bigint, cache bigint, primary key (id)) comment 'vitess_sequence'";

let t: TestCluster;
const shard = (): ReturnType<TestCluster['shard']> => t.shard('commerce', '0');
const take = (count = 1, table = 'seq', ctx = t.ctx): Promise<number | bigint> =>
  nextSequenceValues(ctx, t.cluster, { alias: ALIAS, shard: shard() }, { table, count });
const failure = (count = 1, table = 'seq'): Promise<string> => take(count, table).then(String, (error: Error) => error.message);
const run = (sql: string, session?: string): ReturnType<TestCluster['run']> => t.run('commerce', '0', sql, session === undefined ? {} : { session });
const stored = async (): Promise<unknown> => (await t.rows('commerce', '0', 'select next_id from seq'))[0]?.[0];

beforeEach(async () => {
  t = await TestCluster.make({ commerce: { shards: ['0'], schema: [SEQUENCE, 'create table plain (id int primary key)', 'insert into seq values (0, 5, 10)'] } });
});

describe('the values of a sequence', () => {
  it('come in blocks: the table moves by what is cached, not by what is given', async () => {
    expect([await take(), await take(3), await take()]).toEqual([5, 6, 9]);
    expect(await stored()).toBe(15);
    // Nine are left; ten do not fit, and go on from where the first was to come.
    expect(await take(10)).toBe(10);
    expect(await stored()).toBe(25);
    expect(await take()).toBe(20);
  });

  it('of a wish larger than a block take as many blocks as it needs', async () => {
    expect(await take(35)).toBe(5);
    expect(await stored()).toBe(45);
    expect(await take()).toBe(40);
  });

  it('go on behind a table that was moved forward once the block is used up, and never go back', async () => {
    await take();
    await run('update seq set next_id = 100');
    expect(await take(9)).toBe(6);
    expect(await take()).toBe(100);
    await run('update seq set next_id = 3');
    expect(await take(10)).toBe(110);
    expect(await stored()).toBe(120);
  });

  it('are read anew after a reset, on the tablet that is told', async () => {
    await take();
    shard().db.transact(() => resetSequences(shard(), ALIAS, ['seq', 'plain']));
    expect(readSequenceCache(shard(), ALIAS, 'seq')).toEqual({ next: 0n, last: 0n });
    expect(await take()).toBe(15);
    expect(() => shard().db.transact(() => resetSequences(shard(), ALIAS, ['nope']))).toThrow('table nope not found in schema');
    shard().db.transact(() => forgetAllSequences(shard(), 'zone1-0000000999'));
    expect(await take()).toBe(16);
    shard().db.transact(() => forgetAllSequences(shard(), ALIAS));
    expect(await take()).toBe(25);
  });

  it.each(['truncate table seq', 'drop table seq', 'alter table seq add column note varchar(9)'])('are not those of the table before: %s', async (sql) => {
    await take();
    await run(sql);
    if (sql.startsWith('drop')) await run(SEQUENCE);
    if (!sql.startsWith('alter')) await run('insert into seq values (0, 70, 10)');
    expect(await take()).toBe(sql.startsWith('alter') ? 15 : 70);
  });

  it('pass 2^53 whole', async () => {
    await run('update seq set next_id = 9007199254740993');
    expect(await take()).toBe(9007199254740993n);
  });

  it.each([
    ['insert into plain values (0)', 'plain', 'plain is not a sequence'],
    ['delete from seq', 'seq', 'unexpected rows from reading sequence seq (possible mis-route): 0'],
    ['update seq set cache = 0', 'seq', 'invalid cache value for sequence seq: 0'],
    ['update seq set next_id = null', 'seq', 'error loading sequence seq: cannot parse int64 from empty string'],
  ])('are refused after %s', async (sql, table, error) => {
    await run(sql);
    expect(await failure(1, table)).toBe(`${error} (CallerID: user)`);
  });

  it('wait for a transaction that holds the row, and are there without the table while some are cached', async () => {
    await run('begin', 'a');
    await run('update seq set next_id = 50', 'a');
    const { ctx } = withTimeout(t.ctx, t.cluster.world.clock, 100);
    await expect(take(1, 'seq', ctx)).rejects.toThrow('Lock wait timeout exceeded');
    await run('commit', 'a');
    expect(await take()).toBe(50);
    await run('begin', 'a');
    await run('update seq set next_id = 500', 'a');
    expect(await take()).toBe(51);
  });

  it('are refused for a denied table, cached or not', async () => {
    await take();
    await t.control('commerce', '0', [{ tablet_type: 'PRIMARY', denied_tables: ['seq'], allow_reads: true }]);
    expect(await failure()).toContain('disallowed due to rule: enforce denied tables');
  });
});
