import { describe, expect, it } from 'vitest';
import { shardedCluster } from '../../helpers/sharded.ts';
import { fingerprint } from '../../helpers/fingerprint.ts';
import { movingCluster, switchLine, type TestCluster } from '../../helpers/shell.ts';
import { counts, diffed, shown, tamper, UUID, VDIFF } from '../../helpers/vdiff.ts';

/** What a diff finds, by command lines, in rows that were changed behind everybody's back. */
const REVERSE = 'VDiff --workflow c2c_reverse --target-keyspace commerce';

async function numbered(cluster: TestCluster, rows: number): Promise<TestCluster> {
  for (let id = 1; id <= rows; id++) await cluster.ok(`query "insert into customer (customer_id, email) values (${100 + id}, 'n${id}@example.com')"`);
  return cluster;
}

describe('MoveTables to one shard', () => {
  it('whose sides are the same', async () => {
    const cluster = await numbered(await movingCluster(), 3);
    const before = fingerprint(cluster.host);
    expect(await cluster.ok(`${VDIFF} create ${UUID}`)).toBe(`VDiff ${UUID} scheduled on target shards, use show to view progress\n`);
    const found = await shown(cluster);
    expect(found).toMatchObject({ State: 'completed', UUID, HasMismatch: false, Shards: '0' });
    expect([counts(found, 'customer'), counts(found, 'corder')]).toEqual(['8/0/0/0', '5/0/0/0']);
    // The stream caught up, and runs as before.
    await cluster.ok('MoveTables --workflow c2c --target-keyspace customer status');
    const after = fingerprint(cluster.host);
    expect(after['customer/0 streams']).toEqual(before['customer/0 streams']);
    expect(after['commerce/0 customer']).toEqual(before['commerce/0 customer']);
  });

  it('whose target has a row less, one more and one that is different', async () => {
    const cluster = await movingCluster();
    tamper(cluster, 'customer/0', "UPDATE customer SET email = 'other@example.com' WHERE customer_id = 2");
    tamper(cluster, 'customer/0', 'DELETE FROM customer WHERE customer_id = 3');
    tamper(cluster, 'customer/0', "INSERT INTO customer VALUES (77, 'more@example.com')");
    const found = await diffed(cluster, '--debug-query');
    expect(found).toMatchObject({ State: 'completed', HasMismatch: true });
    expect([counts(found, 'customer'), counts(found, 'corder')]).toEqual(['3/1/1/1', '5/0/0/0']);
    const report = found.Reports?.['customer']?.['0'];
    const query = (id: number): string => `select customer_id, email from customer where customer_id=${id};`;
    const hex = (text: string): string => `0x${Buffer.from(text).toString('hex')}`;
    expect(report?.MismatchedRowsSample).toEqual([
      {
        Source: { Row: { customer_id: '2', email: hex('bob@example.com') }, Query: query(2) },
        Target: { Row: { customer_id: '2', email: hex('other@example.com') }, Query: query(2) },
      },
    ]);
    expect(report?.ExtraRowsSourceSample).toMatchObject([{ Row: { customer_id: '3' }, Query: query(3) }]);
    expect(report?.ExtraRowsTargetSample).toMatchObject([{ Row: { customer_id: '77' }, Query: query(77) }]);
    // The text tells of tables by itself when something differs.
    expect(await cluster.ok(`${VDIFF} show last`)).toContain('Table customer:\n\tState:            completed\n\tProcessedRows:    6\n\tMatchingRows:     3\n\tMismatchedRows:   1\n\tExtraRowsSource:  1\n\tExtraRowsTarget:  1\n');
  });

  it('in a world that is marked, as those of scenarios are', async () => {
    const cluster = await movingCluster();
    cluster.host.mark();
    await cluster.ok(`query "update customer set email = 'new' where customer_id = 1"`);
    expect(counts(await diffed(cluster), 'customer')).toBe('5/0/0/0');
    tamper(cluster, 'customer/0', "UPDATE customer SET email = 'other' WHERE customer_id = 1");
    expect(counts(await diffed(cluster), 'customer')).toBe('4/1/0/0');
  });

  it('whose source was changed', async () => {
    const cluster = await movingCluster();
    tamper(cluster, 'commerce/0', 'DELETE FROM corder WHERE order_id IN (1, 5)');
    tamper(cluster, 'commerce/0', "INSERT INTO corder SELECT 99, customer_id, sku, price FROM corder WHERE order_id = 2");
    tamper(cluster, 'commerce/0', 'UPDATE corder SET price = price + 1 WHERE order_id = 3');
    const found = await diffed(cluster);
    expect([counts(found, 'customer'), counts(found, 'corder')]).toEqual(['5/0/0/0', '2/1/1/2']);
  });

  it('whose tables are empty on one side', async () => {
    const cluster = await movingCluster();
    tamper(cluster, 'customer/0', 'DELETE FROM corder');
    tamper(cluster, 'commerce/0', 'DELETE FROM customer');
    const found = await diffed(cluster);
    expect([counts(found, 'customer'), counts(found, 'corder')]).toEqual(['0/0/0/5', '0/0/5/0']);
    // Every one of them can be looked at; a release keeps one.
    expect(found.Reports?.['corder']?.['0']?.ExtraRowsSourceSample).toHaveLength(5);
    await cluster.ok(`${VDIFF} create --vitess-version 24.0.0-SNAPSHOT`);
    expect((await shown(cluster)).Reports?.['corder']?.['0']?.ExtraRowsSourceSample).toHaveLength(1);
  });

  it('whose source no longer has the table', async () => {
    const cluster = await movingCluster();
    await cluster.ok("query --target commerce:0 'drop table corder'");
    const found = await diffed(cluster);
    expect([counts(found, 'customer'), counts(found, 'corder')]).toEqual(['5/0/0/0', '0/0/0/5']);
  });

  it('whose source lacks a column fails, and says which', async () => {
    const cluster = await movingCluster();
    await cluster.ok("query --target commerce:0 'alter table corder drop column price'");
    const found = await diffed(cluster);
    expect(found).toMatchObject({ State: 'error', Errors: { '0': 'column price not found in table corder' } });
    expect(found.ShardSummaries?.['0']?.TableStates?.['corder']?.State).toBe('error');
  });
});

