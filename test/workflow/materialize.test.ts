import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { insertStream, readStreams } from '../../src/tablet/vreplication/streams.ts';
import { pumpStream, pumpUntilIdle } from '../../src/tablet/vreplication/pump.ts';
import { BinlogSource } from '../../src/topo/proto/messages-binlogdata.ts';
import { prototext } from '../../src/topo/proto/prototext.ts';
import { TestCluster as Shards } from '../helpers/cluster.ts';
import { fingerprint } from '../helpers/fingerprint.ts';
import { beforeReshard, misplacedRows } from '../helpers/reshard.ts';
import { type TestCluster, testCluster } from '../helpers/shell.ts';

const NEWEST = '24.0.0-SNAPSHOT';
const M = 'Materialize --workflow mat --target-keyspace customer';

function create(settings: unknown, more = '--source-keyspace commerce'): string {
  return `${M} create ${more} --table-settings '${JSON.stringify(settings)}'`;
}

async function commerce(version = 'hardened'): Promise<TestCluster> {
  const cluster = testCluster();
  await cluster.ok(`init commerce --vitess-version ${version}`);
  return cluster;
}

function rows(cluster: TestCluster, table: string, shard = '0'): unknown[] {
  return cluster.host.shards.open('customer', shard).db.all(`SELECT * FROM "${table}" ORDER BY 1`);
}

const SALES = {
  target_table: 'sales',
  source_expression: 'select sku, count(*) as orders, sum(price) as revenue from corder group by sku',
  create_ddl: 'create table sales (sku varbinary(128) not null, orders bigint, revenue bigint, primary key (sku))',
};

