import { beforeEach, describe, expect, it } from 'vitest';
import { type Query } from '../../src/gate/query-scope.ts';
import { runQuery } from '../../src/gate/query.ts';
import { withTimeout } from '../../src/runtime/context.ts';
import type { QueryResult } from '../../src/tablet/query/request.ts';
import { listSessions } from '../../src/tablet/query/sessions.ts';
import { paths } from '../../src/topo/paths.ts';
import { saveRoutingRules } from '../../src/topo/rules.ts';
import { encodeRecord } from '../../src/topo/server.ts';
import { rebuildSrvVSchema } from '../../src/topo/vschema.ts';
import { TestCluster } from '../helpers/cluster.ts';
import { failureOf, textOf } from '../helpers/topo-world.ts';

const CUSTOMER = 'create table customer (id bigint not null, name varchar(20), amount decimal(6,2), primary key (id))';
const commerce = { tables: { customer: {}, product: {}, seq: { type: 'sequence' } } };
const customer = {
  sharded: true,
  vindexes: { hash: { type: 'hash' } },
  tables: {
    customer: { column_vindexes: [{ column: 'id', name: 'hash' }] },
    numbered: { column_vindexes: [{ column: 'id', name: 'hash' }], auto_increment: { column: 'id', sequence: 'commerce.seq' } },
    ref: { type: 'reference' },
  },
};

let t: TestCluster;
type Options = Omit<Query, 'sql' | 'cell'>;
const run = (sql: string, options: Options = {}): Promise<QueryResult> => runQuery(t.ctx, t.cluster, { sql, cell: 'zone1', ...options });
const rows = async (sql: string, options: Options = {}): Promise<unknown[][]> => (await run(sql, options)).rows;
const idsOf = (keyspace: string, shard: string): number[] =>
  t.shard(keyspace, shard).db.all<{ id: number }>('SELECT id FROM customer ORDER BY id').map(({ id }) => id);
const rules = async (map: Record<string, string[]>): Promise<void> => {
  const list = Object.entries(map).map(([from_table, to_tables]) => ({ from_table, to_tables }));
  await saveRoutingRules(t.ctx, t.cluster.topo, { rules: list });
  await rebuildSrvVSchema(t.ctx, t.cluster.topo);
};

beforeEach(async () => {
  t = await TestCluster.make({
    commerce: {
      shards: ['0'],
      vschema: commerce,
      types: ['REPLICA'],
      schema: [CUSTOMER, 'create table product (sku varchar(10) primary key)', "create table seq (id int primary key, next_id bigint, cache bigint) comment 'vitess_sequence'"],
    },
    customer: {
      shards: ['-80', '80-'],
      vschema: customer,
      types: ['RDONLY'],
      schema: [CUSTOMER, 'create table numbered (id bigint primary key, v int)', 'create table ref (id int primary key)'],
    },
  });
});

