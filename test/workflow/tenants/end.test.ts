import { describe, expect, it } from 'vitest';
import { readStreams } from '../../../src/tablet/vreplication/streams.ts';
import { fingerprint } from '../../helpers/fingerprint.ts';
import { errorOf, keyspaceRules, rulesTo, stored } from '../../helpers/parts.ts';
import type { TestCluster } from '../../helpers/shell.ts';
import { tenantSubject } from '../../helpers/subjects.ts';
import { bothTenants, createTenant, tenantCluster, tenantIds, tenantKeyspaces, tenantLine } from '../../helpers/tenants.ts';
import { denied } from '../behaviours/see.ts';

const RELEASES = ['20.0.6', '21.0.3', '22.0.4', '24.0.0-SNAPSHOT'] as const;
const READS = '--tablet-types replica,rdonly';
const TENANT = tenantSubject('unsharded');

/** Makes the deletion of a row fail, until it is called. */
function blockDelete({ host }: TestCluster, id: number): () => void {
  const { db } = host.shards.open('mt', '0');
  db.exec(`CREATE TRIGGER blocked BEFORE DELETE ON t1 WHEN old.id = ${id} BEGIN SELECT RAISE(ABORT, 'blocked'); END`);
  return () => db.exec('DROP TRIGGER blocked');
}

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
    expect(keyspaceRules(cluster)).toEqual({});
    expect(stored(cluster, 's1')).toEqual(stored(empty, 's1'));
    await TENANT.write(cluster);
    expect(stored(cluster, 's1')).toEqual([...tenantIds(1), 177]);
  });

  it.each(['22.0.4', '24.0.0-SNAPSHOT'])('cancel deletes rows on %s too', async (version) => {
    const cluster = await bothTenants(version);
    await cluster.ok(tenantLine(1, `switchtraffic ${READS}`));
    await cluster.ok(tenantLine(1, 'cancel'));
    expect(stored(cluster, 'mt')).toEqual(tenantIds(2));
    expect(keyspaceRules(cluster)).toEqual(rulesTo('s2', 's2'));
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
    expect(keyspaceRules(cluster)).toEqual({});
    expect(await errorOf(cluster, createTenant(1))).toBe('table t1 of mt has rows of tenant 1: the copy would meet them');
  });

  it('an interrupted cancel is gone on with by the same command; until then nothing copies again', async () => {
    const cluster = await bothTenants();
    await cluster.ok(tenantLine(1, `switchtraffic ${READS}`));
    const unblock = blockDelete(cluster, 104);
    const cancel = tenantLine(1, 'cancel --delete-batch-size 2');
    expect(await errorOf(cluster, cancel)).toContain('failed to fully delete all migrated data for tenant 1, please retry the operation: ');
    expect(stored(cluster, 'mt')).toEqual([103, 104, 105, ...tenantIds(2)]);
    const halfDone = 'Cancel w1 was interrupted, and what it had begun is not finished';
    expect(await errorOf(cluster, 'Workflow --keyspace mt start --workflow w1')).toContain(halfDone);
    expect(await errorOf(cluster, tenantLine(1, 'switchtraffic'))).toContain(halfDone);
    // Traffic has been led back before the first row went.
    expect(keyspaceRules(cluster)).toEqual(rulesTo('s2', 's2'));
    await TENANT.write(cluster);
    unblock();
    await cluster.ok(cancel);
    expect(stored(cluster, 'mt')).toEqual(tenantIds(2));
    expect(keyspaceRules(cluster)).toEqual(rulesTo('s2', 's2'));
    expect(stored(cluster, 's1')).toEqual([...tenantIds(1), 177]);
  });

  it('an interrupted cancel can be retried on a release, where reads may still look for the rows', async () => {
    const cluster = await tenantCluster('24.0.0-SNAPSHOT');
    await cluster.ok(tenantLine(1, `switchtraffic ${READS}`));
    const unblock = blockDelete(cluster, 104);
    expect(await errorOf(cluster, tenantLine(1, 'cancel --delete-batch-size 2'))).toContain('failed to fully delete all migrated data for tenant 1, please retry the operation: ');
    expect(keyspaceRules(cluster)).toEqual({ ...rulesTo('s1', 'mt'), s1: 's1' });
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
    expect(keyspaceRules(cluster)).toEqual(rulesTo('s2', 's2'));
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
