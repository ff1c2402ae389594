import { beforeEach, describe, expect, it } from 'vitest';
import { withTimeout } from '../../../src/runtime/context.ts';
import type { QueryResult } from '../../../src/tablet/query/request.ts';
import { TestCluster } from '../../helpers/cluster.ts';
import { failureOf, textOf } from '../../helpers/topo-world.ts';

const CUSTOMER =
  'create table customer (id bigint not null auto_increment primary key, email varchar(64), age int not null default 0, unique key email (email))';

let t: TestCluster;
const run = (sql: string, session?: string): Promise<QueryResult> =>
  t.run('commerce', '0', sql, session === undefined ? {} : { session });
const rows = (sql: string, session?: string): Promise<unknown[][]> => t.rows('commerce', '0', sql, session);
const events = (): unknown[] => t.shard('commerce', '0').transactionsAfter(2, 100).map(({ events }) => events);

beforeEach(async () => {
  t = await TestCluster.make({ commerce: { shards: ['0'], types: ['REPLICA'], schema: [CUSTOMER] } });
});

describe('rows', () => {
  it('writes each change with both images, one binlog transaction per statement', async () => {
    expect(await run("insert into customer (email) values ('a'), ('b')")).toEqual({ columns: [], rows: [], rowsAffected: 2, insertId: 1 });
    expect((await run("update customer set age = 7 where email = 'b'")).rowsAffected).toBe(1);
    expect((await run("update customer set age = 7 where email = 'b'")).rowsAffected).toBe(0);
    await run('delete from customer where id = 1');
    const [a, b] = [
      { id: 1, email: 'a', age: 0 },
      { id: 2, email: 'b', age: 0 },
    ];
    expect(events()).toEqual([
      [
        { kind: 'insert', table: 'customer', after: a },
        { kind: 'insert', table: 'customer', after: b },
      ],
      [{ kind: 'update', table: 'customer', before: b, after: { ...b, age: 7 } }],
      [{ kind: 'delete', table: 'customer', before: a }],
    ]);
    expect(t.shard('commerce', '0').sequence()).toBe(5);
  });

  it('keeps integers beyond 2^53 whole', async () => {
    await run("insert into customer (id, email) values (9007199254740993, 'big')");
    expect(await rows('select id from customer')).toEqual([[9007199254740993n]]);
    expect(events()).toEqual([
      [{ kind: 'insert', table: 'customer', after: { id: 9007199254740993n, email: 'big', age: 0 } }],
    ]);
  });

  it('answers columns by label, repeated ones too', async () => {
    await run("insert into customer (email) values ('a')");
    expect(await run('select *, id, age as id, id + 1 from customer')).toEqual({
      columns: ['id', 'email', 'age', 'id', 'id', 'id + 1'],
      rows: [[1, 'a', 0, 1, 0, 2]],
      rowsAffected: 0,
    });
    expect((await run('select count(*) from customer where id > 1')).rows).toEqual([[0]]);
    expect((await run('select 1')).rows).toEqual([[1]]);
  });

  it('counts REPLACE and ON DUPLICATE KEY UPDATE as MySQL does', async () => {
    await run("insert into customer values (1, 'a', 1), (2, 'b', 2)");
    expect((await run("replace into customer values (1, 'b', 9)")).rowsAffected).toBe(3);
    expect(await rows('select * from customer')).toEqual([[1, 'b', 9]]);
    expect((await run("insert into customer values (1, 'z', 1) on duplicate key update age = age + 1")).rowsAffected).toBe(2);
    expect((await run("insert into customer values (1, 'z', 1) on duplicate key update age = age")).rowsAffected).toBe(0);
    expect((await run("insert ignore into customer values (1, 'q', 1), (3, 'q', 1)")).rowsAffected).toBe(1);
  });

  it('gives no id twice, not even that of the last row deleted', async () => {
    await run("insert into customer (email) values ('a'), ('b')");
    await run('delete from customer');
    expect((await run("insert into customer (email) values ('c')")).insertId).toBe(3);
  });

  it('names the key that is taken, and writes nothing of the statement', async () => {
    await run("insert into customer values (1, 'a', 0)");
    expect(await failureOf(run("insert into customer values (2, 'b', 0), (1, 'c', 0)"))).toEqual({
      code: 'ALREADY_EXISTS',
      text:
        "Duplicate entry '1' for key 'customer.PRIMARY' (errno 1062) (sqlstate 23000) (CallerID: user): " +
        'Sql: "insert into customer values (2, \'b\', 0), (1, \'c\', 0)", BindVars: {}',
    });
    expect(await textOf(run("insert into customer (email) values ('A')"))).toContain("Duplicate entry 'A' for key 'customer.email'");
    await run("insert into customer values (5, 'e', 0)");
    expect(await textOf(run('update customer set id = 1 where id = 5'))).toContain("Duplicate entry '1' for key 'customer.PRIMARY'");
    expect(await rows('select id from customer')).toEqual([[1], [5]]);
    expect(events()).toHaveLength(2);
  });

  it('says which table does not exist', async () => {
    expect(await textOf(run('select * from nope'))).toContain("Table 'vt_commerce.nope' doesn't exist (errno 1146)");
    expect(await textOf(run('select * from _binlog'))).toContain("Table 'vt_commerce._binlog' doesn't exist");
  });
});