describe('Materialize create', () => {
  it('makes tables of columns, expressions, counts and sums, and keeps them up to date', async () => {
    const cluster = await commerce();
    const settings = [
      SALES,
      { target_table: 'mails', source_expression: "select customer_id as id, upper(email) as mail from customer where customer_id > 1", create_ddl: 'create table mails (id bigint not null, mail varchar(128), seen int not null default 7, primary key (id))' },
      { target_table: 'product', source_expression: 'select * from product', create_ddl: 'copy' },
    ];
    expect(await cluster.ok(create(settings))).toBe('Materialization workflow mat successfully created in the customer keyspace. Use show to view the status.\n');
    await cluster.ok('show keyspace');
    expect(rows(cluster, 'sales')).toEqual([{ sku: 'SKU-1001', orders: 1, revenue: 100 }, { sku: 'SKU-1002', orders: 4, revenue: 120 }]);
    expect(rows(cluster, 'mails')).toHaveLength(4);
    expect(rows(cluster, 'product')).toHaveLength(2);
    for (const sql of [
      "insert into corder (order_id, customer_id, sku, price) values (6, 1, 'SKU-1003', 7), (7, 1, 'SKU-1001', null)",
      "update corder set sku = 'SKU-1001' where order_id = 2",
      'update corder set price = 31 where order_id = 3',
      'delete from corder where order_id = 6',
      "update customer set email = 'new@example.com' where customer_id = 2",
      'delete from customer where customer_id = 3',
      "insert into customer (customer_id, email) values (9, 'nine@example.com')",
      "update product set price = 1 where sku = 'SKU-1001'",
    ]) {
      await cluster.ok(`query --target commerce:0 "${sql}"`);
    }
    await cluster.ok('show keyspace');
    // A group keeps its row when its last member goes, as in Vitess.
    expect(rows(cluster, 'sales')).toEqual([
      { sku: 'SKU-1001', orders: 3, revenue: 130 },
      { sku: 'SKU-1002', orders: 3, revenue: 91 },
      { sku: 'SKU-1003', orders: 0, revenue: 0 },
    ]);
    expect(rows(cluster, 'mails')).toEqual([
      { id: 2, mail: 'NEW@EXAMPLE.COM', seen: 7 },
      { id: 4, mail: 'DAN@EXAMPLE.COM', seen: 7 },
      { id: 5, mail: 'EVE@EXAMPLE.COM', seen: 7 },
      { id: 9, mail: 'NINE@EXAMPLE.COM', seen: 7 },
    ]);
    expect(rows(cluster, 'product')).toContainEqual({ sku: 'SKU-1001', description: 'Monitor', price: 1 });
  });

  it('keeps what it was told with the streams, and starts them', async () => {
    const cluster = await commerce();
    await cluster.ok(`${create([SALES])} --cells zone1 --tablet-types replica --stop-after-copy`);
    expect(readStreams(cluster.host.shards.open('customer', '0'))).toMatchObject([
      {
        workflow: 'mat',
        source: 'keyspace:"commerce" shard:"0" filter:{rules:{match:"sales" filter:"select sku, count(*) as orders, sum(price) as revenue from corder group by sku"}} stop_after_copy:true',
        state: 'Running',
        workflow_type: 0,
        cell: 'zone1',
        tablet_types: 'REPLICA',
        defer_secondary_keys: 0,
        options: '{}',
      },
    ]);
    await cluster.ok('show keyspace');
    expect(readStreams(cluster.host.shards.open('customer', '0'))).toMatchObject([{ state: 'Stopped', message: 'Stopped after copy.' }]);
    expect(await cluster.ok(`${M} show`)).toContain('"workflow_type": "Materialize"');
  });

  it('within a sharded keyspace: from every shard to every shard, rows where their vindex says', async () => {
    const cluster = await beforeReshard('2 to 4', { materialize: true });
    const streams = ['-80', '80-'].map((shard) => readStreams(cluster.host.shards.open('customer', shard), 'sales').map(({ source }) => source));
    const rule = (range: string): string =>
      `filter:{rules:{match:"sale" filter:"select order_id as id, customer_id as customer, ifnull(price, 0) * 2 as amount from corder where in_keyrange(customer_id, 'customer.hash', '${range}')"}}`;
    expect(streams).toEqual(['-80', '80-'].map((range) => ['-80', '80-'].map((source) => `keyspace:"customer" shard:"${source}" ${rule(range)}`)));
    const sales = (): unknown[] => ['-80', '80-'].flatMap((shard) => cluster.host.shards.open('customer', shard).db.all('SELECT id, customer AS customer_id, amount FROM sale'));
    expect(sales()).toHaveLength(80);
    await cluster.ok('query "update corder set price = 50 where order_id = 4"');
    await cluster.ok('query "delete from corder where order_id = 5"');
    await cluster.ok('query "insert into corder values (500, 77, null, 3)"');
    await cluster.ok('show keyspace customer');
    expect(sales()).toHaveLength(80);
    expect(sales()).toContainEqual({ id: 4, customer_id: 2, amount: 100 });
    expect(sales()).toContainEqual({ id: 500, customer_id: 77, amount: 6 });
    expect(misplacedRows(cluster, 'corder', ['-80', '80-'])).toEqual([]);
  });

  it('--reference-tables copies tables whole to every shard', async () => {
    const cluster = await beforeReshard('2 to 4', { reference: false });
    await cluster.ok('tablet add zone1-900 --keyspace global --shard 0 --type primary');
    await cluster.ok("query --target global:0 'create table country (code varchar(2) not null, primary key (code))'");
    await cluster.ok("query --target global:0 \"insert into country values ('is'), ('pt')\"");
    await cluster.ok(`${M} create --source-keyspace global --reference-tables country`);
    await cluster.ok('show keyspace customer');
    for (const shard of ['-80', '80-']) expect(cluster.host.shards.open('customer', shard).db.all('SELECT * FROM country')).toHaveLength(2);
    const [stream] = readStreams(cluster.host.shards.open('customer', '-80'));
    expect(stream?.source).toBe('keyspace:"global" shard:"0" filter:{rules:{match:"country" filter:"select * from country"}}');
  });

  it.each([
    ['copy', ['CONSTRAINT', 'CHECK', 'FOREIGN']],
    ['copy:drop_foreign_keys', ['CONSTRAINT', 'CHECK']],
    ['copy:drop_constraint', []],
  ])('create_ddl %s', async (ddl, kept) => {
    const cluster = await commerce();
    await cluster.ok('query --target commerce:0 "create table child (id int not null, p bigint, primary key (id), key p (p), constraint small check (id < 9), constraint whose foreign key (p) references customer (customer_id))"');
    await cluster.ok(create([{ target_table: 'child', source_expression: 'select * from child', create_ddl: ddl }]));
    const text = await cluster.ok("query --target customer:0 'show create table child'");
    expect(['CONSTRAINT', 'CHECK', 'FOREIGN'].filter((word) => text.includes(word))).toEqual(kept);
    expect(text).toContain('KEY `p`');
  });

  it('start, stop and cancel', async () => {
    const cluster = await commerce();
    await cluster.ok(create([SALES]));
    expect(await cluster.ok(`${M} stop`)).toContain('Successfully updated the mat workflow on (1) target primary tablets in the customer keyspace');
    await cluster.ok("query --target commerce:0 'delete from corder'");
    await cluster.ok('show keyspace');
    expect(readStreams(cluster.host.shards.open('customer', '0'))[0]?.state).toBe('Stopped');
    await cluster.ok(`${M} start`);
    await cluster.ok('show keyspace');
    expect(rows(cluster, 'sales')).toContainEqual({ sku: 'SKU-1002', orders: 0, revenue: 0 });
    expect(await cluster.ok(`${M} cancel`)).toBe('Successfully cancelled the mat workflow in the customer keyspace\n\n');
    expect(cluster.host.shards.open('customer', '0').tableNames()).toEqual([]);
    expect(readStreams(cluster.host.shards.open('customer', '0'))).toEqual([]);
    expect(cluster.host.shards.open('commerce', '0').tableNames()).toContain('corder');
  });

  it('--format json', async () => {
    const cluster = await commerce();
    expect(await cluster.ok(`${create([SALES])} --format json`)).toBe('{\n  "Action": "create",\n  "Status": "success"\n}\n');
  });
});

