import { describe, expect, it } from 'vitest';
import { fingerprint } from '../../helpers/fingerprint.ts';
import { errorOf, filterOf, keyspaceRules, rulesTo, stored } from '../../helpers/parts.ts';
import { tenantSubject } from '../../helpers/subjects.ts';
import { bothTenants, tenantCluster, tenantIds, tenantLine } from '../../helpers/tenants.ts';
import { CATCH_UP, denied } from '../behaviours/see.ts';

const RELEASES = ['20.0.6', '21.0.3', '22.0.4', '24.0.0-SNAPSHOT'] as const;
const READS = '--tablet-types replica,rdonly';
const TENANT = tenantSubject('unsharded');

describe('a switch of a tenant', () => {
  it.each(['hardened', ...RELEASES])('on %s moves its reads, then its writes, and nothing of others', async (version) => {
    const cluster = await bothTenants(version);
    expect(await cluster.ok(tenantLine(1, `switchtraffic ${READS}`))).toContain('Current State: All Reads Switched. Writes Not Switched\n');
    expect(keyspaceRules(cluster)).toEqual({ ...rulesTo('s1', 'mt'), s1: 's1', ...rulesTo('s2', 's2') });
    await TENANT.write(cluster);
    await cluster.ok(tenantLine(1, 'status'));
    await TENANT.whole(cluster, true);
    expect(await cluster.ok(tenantLine(1, 'switchtraffic --tablet-types primary'))).toContain('Current State: All Reads Switched. Writes Switched\n');
    expect(keyspaceRules(cluster)).toEqual({ ...rulesTo('s1', 'mt'), ...rulesTo('s2', 's2') });
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
    expect(keyspaceRules(cluster)).toEqual({ ...rulesTo('s1', 'mt'), ...rulesTo('s2', 'mt') });
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
    expect(keyspaceRules(cluster)).toEqual({ ...rulesTo('s1', 's1'), 's1@replica': 'mt' });
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
    expect(keyspaceRules(cluster)).toEqual({ ...rulesTo('s1', 'mt'), s1: 's1' });
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
    expect(keyspaceRules(cluster)).toEqual(rulesTo('s1', 'mt'));
  });
});
