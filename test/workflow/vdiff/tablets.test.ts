import { describe, expect, it } from 'vitest';
import { movingCluster } from '../../helpers/shell.ts';
import { counts, diffed, shown, UUID, VDIFF } from '../../helpers/vdiff.ts';

/** Diffs of workflows whose tablets are down, or have changed. */
describe('a tablet', () => {
  it('of the source that is down is passed over, until there is none', async () => {
    const cluster = await movingCluster();
    const names = JSON.parse(await cluster.ok('GetTablets --keyspace commerce --format json')) as { alias: { cell: string; uid: number } }[];
    const [primary, ...others] = names.map(({ alias }) => `${alias.cell}-${alias.uid}`);
    for (const alias of others) await cluster.ok(`tablet stop ${alias}`);
    expect(counts(await diffed(cluster), 'customer')).toBe('5/0/0/0');
    const refused = await cluster.run(`${VDIFF} create --tablet-types replica,rdonly`);
    expect([refused.exit, refused.stderr.split('\n')[0]]).toEqual([1, 'no tablet of REPLICA, RDONLY serves commerce/0 in zone1: the diff would wait until there is one']);
    expect(primary).toBe('zone1-100');
  });

  it('of the target that is down does not answer, and the diff goes on when it is back', async () => {
    const cluster = await movingCluster();
    await cluster.ok(`${VDIFF} create ${UUID} --auto-start=false`);
    cluster.host.shards.open('customer', '0').db.run(`UPDATE "_vt.vdiff" SET state = 'pending'`);
    await cluster.ok('tablet stop zone1-200');
    const down = await cluster.run(`${VDIFF} show ${UUID} --action-timeout 5s`);
    expect(down.exit).toBe(1);
    expect(down.stderr).toContain('connection refused');
    expect(cluster.host.shards.open('customer', '0').db.get('SELECT state FROM "_vt.vdiff"')).toEqual({ state: 'pending' });
    await cluster.ok('tablet start zone1-200');
    expect(await shown(cluster)).toMatchObject({ State: 'completed', HasMismatch: false });
  });

  it('that another takes over from as primary changes nothing of what is known', async () => {
    const cluster = await movingCluster();
    await cluster.ok(`${VDIFF} create ${UUID}`);
    await cluster.ok('PlannedReparentShard customer/0 --new-primary zone1-201');
    await cluster.ok('PlannedReparentShard commerce/0 --new-primary zone1-101');
    await cluster.ok(`query "insert into customer (customer_id, email) values (900, 'new')"`);
    expect((await shown(cluster, UUID)).State).toBe('completed');
    expect(counts(await diffed(cluster), 'customer')).toBe('6/0/0/0');
    expect((await cluster.run(`${VDIFF} delete ${UUID.replace('c', 'd')}`)).stderr).toContain('TabletManager.VDiff on zone1-0000000201: no vdiff found');
  });
});

describe('_vt', () => {
  it('tells SQL of diffs', async () => {
    const cluster = await movingCluster();
    await cluster.ok(`${VDIFF} create ${UUID}`);
    const rows = await cluster.ok('ExecuteFetchAsDBA zone1-200 "select vd.vdiff_uuid, vd.state, vd.workflow from _vt.vdiff as vd"');
    expect(rows).toContain(UUID);
    expect(await cluster.ok(`ExecuteFetchAsDBA zone1-200 "select table_name, rows_compared, lastpk from _vt.vdiff_table where state = 'completed' order by table_name"`)).toMatch(/\| corder +\| 5 +\| \[5\] [^]*\| customer +\| 5 /);
    expect(await cluster.ok(`ExecuteFetchAsDBA zone1-200 "select message from _vt.vdiff_log"`)).toContain('State changed to: completed');
  });
});
