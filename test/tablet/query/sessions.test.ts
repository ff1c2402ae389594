import { beforeEach, describe, expect, it } from 'vitest';
import { type Context, withTimeout } from '../../../src/runtime/context.ts';
import type { QueryResult } from '../../../src/tablet/query/request.ts';
import { closeSession, killSession, listSessions } from '../../../src/tablet/query/sessions.ts';
import { acquireTables, tableLocks } from '../../../src/tablet/table-locks.ts';
import { BlockedError, Applier } from '../../../src/tablet/vreplication/apply.ts';
import { TestCluster } from '../../helpers/cluster.ts';
import { failureOf, textOf } from '../../helpers/topo-world.ts';

const SCHEMA = [
  'create table t (id int not null auto_increment primary key, v varchar(10), n int, unique key v (v))',
  'create table other (id int primary key, at datetime(3))',
  "insert into t (v, n) values ('a', 1), ('b', 2), ('c', 3)",
];

let t: TestCluster;
const run = (sql: string, session?: string, ctx?: Context): Promise<QueryResult> =>
  t.run('commerce', '0', sql, { ...(session === undefined ? {} : { session }), ...(ctx === undefined ? {} : { ctx }) });
const rows = (sql: string, session?: string): Promise<unknown[][]> => t.rows('commerce', '0', sql, session);
const shard = () => t.shard('commerce', '0');
/** Runs with a deadline, so that a wait ends. */
const soon = (sql: string, session?: string, ms = 200): Promise<QueryResult> =>
  run(sql, session, withTimeout(t.ctx, t.cluster.world.clock, ms).ctx);
const TIMEOUT = 'Lock wait timeout exceeded; try restarting transaction (errno 1205)';

beforeEach(async () => {
  t = await TestCluster.make({ commerce: { shards: ['0'], schema: SCHEMA } });
});

