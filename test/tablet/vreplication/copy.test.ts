import { describe, expect, it } from 'vitest';
import type { ShardDb } from '../../../src/tablet/shard-db.ts';
import { testCluster, type TestCluster } from '../../helpers/shell.ts';

const WORKFLOW = 'MoveTables --workflow move --target-keyspace customer';

/** A cluster with these statements run on the source, and a workflow over these tables. */
async function copying(tables: string, statements: readonly string[], onTarget: (target: ShardDb) => void = () => {}): Promise<TestCluster> {
  const cluster = testCluster();
  await cluster.ok('init commerce');
  for (const sql of statements) await cluster.ok(`query --target commerce:0 "${sql}"`);
  await cluster.ok(`${WORKFLOW} create --source-keyspace commerce --tables ${tables} --auto-start=false`);
  // Past the denied tables, which keep everybody else from the target.
  onTarget(cluster.host.shards.open('customer', '0'));
  await cluster.ok(`${WORKFLOW} start`);
  await cluster.ok(`${WORKFLOW} status`);
  return cluster;
}

function dropColumn(shard: ShardDb, table: string, column: string): void {
  const def = shard.table(table);
  shard.saveDefinition({ ...def, columns: def.columns.filter(({ name }) => name !== column) });
  shard.db.exec(`ALTER TABLE "${table}" DROP COLUMN "${column}"`);
}

function rows(cluster: TestCluster, keyspace: string, table: string): unknown[] {
  return cluster.host.shards.open(keyspace, '0').db.allStored(`SELECT * FROM "${table}" ORDER BY 1`);
}

function stream(cluster: TestCluster): { state: string; message: string; rows_copied: number } {
  return cluster.host.shards.open('customer', '0').db.get('SELECT state, message, rows_copied FROM "_vt.vreplication"')!;
}

describe('the copy', () => {
  it('takes every value as it is', async () => {
    const cluster = await copying('kinds', [
      'create table kinds (id bigint unsigned not null, n int, d decimal(20,5), f double, t varchar(20), b varbinary(20), g int as (n + 1), primary key (id))',
      "insert into kinds (id, n, d, f, t, b) values (1, -5, 1.5, 3, 'Ä', 'text'), (9007199254740993, null, null, 1.25, '', x'00ff'), (18446744073709551615, 2147483646, 12345678901234.12345, null, null, null)",
    ]);
    expect(rows(cluster, 'customer', 'kinds')).toHaveLength(3);
    expect(rows(cluster, 'customer', 'kinds')).toEqual(rows(cluster, 'commerce', 'kinds'));
    expect(stream(cluster)).toMatchObject({ state: 'Running', rows_copied: 3 });
  });

  it.each(['order details', 'order', 'a-b', 'a`b'])('takes a table that is called %s, forward and back', async (name) => {
    const cluster = testCluster();
    await cluster.ok('init commerce');
    const table = cluster.host.shards.open('commerce', '0');
    await cluster.ok(`query --target commerce:0 'create table \`${name.replaceAll('`', '``')}\` (id int primary key)'`);
    await cluster.ok(`query --target commerce:0 'insert into \`${name.replaceAll('`', '``')}\` values (1), (2)'`);
    expect(table.table(name).name).toBe(name);
    await cluster.ok(`${WORKFLOW} create --source-keyspace commerce --tables '${name}'`);
    await cluster.ok(`${WORKFLOW} switchtraffic`);
    await cluster.ok(`query 'insert into \`${name.replaceAll('`', '``')}\` values (3)'`);
    await cluster.ok(`${WORKFLOW} reversetraffic`);
    expect(rows(cluster, 'customer', name)).toHaveLength(3);
    expect(rows(cluster, 'commerce', name)).toHaveLength(3);
  });

  it('takes every row of tables larger and smaller than a chunk', async () => {
    const cluster = testCluster();
    await cluster.ok('init commerce --rows 4321');
    await cluster.ok(`${WORKFLOW} create --source-keyspace commerce --tables customer,product,corder`);
    await cluster.ok(`${WORKFLOW} status`);
    for (const table of ['customer', 'product', 'corder']) {
      expect(rows(cluster, 'customer', table)).toEqual(rows(cluster, 'commerce', table));
    }
    expect(stream(cluster)).toMatchObject({ state: 'Running', rows_copied: 2 * 4321 + 2 });
  });

  it('keeps the tables before one that fails, and says which row it was', async () => {
    const values = Array.from({ length: 120 }, (_, i) => `(${i + 1})`).join(', ');
    const create = ['aa', 'bb', 'cc'].map((table) => `create table ${table} (id int not null, primary key (id))`);
    const fill = ['aa', 'bb', 'cc'].map((table) => `insert into ${table} values ${values}`);
    const cluster = await copying('aa,bb,cc', [...create, ...fill], (target) => target.db.exec('INSERT INTO bb VALUES (77)'));
    expect(stream(cluster).state).toBe('Error');
    expect(stream(cluster).message).toContain("Duplicate entry '77' for key 'bb.PRIMARY'");
    const counts = ['aa', 'bb', 'cc'].map((table) => rows(cluster, 'customer', table).length);
    expect(counts).toEqual([120, 1, 0]);
    expect(stream(cluster).rows_copied).toBe(120);
  });

  it('refuses a column that the target lacks, in the first table that has rows', async () => {
    const cluster = await copying(
      'aa,bb',
      ['create table aa (id int not null, n int, primary key (id))', 'create table bb (id int not null, n int, primary key (id))', 'insert into bb values (1, 2)'],
      (target) => ['aa', 'bb'].forEach((table) => dropColumn(target, table, 'n')),
    );
    expect(stream(cluster).message).toContain("Unknown column 'n' in 'field list'");
    expect(stream(cluster).state).toBe('Error');
  });
});