describe('what a tablet refuses', () => {
  const denied = async (allowReads: boolean): Promise<void> =>
    t.control('commerce', '0', [
      { tablet_type: 'PRIMARY', denied_tables: ['customer'], ...(allowReads ? { allow_reads: true } : {}) },
    ]);

  it('denied tables, in the words of the rule, and leaves no event', async () => {
    await denied(false);
    const before = t.shard('commerce', '0').sequence();
    const refused = { code: 'FAILED_PRECONDITION', text: 'disallowed due to rule: enforce denied tables (CallerID: user)' };
    expect(await failureOf(run("insert into customer (email) values ('a')"))).toEqual(refused);
    expect(await failureOf(run('select * from customer'))).toEqual(refused);
    expect(await failureOf(run('drop table customer'))).toEqual(refused);
    expect(t.shard('commerce', '0').sequence()).toBe(before);
    await denied(true);
    expect(await rows('select * from customer')).toEqual([]);
    expect(await failureOf(run('update customer set age = 1'))).toEqual(refused);
  });

  it('entries between slashes are patterns; names that no table has deny nothing', async () => {
    await t.control('commerce', '0', [{ tablet_type: 'PRIMARY', denied_tables: ['/^cust/', 'orders'] }]);
    expect(await textOf(run('select * from customer'))).toContain('enforce denied tables');
    await run('create table orders (id int primary key)');
    expect(await textOf(run('select * from orders'))).toContain('enforce denied tables');
  });

  it('the view counts, not the topology', async () => {
    const view = t.shard('commerce', '0').db.all<{ view: string }>('SELECT view FROM _tablet ORDER BY alias')[0]!.view;
    await denied(false);
    t.shard('commerce', '0').db.run('UPDATE _tablet SET view = ? WHERE alias = ?', view, 'zone1-0000000100');
    expect((await run("insert into customer (email) values ('a')")).rowsAffected).toBe(1);
  });

  it('everything while it does not serve, before it looks at anything else', async () => {
    const shard = t.shard('commerce', '0');
    shard.db.run("UPDATE _tablet SET view = json_set(view, '$.serving', json('false'))");
    const refused = { code: 'CLUSTER_EVENT', text: 'operation not allowed in state NOT_SERVING' };
    expect(await failureOf(run('select * from nope'))).toEqual(refused);
    expect(await failureOf(run('create table x (id int primary key)'))).toEqual(refused);
    shard.db.run('DELETE FROM _tablet');
    expect(await textOf(run('select * from customer'))).toContain('NOT_SERVING');
  });

  it('a sender that takes it for another type, and writes on a replica', async () => {
    expect(await failureOf(t.run('commerce', '0', 'select 1', { type: 'REPLICA', as: 'PRIMARY' }))).toMatchObject({
      code: 'FAILED_PRECONDITION',
      text: 'wrong tablet type: PRIMARY, want: REPLICA or []',
    });
    await run("insert into customer (email) values ('a')");
    expect((await t.run('commerce', '0', 'select email from customer', { type: 'REPLICA' })).rows).toEqual([['a']]);
    const write = await failureOf(t.run('commerce', '0', 'delete from customer', { type: 'REPLICA' }));
    expect(write.code).toBe('CLUSTER_EVENT');
    expect(write.text).toContain('super-read-only option so it cannot execute this statement (errno 1290)');
  });
});

