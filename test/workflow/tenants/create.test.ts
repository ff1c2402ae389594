import { describe, expect, it } from 'vitest';
import { readStreams } from '../../../src/tablet/vreplication/streams.ts';
import type { VSchemaKeyspace } from '../../../src/topo/proto/types.ts';
import { addTenantFilter, tenantPredicate } from '../../../src/workflow/tenant.ts';
import { fingerprint } from '../../helpers/fingerprint.ts';
import { errorOf, filterOf, keyspaceRules, rulesTo, stored, whileLocked } from '../../helpers/parts.ts';
import { rowsOf } from '../../helpers/subjects.ts';
import { createTenant, tenantCluster, tenantIds, tenantKeyspaces, tenantLine } from '../../helpers/tenants.ts';
import { denied } from '../behaviours/see.ts';

const RELEASES = ['20.0.6', '21.0.3', '22.0.4', '24.0.0-SNAPSHOT'] as const;

describe('the filter of a tenant', () => {
  const vschema: VSchemaKeyspace = { multi_tenant_spec: { tenant_id_column_name: 'tenant_id', tenant_id_column_type: 'INT64' } };
  const text: VSchemaKeyspace = { multi_tenant_spec: { tenant_id_column_name: 'owner', tenant_id_column_type: 'VARCHAR' } };

  it.each([
    ['select * from t1', vschema, '123', 'select * from t1 where tenant_id = 123'],
    ['select * from t1 where id < 5', vschema, '123', 'select * from t1 where tenant_id = 123 and id < 5'],
    ["select * from t1 where in_keyrange(id, 'mt.reverse', '-80')", vschema, '1', "select * from t1 where tenant_id = 1 and in_keyrange(id, 'mt.reverse', '-80')"],
    ['select * from t1', text, 'it is me', "select * from t1 where owner = 'it is me'"],
    ['select * from t1', text, "o'b", "select * from t1 where owner = 'o''b'"],
  ])('is the first condition: %s', (query, spec, tenant, expected) => {
    expect(addTenantFilter(query, tenantPredicate(tenant, spec, true))).toBe(expected);
  });
});

