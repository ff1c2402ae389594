import { describe, expect, it } from 'vitest';
import { fingerprint } from '../../helpers/fingerprint.ts';
import { createPartial, PARTIAL_ROWS, partialCluster, partialLine, twoByTwo } from '../../helpers/partial.ts';
import { deniedShards, errorOf, shardRules, tableRules } from '../../helpers/parts.ts';
import type { TestCluster } from '../../helpers/shell.ts';
import { PARTIAL, rowsOf } from '../../helpers/subjects.ts';

const RELEASES = ['18.0.8', '22.0.4', '24.0.0-SNAPSHOT'] as const;

async function nextOf(cluster: TestCluster, line: string): Promise<string> {
  const { exit, stderr } = await cluster.run(line);
  expect(exit, line).not.toBe(0);
  return stderr.split('\n').find((text) => text.startsWith('next: ')) ?? '';
}

const ids = async (cluster: TestCluster, target: string): Promise<number[]> => (await rowsOf(cluster, target, 'select cid from customer order by cid')).map(([id]) => Number(id));

/** Both shards moved, each by its own workflow. */
async function moved(version = 'hardened'): Promise<TestCluster> {
  const cluster = await partialCluster(version);
  await cluster.ok(partialLine('p80d', 'switchtraffic'));
  await cluster.ok(createPartial('pd80'));
  await cluster.ok(partialLine('pd80', 'status'));
  await cluster.ok(partialLine('pd80', 'switchtraffic'));
  return cluster;
}