describe('a transaction of a session', () => {
  it('sees its own writes, which nobody else does until it commits', async () => {
    const before = shard().sequence();
    await run('begin', 'a');
    expect((await run("insert into t (v) values ('x')", 'a')).insertId).toBe(4);
    expect((await run("update t set n = n + 10 where id >= 3", 'a')).rowsAffected).toBe(1);
    await run('delete from t where id = 1', 'a');
    expect(await rows('select id, v, n from t order by id', 'a')).toEqual([[2, 'b', 2], [3, 'c', 13], [4, 'x', null]]);
    expect(await rows('select id from t order by id')).toEqual([[1], [2], [3]]);
    expect(shard().sequence()).toBe(before);
    await run('commit', 'a');
    expect(await rows('select id, v, n from t order by id')).toEqual([[2, 'b', 2], [3, 'c', 13], [4, 'x', null]]);
    const after = shard().transactionsAfter(before, 10);
    expect(after.map(({ events }) => events.map(({ kind }) => kind))).toEqual([['insert', 'update', 'delete']]);
    expect(listSessions(shard())).toMatchObject([{ name: 'a', transaction: false, statements: [], locks: [] }]);
  });

  it('ROLLBACK leaves rows, binlog and locks as they were, and ids used up', async () => {
    const before = shard().sequence();
    await run('begin', 'a');
    await run("insert into t (v) values ('x')", 'a');
    await run('update t set n = 0', 'a');
    await run('rollback', 'a');
    expect(await rows('select n from t order by id')).toEqual([[1], [2], [3]]);
    expect(shard().sequence()).toBe(before);
    expect(shard().db.all('SELECT * FROM _row_lock')).toEqual([]);
    expect((await run("insert into t (v) values ('x')")).insertId).toBe(5);
  });

  it('gives now() one value for good, whenever it commits', async () => {
    await run('begin', 'a');
    await run('insert into other values (1, now(3))', 'a');
    const [[at]] = (await rows('select at from other', 'a')) as [[string]];
    t.machine.clock.advance(60_000);
    expect(await rows('select at from other', 'a')).toEqual([[at]]);
    await run('commit', 'a');
    expect(await rows('select at from other')).toEqual([[at]]);
  });

  it('stays open after a statement that failed', async () => {
    await run('begin', 'a');
    await run("update t set v = 'z' where id = 1", 'a');
    expect(await textOf(run("insert into t (id, v) values (9, 'y'), (2, 'w')", 'a'))).toContain("Duplicate entry '2' for key 't.PRIMARY'");
    expect(await textOf(run("insert into t (v) values ('z')", 'a'))).toContain("Duplicate entry 'z' for key 't.v'");
    expect(await rows("select id from t where v = 'z' or id = 9", 'a')).toEqual([[1]]);
    await run('commit', 'a');
    expect(await rows("select v from t where id = 1")).toEqual([['z']]);
  });

  it('BEGIN and DDL commit what is open', async () => {
    await run('begin', 'a');
    await run("update t set n = 100 where id = 1", 'a');
    await run('begin', 'a');
    expect(await rows('select n from t where id = 1')).toEqual([[100]]);
    await run("update t set n = 200 where id = 1", 'a');
    await run('alter table t add column m int', 'a');
    expect(await rows('select n from t where id = 1')).toEqual([[200]]);
    expect(listSessions(shard())[0]?.transaction).toBe(false);
  });

  it('READ ONLY refuses writes', async () => {
    await run('start transaction read only', 'a');
    expect(await rows('select id from t where id = 1', 'a')).toEqual([[1]]);
    expect(await textOf(run('update t set n = 1', 'a'))).toContain('errno 1792');
  });

  it('without a session is refused, with what to do', async () => {
    for (const sql of ['begin', 'commit', 'rollback', 'lock tables t read', 'unlock tables']) {
      expect(await textOf(run(sql))).toMatch(/needs a session: without one it would end with the statement/);
    }
  });

  it('is not refused its COMMIT by a rule that came later; its next statement is', async () => {
    await run('begin', 'a');
    await run('update t set n = 100 where id = 1', 'a');
    await t.control('commerce', '0', [{ tablet_type: 'PRIMARY', denied_tables: ['t'] }]);
    expect(await textOf(run('update t set n = 5 where id = 2', 'a'))).toContain('enforce denied tables');
    await run('commit', 'a');
    expect(shard().db.all('SELECT id, n FROM t ORDER BY id LIMIT 2')).toEqual([{ id: 1, n: 100 }, { id: 2, n: 2 }]);
  });

  it('is gone when the tablet stops serving', async () => {
    await run('begin', 'a');
    await run('update t set n = 100 where id = 1', 'a');
    shard().db.run("UPDATE _tablet SET view = json_set(view, '$.serving', json('false'))");
    expect(await failureOf(run('commit', 'a'))).toEqual({ code: 'CLUSTER_EVENT', text: 'operation not allowed in state NOT_SERVING' });
    expect(shard().db.all('SELECT n FROM t WHERE id = 1')).toEqual([{ n: 1 }]);
    expect(shard().db.all('SELECT * FROM _row_lock')).toEqual([]);
  });

  it('killed or closed is rolled back', async () => {
    await run('begin', 'a');
    await run('update t set n = 100', 'a');
    expect(listSessions(shard())).toMatchObject([
      { transaction: true, statements: ['update t set n = 100'], locks: [{ table: 't', mode: 'shared-write', granted: true }] },
    ]);
    expect(await killSession(shard(), t.cluster.world, 'a')).toBe(true);
    expect(await closeSession(shard(), t.cluster.world, 'a')).toBe(false);
    expect(listSessions(shard())).toEqual([]);
    expect((await soon('update t set n = 7 where id = 1')).rowsAffected).toBe(1);
  });
});

