import { describe, expect, it } from 'vitest';
import type { Shard, SrvKeyspace } from '../../../src/topo/proto/types.ts';
import { movingCluster, testCluster, type TestCluster } from '../../helpers/shell.ts';
import { record } from '../../workflow/behaviours/see.ts';

async function commerce(version = 'hardened', more = ''): Promise<TestCluster> {
  const cluster = testCluster();
  await cluster.ok(`init commerce --vitess-version ${version} ${more}`.trim());
  return cluster;
}

const srvKeyspace = (cluster: TestCluster, keyspace: string, cell = 'zone1'): SrvKeyspace | undefined => record<SrvKeyspace>(cluster, cell, `keyspaces/${keyspace}/SrvKeyspace`);
const shardOf = (cluster: TestCluster, keyspace: string, shard: string): Shard | undefined => record<Shard>(cluster, 'global', `keyspaces/${keyspace}/shards/${shard}/Shard`);

describe('shards beside those that serve', () => {
  it('are created not serving, get tablets, and change nothing that gates go by', async () => {
    const cluster = await commerce();
    const before = srvKeyspace(cluster, 'customer');
    expect(JSON.parse(await cluster.ok('CreateShard customer/-80'))).toEqual({
      keyspace: { name: 'customer', keyspace: expect.objectContaining({ durability_policy: 'none', sidecar_db_name: '_vt' }) },
      shard: { keyspace: 'customer', name: '-80', shard: expect.objectContaining({ is_primary_serving: false, key_range: { start: '', end: 'gA==' } }) },
      shard_already_exists: false,
    });
    await cluster.ok('tablet add zone1-300 --keyspace customer --shard -80 --type primary');
    await cluster.ok('tablet add zone1-400 --keyspace customer --shard 80- --type primary');
    await cluster.ok('tablet add zone1-401 --keyspace customer --shard 80- --type replica');
    expect(shardOf(cluster, 'customer', '80-')?.is_primary_serving ?? false).toBe(false);
    expect(srvKeyspace(cluster, 'customer')).toEqual(before);
    expect((await cluster.run("query --target customer:-80 'select 1 from customer'")).exit).toBe(1);
    const tablets = await cluster.ok('GetTablets --keyspace customer --shard 80-');
    expect(tablets.split('\n').map((line) => line.split(' ').slice(0, 4).join(' '))).toEqual(['zone1-0000000400 customer 80- primary', 'zone1-0000000401 customer 80- replica', '']);
  });

  it('are served once their records say so and the graph is rebuilt', async () => {
    const cluster = await commerce();
    for (const [uid, shard] of [[300, '-80'], [400, '80-']] as const) await cluster.ok(`tablet add zone1-${uid} --keyspace customer --shard ${shard} --type primary`);
    for (const [shard, serving] of [['0', 'false'], ['-80', 'true'], ['80-', 'true']] as const) {
      const shown = JSON.parse(await cluster.ok(`SetShardIsPrimaryServing customer/${shard} ${serving}`)) as Shard;
      expect(shown.is_primary_serving ?? false).toBe(serving === 'true');
    }
    expect(srvKeyspace(cluster, 'customer')?.partitions?.[0]?.shard_references?.map(({ name }) => name)).toEqual(['0']);
    expect(await cluster.ok('RebuildKeyspaceGraph customer')).toBe('');
    expect(srvKeyspace(cluster, 'customer')?.partitions?.map((partition) => partition.shard_references?.map(({ name }) => name))).toEqual([['-80', '80-'], ['-80', '80-'], ['-80', '80-']]);
  });

  it('that leave a hole fail the rebuild, and nothing changes', async () => {
    const cluster = await commerce('v22');
    const before = srvKeyspace(cluster, 'customer');
    await cluster.ok('tablet add zone1-300 --keyspace customer --shard -80 --type primary');
    await cluster.ok('SetShardIsPrimaryServing customer/0 false');
    await cluster.ok('SetShardIsPrimaryServing customer/-80 true');
    const { exit, stderr } = await cluster.run('RebuildKeyspaceGraph customer');
    expect([exit, stderr]).toEqual([1, expect.stringContaining('RebuildKeyspaceGraph(customer) failed: ')]);
    expect(stderr).toContain('keyspace partition for PRIMARY in cell zone1 does not end with max key');
    expect(srvKeyspace(cluster, 'customer')).toEqual(before);
  });

  it('are deleted with their tablets, and empty when they are made anew', async () => {
    const cluster = await commerce();
    await cluster.ok('tablet add zone1-300 --keyspace customer --shard -80 --type primary');
    await cluster.ok("ExecuteFetchAsDBA zone1-300 'create table t (id bigint, primary key (id))'");
    await cluster.ok('tablet stop zone1-300');
    const { stderr } = await cluster.run('DeleteShards customer/-80');
    expect(stderr).toContain('Shard customer/-80 still hase 1 tablets in cell zone1; use Recursive = true or remove them manually: while deleting 1 shards; please inspect the topo');
    expect(await cluster.ok('DeleteShards --recursive customer/-80')).toBe('Successfully deleted 1 shards\n');
    expect((await cluster.run('GetShard customer/-80')).exit).toBe(1);
    expect(await cluster.ok('GetTablets --keyspace customer')).not.toContain('0300');
    await cluster.ok('CreateShard customer/-80');
    await cluster.ok('tablet add zone1-300 --keyspace customer --shard -80 --type primary');
    expect(cluster.host.shards.open('customer', '-80').tableNames()).toEqual([]);
    // It is another one: this one runs.
    expect(await cluster.ok('tablet start zone1-300')).toBe('Tablet zone1-0000000300 runs already\n');
  });

  it.each([
    ['DeleteShards customer/0', 'shard customer/0 is still serving; cannot delete it; use EvenIfServing = true to delete anyway: while deleting 1 shards; please inspect the topo'],
    ['CreateShard customer/0', 'node already exists: /vitess/global/keyspaces/customer/shards/0/Shard'],
    ['CreateKeyspace customer', 'node already exists: /vitess/global/keyspaces/customer/Keyspace'],
    ['DeleteTablets zone1-100', 'cannot delete tablet zone1-0000000100 as it is a primary, pass AllowPrimary = true: while deleting 1 tablets; please inspect the topo'],
  ])('%s is refused', async (line, text) => {
    const { exit, stderr } = await (await commerce('v22')).run(line);
    expect([exit, stderr.includes(text)], stderr).toEqual([1, true]);
  });

  it('that exist already pass with --force, unchanged', async () => {
    const cluster = await commerce();
    const before = shardOf(cluster, 'customer', '0');
    expect(JSON.parse(await cluster.ok('CreateShard --force customer/0'))).toMatchObject({ shard_already_exists: true });
    await cluster.ok('CreateKeyspace --force customer --durability-policy semi_sync');
    expect(shardOf(cluster, 'customer', '0')).toEqual(before);
    expect(await cluster.ok('GetKeyspace customer')).toContain('"durability_policy": "none"');
    // What the shard holds stays too.
    await cluster.ok("query --target commerce 'select * from customer'");
  });
});