const setting = (expression: string, more: object = {}): unknown => [{ target_table: 't', source_expression: expression, create_ddl: 'create table t (sku varbinary(128) not null, primary key (sku))', ...more }];

describe('Materialize create refuses', () => {
  it.each<[what: string, line: string, text: string]>([
    ['nothing', `${M} create --source-keyspace commerce`, 'either --table-settings or --reference-tables must be specified'],
    ['both', `${create([SALES])} --reference-tables product`, 'cannot specify both --table-settings and --reference-tables'],
    ['text that is no JSON', `${M} create --source-keyspace commerce --table-settings x`, 'invalid argument "x" for "--table-settings" flag: table-settings is not valid JSON'],
    ['no tables', create([]), 'invalid argument "[]" for "--table-settings" flag: empty table-settings'],
    ['no select', create([{ target_table: 't' }]), 'missing target_table or source_expression'],
    ['no query', create(setting('bad')), 'invalid source_expression: "bad"'],
    ['one source for two tables', create([SALES, { ...SALES, target_table: 'more' }]), 'multiple source_expression queries use the same table: "corder"'],
    ['an unknown source keyspace', create([SALES], '--source-keyspace nope'), "failed to get list of shards for keyspace 'nope': "],
    ['a table that is there no more', create(setting('select sku from nope')), 'table(s) not found in source keyspace commerce: nope'],
    ['a select that no stream can do', create(setting('select sku, max(price) as m from corder group by sku')), 'no stream can fill t: unsupported aggregation function: max(price) in query: '],
    ['no statement for a table that is not there', create(setting('select sku from corder', { create_ddl: '' })), 'target table t does not exist and there is no create ddl defined'],
    ['a copy under another name', create(setting('select * from corder', { create_ddl: 'copy' })), 'source and target table names must match for copying schema: corder vs t'],
    ['a field that means nothing', create(setting('select sku from corder', { create_dll: 'copy' })), '--table-settings has a field that means nothing: create_dll'],
  ])('%s', async (_what, line, text) => {
    const cluster = await commerce();
    const before = fingerprint(cluster.host);
    const { exit, stderr } = await cluster.run(line);
    expect(exit).toBe(1);
    expect(stderr.split('\n')[0]).toContain(text);
    expect(fingerprint(cluster.host)).toEqual(before);
  });

  it('a name that is taken, and a table with rows', async () => {
    const cluster = await commerce();
    await cluster.ok(create([SALES]));
    await cluster.ok('show keyspace');
    expect((await cluster.run(create([{ ...SALES, target_table: 'other' }]))).stderr).toMatch(/^workflow mat already exists in keyspace customer on tablet zone1-0000000200\n/);
    const other = create([SALES]).replace('--workflow mat', '--workflow other');
    expect((await cluster.run(other)).stderr).toMatch(/^failed to validate that all target tables are empty: non-empty tables found in target keyspace\(customer\): sales\n/);
  });

  it('what a sharded keyspace cannot place', async () => {
    const cluster = await beforeReshard('2 to 4', { reference: false });
    const make = async (table: string, expression: string): Promise<string> => {
      const before = fingerprint(cluster.host);
      const ddl = `create table ${table} (id bigint not null, customer bigint, primary key (id))`;
      const { exit, stderr } = await cluster.run(create([{ target_table: table, source_expression: expression, create_ddl: ddl }], '--source-keyspace customer'));
      expect(exit).toBe(1);
      expect(fingerprint(cluster.host)).toEqual(before);
      return stderr.split('\n')[0]!;
    };
    expect(await make('nowhere', 'select order_id as id from corder')).toBe('table nowhere not found in vschema for keyspace customer');
    expect(await make('sale', 'select order_id as id from corder')).toBe('could not find vindex column customer');
    expect(await make('sale', 'select order_id as id, customer_id + 1 as customer from corder')).toBe('vindex column cannot be a complex expression: customer_id + 1 as customer');
  });

  it('not on a release: its streams say so later, and what was made stays', async () => {
    const cluster = await commerce(NEWEST);
    await cluster.ok(create(setting('select sku, max(price) as m from corder group by sku')));
    await cluster.ok('show keyspace');
    expect(readStreams(cluster.host.shards.open('customer', '0'))).toMatchObject([
      { state: 'Running', message: 'failed to build table replication plan for t table: unsupported aggregation function: max(price) in query: select sku, max(price) as m from corder group by sku' },
    ]);
    const sharded = await beforeReshard('2 to 4', { reference: false, version: NEWEST });
    const ddl = 'create table sale (id bigint not null, customer bigint, primary key (id))';
    expect((await sharded.run(create([{ target_table: 'sale', source_expression: 'select order_id as id from corder', create_ddl: ddl }], '--source-keyspace customer'))).exit).toBe(1);
    expect(sharded.host.shards.open('customer', '-80').tableNames()).toContain('sale');
  });
});