describe('rows and shards', () => {
  beforeEach(async () => {
    await run("insert into customer.customer values (1, 'B', 10.50), (2, 'a', 9.25), (3, 'c', 100), (4, null, null), (5, 'b', 2)");
  });

  it('go where the vindex says', () => {
    // Vitess's hash of 1, 2, 3 and 5 begins below 80, that of 4 above.
    expect(idsOf('customer', '-80')).toEqual([1, 2, 3, 5]);
    expect(idsOf('customer', '80-')).toEqual([4]);
  });

  it('are found by it, and everywhere without it', async () => {
    expect(await rows('select id from customer.customer where id = 4')).toEqual([[4]]);
    expect(await rows('select id from customer.customer where id in (4, 2) order by id')).toEqual([[2], [4]]);
    expect(await rows('select count(*) from customer.customer')).toEqual([[5]]);
    t.shard('customer', '80-').db.run('DELETE FROM _tablet');
    expect(await rows('select id from customer.customer where id = 1 and name = \'B\'')).toEqual([[1]]);
    expect(await textOf(run('select id from customer.customer where id > 0'))).toBe(
      'target: customer.80-.primary: vttablet: rpc error: code = Code(17) desc = operation not allowed in state NOT_SERVING',
    );
  });

  it('are put in order across shards as one MySQL would', async () => {
    expect(await rows('select id from customer.customer order by name, id')).toEqual([[4], [2], [1], [5], [3]]);
    expect(await rows('select id, amount from customer.customer order by amount desc limit 2')).toEqual([[3, '100.00'], [1, '10.50']]);
    expect(await rows('select id as x from customer.customer order by x desc limit 1, 2')).toEqual([[4], [3]]);
    expect(await run('select * from customer.customer order by 3 limit 2')).toMatchObject({
      columns: ['id', 'name', 'amount'],
      rows: [[4, null, null], [5, 'b', '2.00']],
    });
    expect((await rows('select distinct name from customer.customer')).length).toBe(4);
    expect((await rows('select distinct name from customer.customer order by name limit 2'))[0]).toEqual([null]);
  });

  it('are added up across shards', async () => {
    expect(await rows('select count(*), count(name), sum(amount), min(amount), max(id), min(name) from customer.customer')).toEqual([
      [5, 4, '121.75', '2.00', 5, 'a'],
    ]);
    await run('update customer.customer set amount = 0.50 where id = 4');
    expect(await rows('select sum(amount), sum(id), max(amount) from customer.customer')).toEqual([['122.25', 15, '100.00']]);
    expect(await textOf(run('select avg(id) from customer.customer'))).toBe("VT12001: unsupported: in scatter query: aggregation function 'avg(id)'");
    expect(await textOf(run('select count(*) + 1 from customer.customer'))).toBe('VT12001: unsupported: in scatter query: complex aggregate expression');
    expect(await rows('select avg(id) from customer.customer where id = 4')).toHaveLength(1);
  });

  it('change in all shards or in none', async () => {
    expect((await run("update customer.customer set name = 'z'")).rowsAffected).toBe(5);
    const before = [idsOf('customer', '-80'), idsOf('customer', '80-')];
    expect(await textOf(run("insert into customer.customer values (6, 'x', 0), (4, 'y', 0)"))).toMatch(
      /^target: customer\.80-\.primary: vttablet: rpc error: code = AlreadyExists desc = Duplicate entry '4' for key 'customer.PRIMARY' \(errno 1062\)/,
    );
    expect([idsOf('customer', '-80'), idsOf('customer', '80-')]).toEqual(before);
    expect((await run('delete from customer.customer where id in (1, 4)')).rowsAffected).toBe(2);
    expect(await textOf(run('delete from customer.customer limit 1'))).toBe('VT12001: unsupported: multi shard DELETE with LIMIT');
  });

  it('stay in their shard', async () => {
    expect(await textOf(run('update customer.customer set id = 7 where id = 1'))).toBe(
      'VT12001: unsupported: you cannot UPDATE primary vindex columns; invalid update on vindex: hash',
    );
    expect(await textOf(run('insert into customer.customer values (1, null, 0) on duplicate key update id = 9'))).toBe(
      'VT12001: unsupported: DML cannot update vindex column',
    );
    expect(await textOf(run("insert into customer.customer (name) values ('x')"))).toBe(
      "VT09003: INSERT query does not have primary vindex column 'id' in the column list",
    );
    expect(await textOf(run("insert into customer.customer (id) values (null)"))).toBe('VT09023: could not map [NULL] to a keyspace id');
    expect(await textOf(run("insert into customer.customer (id, name) values (1)"))).toMatch(/^VT03006/);
  });

  it('a target goes straight to its shard, whatever the rules say', async () => {
    await rules({ 'customer.customer': ['commerce.customer'], customer: ['commerce.customer'] });
    expect(await rows('select id from customer', { target: 'customer:80-' })).toEqual([[4]]);
    expect(await rows('select id from customer.customer', { target: 'customer/80-' })).toEqual([[4]]);
    expect(await rows('select count(*) from customer', { target: 'customer[-]' })).toEqual([[5]]);
    expect(await rows('select id from customer order by id limit 1', { target: 'customer[ff]@rdonly' })).toEqual([[4]]);
    await run("insert into customer values (4000, 'here', 0)", { target: 'customer:-80' });
    expect(idsOf('customer', '-80')).toContain(4000);
    expect(await textOf(run('insert into customer (id) values (1)', { target: 'customer[-]' }))).toBe(
      'VT03023: INSERT not supported when targeting a key range: customer[-]',
    );
    expect(await textOf(run('select 1', { target: 'customer[10-20]' }))).toBe('keyrange 10-20 does not exactly match shards');
    expect(await textOf(run('select 1', { target: 'customer:40-80' }))).toBe(
      `target: customer.40-80.primary: no healthy tablet available for 'keyspace:"customer" shard:"40-80" tablet_type:PRIMARY'`,
    );
    expect(await textOf(run('select 1', { target: 'nope' }))).toBe("VT05003: unknown database 'nope' in vschema");
  });

  it("a table's qualifier may name a shard for UPDATE and DELETE only", async () => {
    expect((await run("update `customer:80-`.customer set name = 'q'")).rowsAffected).toBe(1);
    expect(await textOf(run('select * from `customer:80-`.customer'))).toBe('VT09017: SELECT with a target destination is not allowed');
    expect(await textOf(run('insert into `customer:80-`.customer (id) values (1)'))).toBe('VT09017: INSERT with a target destination is not allowed');
  });
});