describe('a keyspace', () => {
  it('is created with its VSchema, and served when its shard has tablets', async () => {
    const cluster = await commerce();
    const shown = await cluster.ok('CreateKeyspace loyalty --durability-policy semi_sync');
    expect(shown.split('\n')[0]).toBe('Successfully created keyspace loyalty. Result:');
    expect(JSON.parse(shown.slice(shown.indexOf('{')))).toMatchObject({ name: 'loyalty', keyspace: { durability_policy: 'semi_sync' } });
    expect(await cluster.ok('GetVSchema loyalty')).toContain('{');
    await cluster.ok('CreateShard loyalty/0');
    for (const [uid, type] of [[500, 'primary'], [501, 'replica']] as const) await cluster.ok(`tablet add zone1-${uid} --keyspace loyalty --shard 0 --type ${type}`);
    await cluster.ok("query --target loyalty 'create table points (id bigint, primary key (id))'");
    await cluster.ok("query --target loyalty 'insert into points (id) values (1)'");
    expect(await cluster.ok("query --target loyalty@replica 'select * from points'")).toContain('1 row');
  });

  it('is named by the cells that serve it', async () => {
    const cluster = testCluster();
    await cluster.ok('init two-cells');
    expect(JSON.parse(await cluster.ok('GetSrvKeyspaceNames'))).toEqual({ zone1: { names: ['commerce', 'customer'] }, zone2: { names: ['commerce', 'customer'] } });
    expect(Object.keys(JSON.parse(await cluster.ok('GetSrvKeyspaceNames zone2')) as object)).toEqual(['zone2']);
    // As Go's encoding/json prints it: types are numbers.
    const serving = JSON.parse(await cluster.ok('GetSrvKeyspaces customer zone2')) as Record<string, SrvKeyspace>;
    expect(serving['zone2']?.partitions?.map(({ served_type: type }) => type)).toEqual([1, 2, 3]);
    // Over gRPC a cell without a record has an empty one, from vtctld itself none.
    expect(JSON.parse(await cluster.ok('GetSrvKeyspaces nope zone1'))).toEqual({ zone1: {} });
    expect(JSON.parse(await cluster.ok('GetSrvKeyspaces nope zone1 --server internal'))).toEqual({ zone1: null });
  });
});

