import type { VSchemaKeyspace } from '../../src/topo/proto/types.ts';
import { forked, type TestCluster, testCluster } from './shell.ts';

const SPEC = { tenant_id_column_name: 'tenant_id', tenant_id_column_type: 'INT64' };

/** Sharded by tenant; `t2` by its own id. */
const SHARDED: VSchemaKeyspace = {
  sharded: true,
  vindexes: { reverse: { type: 'reverse_bits' } },
  tables: { t1: { column_vindexes: [{ column: 'tenant_id', name: 'reverse' }] }, t2: { column_vindexes: [{ column: 'id', name: 'reverse' }] } },
  multi_tenant_spec: SPEC,
};

/** Ids of a tenant's rows in both tables. */
export const tenantIds = (tenant: number): number[] => [1, 2, 3, 4, 5].map((id) => 100 * tenant + id);

/** The tenants, each in the keyspace `sN`. */
export const TENANTS = [1, 2] as const;

export const tenantLine = (tenant: number, rest: string): string => `MoveTables --workflow w${tenant} --target-keyspace mt ${rest}`;

export const createTenant = (tenant: number, more = ''): string =>
  tenantLine(tenant, `create --source-keyspace s${tenant} --tenant-id ${tenant} --all-tables ${more}`.trim());

export type TenantShape = 'unsharded' | 'sharded';

/** Keyspaces `s1` and `s2` with the rows of a tenant each, and `mt` for those of all. */
export function tenantKeyspaces(version = 'hardened', shape: TenantShape = 'unsharded'): Promise<TestCluster> {
  return forked(`tenants ${shape} ${version}`, async () => {
    const cluster = testCluster();
    await cluster.ok(`init commerce --without commerce,customer --vitess-version ${version}`);
    const shards: [string, string][] = [...TENANTS.map((tenant): [string, string] => [`s${tenant}`, '0']), ...(shape === 'sharded' ? ['-80', '80-'] : ['0']).map((shard): [string, string] => ['mt', shard])];
    let uid = 100;
    for (const [keyspace, shard] of shards) {
      await cluster.ok(`tablet add zone1-${uid} --keyspace ${keyspace} --shard ${shard} --type primary`);
      await cluster.ok(`tablet add zone1-${uid + 1} --keyspace ${keyspace} --shard ${shard} --type replica`);
      uid += 100;
    }
    cluster.host.store.put('global', 'keyspaces/mt/VSchema', JSON.stringify(shape === 'sharded' ? SHARDED : { multi_tenant_spec: SPEC }));
    await cluster.ok('RebuildVSchemaGraph');
    for (const tenant of TENANTS) {
      for (const table of ['t1', 't2']) {
        await cluster.ok(`query --target s${tenant} "create table ${table} (id bigint primary key, tenant_id bigint, name varchar(60))"`);
        for (const id of tenantIds(tenant)) await cluster.ok(`query --target s${tenant} "insert into ${table} values (${id}, ${tenant}, 'n${id}')"`);
      }
    }
    return cluster;
  });
}

/** The same with the first tenant's workflow copied and running. */
export function tenantCluster(version = 'hardened', shape: TenantShape = 'unsharded'): Promise<TestCluster> {
  return forked(`tenant ${shape} ${version}`, async () => {
    const cluster = await tenantKeyspaces(version, shape);
    await cluster.ok(createTenant(1));
    await cluster.ok(tenantLine(1, 'status'));
    return cluster;
  });
}

/** The same with the workflows of both tenants. */
export function bothTenants(version = 'hardened'): Promise<TestCluster> {
  return forked(`both tenants ${version}`, async () => {
    const cluster = await tenantCluster(version);
    await cluster.ok(createTenant(2));
    await cluster.ok(tenantLine(2, 'status'));
    return cluster;
  });
}
