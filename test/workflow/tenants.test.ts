import { describe, expect, it } from 'vitest';
import { background } from '../../src/runtime/context.ts';
import { readStreams } from '../../src/tablet/vreplication/streams.ts';
import { ETCD_NAMES } from '../../src/topo/conn/directory.ts';
import type { KeyspaceRoutingRules, VSchemaKeyspace } from '../../src/topo/proto/types.ts';
import { addTenantFilter, tenantPredicate } from '../../src/workflow/tenant.ts';
import { fingerprint } from '../helpers/fingerprint.ts';
import { forked, type TestCluster } from '../helpers/shell.ts';
import { rowsOf, tenantSubject } from '../helpers/subjects.ts';
import { createTenant, tenantCluster, tenantIds, tenantKeyspaces, tenantLine } from '../helpers/tenants.ts';
import { CATCH_UP, denied, record } from './behaviours/see.ts';

const RELEASES = ['20.0.6', '21.0.3', '22.0.4', '24.0.0-SNAPSHOT'] as const;
const READS = '--tablet-types replica,rdonly';
const TENANT = tenantSubject('unsharded');

/** Keyspace routing rules as an object; undefined where there never was one. */
function rules(cluster: TestCluster): Record<string, string> | undefined {
  const saved = record<KeyspaceRoutingRules>(cluster, 'global', 'routing_rules/keyspace/Rules');
  return saved === undefined ? undefined : Object.fromEntries((saved.rules ?? []).map(({ from_keyspace = '', to_keyspace = '' }) => [from_keyspace, to_keyspace]));
}

const all = (keyspace: string, to: string): Record<string, string> => ({ [keyspace]: to, [`${keyspace}@rdonly`]: to, [`${keyspace}@replica`]: to });

async function errorOf(cluster: TestCluster, line: string): Promise<string> {
  const { exit, stderr } = await cluster.run(line);
  expect(exit, line).not.toBe(0);
  return stderr.split('\n')[0]!;
}

/** The ids of a shard's rows. */
const stored = ({ host }: TestCluster, keyspace: string, shard = '0', table = 't1'): number[] =>
  host.shards.open(keyspace, shard).db.all<{ id: number }>(`SELECT id FROM "${table}" ORDER BY id`).map(({ id }) => Number(id));

const filterOf = (cluster: TestCluster, keyspace: string, workflow: string, shard = '0'): string =>
  readStreams(cluster.host.shards.open(keyspace, shard), workflow).map((row) => row.source).join('\n');

/** Both tenants' workflows, running. */
function bothTenants(version = 'hardened'): Promise<TestCluster> {
  return forked(`both tenants ${version}`, async () => {
    const cluster = await tenantCluster(version);
    await cluster.ok(createTenant(2));
    await cluster.ok(tenantLine(2, 'status'));
    return cluster;
  });
}

/** Makes the deletion of a row fail, until it is called. */
function blockDelete({ host }: TestCluster, id: number): () => void {
  const { db } = host.shards.open('mt', '0');
  db.exec(`CREATE TRIGGER blocked BEFORE DELETE ON t1 WHEN old.id = ${id} BEGIN SELECT RAISE(ABORT, 'blocked'); END`);
  return () => db.exec('DROP TRIGGER blocked');
}