describe('tablets that are deleted', () => {
  it('are no longer there; a shard whose primary went has none', async () => {
    const cluster = await commerce();
    expect(await cluster.ok('DeleteTablets zone1-101 zone1-102')).toBe('Successfully deleted 2 tablets\n');
    expect((await cluster.ok('GetTablets --keyspace commerce')).split('\n')).toHaveLength(2);
    await cluster.ok('DeleteTablets --allow-primary zone1-100');
    expect(shardOf(cluster, 'commerce', '0')?.primary_alias).toBeUndefined();
    expect((await cluster.run("query 'select * from customer'")).exit).toBe(1);
    await cluster.ok('tablet add zone1-110 --keyspace commerce --shard 0 --type primary');
    expect(await cluster.ok("query 'select count(*) from customer'")).toContain('5');
  });
});

describe('GetTablets', () => {
  it.each([
    ['--keyspace commerce', ['100', '101', '102']],
    ['--keyspace commerce --shard 0 --tablet-type replica', ['101']],
    ['--tablet-type rdonly', ['102', '202']],
    ['--tablet-alias zone1-200 --tablet-alias zone1-101', ['101', '200']],
    ['--cell zone1 --tablet-type primary', ['100', '200']],
  ])('%s', async (flags, uids) => {
    const cluster = await commerce();
    const lines = (await cluster.ok(`GetTablets ${flags}`)).trimEnd().split('\n');
    expect(lines.map((line) => line.slice('zone1-0000000'.length, 'zone1-0000000100'.length)).toSorted()).toEqual(uids);
  });
});