describe('MoveTables to two shards', () => {
  const ROWS = 60;

  it('compares each with the rows that belong there', async () => {
    const cluster = await shardedCluster({ rows: ROWS });
    const found = await diffed(cluster);
    expect(found).toMatchObject({ State: 'completed', HasMismatch: false, Shards: '-80,80-', RowsCompared: 2 * ROWS });
    expect([counts(found, 'customer'), counts(found, 'corder')]).toEqual([`${ROWS}/0/0/0`, `${ROWS}/0/0/0`]);
    expect(Object.keys(found.Reports?.['customer'] ?? {})).toEqual(['-80', '80-']);
  });

  it('finds a row in the wrong shard on both', async () => {
    const cluster = await shardedCluster({ rows: ROWS });
    const low = cluster.host.shards.open('customer', '-80').db.get<{ customer_id: number; email: string }>('SELECT * FROM customer LIMIT 1')!;
    tamper(cluster, 'customer/-80', 'DELETE FROM customer WHERE customer_id = ?', low.customer_id);
    tamper(cluster, 'customer/80-', 'INSERT INTO customer VALUES (?, ?)', low.customer_id, low.email);
    const found = await diffed(cluster);
    expect(counts(found, 'customer')).toBe(`${ROWS - 1}/0/1/1`);
    expect(found.Reports?.['customer']?.['-80']).toMatchObject({ ExtraRowsSource: 1, ExtraRowsTarget: 0 });
    expect(found.Reports?.['customer']?.['80-']).toMatchObject({ ExtraRowsSource: 0, ExtraRowsTarget: 1 });
    expect((JSON.parse(await cluster.ok(`${VDIFF} show all --format json`)) as { Shard: string }[]).map((row) => row.Shard)).toEqual(['-80', '80-']);
  });

  it('is compared backwards after the switch, with several sources', async () => {
    const cluster = await shardedCluster({ rows: ROWS });
    await cluster.ok(switchLine());
    expect((await cluster.run(`${VDIFF} create`)).stderr).toContain('invalid VDiff run: writes have been already been switched for workflow customer.c2c\n');
    await cluster.ok(`query "insert into customer (customer_id, email) values (1001, 'a@example.com'), (1002, 'b@example.com'), (1003, 'c@example.com')"`);
    const same = await diffed(cluster, '', REVERSE);
    expect([counts(same, 'customer'), same.Shards]).toEqual([`${ROWS + 3}/0/0/0`, '0']);
    tamper(cluster, 'customer/80-', 'UPDATE customer SET email = upper(email) WHERE customer_id = (SELECT max(customer_id) FROM customer)');
    tamper(cluster, 'commerce/0', 'DELETE FROM customer WHERE customer_id IN (1, 2)');
    expect(counts(await diffed(cluster, '', REVERSE), 'customer')).toBe(`${ROWS}/1/2/0`);
  });
});