describe('the end of single shards', () => {
  it('complete goes shard by shard on hardened, in either order; the last takes the rules along', async () => {
    for (const order of [['p80d', 'pd80'], ['pd80', 'p80d']] as const) {
      const cluster = await moved();
      await PARTIAL.write(cluster);
      const dryRun = await cluster.ok(partialLine(order[0], 'complete --dry-run'));
      expect(dryRun).not.toContain('outing rules');
      await cluster.ok(partialLine(order[0], 'complete'));
      const [first, second] = order[0] === 'p80d' ? ['80-', '-80'] : ['-80', '80-'];
      expect(cluster.host.shards.open('customer', first!).tableNames()).toEqual([]);
      expect(cluster.host.shards.open('customer', second!).tableNames()).toEqual(['corder', 'customer']);
      await PARTIAL.whole(cluster, true);
      expect(await shardRules(cluster)).toHaveLength(2);

      expect(await cluster.ok(partialLine(order[1], 'complete --dry-run'))).toContain(
        'Routing rules for participating tables will be deleted\nShard routing rules for participating shards will be deleted\n',
      );
      await cluster.ok(partialLine(order[1], 'complete'));
      expect(await shardRules(cluster)).toEqual([]);
      expect(await tableRules(cluster)).toEqual([]);
      expect(deniedShards(cluster, 'customer')).toEqual([]);
      expect(JSON.parse(await cluster.ok('Workflow --keyspace customer list'))).toEqual([]);
      expect(JSON.parse(await cluster.ok('Workflow --keyspace customer2 list'))).toEqual([]);
      expect(await ids(cluster, 'customer2')).toEqual([...PARTIAL_ROWS, 7, 8]);
      expect(await ids(cluster, '')).toEqual([...PARTIAL_ROWS, 7, 8]);
    }
  });

  it('complete of the first shard is possible before the second is created', async () => {
    const cluster = await partialCluster();
    await cluster.ok(partialLine('p80d', 'switchtraffic'));
    await cluster.ok(partialLine('p80d', 'complete'));
    await PARTIAL.write(cluster);
    await PARTIAL.whole(cluster, true);
    // The tables of the shard that is left are found in it.
    await cluster.ok(createPartial('pd80'));
    await cluster.ok(partialLine('pd80', 'status'));
    await cluster.ok(partialLine('pd80', 'switchtraffic'));
    await PARTIAL.whole(cluster, true);
    await cluster.ok(partialLine('pd80', 'complete'));
    expect(await shardRules(cluster)).toEqual([]);
    expect(await ids(cluster, '')).toEqual([...PARTIAL_ROWS, 7, 8]);
  });

  it('complete keeps the data if it is told so', async () => {
    const cluster = await moved();
    await cluster.ok(partialLine('p80d', 'complete --keep-data'));
    await cluster.ok(partialLine('pd80', 'complete --keep-data'));
    expect(deniedShards(cluster, 'customer')).toEqual([]);
    expect(await ids(cluster, 'customer')).toEqual(PARTIAL_ROWS);
    expect(await shardRules(cluster)).toEqual([]);
  });

  it('complete needs the switch of its own shard', async () => {
    const cluster = await partialCluster();
    expect(await errorOf(cluster, partialLine('p80d', 'complete'))).toBe('cannot complete workflow because you have not yet switched all read and write traffic');
    await cluster.ok(createPartial('pd80'));
    await cluster.ok(partialLine('p80d', 'switchtraffic'));
    expect(await errorOf(cluster, partialLine('pd80', 'complete'))).toBe('cannot complete workflow because you have not yet switched all read and write traffic');
  });

  it.each(RELEASES)('complete is impossible on %s', async (version) => {
    const cluster = await moved(version);
    expect(await errorOf(cluster, partialLine('p80d', 'complete'))).toBe('cannot complete workflow because you have not yet switched all read and write traffic');
  });

  it('cancel takes everything away again, also while another shard is on its way', async () => {
    const empty = await twoByTwo();
    const before = fingerprint(empty.host);
    const cluster = await partialCluster();
    const one = fingerprint(cluster.host);
    await cluster.ok(createPartial('pd80'));
    await cluster.ok(partialLine('pd80', 'status'));
    expect(await cluster.ok(partialLine('pd80', 'cancel'))).toBe('Successfully cancelled the pd80 workflow in the customer2 keyspace\n\n');
    expect(fingerprint(cluster.host)).toEqual(one);
    await cluster.ok(partialLine('p80d', 'cancel'));
    expect(fingerprint(cluster.host)).toEqual(before);
  });

  it('cancel of a switched shard is refused on hardened, and drops what serves on a release (K30)', async () => {
    const cluster = await partialCluster();
    await cluster.ok(partialLine('p80d', 'switchtraffic'));
    await cluster.ok(partialLine('p80d', 'status'));
    const before = fingerprint(cluster.host);
    expect(await errorOf(cluster, partialLine('p80d', 'cancel'))).toBe('cancelling p80d would drop corder, customer of shard 80- in customer2, which serves them');
    expect(await nextOf(cluster, partialLine('p80d', 'cancel'))).toContain('MoveTables --workflow p80d --target-keyspace customer2 complete');
    const reverse = 'MoveTables --workflow p80d_reverse --target-keyspace customer cancel';
    expect(await errorOf(cluster, `${reverse} --keep-data`)).toBe('cancelling p80d_reverse would delete the rules that lead traffic of shard 80- to customer2');
    expect(fingerprint(cluster.host)).toEqual(before);

    const release = await partialCluster('24.0.0-SNAPSHOT');
    await release.ok(partialLine('p80d', 'switchtraffic'));
    await release.ok(partialLine('p80d', 'cancel'));
    expect(release.host.shards.open('customer2', '80-').tableNames()).toEqual([]);
    expect((await release.run('query "select * from customer where cid = 1"')).exit).toBe(1);
  });

  it.each(['22.0.4', '24.0.0-SNAPSHOT'])('the cancel of both reverse workflows takes the rules along on %s', async (version) => {
    const cluster = await moved(version);
    for (const workflow of ['p80d', 'pd80']) await cluster.ok(`MoveTables --workflow ${workflow}_reverse --target-keyspace customer cancel --keep-data`);
    expect(await cluster.ok('GetRoutingRules --compact')).toBe('{}\n');
    expect(await shardRules(cluster)).toEqual([]);
  });
});