describe('ExecuteFetchAsDBA', () => {
  it('runs SQL past the query rules, and prints a table or JSON', async () => {
    const cluster = await movingCluster();
    await cluster.ok('SetShardTabletControl --denied-tables=customer commerce/0 primary');
    await cluster.ok('RefreshState zone1-100');
    expect((await cluster.run("query 'select * from customer'")).stderr).toContain('enforce denied tables');
    expect(await cluster.ok("ExecuteFetchAsDBA zone1-100 'select customer_id, email from customer where customer_id < 3'")).toBe(
      [
        '+-------------+-------------------+',
        '| customer_id |       email       |',
        '+-------------+-------------------+',
        '| 1           | alice@example.com |',
        '+-------------+-------------------+',
        '| 2           | bob@example.com   |',
        '+-------------+-------------------+',
        '',
      ].join('\n'),
    );
    const json = JSON.parse(await cluster.ok("ExecuteFetchAsDBA --json zone1-100 'select customer_id, email from customer where customer_id = 1'")) as object;
    expect(json).toMatchObject({
      fields: [{ name: 'customer_id', type: 265, table: 'customer', database: 'vt_commerce' }, { name: 'email', type: 10262 }],
      rows_affected: 1,
      insert_id: 0,
      rows: [[1, 'alice@example.com']],
      status_flags: 2,
    });
    expect(await cluster.ok("ExecuteFetchAsDBA zone1-100 \"update customer set email = 'dba' where customer_id = 1\"")).toBe('');
    expect(JSON.parse(await cluster.ok("ExecuteFetchAsDBA -j zone1-100 \"insert into customer (email) values ('x')\""))).toMatchObject({ rows_affected: 1, insert_id: 6, insert_id_changed: true, rows: [] });
    // A stream sees what it wrote.
    await cluster.ok('MoveTables --workflow c2c --target-keyspace customer status');
    const copied = cluster.host.shards.open('customer', '0').db.all<{ email: string }>('SELECT email FROM customer ORDER BY customer_id');
    expect([copied[0]?.email, copied.length]).toEqual(['dba', 6]);
  });

  it('writes nothing for streams without the binlog', async () => {
    const cluster = await movingCluster();
    const before = cluster.host.shards.open('commerce', '0').positionText();
    await cluster.ok("ExecuteFetchAsDBA --disable-binlogs zone1-100 \"insert into customer (email) values ('unseen')\"");
    expect(cluster.host.shards.open('commerce', '0').positionText()).toBe(before);
    await cluster.ok('MoveTables --workflow c2c --target-keyspace customer status');
    expect(cluster.host.shards.open('customer', '0').db.all('SELECT 1 FROM customer').length).toBe(5);
  });

  it('reads and repairs the rows of _vt, which streams go by next', async () => {
    const cluster = await movingCluster();
    const sql = (query: string, more = ''): Promise<string> => cluster.ok(`ExecuteFetchAsDBA ${more} zone1-200 "${query}"`.replace('  ', ' '));
    expect(JSON.parse(await sql('select id, workflow, state from _vt.vreplication', '--json'))).toMatchObject({ rows: [[1, 'c2c', 'Running']] });
    await sql("update _vt.vreplication set state = 'Stopped', message = 'by hand' where workflow = 'c2c' and db_name = 'vt_customer'");
    expect(await cluster.ok('MoveTables --workflow c2c --target-keyspace customer status')).toContain('Status: Stopped');
    await cluster.ok("query \"insert into customer (email) values ('late')\"");
    await sql("update _vt.vreplication set state = 'Running', message = '' where id = 1");
    await cluster.ok('MoveTables --workflow c2c --target-keyspace customer status');
    expect(cluster.host.shards.open('customer', '0').db.all('SELECT 1 FROM customer').length).toBe(6);
    await sql("insert into _vt.copy_state (vrepl_id, table_name, lastpk) values (1, 'customer', '')");
    expect(JSON.parse(await sql('select vrepl_id, table_name from _vt.copy_state', '-j'))).toMatchObject({ rows: [[1, 'customer']] });
    await sql('delete from _vt.copy_state where vrepl_id = 1');
    await sql("delete from _vt.vreplication where workflow = 'c2c'");
    expect((await cluster.run('MoveTables --workflow c2c --target-keyspace customer status')).exit).toBe(1);
  });

  it.each([
    ["ExecuteFetchAsDBA zone1-100 'select * from customer' --max-rows 2", 'Row count exceeded 2 (errno 10001)'],
    ["ExecuteFetchAsDBA zone1-101 'delete from customer'", '(errno 1290) (sqlstate HY000)'],
    ["ExecuteFetchAsDBA zone1-100 'select * from nope'", "Table 'vt_commerce.nope' doesn't exist (errno 1146) (sqlstate 42S02)"],
  ])('%s', async (line, text) => {
    const { exit, stderr } = await (await commerce('v22')).run(line);
    expect(exit).toBe(1);
    expect(stderr).toMatch(/^rpc error: code = Unknown desc = TabletManager\.ExecuteFetchAsDba on zone1-0000000\d+: rpc error: code = /);
    expect(stderr).toContain(text);
  });

  it('has a sister for the app user', async () => {
    const cluster = await commerce();
    await cluster.ok('SetShardTabletControl --denied-tables=customer commerce/0 primary');
    await cluster.ok('RefreshState zone1-100');
    expect(await cluster.ok("ExecuteFetchAsApp zone1-100 'select count(*) from customer'")).toContain('5');
    const { stderr } = await cluster.run("ExecuteFetchAsApp zone1-100 'select * from nope'");
    expect(stderr).toContain('TabletManager.ExecuteFetchAsApp on zone1-0000000100');
  });
});