describe('row locks', () => {
  it('hold up writers of the same row only, and streams', async () => {
    await run('begin', 'a');
    await run('update t set n = 100 where id = 1', 'a');
    expect((await soon('update t set n = 20 where id = 2')).rowsAffected).toBe(1);
    expect(await failureOf(soon('update t set n = 5 where id = 1'))).toMatchObject({ code: 'DEADLINE_EXCEEDED', text: expect.stringContaining(TIMEOUT) });
    expect(await textOf(soon('delete from t where n < 3', 'b'))).toContain(TIMEOUT);
    const applier = new Applier(shard(), t.cluster.world);
    const row = { id: 1, v: 'a', n: 1 };
    expect(() => applier.delete(shard().table('t'), row)).toThrow(BlockedError);
    const waiting = run('update t set n = n + 1 where id = 1');
    await run('commit', 'a');
    expect((await waiting).rowsAffected).toBe(1);
    expect(await rows('select n from t where id = 1')).toEqual([[101]]);
  });

  it('hold up an INSERT of a key that may yet be free, or taken', async () => {
    await run('begin', 'a');
    await run("delete from t where id = 1", 'a');
    await run("insert into t (id, v) values (9, 'nine')", 'a');
    expect(await textOf(soon("insert into t (id, v) values (1, 'again')"))).toContain(TIMEOUT);
    expect(await textOf(soon("insert into t (id, v) values (9, 'other')"))).toContain(TIMEOUT);
    expect(await textOf(soon("insert into t (id, v) values (10, 'NINE')"))).toContain(TIMEOUT);
    expect(await textOf(soon("insert into t (id, v) values (11, 'a')"))).toContain(TIMEOUT);
    const late = run("insert into t (id, v) values (9, 'other')");
    await run('commit', 'a');
    expect(await textOf(late)).toContain("Duplicate entry '9' for key 't.PRIMARY'");
  });

  it('are taken by FOR UPDATE', async () => {
    await run('begin', 'a');
    expect(await rows('select n from t where id = 2 for update', 'a')).toEqual([[2]]);
    expect(await rows('select n from t where id = 2')).toEqual([[2]]);
    expect(await textOf(soon('select n from t where id = 2 for update', 'b'))).toContain(TIMEOUT);
    expect(await textOf(soon('update t set n = 0 where id = 2'))).toContain(TIMEOUT);
    expect((await soon('update t set n = 0 where id = 3')).rowsAffected).toBe(1);
  });

  it('are waited for 50 seconds at most', async () => {
    await run('begin', 'a');
    await run('update t set n = 100 where id = 1', 'a');
    const started = t.machine.clock.now();
    expect(await textOf(run('update t set n = 5 where id = 1'))).toContain(TIMEOUT);
    expect(t.machine.clock.now() - started).toBe(50_000);
  });

  it('a canceled wait is no time-out', async () => {
    await run('begin', 'a');
    await run('update t set n = 100 where id = 1', 'a');
    const limited = withTimeout(t.ctx, t.cluster.world.clock, 1000);
    const waiting = textOf(run('update t set n = 5 where id = 1', undefined, limited.ctx));
    await t.cluster.world.clock.sleep(100);
    limited.end('canceled');
    expect(await waiting).toBe('context canceled');
  });
});