it('a table of counts and sums is what the query says, whatever is written while it is made', async () => {
  const operation = fc.record({ what: fc.constantFrom('insert', 'update', 'delete'), id: fc.integer({ min: 1, max: 12 }), kind: fc.constantFrom('a', 'b', 'c'), price: fc.option(fc.integer({ min: -50, max: 50 })) });
  await fc.assert(
    fc.asyncProperty(fc.array(fc.oneof(operation, fc.constantFrom<'pump'>('pump')), { maxLength: 40 }), async (list) => {
      const made = await Shards.make({
        src: { shards: ['0'], schema: ['create table t (id int not null, kind varchar(5), price decimal(8,2), primary key (id))'] },
        dst: { shards: ['0'], schema: ['create table g (kind varchar(5) not null, n bigint, total decimal(12,2), primary key (kind))'] },
      });
      const { ctx, cluster } = made;
      const db = made.shard('dst', '0');
      const rule = { match: 'g', filter: 'select kind, count(*) as n, sum(price) as total from t where id > 1 group by kind' };
      const source = prototext(BinlogSource, { keyspace: 'src', shard: '0', filter: { rules: [rule] } });
      for (let id = 1; id <= 6; id++) await made.run('src', '0', `insert into t values (${id}, 'a', ${id}.25)`);
      insertStream(db, { workflow: 'w', source, pos: '', state: 'Running', db_name: db.dbName, time_updated: 0 }, 0);
      for (const step of list) {
        if (step === 'pump') await pumpStream(ctx, cluster, db, 1);
        else if (step.what === 'insert') await made.run('src', '0', `insert ignore into t values (${step.id}, '${step.kind}', ${step.price})`);
        else if (step.what === 'update') await made.run('src', '0', `update t set kind = '${step.kind}', price = ${step.price} where id = ${step.id}`);
        else await made.run('src', '0', `delete from t where id = ${step.id}`);
      }
      await pumpUntilIdle(ctx, cluster, db, 1);
      const wanted = made.shard('src', '0').db.all("SELECT kind, count(*) AS n, round(coalesce(sum(CAST(price AS REAL)), 0), 2) AS total FROM t WHERE id > 1 GROUP BY kind ORDER BY kind");
      const found = db.db.all('SELECT kind, n, CAST(total AS REAL) AS total FROM g WHERE n > 0 ORDER BY kind');
      expect(found).toEqual(wanted);
      // What is left of a group without members is nothing.
      expect(db.db.all('SELECT * FROM g WHERE n = 0 AND CAST(total AS REAL) <> 0')).toEqual([]);
    }),
    { numRuns: 15 },
  );
});