describe('a flag', () => {
  const many = async (): Promise<TestCluster> => {
    const cluster = await movingCluster();
    for (let id = 200; id < 240; id++) tamper(cluster, 'customer/0', 'INSERT INTO customer VALUES (?, ?)', id, `x${id}`);
    for (let id = 1; id < 6; id++) tamper(cluster, 'customer/0', "UPDATE customer SET email = 'changed' WHERE customer_id = ?", id);
    return cluster;
  };

  it('--tables', async () => {
    const cluster = await movingCluster();
    const found = await diffed(cluster, "--tables ' customer '");
    expect([counts(found, 'customer'), counts(found, 'corder')]).toEqual(['5/0/0/0', 'not compared']);
    // Vitess takes any name, and fails with none left.
    await cluster.ok(`${VDIFF} create --tables nope,corder --vitess-version v24`);
    expect(counts(await shown(cluster), 'corder')).toBe('5/0/0/0');
    const none = await cluster.run(`${VDIFF} create --tables nope --vitess-version v24`);
    expect(none.stderr).toContain("workflow c2c has no table 'nope'; its tables are: corder, customer");
    expect((await shown(cluster)).Errors).toEqual({ '0': 'buildPlan: no tables found to diff, nope:[nope], on tablet cell:"zone1" uid:200' });
  });

  it('--limit', async () => {
    const found = await diffed(await movingCluster(), '--limit 2');
    expect([found.State, counts(found, 'customer'), counts(found, 'corder')]).toEqual(['completed', '2/0/0/0', '2/0/0/0']);
  });

  it('--only-pks', async () => {
    const report = (await diffed(await many(), '--only-pks')).Reports?.['customer']?.['0'];
    expect(report?.MismatchedRowsSample?.[0]).toEqual({ Source: { Row: { customer_id: '1' } }, Target: { Row: { customer_id: '1' } } });
  });

  it.each([
    ['3', 3, 3],
    ['0', 5, 40],
    ['10', 5, 10],
  ])('--max-report-sample-rows %s', async (most, mismatched, extra) => {
    const report = (await diffed(await many(), `--max-report-sample-rows ${most}`)).Reports?.['customer']?.['0'];
    expect(report).toMatchObject({ MismatchedRows: 5, ExtraRowsTarget: 40 });
    expect([report?.MismatchedRowsSample?.length, report?.ExtraRowsTargetSample?.length]).toEqual([mismatched, extra]);
  });

  it('--max-extra-rows-to-compare bounds what is kept', async () => {
    const report = (await diffed(await many(), '--max-extra-rows-to-compare 7 --max-report-sample-rows 0')).Reports?.['customer']?.['0'];
    expect([report?.ExtraRowsTarget, report?.ExtraRowsTargetSample?.length]).toEqual([40, 7]);
  });

  it('--row-diff-column-truncate-at', async () => {
    const cluster = await movingCluster();
    tamper(cluster, 'customer/0', 'UPDATE customer SET email = ? WHERE customer_id = 1', 'y'.repeat(99));
    const report = (await diffed(cluster, '--row-diff-column-truncate-at 4')).Reports?.['customer']?.['0'];
    expect(report?.MismatchedRowsSample?.[0]?.Target.Row).toEqual({ customer_id: '1', email: '0x79797979...[TRUNCATED]' });
  });

  it('--auto-start=false', async () => {
    const cluster = await movingCluster();
    await cluster.ok(`${VDIFF} create ${UUID} --auto-start=false`);
    expect(await shown(cluster)).toMatchObject({ State: 'stopped', RowsCompared: 0 });
    expect(await cluster.ok(`${VDIFF} resume ${UUID}`)).toBe('VDiff resume scheduled\n');
    expect(await shown(cluster)).toMatchObject({ State: 'completed', RowsCompared: 10 });
  });

  it('--tablet-types and cells without a tablet', async () => {
    const cluster = await movingCluster('24.0.0-SNAPSHOT');
    const { exit, stderr } = await cluster.run(`${VDIFF} create --tablet-types spare`);
    expect([exit, stderr]).toEqual([
      0,
      'warning: the VDiff waits: no tablet found to source data in keyspace commerce, shard 0; the next VDiff command tries again\n' +
        'warning: no tablet of SPARE serves commerce/0 in zone1: the diff would wait until there is one\n',
    ]);
    // It goes on waiting, without an error, and holds nothing.
    expect(await shown(cluster)).toMatchObject({ State: 'started', RowsCompared: 0 });
    expect(cluster.host.shards.open('customer', '0').db.get('SELECT state, message FROM streams')).toEqual({ state: 'Running', message: '' });
  });
});