describe('LOCK TABLES', () => {
  it('READ keeps writers out and lets readers in; its session too', async () => {
    await run('lock tables t read', 'a');
    expect(await rows('select count(*) from t')).toEqual([[3]]);
    expect(await rows('select count(*) from t', 'a')).toEqual([[3]]);
    expect(await textOf(soon('update t set n = 0'))).toContain(TIMEOUT);
    expect(await textOf(run('update t set n = 0', 'a'))).toContain("Table 't' was locked with a READ lock and can't be updated (errno 1099)");
    expect(await textOf(run('select * from other', 'a'))).toContain("Table 'other' was not locked with LOCK TABLES (errno 1100)");
    expect(listSessions(shard())[0]?.locks).toEqual([{ table: 't', mode: 'read-only', granted: true }]);
    await run('unlock tables', 'a');
    expect((await soon('update t set n = 0')).rowsAffected).toBe(3);
  });

  it('WRITE keeps everybody else out', async () => {
    await run('lock tables t write, other read', 'a');
    expect((await run('update t set n = 9 where id = 1', 'a')).rowsAffected).toBe(1);
    expect(await textOf(soon('select * from t'))).toContain(TIMEOUT);
    expect(await rows('select * from other')).toEqual([]);
    await run('alter table t add column m int', 'a');
    expect(await textOf(run('truncate other', 'a'))).toContain('errno 1099');
    await run('begin', 'a');
    expect(await rows('select n from t where id = 1')).toEqual([[9]]);
  });

  it('waits in line: those behind it wait too, those ahead go on', async () => {
    await run('begin', 'a');
    await run('update t set n = 10 where id = 1', 'a');
    const locking = run('lock tables t read', 'b');
    await t.cluster.world.clock.sleep(20);
    const order: string[] = [];
    const writer = run('update t set n = 30 where id = 3').then(() => order.push('writer'));
    await t.cluster.world.clock.sleep(100);
    expect(tableLocks(shard()).map(({ session, granted }) => [session, granted])).toEqual([['a', true], ['b', false]]);
    // A reader passes a waiting READ lock, and the transaction ahead is not held up by those that wait for it.
    expect(await rows('select n from t where id = 1')).toEqual([[1]]);
    expect((await soon('update t set n = 11 where id = 2', 'a')).rowsAffected).toBe(1);
    expect(order).toEqual([]);
    await run('commit', 'a');
    await locking.then(() => order.push('lock'));
    await t.cluster.world.clock.sleep(100);
    expect(order).toEqual(['lock']);
    await run('unlock tables', 'b');
    await writer;
    expect(order).toEqual(['lock', 'writer']);
  });

  it('commits first, and gives up its place when the context ends', async () => {
    await run('begin', 'a');
    await run('update t set n = 10 where id = 1', 'a');
    await run('begin', 'b');
    await run('update t set n = 20 where id = 2', 'b');
    expect(await textOf(soon('lock tables t write', 'b'))).toContain(TIMEOUT);
    expect(await rows('select n from t where id < 3 order by id')).toEqual([[1], [20]]);
    expect(tableLocks(shard()).map(({ session }) => session)).toEqual(['a']);
    expect(await textOf(run('lock tables nope read', 'b'))).toContain('errno 1146');
  });

  it('DDL waits for open transactions, behind them in line', async () => {
    await run('begin', 'a');
    await run('select * from t', 'a');
    expect(await textOf(soon('alter table t add column m int'))).toContain(TIMEOUT);
    const ddl = run('alter table t add column m int');
    await t.cluster.world.clock.sleep(50);
    const reader = run('select * from t');
    await t.cluster.world.clock.sleep(50);
    expect(await rows('select id from t where id = 1', 'a')).toEqual([[1]]);
    await run('commit', 'a');
    await ddl;
    expect((await reader).columns).toEqual(['id', 'v', 'n', 'm']);
  });

  it("a workflow's lock waits for sessions as LOCK TABLES does", async () => {
    await run('begin', 'a');
    await run('update t set n = 10 where id = 1', 'a');
    const { ctx } = withTimeout(t.ctx, t.cluster.world.clock, 500);
    const lock = [{ table: 't', mode: 'read-only' as const }];
    expect(await textOf(acquireTables(ctx, shard(), t.cluster.world, lock, { holder: 'SwitchTraffic' }))).toBe('context deadline exceeded');
  });

  it("no commit of a workflow's lock leaves one that nobody owns: killed after it, the table would stay locked for ever", async () => {
    const { db } = shard();
    const write = db.write.bind(db);
    let commits = 0;
    db.write = async (clock, fn) => {
      const result = await write(clock, fn);
      commits++;
      expect(tableLocks(shard()).filter(({ granted }) => granted)).toEqual([]);
      return result;
    };
    await acquireTables(t.ctx, shard(), t.cluster.world, [{ table: 't', mode: 'read-only' }], { holder: 'SwitchTraffic' });
    expect(commits).toBe(2);
    expect(tableLocks(shard())).toEqual([]);
  });
});
