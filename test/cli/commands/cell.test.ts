import { describe, expect, it } from 'vitest';
import type { SrvVSchema } from '../../../src/topo/proto/types.ts';
import { during } from '../../helpers/during.ts';
import { fingerprint } from '../../helpers/fingerprint.ts';
import { switchLine, testCluster, type TestCluster } from '../../helpers/shell.ts';
import { record } from '../../workflow/behaviours/see.ts';

async function twoCells(version = 'hardened'): Promise<TestCluster> {
  const cluster = testCluster();
  await cluster.ok(`init two-cells --vitess-version ${version}`);
  return cluster;
}

async function timed(cluster: TestCluster, line: string): Promise<{ seconds: number; exit: number; stdout: string; stderr: string }> {
  const start = cluster.machine.clock.now();
  const result = await cluster.run(line);
  return { ...result, seconds: (cluster.machine.clock.now() - start) / 1000 };
}

const isServed = (cluster: TestCluster, cell: string, from: string): boolean =>
  (record<SrvVSchema>(cluster, cell, 'SrvVSchema')?.routing_rules?.rules ?? []).some((rule) => rule.from_table === from);

describe('a cell whose topology is stopped', () => {
  it('is told of, once, and holds over commands', async () => {
    const cluster = await twoCells();
    expect(await cluster.ok('cell stop zone2')).toBe('The topology of cell zone2 cannot be reached any more\n');
    expect(await cluster.ok('cell stop zone2')).toBe('The topology of cell zone2 is stopped already\n');
    expect(await cluster.ok('show keyspace')).toContain('the topology of cell zone2 cannot be reached: its gates keep what they saw last');
    expect(await cluster.ok('cell start zone2')).toBe('The topology of cell zone2 can be reached again\n');
    expect(await cluster.ok('cell start zone2')).toBe('The topology of cell zone2 can be reached already\n');
    expect(await cluster.ok('show keyspace')).not.toContain('cannot be reached');
  });

  it('hides its tablets from GetTablets, which says so, and with --strict fails', async () => {
    const cluster = await twoCells('v22');
    await cluster.ok('cell stop zone2');
    const listed = await timed(cluster, 'GetTablets --keyspace commerce');
    expect([listed.exit, listed.seconds]).toEqual([0, 5]);
    expect(listed.stdout.trimEnd().split('\n').map((line) => line.slice(0, 5))).toEqual(['zone1', 'zone1', 'zone1']);
    const strict = await cluster.run('GetTablets --keyspace commerce --strict');
    expect([strict.exit, strict.stdout]).toEqual([1, '']);
    const one = await timed(cluster, 'GetTablet zone2-103');
    expect([one.exit, one.stderr]).toEqual([1, 'deadline exceeded: /vitess/zone2/tablets/zone2-0000000103/Tablet\n']);
  });

  it('fails what rebuilds the serving records; the other cell has got them', async () => {
    const cluster = await twoCells('v22');
    await cluster.ok('cell stop zone2');
    await cluster.run(`ApplyRoutingRules --rules '{"rules": [{"from_table": "t", "to_tables": ["commerce.customer"]}]}' --skip-rebuild`);
    const rebuilt = await timed(cluster, 'RebuildVSchemaGraph');
    expect([rebuilt.exit, rebuilt.seconds, rebuilt.stderr]).toEqual([1, 5, 'deadline exceeded: /vitess/zone2/SrvVSchema\n']);
    expect([isServed(cluster, 'zone1', 't'), isServed(cluster, 'zone2', 't')]).toEqual([true, false]);
    const graph = await cluster.run('RebuildKeyspaceGraph customer');
    expect(graph.stderr).toContain('RebuildKeyspaceGraph(customer) failed: ');
    expect(graph.stderr).toContain('deadline exceeded: /vitess/zone2/keyspaces/customer/SrvKeyspace');
    expect((await cluster.run('RebuildVSchemaGraph --cells zone1')).exit).toBe(0);
    await cluster.ok('cell start zone2');
    await cluster.ok('RebuildVSchemaGraph');
    expect(isServed(cluster, 'zone2', 't')).toBe(true);
  });

  it('lets its gates go on with what they saw last, and its tablets serve', async () => {
    const cluster = await twoCells();
    await cluster.ok('cell stop zone2');
    for (const cell of ['zone1', 'zone2']) {
      await cluster.ok(`query --cell ${cell} "insert into customer (email) values ('${cell}')"`);
      await cluster.ok(`query --cell ${cell} --target commerce@replica 'select * from customer'`);
    }
    await cluster.ok('query --cell zone1 "create table commerce.news (id bigint, primary key (id))"');
    // Somebody changes the rules for the cell that is there.
    await cluster.ok(`ApplyRoutingRules --cells zone1 --rules '{"rules": [{"from_table": "news", "to_tables": ["commerce.product"]}]}'`);
    expect(await cluster.ok("query --cell zone1 'select * from news'")).toContain('sku');
    expect((await cluster.run("query --cell zone2 'select * from news'")).stdout).not.toContain('sku');
  });

  it('takes no new tablets, and none of its tablets can be refreshed', async () => {
    const cluster = await twoCells('v22');
    await cluster.ok('cell stop zone2');
    const added = await cluster.run('tablet add zone2-105 --keyspace commerce --shard 0 --type replica');
    expect([added.exit, added.stderr.includes('deadline exceeded: /vitess/zone2/')]).toEqual([1, true]);
    expect((await cluster.run('RefreshState zone2-103')).exit).toBe(1);
    const shard = await cluster.run('RefreshStateByShard commerce/0');
    expect(shard.stdout).toContain('State refresh was partial');
    await cluster.ok('cell start zone2');
    expect(await cluster.ok('RefreshStateByShard commerce/0')).not.toContain('partial');
  });

  it.each(['hardened', 'v22'])('refuses the switch before anything is done, and says why: %s', async (version) => {
    const cluster = await twoCells(version);
    await cluster.ok('MoveTables --workflow c2c --target-keyspace customer create --source-keyspace commerce --tables customer,corder');
    await cluster.ok('MoveTables --workflow c2c --target-keyspace customer status');
    await cluster.ok('cell stop zone2');
    const before = fingerprint(cluster.host);
    const { exit, stderr } = await cluster.run(switchLine());
    expect([exit, stderr]).toEqual([1, `deadline exceeded: /vitess/zone2/SrvVSchema\n${version === 'hardened' ? 'next: start it: switchtraffic cell start zone2\n' : ''}`]);
    expect(fingerprint(cluster.host)).toEqual(before);
    await cluster.ok('cell start zone2');
    // Later it is the check of the tablets that finds out.
    const late = await during(cluster, switchLine(), 'switchTraffic/prepare/canSwitch', () => cluster.ok('cell stop zone2'));
    expect(late.stderr).toContain('cannot switch traffic for workflow c2c at this time: could not refresh all of the tablets involved in the operation:\n');
    expect(late.stderr).toContain('got partial results from topo server for shard commerce/0: partial result: 0');
    expect(late.stderr).toContain('down: the topology of cell zone2: switchtraffic cell start zone2');
    await cluster.ok('cell start zone2');
    await cluster.ok(switchLine());
  });

  it('cuts off a shard whose primary is there: its workflow cannot be read', async () => {
    const cluster = await twoCells('v22');
    await cluster.ok('MoveTables --workflow c2c --target-keyspace customer create --source-keyspace commerce --tables customer');
    await cluster.ok('PlannedReparentShard customer/0 --new-primary zone2-203');
    await cluster.ok('cell stop zone2');
    const status = await cluster.run('MoveTables --workflow c2c --target-keyspace customer status');
    expect([status.exit, status.stderr.includes('deadline exceeded: /vitess/zone2/tablets/zone2-0000000203/Tablet')]).toEqual([1, true]);
    await cluster.ok('cell start zone2');
    await cluster.ok('MoveTables --workflow c2c --target-keyspace customer status');
  });
});