describe('rules', () => {
  beforeEach(async () => {
    await run("insert into commerce.customer values (1, 'source', 0)");
    await run("insert into customer.customer values (1, 'target', 0)");
  });

  const names = async (options: Options = {}, table = 'customer'): Promise<unknown> => (await rows(`select customer.name from ${table}`, options))[0]?.[0];

  it('send a name where they say, for the type of the target', async () => {
    expect(await textOf(run('select * from customer'))).toBe('ambiguous table reference: customer');
    await rules({ customer: ['commerce.customer'], 'customer@replica': ['commerce.customer'], 'customer@rdonly': ['customer.customer'], 'commerce.customer': ['customer.customer'] });
    expect(await names()).toBe('source');
    expect(await names({ target: '@replica' })).toBe('source');
    expect(await names({ target: '@rdonly' })).toBe('target');
    expect(await names({ target: 'commerce' })).toBe('target');
    expect(await names({}, 'commerce.customer')).toBe('target');
  });

  it('rename tables; the old name still qualifies columns', async () => {
    await run('create table commerce.client like commerce.customer');
    await run("insert into commerce.client values (1, 'client', 0)");
    await rules({ customer: ['commerce.client'] });
    expect(await names()).toBe('client');
    expect((await run("update customer set customer.name = 'x' where customer.id = 1")).rowsAffected).toBe(1);
    expect((await run('delete from customer where customer.id = 1')).rowsAffected).toBe(1);
  });

  it('for shards send a shard to another keyspace, last of all', async () => {
    await run("insert into customer.customer values (4, 'target', 0)");
    const record = { rules: [{ from_keyspace: 'customer', to_keyspace: 'commerce', shard: '80-' }] };
    await t.cluster.topo.conn.create(t.ctx, paths.shardRoutingRules, encodeRecord(record));
    await rebuildSrvVSchema(t.ctx, t.cluster.topo);
    const missing = `target: commerce.80-.primary: no healthy tablet available for 'keyspace:"commerce" shard:"80-" tablet_type:PRIMARY'`;
    expect(await rows('select name from customer.customer where id = 1')).toEqual([['target']]);
    expect(await textOf(run('select name from customer.customer where id = 4'))).toBe(missing);
    expect(await textOf(run('select 1', { target: 'customer:80-' }))).toBe(missing);
  });

  it('of the tablet hold behind those of the gate', async () => {
    await t.control('commerce', '0', [{ tablet_type: 'PRIMARY', denied_tables: ['customer'] }]);
    expect(await failureOf(run('select * from commerce.customer', { caller: 'app' }))).toEqual({
      code: 'FAILED_PRECONDITION',
      text:
        'target: commerce.0.primary: vttablet: rpc error: code = FailedPrecondition desc = ' +
        'disallowed due to rule: enforce denied tables (CallerID: app)',
    });
    expect(await names({ target: 'commerce@replica' })).toBe('source');
    expect(await names({}, '`commerce@replica`.customer')).toBe('source');
  });
});

