import { describe, expect, it } from 'vitest';
import { readStreams } from '../../../src/tablet/vreplication/streams.ts';
import { fingerprint } from '../../helpers/fingerprint.ts';
import { createPartial, PARTIAL_ROWS, partialCluster, partialLine, twoByTwo } from '../../helpers/partial.ts';
import { deniedShards, errorOf, shardRules, tableRules, whileLocked } from '../../helpers/parts.ts';
import type { TestCluster } from '../../helpers/shell.ts';
import { rowsOf } from '../../helpers/subjects.ts';

const RELEASES = ['18.0.8', '22.0.4', '24.0.0-SNAPSHOT'] as const;

const create = (rest: string): string => partialLine('p80d', `create --source-keyspace customer ${rest}`);

const ids = async (cluster: TestCluster, target: string): Promise<number[]> => (await rowsOf(cluster, target, 'select cid from customer order by cid')).map(([id]) => Number(id));

describe('create of single shards', () => {
  it.each(['hardened', ...RELEASES])('on %s makes a stream of the shard, and rules that change nothing', async (version) => {
    const cluster = await partialCluster(version);
    expect(await shardRules(cluster)).toEqual(['customer2/-80 > customer', 'customer2/80- > customer']);
    expect((await tableRules(cluster))?.every(({ to_tables }) => to_tables?.length === 1 && to_tables[0]!.startsWith('customer.'))).toBe(true);
    expect(readStreams(cluster.host.shards.open('customer2', '-80'))).toEqual([]);
    const [stream, ...more] = readStreams(cluster.host.shards.open('customer2', '80-'));
    expect(more).toEqual([]);
    // Vitess: VReplicationWorkflowSubType_Partial. Both sides have one range, so that nothing is left out.
    expect(stream).toMatchObject({ workflow: 'p80d', workflow_sub_type: 1, state: 'Running' });
    expect(stream!.source).toBe('keyspace:"customer" shard:"80-" filter:{rules:{match:"corder" filter:"select * from corder"} rules:{match:"customer" filter:"select * from customer"}}');
    expect(deniedShards(cluster, 'customer2')).toEqual([]);
    expect(cluster.host.shards.open('customer2', '-80').tableNames()).toEqual([]);
    expect(await ids(cluster, 'customer2:80-')).toEqual(PARTIAL_ROWS.filter((id) => id % 2 === 1));
    // Before the switch a shard that is asked for by name serves as it did.
    expect(await ids(cluster, 'customer')).toEqual(PARTIAL_ROWS);
  });

  it.each([
    ['--source-shards 80- --all-tables --tenant-id 1', 'cannot specify both --tenant-id (i.e. a multi-tenant migration) and --source-shards (i.e. a shard-by-shard migration)'],
    ['--source-shards 80- --all-tables --shards 80-', '--shards specified, but not --tenant-id: you can only specify target shards for multi-tenant migrations'],
  ])('knows which flags exclude each other: %s', async (flags, text) => {
    for (const version of ['hardened', '24.0.0-SNAPSHOT']) expect(await errorOf(await twoByTwo(version), create(flags))).toBe(text);
  });

  it('refuses on hardened what could be made and would lose rows, and changes nothing', async () => {
    const cluster = await twoByTwo();
    await cluster.ok('tablet add zone1-900 --keyspace other --shard 80- --type primary');
    const before = fingerprint(cluster.host);
    const text = (flags: string): Promise<string> => errorOf(cluster, create(flags));
    expect(await text('--source-shards 40-80 --all-tables')).toBe("there is no shard '40-80' in keyspace customer; its shards are: -80, 80-");
    expect(await text('--source-shards -80,80- --all-tables')).toBe('--source-shards names every shard of customer: that is no partial move');
    expect(await text('--source-shards 80- --tables customer')).toBe(
      'a partial move switches all tables of a shard: corder of customer would be looked for in customer2, which does not get them',
    );
    expect(await errorOf(cluster, create('--source-shards -80,80- --all-tables').replace('customer2', 'other'))).toBe('shard -80 of customer has no counterpart in other');
    expect(fingerprint(cluster.host)).toEqual(before);
  });

  it('refuses on hardened keyspaces that share rows out differently; a release copies rows to where nobody looks for them', async () => {
    for (const version of ['hardened', '24.0.0-SNAPSHOT']) {
      const cluster = await twoByTwo(version);
      const vschema = { sharded: true, vindexes: { other: { type: 'hash' } }, tables: Object.fromEntries(['customer', 'corder'].map((table) => [table, { column_vindexes: [{ column: 'cid', name: 'other' }] }])) };
      cluster.host.store.put('global', 'keyspaces/customer2/VSchema', JSON.stringify(vschema));
      await cluster.ok('RebuildVSchemaGraph');
      if (version === 'hardened') {
        expect(await errorOf(cluster, createPartial('p80d'))).toBe(
          'rows of customer and customer2 are shared out differently: what is in one shard of the one is in several of the other',
        );
        continue;
      }
      await cluster.ok(createPartial('p80d'));
      await cluster.ok(partialLine('p80d', 'status'));
      await cluster.ok(partialLine('p80d', 'switchtraffic'));
      await cluster.ok('MoveTables --workflow p80d_reverse --target-keyspace customer cancel --keep-data');
      expect(await rowsOf(cluster, 'customer2:80-', 'select cid from customer where cid = 1')).toHaveLength(1);
      expect(await rowsOf(cluster, 'customer2', 'select cid from customer where cid = 1')).toEqual([]);
    }
  });

  it.each([
    ['18.0.8', 'no source shards specified for workflow p80d '],
    ['24.0.0-SNAPSHOT', 'no source shards specified for workflow p80d '],
  ])('passes over unknown shards on %s, until none is left', async (version, text) => {
    const cluster = await twoByTwo(version);
    expect(await errorOf(cluster, create('--source-shards 40-80 --all-tables'))).toBe(text);
    await cluster.ok(create('--source-shards 80-,c0- --all-tables'));
    expect(readStreams(cluster.host.shards.open('customer2', '80-'))).toHaveLength(1);
  });

  it('that fails late leaves nothing on hardened; on a release the stream stays', async () => {
    for (const version of ['hardened', '24.0.0-SNAPSHOT']) {
      const cluster = await twoByTwo(version);
      const before = fingerprint(cluster.host);
      await whileLocked(cluster, 'customer2/p80d', async () => {
        expect(await errorOf(cluster, `--lock-timeout 1s ${createPartial('p80d')}`)).toContain('failed to lock the customer2/p80d workflow');
      });
      if (version === 'hardened') expect(fingerprint(cluster.host)).toEqual(before);
      else expect(readStreams(cluster.host.shards.open('customer2', '80-'))).toHaveLength(1);
    }
  });

  it('a second one that fails leaves the first one its rules', async () => {
    const cluster = await partialCluster();
    const before = fingerprint(cluster.host);
    await whileLocked(cluster, 'customer2/pd80', async () => {
      expect((await cluster.run(`--lock-timeout 1s ${createPartial('pd80')}`)).exit).toBe(1);
    });
    expect(fingerprint(cluster.host)).toEqual(before);
  });
});