describe('tables', () => {
  it('are created, altered, renamed, emptied and dropped, each with its event', async () => {
    await run("insert into customer (email, age) values ('a', 1), ('b', 2)");
    await run('delete from customer where id = 2');
    await run('alter table customer add column name varchar(10) not null default \'x\' after id, drop column email');
    expect(await run('select * from customer')).toMatchObject({ columns: ['id', 'name', 'age'], rows: [[1, 'x', 1]] });
    expect((await run('insert into customer (age) values (5)')).insertId).toBe(3);
    await run('create index age on customer (age)');
    await run('alter table customer rename to client');
    expect(await rows('show tables')).toEqual([['client']]);
    expect(String((await rows('show create table client'))[0]?.[1])).toContain('KEY `age` (`age`)');
    await run('rename table client to customer');
    await run('truncate table customer');
    expect((await run('insert into customer (age) values (5)')).insertId).toBe(1);
    await run('create table twin like customer');
    await run('drop table twin, customer');
    expect(t.shard('commerce', '0').tableNames()).toEqual([]);
    const ddl = events().flat().filter((event) => (event as { kind: string }).kind === 'ddl') as { table: string; sql: string }[];
    expect(ddl.map(({ table }) => table)).toEqual(['customer', 'customer', 'customer', 'client', 'customer', 'twin', 'twin', 'customer']);
    expect(ddl[0]?.sql).toMatch(/^alter table customer add column/);
  });

  it('an ALTER that the rows do not fit changes nothing', async () => {
    await run("insert into customer (email, age) values ('a', 1), ('b', 1)");
    const before = await rows('show create table customer');
    expect(await textOf(run('alter table customer add unique key age (age)'))).toContain("Duplicate entry '1' for key 'customer.age'");
    expect(await textOf(run('alter table customer modify column email int'))).toContain('errno 1366');
    expect(await rows('show create table customer')).toEqual(before);
    expect(await rows('select count(*) from customer')).toEqual([[2]]);
  });

  it('refuses the errors that MySQL refuses, and names of ours', async () => {
    expect(await textOf(run('create table customer (id int primary key)'))).toContain('errno 1050');
    expect(await textOf(run('drop table nope, customer'))).toContain("Unknown table 'vt_commerce.nope' (errno 1051)");
    expect(await rows('show tables')).toEqual([['customer']]);
    await run('drop table if exists nope');
    await run('create table if not exists customer (id int primary key)');
    for (const name of ['_binlog', '_vt_x', 'sqlite_x', 'Customer', 'streams']) {
      expect(await textOf(run(`create table ${name} (id int primary key)`))).toMatch(/the table name \S+ is (reserved|taken)/);
    }
    expect(await textOf(run('rename table customer to _x'))).toContain('is reserved');
  });
});

describe('a context that ended', () => {
  it('runs nothing', async () => {
    const { ctx } = withTimeout(t.ctx, t.cluster.world.clock, 0);
    expect(await textOf(t.run('commerce', '0', 'delete from customer', { ctx }))).toBe('context deadline exceeded');
  });
});