/** Somebody holds the lock of a workflow, while `body` runs. */
async function whileLocked(cluster: TestCluster, workflow: string, body: () => Promise<void>): Promise<void> {
  const other = cluster.host.openTopology(cluster.machine.world(), { names: ETCD_NAMES, renewed: true, reapDead: true }, false);
  const lock = await other.lock(background(), { dir: `internal/named_locks/mt/${workflow}`, contents: '{}', ttlMs: 60_000, mustExist: false });
  await body();
  await lock.unlock(background());
}

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
    expect(rules(cluster)).toEqual(all('s1', 's1'));
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
    await whileLocked(cluster, 'w1', async () => {
      expect((await cluster.run(`--lock-timeout 1s ${createTenant(1)}`)).exit).toBe(1);
    });
    expect(fingerprint(cluster.host)).toEqual(before);
    expect(rules(cluster)).toBeUndefined();

    const first = await tenantCluster();
    const running = fingerprint(first.host);
    await whileLocked(first, 'w2', async () => {
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

describe('a switch of a tenant', () => {
  it.each(['hardened', ...RELEASES])('on %s moves its reads, then its writes, and nothing of others', async (version) => {
    const cluster = await bothTenants(version);
    expect(await cluster.ok(tenantLine(1, `switchtraffic ${READS}`))).toContain('Current State: All Reads Switched. Writes Not Switched\n');
    expect(rules(cluster)).toEqual({ ...all('s1', 'mt'), s1: 's1', ...all('s2', 's2') });
    await TENANT.write(cluster);
    await cluster.ok(tenantLine(1, 'status'));
    await TENANT.whole(cluster, true);
    expect(await cluster.ok(tenantLine(1, 'switchtraffic --tablet-types primary'))).toContain('Current State: All Reads Switched. Writes Switched\n');
    expect(rules(cluster)).toEqual({ ...all('s1', 'mt'), ...all('s2', 's2') });
    expect(denied(cluster, 's1')).toEqual(['t1', 't2']);
    expect(denied(cluster, 'mt')).toEqual([]);
    await cluster.ok("query --target s1 \"insert into t1 values (178, 1, 'after')\"");
    // The way back is kept up to date: with the rows of the tenant alone.
    await cluster.ok('MoveTables --workflow w1_reverse --target-keyspace s1 status');
    await cluster.ok("query --target mt \"insert into t1 values (300, 3, 'third')\"");
    await cluster.ok('MoveTables --workflow w1_reverse --target-keyspace s1 status');
    expect(stored(cluster, 's1')).toEqual([...tenantIds(1), 177, 178]);
    expect(filterOf(cluster, 's1', 'w1_reverse')).toContain('select * from t1 where tenant_id = 1');
    await cluster.ok(tenantLine(2, 'switchtraffic'));
    expect(stored(cluster, 'mt')).toEqual([...tenantIds(1), 177, 178, ...tenantIds(2), 300]);
    expect(rules(cluster)).toEqual({ ...all('s1', 'mt'), ...all('s2', 'mt') });
  });

  it('a second one that fails leaves the first alone on hardened; 20.0.6 refuses writes of the tenant, and of all others (K7, F05)', async () => {
    const failed = tenantLine(2, `switchtraffic --fault '${CATCH_UP}=return'`);
    const cluster = await bothTenants();
    await cluster.ok(tenantLine(1, 'switchtraffic'));
    await cluster.ok(tenantLine(1, 'status'));
    const before = fingerprint(cluster.host);
    expect((await cluster.run(failed)).exit).toBe(1);
    expect(fingerprint(cluster.host)).toEqual(before);
    await TENANT.write(cluster);
    await cluster.ok("query --target s2 \"insert into t1 values (277, 2, 'after')\"");
    await cluster.ok(tenantLine(2, 'switchtraffic'));
    expect(stored(cluster, 'mt')).toEqual([...tenantIds(1), 177, ...tenantIds(2), 277]);

    const old = await bothTenants('20.0.6');
    await old.ok(tenantLine(1, 'switchtraffic'));
    expect((await old.run(failed)).exit).toBe(1);
    // The target's tables are denied, for every tenant that has moved.
    expect(denied(old, 'mt')).toEqual(['t1', 't2']);
    expect(await errorOf(old, "query --target s1 \"insert into t1 values (177, 1, 'after')\"")).toContain('disallowed due to rule: enforce denied tables');

    const later = await bothTenants('24.0.0-SNAPSHOT');
    await later.ok(tenantLine(1, 'switchtraffic'));
    const { stderr } = await later.run(failed);
    // The roll-back leaves both sides alone: the source stays denied.
    expect([denied(later, 's2'), denied(later, 'mt')]).toEqual([['t1', 't2'], []]);
    expect(stderr).toContain('STRANDED: nobody serves writes to t1, t2');
    const commands = [...stderr.matchAll(/^ {2}switchtraffic (.*)$/gm)].map(([, command]) => command!);
    for (const command of commands) await later.ok(command);
    await later.ok("query --target s2 \"insert into t1 values (277, 2, 'after')\"");
    await TENANT.write(later);
    await later.ok(tenantLine(2, 'switchtraffic'));
    expect(stored(later, 'mt')).toEqual([...tenantIds(1), 177, ...tenantIds(2), 277]);
  });

  it.each([
    ['20.0.6', 'invalid request: requesting read traffic for multi-tenant migrations must include all cells'],
    ['21.0.3', 'invalid request: requesting switch of read traffic for multi-tenant migrations must include all cells; all cells: zone1, requested cells: zone1,zone1'],
    ['hardened', 'invalid request: requesting switch of read traffic for multi-tenant migrations must include all cells; all cells: zone1, requested cells: zone1,zone1'],
  ])('on %s is of all cells', async (version, text) => {
    const cluster = await tenantCluster(version);
    const before = fingerprint(cluster.host);
    expect(await errorOf(cluster, tenantLine(1, `switchtraffic ${READS} --cells zone1,zone1`))).toBe(text);
    expect(fingerprint(cluster.host)).toEqual(before);
  });

  it('of a cell of two is refused', async () => {
    const cluster = await tenantCluster();
    await cluster.ok('AddCellInfo zone2').catch(() => undefined);
    await cluster.ok('tablet add zone2-100 --keyspace mt --shard 0 --type replica');
    expect(await errorOf(cluster, tenantLine(1, `switchtraffic ${READS} --cells zone1`))).toBe(
      'invalid request: requesting switch of read traffic for multi-tenant migrations must include all cells; all cells: zone1,zone2, requested cells: zone1',
    );
  });

  it('of one type of reads alone leaves the other where it is', async () => {
    const cluster = await tenantCluster();
    // Without one, reads of that type go along.
    await cluster.ok('tablet add zone1-302 --keyspace mt --shard 0 --type rdonly');
    await cluster.ok(tenantLine(1, 'switchtraffic --tablet-types replica'));
    expect(rules(cluster)).toEqual({ ...all('s1', 's1'), 's1@replica': 'mt' });
    expect(await cluster.ok('show routing')).toMatch(/^s1\.t1 +s1\.t1 +mt\.t1 +s1\.t1$/m);
  });
});

describe('the way back of a tenant', () => {
  it('of its reads works on hardened until its writes are switched', async () => {
    const cluster = await tenantCluster();
    const before = fingerprint(cluster.host);
    await cluster.ok(tenantLine(1, `switchtraffic ${READS}`));
    expect(await cluster.ok(tenantLine(1, `reversetraffic ${READS}`))).toContain('Start State: All Reads Switched. Writes Not Switched\nCurrent State: Reads Not Switched. Writes Not Switched\n');
    expect(fingerprint(cluster.host)).toEqual(before);
    expect(await errorOf(cluster, tenantLine(1, 'reversetraffic --tablet-types rdonly'))).toBe(
      'invalid request: requesting reversal of read traffic for RDONLYs but RDONLY reads have not been switched',
    );
    await cluster.ok(tenantLine(1, 'switchtraffic'));
    await cluster.ok(tenantLine(1, 'status'));
    const switched = fingerprint(cluster.host);
    for (const types of ['', READS]) {
      expect(await errorOf(cluster, tenantLine(1, `reversetraffic ${types}`))).toBe(
        'cannot reverse write traffic for multi-tenant migrations: other tenants write to the same tables of mt, where nothing may be stopped',
      );
    }
    expect(fingerprint(cluster.host)).toEqual(switched);
  });

  it('of its reads has no effect on a release that says it has (K24)', async () => {
    const cluster = await tenantCluster('24.0.0-SNAPSHOT');
    await cluster.ok(tenantLine(1, `switchtraffic ${READS}`));
    expect(await cluster.ok(tenantLine(1, `reversetraffic ${READS}`))).toContain('Current State: Reads Not Switched. Writes Not Switched\n');
    expect(rules(cluster)).toEqual({ ...all('s1', 'mt'), s1: 's1' });
  });

  it.each([
    ['20.0.6', 'no streams found in keyspace s1 for w1_reverse', 'cannot reverse traffic for multi-tenant migrations'],
    ['21.0.3', 'cannot reverse traffic for multi-tenant migrations', 'cannot reverse traffic for multi-tenant migrations'],
    ['22.0.4', undefined, 'cannot reverse write traffic for multi-tenant migrations'],
    ['24.0.0-SNAPSHOT', undefined, 'cannot reverse write traffic for multi-tenant migrations'],
  ])('is refused on %s', async (version, reads, writes) => {
    const cluster = await tenantCluster(version);
    await cluster.ok(tenantLine(1, `switchtraffic ${READS}`));
    if (reads !== undefined) expect(await errorOf(cluster, tenantLine(1, `reversetraffic ${READS}`))).toBe(reads);
    await cluster.ok(tenantLine(1, 'switchtraffic'));
    expect(await errorOf(cluster, tenantLine(1, 'reversetraffic'))).toBe(writes);
    expect(rules(cluster)).toEqual(all('s1', 'mt'));
  });
});

describe('the end of a tenant', () => {
  it('cancel deletes its rows and no others, in batches', async () => {
    const cluster = await bothTenants();
    const one = fingerprint(await tenantCluster().then(({ host }) => host));
    expect(await cluster.ok(tenantLine(2, 'cancel --delete-batch-size 2'))).toBe('Successfully cancelled the w2 workflow in the mt keyspace\n\n');
    expect(fingerprint(cluster.host)).toEqual(one);
    expect(stored(cluster, 'mt')).toEqual(tenantIds(1));
    const empty = await tenantKeyspaces();
    await cluster.ok(tenantLine(1, `switchtraffic ${READS}`));
    await cluster.ok(tenantLine(1, 'cancel'));
    // The tables are everybody's: they stay, and so do their names in the VSchema.
    expect(stored(cluster, 'mt')).toEqual([]);
    expect(rules(cluster)).toEqual({});
    expect(stored(cluster, 's1')).toEqual(stored(empty, 's1'));
    await TENANT.write(cluster);
    expect(stored(cluster, 's1')).toEqual([...tenantIds(1), 177]);
  });

  it.each(['22.0.4', '24.0.0-SNAPSHOT'])('cancel deletes rows on %s too', async (version) => {
    const cluster = await bothTenants(version);
    await cluster.ok(tenantLine(1, `switchtraffic ${READS}`));
    await cluster.ok(tenantLine(1, 'cancel'));
    expect(stored(cluster, 'mt')).toEqual(tenantIds(2));
    expect(rules(cluster)).toEqual(all('s2', 's2'));
  });

  it.each(['20.0.6', '21.0.3'])('cancel drops the tables that other tenants use on %s', async (version) => {
    const cluster = await bothTenants(version);
    await cluster.ok(tenantLine(2, 'switchtraffic'));
    await cluster.ok(tenantLine(1, 'cancel'));
    expect(cluster.host.shards.open('mt', '0').tableNames()).toEqual([]);
    expect((await cluster.run('query --target s2 "select * from t1"')).exit).toBe(1);
  });

  it('cancel keeps the rows if it is told so', async () => {
    const cluster = await tenantCluster();
    await cluster.ok(tenantLine(1, 'cancel --keep-data'));
    expect(stored(cluster, 'mt')).toEqual(tenantIds(1));
    expect(rules(cluster)).toEqual({});
    expect(await errorOf(cluster, createTenant(1))).toBe('table t1 of mt has rows of tenant 1: the copy would meet them');
  });

  it('an interrupted cancel is gone on with by the same command; until then nothing copies again', async () => {
    const cluster = await bothTenants();
    await cluster.ok(tenantLine(1, `switchtraffic ${READS}`));
    const unblock = blockDelete(cluster, 104);
    const cancel = tenantLine(1, 'cancel --delete-batch-size 2');
    expect(await errorOf(cluster, cancel)).toContain('failed to fully delete all migrated data for tenant 1, please retry the operation: ');
    expect(stored(cluster, 'mt')).toEqual([103, 104, 105, ...tenantIds(2)]);
    expect(await errorOf(cluster, 'Workflow --keyspace mt start --workflow w1')).toContain('cannot start a workflow of which a cancel has deleted rows: cancel it again');
    expect(await errorOf(cluster, tenantLine(1, 'switchtraffic'))).toContain('cannot switch traffic for workflow w1 at this time: a cancel of it has deleted rows; cancel it again');
    // Traffic has been led back before the first row went.
    expect(rules(cluster)).toEqual(all('s2', 's2'));
    await TENANT.write(cluster);
    unblock();
    await cluster.ok(cancel);
    expect(stored(cluster, 'mt')).toEqual(tenantIds(2));
    expect(rules(cluster)).toEqual(all('s2', 's2'));
    expect(stored(cluster, 's1')).toEqual([...tenantIds(1), 177]);
  });

  it('an interrupted cancel can be retried on a release, where reads may still look for the rows', async () => {
    const cluster = await tenantCluster('24.0.0-SNAPSHOT');
    await cluster.ok(tenantLine(1, `switchtraffic ${READS}`));
    const unblock = blockDelete(cluster, 104);
    expect(await errorOf(cluster, tenantLine(1, 'cancel --delete-batch-size 2'))).toContain('failed to fully delete all migrated data for tenant 1, please retry the operation: ');
    expect(rules(cluster)).toEqual({ ...all('s1', 'mt'), s1: 's1' });
    expect(readStreams(cluster.host.shards.open('mt', '0'))).toHaveLength(1);
    unblock();
    await cluster.ok(tenantLine(1, 'cancel'));
    expect(stored(cluster, 'mt')).toEqual([]);
    expect(readStreams(cluster.host.shards.open('mt', '0'))).toEqual([]);
  });

  it.each(['hardened', ...RELEASES])('complete on %s drops the source and leaves the other tenants alone', async (version) => {
    const cluster = await bothTenants(version);
    await cluster.ok(tenantLine(1, 'switchtraffic'));
    await TENANT.write(cluster);
    await cluster.ok(tenantLine(1, 'complete'));
    expect(cluster.host.shards.open('s1', '0').tableNames()).toEqual([]);
    expect(rules(cluster)).toEqual(all('s2', 's2'));
    expect(stored(cluster, 'mt')).toEqual([...tenantIds(1), 177, ...tenantIds(2)]);
    expect(denied(cluster, 's1')).toEqual([]);
    await cluster.ok(tenantLine(2, 'switchtraffic'));
    expect(stored(cluster, 'mt')).toEqual([...tenantIds(1), 177, ...tenantIds(2)]);
  });

  it('--delete-batch-size is of v22', async () => {
    const cluster = await tenantCluster('21.0.3');
    expect(await errorOf(cluster, tenantLine(1, 'cancel --delete-batch-size 2'))).toBe('unknown flag: --delete-batch-size');
  });

  it.each(['18.0.8', '19.0.10'])('%s knows nothing of tenants', async (version) => {
    const cluster = await tenantKeyspaces(version);
    expect(await errorOf(cluster, createTenant(1))).toBe('unknown flag: --tenant-id');
  });
});
