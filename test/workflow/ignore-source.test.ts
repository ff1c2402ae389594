import { describe, expect, it } from 'vitest';
import { movingCluster, switchLine, type TestCluster } from '../helpers/shell.ts';

const MT = 'MoveTables --workflow c2c --target-keyspace customer';

/** The source keyspace is gone, as after its shards were deleted. */
function loseSource({ host }: TestCluster): void {
  const nodes = host.store.cell('global');
  for (const path of nodes.keys()) if (path.startsWith('keyspaces/commerce/shards/')) nodes.delete(path);
}

function paths({ host }: TestCluster, pattern: RegExp): string[] {
  return [...host.store.cell('global').keys()].filter((path) => pattern.test(path));
}

describe.each(['hardened', '22.0.0'])('without the source keyspace on %s', (version) => {
  it('cancel drops the target and every trace there, and leaves the source alone', async () => {
    const cluster = await movingCluster(version);
    loseSource(cluster);
    const refused = await cluster.run(`${MT} cancel`);
    expect(refused.exit).toBe(1);
    expect(refused.stderr).toContain("node doesn't exist");
    await cluster.ok(`${MT} cancel --ignore-source-keyspace`);
    expect(JSON.parse(await cluster.ok('Workflow --keyspace customer list'))).toEqual([]);
    expect(cluster.host.shards.open('customer', '0').tableNames()).toEqual([]);
    expect(cluster.host.shards.open('commerce', '0').tableNames()).toContain('corder');
    expect(JSON.parse(await cluster.ok('GetRoutingRules'))).toEqual({ rules: [] });
    expect(JSON.parse(await cluster.ok('GetShard customer/0'))).toMatchObject({ shard: { tablet_controls: [] } });
    expect(paths(cluster, /locks/)).toEqual([]);
  });

  it('complete says what it would do, and does it', async () => {
    const cluster = await movingCluster(version);
    await cluster.ok(switchLine());
    loseSource(cluster);
    expect((await cluster.run(`${MT} complete`)).exit).toBe(1);
    const lines = (await cluster.ok(`${MT} complete --ignore-source-keyspace --dry-run`)).trim().split('\n').slice(2);
    const denied = 'Denied tables records on [corder,customer] will be removed from: [keyspace:customer;shard:0;tablet:200]';
    const reverse = 'Delete reverse vreplication streams on sources: []';
    const streams = 'Delete vreplication streams on targets: [keyspace:customer;shard:0;workflow:c2c;dbname:vt_customer;tablet:200]';
    const rules = 'Routing rules for participating tables will be deleted';
    // The streams go last where the command can be repeated.
    const inOrder = version === 'hardened' ? [reverse, denied, rules, streams] : [denied, reverse, streams, rules];
    expect(lines).toEqual(['Lock keyspace customer', ...inOrder, 'Unlock keyspace customer']);
    await cluster.ok(`${MT} complete --ignore-source-keyspace`);
    expect(JSON.parse(await cluster.ok('Workflow --keyspace customer list'))).toEqual([]);
    expect(await cluster.ok('query --format json --target customer "select count(*) from corder"')).toContain('5');
  });
});

it('with the source there its tables and the reverse workflow stay: they were to be ignored', async () => {
  const cluster = await movingCluster();
  await cluster.ok(switchLine());
  await cluster.ok(`${MT} complete --ignore-source-keyspace`);
  expect(JSON.parse(await cluster.ok('Workflow --keyspace commerce list'))).toEqual(['c2c_reverse']);
  expect(cluster.host.shards.open('commerce', '0').tableNames()).toContain('customer');
});
