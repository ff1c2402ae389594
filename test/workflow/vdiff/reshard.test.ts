import { describe, expect, it } from 'vitest';
import { reshardingCluster, reshardLine, type ReshardShape, RESHARDS, beforeReshard } from '../../helpers/reshard.ts';
import { movingCluster } from '../../helpers/shell.ts';
import { counts, diffed, shown, tamper } from '../../helpers/vdiff.ts';

/** Diffs of workflows whose streams take more than whole tables. */
const SHAPES = Object.keys(RESHARDS) as ReshardShape[];
const FORWARD = 'VDiff --workflow cust2cust --target-keyspace customer';
const REVERSE = 'VDiff --workflow cust2cust_reverse --target-keyspace customer';

describe.each(SHAPES)('a Reshard %s', (shape) => {
  const { from, to } = RESHARDS[shape];

  it('whose sides are the same', async () => {
    const cluster = await reshardingCluster(shape);
    await cluster.ok('query "update customer set email = upper(email) where customer_id < 9"');
    await cluster.ok('query "delete from corder where order_id between 20 and 24"');
    const found = await diffed(cluster, '', FORWARD);
    expect(found).toMatchObject({ State: 'completed', HasMismatch: false, Shards: [...to].toSorted().join(',') });
    expect([counts(found, 'customer'), counts(found, 'corder')]).toEqual(['40/0/0/0', '75/0/0/0']);
    // Workflow ref fills it, and this one leaves it out.
    expect(counts(found, 'country')).toBe('not compared');
  });

  it('finds what differs, on the shard where it does', async () => {
    const cluster = await reshardingCluster(shape);
    const shard = to.at(-1)!;
    tamper(cluster, `customer/${shard}`, `UPDATE corder SET price = 1000 WHERE order_id = (SELECT max(order_id) FROM corder)`);
    tamper(cluster, `customer/${shard}`, `DELETE FROM customer WHERE customer_id = (SELECT min(customer_id) FROM customer)`);
    tamper(cluster, `customer/${to[0]}`, "INSERT INTO customer VALUES (9999, 'nobody@example.com')");
    const found = await diffed(cluster, '', FORWARD);
    expect([counts(found, 'customer'), counts(found, 'corder')]).toEqual(['39/0/1/1', '79/1/0/0']);
    expect(found.Reports?.['customer']?.[shard]).toMatchObject({ ExtraRowsSource: 1 });
    expect(found.Reports?.['customer']?.[to[0]]).toMatchObject({ ExtraRowsTarget: 1 });
    expect(found.Reports?.['corder']?.[shard]).toMatchObject({ MismatchedRows: 1 });
  });

  it('is compared backwards after the switch', async () => {
    const cluster = await reshardingCluster(shape);
    await cluster.ok(reshardLine('switchtraffic'));
    await cluster.ok("query \"insert into customer values (1001, 'a'), (1002, 'b'), (1003, 'c'), (1004, 'd')\"");
    const same = await diffed(cluster, '', REVERSE);
    expect([same.HasMismatch, counts(same, 'customer'), same.Shards]).toEqual([false, '44/0/0/0', [...from].toSorted().join(',')]);
    tamper(cluster, `customer/${from[0]}`, 'DELETE FROM customer WHERE customer_id = (SELECT max(customer_id) FROM customer)');
    expect(counts(await diffed(cluster, '', REVERSE), 'customer')).toBe('43/0/1/0');
  });
});

describe('a Materialize', () => {
  const SALES = 'VDiff --workflow sales --target-keyspace customer';

  it('with expressions and another key', async () => {
    const cluster = await beforeReshard('2 to 4', { materialize: true });
    const same = await diffed(cluster, '', SALES);
    expect([same.State, same.HasMismatch, counts(same, 'sale')]).toEqual(['completed', false, '80/0/0/0']);
    tamper(cluster, 'customer/-80', 'UPDATE sale SET amount = amount + 1 WHERE id = (SELECT min(id) FROM sale)');
    tamper(cluster, 'customer/80-', 'DELETE FROM sale WHERE id = (SELECT max(id) FROM sale)');
    const found = await diffed(cluster, '--debug-query', SALES);
    expect(counts(found, 'sale')).toBe('78/1/1/0');
    expect(found.Reports?.['sale']?.['80-']?.ExtraRowsSourceSample?.[0]).toMatchObject({ Row: { id: expect.any(String) as string }, Query: expect.stringMatching(/^select id, customer, amount from corder where id=\d+;$/) as string });
  });

  it('with counts and sums over several sources', async () => {
    const cluster = await beforeReshard('2 to 4');
    const settings = JSON.stringify([
      {
        target_table: 'by_sku',
        source_expression: 'select sku, count(*) as orders, sum(price) as total from corder where price > 0 group by sku',
        create_ddl: 'create table by_sku (sku varchar(32) not null, orders bigint, total decimal(20,2), primary key (sku))',
      },
    ]);
    await cluster.ok(`Materialize --workflow sums --target-keyspace global create --source-keyspace customer --table-settings '${settings}'`);
    await cluster.ok('Workflow --keyspace global list');
    await cluster.ok('query "update corder set price = price + 5 where order_id < 21"');
    const SUMS = 'VDiff --workflow sums --target-keyspace global';
    const same = await diffed(cluster, '', SUMS);
    expect([same.Errors, same.HasMismatch, counts(same, 'by_sku')]).toEqual([undefined, false, '5/0/0/0']);
    tamper(cluster, 'global/0', "UPDATE by_sku SET total = '1.00' WHERE sku = 'SKU-2'");
    tamper(cluster, 'global/0', "DELETE FROM by_sku WHERE sku = 'SKU-4'");
    expect(counts(await diffed(cluster, '', SUMS), 'by_sku')).toBe('3/1/1/0');
  });

  it('of some rows looks at those of the target too', async () => {
    const cluster = await movingCluster();
    const settings = JSON.stringify([
      { target_table: 'orders1', source_expression: 'select * from corder where customer_id = 1', create_ddl: 'create table orders1 (order_id bigint not null, customer_id bigint, sku varbinary(128), price bigint, primary key (order_id))' },
    ]);
    await cluster.ok(`Materialize --workflow ones --target-keyspace customer create --source-keyspace commerce --table-settings '${settings}'`);
    await cluster.ok('Workflow --keyspace customer list');
    // Rows of others, as beside those of a tenant, are none of this workflow's business.
    tamper(cluster, 'customer/0', "INSERT INTO orders1 VALUES (500, 2, 'x', 1)");
    const ONES = 'VDiff --workflow ones --target-keyspace customer';
    const same = await diffed(cluster, '', ONES);
    expect([same.Errors, same.HasMismatch]).toEqual([undefined, false]);
    tamper(cluster, 'customer/0', "INSERT INTO orders1 VALUES (501, 1, 'x', 1)");
    expect(counts(await diffed(cluster, '', ONES), 'orders1')).toMatch(/^\d+\/0\/0\/1$/);
    expect((await shown(cluster, 'all', '', ONES)) as unknown).toHaveLength(2);
  });
});