describe('tablets', () => {
  it('of a type that is not there, or that no keyspace serves', async () => {
    expect(await failureOf(run('select * from product', { target: 'commerce@rdonly' }))).toEqual({
      code: 'UNAVAILABLE',
      text: `target: commerce.0.rdonly: no healthy tablet available for 'keyspace:"commerce" shard:"0" tablet_type:RDONLY'`,
    });
    expect(await textOf(run('select * from product', { target: 'commerce@spare' }))).toBe(
      'No partition found for tabletType spare in keyspace commerce',
    );
    await t.cluster.topo.conn.forCell('zone1').delete(t.ctx, paths.srvKeyspace('commerce'), null);
    expect(await textOf(run('select * from product', { target: 'commerce' }))).toMatch(/^keyspace commerce fetch error: node doesn't exist: /);
  });

  it('that are no primaries are not written to', async () => {
    expect(await failureOf(run('delete from product', { target: 'commerce@replica' }))).toEqual({
      code: 'FAILED_PRECONDITION',
      text: 'VT09002: delete statement with a replica target',
    });
    expect(await textOf(run('insert into `commerce@replica`.product values (1)'))).toBe('VT09002: insert statement with a replica target');
    expect(await textOf(run('drop table product', { target: 'commerce@replica' }))).toContain('target: commerce.0.replica: vttablet: rpc error: code = Code(17)');
  });

  it('can be named one by one', async () => {
    expect(await rows('select 1', { target: 'commerce:0@replica|zone1-0000000101' })).toEqual([[1]]);
    expect(await textOf(run('select 1', { target: 'commerce:0@replica|zone1-0000000100' }))).toContain('no healthy tablet available');
  });
});

describe('tables', () => {
  it('are defined on every shard, or the one that the target names', async () => {
    await run('create table customer.more (id int primary key)');
    expect(t.shard('customer', '-80').tableNames()).toContain('more');
    expect(t.shard('customer', '80-').tableNames()).toContain('more');
    expect(await textOf(run('select * from customer.more'))).toBe('table more not found');
    await run('drop table more', { target: 'customer:-80' });
    expect(t.shard('customer', '-80').tableNames()).not.toContain('more');
    expect(t.shard('customer', '80-').tableNames()).toContain('more');
    expect(await textOf(run('create table new (id int primary key)'))).toMatch(/^VT09005: no database selected/);
    expect(await textOf(run('rename table commerce.product to customer.product'))).toBe("VT03002: changing schema from 'commerce' to 'customer' is not allowed");
    expect(await textOf(run('drop table commerce.product, customer.ref'))).toContain('do not belong to the same destination');
  });

  it('made in an unsharded keyspace are found without it', async () => {
    await run('create table commerce.made (id int primary key)');
    expect(await rows('select count(*) from made')).toEqual([[0]]);
    expect(await run('show tables', { target: 'commerce' })).toMatchObject({ columns: ['Tables_in_commerce'], rows: [['customer'], ['made'], ['product'], ['seq']] });
    expect((await run('show create table made')).rows[0]?.[0]).toBe('made');
    expect(await textOf(run('show create table nope'))).toBe("VT05004: table 'nope' does not exist");
  });

  it('of reference are the same everywhere', async () => {
    await run('insert into customer.ref values (1)');
    expect(t.shard('customer', '80-').db.all('SELECT * FROM ref')).toEqual([{ id: 1 }]);
    expect(await rows('select * from customer.ref')).toEqual([[1]]);
  });

  it('take ids from their sequence', async () => {
    await run('insert into commerce.seq values (0, 4, 1000)');
    expect(await run('insert into customer.numbered (v) values (10), (20)')).toMatchObject({ insertId: 4, rowsAffected: 2 });
    expect(await run('insert into customer.numbered values (null, 30), (99, 40)')).toMatchObject({ insertId: 6 });
    expect(await rows('select id, v from customer.numbered order by id')).toEqual([[4, 10], [5, 20], [6, 30], [99, 40]]);
    expect(await rows('select next_id from commerce.seq')).toEqual([[1004]]);
    await run('delete from commerce.seq');
    // The tablet still has values of the block that it took; a table that was changed it reads anew.
    expect(await run('insert into customer.numbered (v) values (50)')).toMatchObject({ insertId: 7 });
    await run('truncate table commerce.seq');
    expect(await textOf(run('insert into customer.numbered (v) values (1)'))).toContain('unexpected rows from reading sequence seq (possible mis-route): 0');
  });
});

describe('sessions', () => {
  const a = { session: 'a' };

  it('carry a transaction over the shards that it touches', async () => {
    await run('begin', a);
    await run("insert into customer.customer values (1, 'x', 0)", a);
    await run("insert into customer.customer values (4, 'x', 0)", a);
    await run("insert into commerce.product values ('p')", a);
    expect(await rows('select count(*) from customer.customer')).toEqual([[0]]);
    expect(await rows('select count(*) from customer.customer', a)).toEqual([[2]]);
    expect(listSessions(t.shard('customer', '80-'))).toMatchObject([{ name: 'a', transaction: true }]);
    await run('commit', a);
    expect(await rows('select count(*) from customer.customer')).toEqual([[2]]);
    expect(listSessions(t.shard('customer', '80-'))).toMatchObject([{ name: 'a', transaction: false }]);
    await run('begin', a);
    await run('delete from customer.customer', a);
    await run('rollback', a);
    expect(await rows('select count(*) from customer.customer')).toEqual([[2]]);
  });

  it('lock tables on all shards until they unlock them', async () => {
    await run('lock tables customer.customer write, commerce.product read', a);
    const { ctx } = withTimeout(t.ctx, t.cluster.world.clock, 100);
    const blocked = runQuery(ctx, t.cluster, { sql: 'delete from customer.customer where id = 4', cell: 'zone1' });
    expect(await textOf(blocked)).toMatch(
      /^target: customer\.80-\.primary: vttablet: rpc error: code = DeadlineExceeded desc = Lock wait timeout exceeded; try restarting transaction \(errno 1205\)/,
    );
    await run("insert into customer.customer values (1, 'x', 0)", a);
    expect(await rows('select count(*) from product')).toEqual([[0]]);
    await run('unlock tables', a);
    await run("delete from customer.customer where id = 1");
  });

  it('that cannot lock everything lock nothing', async () => {
    await run('begin', { session: 'b' });
    await run("insert into customer.customer values (4, 'x', 0)", { session: 'b' });
    const { ctx } = withTimeout(t.ctx, t.cluster.world.clock, 100);
    expect(await textOf(runQuery(ctx, t.cluster, { sql: 'lock tables customer.customer read', cell: 'zone1', session: 'a' }))).toContain('errno 1205');
    expect((await run("insert into customer.customer values (1, 'x', 0)")).rowsAffected).toBe(1);
  });

  it('are needed for what lasts longer than a statement, and have no target of their own', async () => {
    expect(await textOf(run('begin'))).toMatch(/^BEGIN needs a session/);
    expect(await textOf(run('lock tables commerce.product read'))).toMatch(/^LOCK TABLES needs a session/);
    expect(await textOf(run('use customer', a))).toMatch(/^USE has no effect/);
    await run('begin', a);
    expect(await textOf(run('select * from product', { ...a, target: 'commerce@replica' }))).toBe(
      "can't execute the given command because you have an active transaction",
    );
    expect(await rows('select * from `commerce@replica`.product', a)).toEqual([]);
  });

  it('DDL commits what is open', async () => {
    await run('begin', a);
    await run("insert into customer.customer values (1, 'x', 0), (4, 'y', 0)", a);
    await run('alter table customer.customer add column extra int', a);
    expect(await rows('select id from customer.customer order by id')).toEqual([[1], [4]]);
  });
});