describe('create of a tenant', () => {
  it.each(['hardened', ...RELEASES])('on %s makes a stream of its rows, and rules that change nothing', async (version) => {
    const cluster = await tenantCluster(version);
    expect(keyspaceRules(cluster)).toEqual(rulesTo('s1', 's1'));
    expect(JSON.parse(await cluster.ok('GetRoutingRules --compact'))).toEqual({});
    const [stream] = readStreams(cluster.host.shards.open('mt', '0'));
    expect(stream).toMatchObject({ workflow: 'w1', workflow_sub_type: 0, state: 'Running' });
    expect(JSON.parse(stream!.options)).toMatchObject({ tenant_id: '1' });
    expect(stream!.source).toBe(
      'keyspace:"s1" shard:"0" filter:{rules:{match:"t1" filter:"select * from t1 where tenant_id = 1"} rules:{match:"t2" filter:"select * from t2 where tenant_id = 1"}}',
    );
    expect(stored(cluster, 'mt')).toEqual(tenantIds(1));
    expect(denied(cluster, 'mt')).toEqual([]);
  });

  it('into two shards takes each row to its own', async () => {
    const cluster = await tenantCluster('hardened', 'sharded');
    expect(filterOf(cluster, 'mt', 'w1', '-80')).toContain("select * from t1 where tenant_id = 1 and in_keyrange(tenant_id, 'mt.reverse', '-80')");
    // t1 is sharded by the tenant, t2 by its own ids.
    expect([stored(cluster, 'mt', '-80'), stored(cluster, 'mt', '80-')]).toEqual([[], tenantIds(1)]);
    expect([stored(cluster, 'mt', '-80', 't2'), stored(cluster, 'mt', '80-', 't2')]).toEqual([tenantIds(1).filter((id) => id % 2 === 0), tenantIds(1).filter((id) => id % 2 === 1)]);
  });

  it.each(['hardened', '24.0.0-SNAPSHOT'])('on %s is refused with the texts of Vitess, and leaves nothing', async (version) => {
    const cluster = await tenantKeyspaces(version);
    const before = fingerprint(cluster.host);
    const create = (flags: string): Promise<string> => errorOf(cluster, tenantLine(1, `create --source-keyspace s1 --all-tables ${flags}`));
    expect(await create('--tenant-id x')).toBe('value x is not a valid int');
    expect(await create('--tenant-id 1 --source-shards 0')).toBe(
      'cannot specify both --tenant-id (i.e. a multi-tenant migration) and --source-shards (i.e. a shard-by-shard migration)',
    );
    expect(await create('--shards 0')).toBe('--shards specified, but not --tenant-id: you can only specify target shards for multi-tenant migrations');
    expect(await errorOf(cluster, createTenant(1).replace('--target-keyspace mt', '--target-keyspace s2'))).toBe('multi-tenant spec not found for target keyspace s2');
    expect(await create('--tenant-id 1 --no-routing-rules')).toBe('cannot use --no-routing-rules in a multi-tenant migration');
    // A release finds that out when everything else is made; it takes that away, but the tables and the names of the VSchema.
    if (version === 'hardened') expect(fingerprint(cluster.host)).toEqual(before);
    else expect(readStreams(cluster.host.shards.open('mt', '0'))).toEqual([]);
    expect(await errorOf(cluster, createTenant(1, '--shards -80'))).toBe(
      version === 'hardened' ? "there is no shard '-80' in keyspace mt; its shards are: 0" : 'no target shards specified for workflow w1 ',
    );
    await cluster.ok(createTenant(1));
  });

  it('refuses on hardened what could be made and would lose rows', async () => {
    const cluster = await tenantKeyspaces();
    await cluster.ok("query --target s1 \"insert into t2 values (999, 7, 'of another')\"");
    const before = fingerprint(cluster.host);
    expect(await errorOf(cluster, createTenant(1))).toBe("table t2 of s1 has rows that are not tenant 1's, and all traffic of the keyspace would be switched");
    expect(fingerprint(cluster.host)).toEqual(before);
    await cluster.ok('query --target s1 "delete from t2 where id = 999"');
    await cluster.ok('query --target s1 "create table plain (id bigint primary key)"');
    expect(await errorOf(cluster, createTenant(1))).toBe('table plain of s1 has no column tenant_id, by which mt tells its tenants apart');
    await cluster.ok(createTenant(1).replace('--all-tables', '--tables t1,t2'));
    expect(await errorOf(cluster, createTenant(1).replace('--workflow w1', '--workflow again').replace('--all-tables', '--tables t1'))).toBe(
      'workflow w1 moves tenant 1 out of s1 already, and traffic is switched by keyspace: both would be switched',
    );
  });

  it('refuses on hardened a tenant whose rows are there, and takes one beside the rows of others', async () => {
    const cluster = await tenantCluster();
    await cluster.ok("query --target mt \"insert into t1 values (299, 2, 'early')\"");
    expect(await errorOf(cluster, createTenant(2))).toBe('table t1 of mt has rows of tenant 2: the copy would meet them');
    await cluster.ok('query --target mt "delete from t1 where id = 299"');
    await cluster.ok(createTenant(2));
  });

  it('with --shards reads the streams of those shards alone; hardened asks that they are those of the tenant', async () => {
    const cluster = await tenantKeyspaces('24.0.0-SNAPSHOT', 'sharded');
    await cluster.ok(createTenant(1, '--shards 80-').replace('--all-tables', '--tables t1'));
    expect(filterOf(cluster, 'mt', 'w1', '-80')).toBe('');
    expect(filterOf(cluster, 'mt', 'w1', '80-')).not.toBe('');
    expect(JSON.parse(readStreams(cluster.host.shards.open('mt', '80-'))[0]!.options)).toMatchObject({ tenant_id: '1', shards: ['80-'] });
    await cluster.ok(tenantLine(1, 'status'));
    await cluster.ok(tenantLine(1, 'switchtraffic'));
    expect(await rowsOf(cluster, 's1', 'select id from t1 where tenant_id = 1')).toHaveLength(5);

    const hardened = await tenantKeyspaces('hardened', 'sharded');
    expect(await errorOf(hardened, createTenant(1, '--shards -80').replace('--all-tables', '--tables t1'))).toBe(
      'rows of tenant 1 belong to keyspace id 8000000000000000, which is in none of the shards -80 of mt',
    );
    expect(await errorOf(hardened, createTenant(1, '--shards 80-'))).toBe('rows of tenant 1 are in every shard: t2 is not sharded by tenant_id in mt');
    await hardened.ok(createTenant(1, '--shards 80-').replace('--all-tables', '--tables t1'));
  });

  it('that fails late leaves nothing on hardened, of either tenant', async () => {
    const cluster = await tenantKeyspaces();
    const before = fingerprint(cluster.host);
    await whileLocked(cluster, 'mt/w1', async () => {
      expect((await cluster.run(`--lock-timeout 1s ${createTenant(1)}`)).exit).toBe(1);
    });
    expect(fingerprint(cluster.host)).toEqual(before);
    expect(keyspaceRules(cluster)).toBeUndefined();

    const first = await tenantCluster();
    const running = fingerprint(first.host);
    await whileLocked(first, 'mt/w2', async () => {
      expect((await first.run(`--lock-timeout 1s ${createTenant(2)}`)).exit).toBe(1);
    });
    expect(fingerprint(first.host)).toEqual(running);
  });

  it('takes a tenant whose name has a quote', async () => {
    const cluster = await tenantKeyspaces();
    const spec = { tenant_id_column_name: 'owner', tenant_id_column_type: 'VARCHAR' };
    await cluster.ok('tablet add zone1-800 --keyspace names --shard 0 --type primary');
    await cluster.ok('tablet add zone1-801 --keyspace names --shard 0 --type replica');
    await cluster.ok('tablet add zone1-900 --keyspace o --shard 0 --type primary');
    await cluster.ok('tablet add zone1-901 --keyspace o --shard 0 --type replica');
    cluster.host.store.put('global', 'keyspaces/names/VSchema', JSON.stringify({ multi_tenant_spec: spec }));
    await cluster.ok('RebuildVSchemaGraph');
    await cluster.ok('query --target o "create table t (id bigint primary key, owner varchar(20))"');
    const { db } = cluster.host.shards.open('o', '0');
    for (const id of [1, 2]) db.run('INSERT INTO t VALUES (?, ?)', id, "o'b");
    const line = (rest: string): string => `MoveTables --workflow names --target-keyspace names ${rest}`;
    await cluster.ok(line(`create --source-keyspace o --all-tables --tenant-id "o'b"`));
    await cluster.ok(line('status'));
    expect(stored(cluster, 'names', '0', 't')).toEqual([1, 2]);
    await cluster.ok(line('switchtraffic'));
    expect(await rowsOf(cluster, 'o', 'select id from t order by id')).toHaveLength(2);
    expect(filterOf(cluster, 'o', 'names_reverse')).toContain("owner = 'o");
  });
});
