import { beforeEach, describe, expect, it } from 'vitest';
import { background } from '../../src/runtime/context.ts';
import { addCell } from '../../src/topo/cells.ts';
import { createShard, ensureKeyspace } from '../../src/topo/keyspaces.ts';
import { lockKeyspace } from '../../src/topo/locks.ts';
import { getSrvKeyspace, isMissing, partitionOf, rebuildKeyspaceGraph } from '../../src/topo/srv-keyspace.ts';
import { caught, failureOf, textOf, TopoMachine, type TopoWorld } from '../helpers/topo-world.ts';

const ctx = background();
let start: TopoWorld;

beforeEach(async () => {
  start = new TopoMachine().process();
  await addCell(ctx, start.topo, 'zone1');
  await addCell(ctx, start.topo, 'zone2');
  await ensureKeyspace(ctx, start.topo, 'ks');
});

describe('rebuilding the serving graph', () => {
  it('lists the serving shards for each type, by range, in every cell', async () => {
    for (const name of ['80-', '-80', '-40']) await createShard(ctx, start.topo, 'ks', name);
    await rebuildKeyspaceGraph(ctx, start.topo, 'ks');
    const references = [
      { name: '-80', key_range: { end: 'gA==' } },
      { name: '80-', key_range: { start: 'gA==' } },
    ];
    const expected = {
      partitions: ['PRIMARY', 'REPLICA', 'RDONLY'].map((type) => ({ served_type: type, shard_references: references })),
    };
    expect(await getSrvKeyspace(ctx, start.topo, 'zone1', 'ks')).toEqual(expected);
    expect(await getSrvKeyspace(ctx, start.topo, 'zone2', 'ks')).toEqual(expected);
  });

  it('orders shards by range, not by name', async () => {
    for (const name of ['-a0', 'a0-B0', 'B0-']) await createShard(ctx, start.topo, 'ks', name);
    await rebuildKeyspaceGraph(ctx, start.topo, 'ks');
    const partition = partitionOf(await getSrvKeyspace(ctx, start.topo, 'zone1', 'ks'), 'PRIMARY');
    expect(partition?.shard_references?.map((reference) => reference.name)).toEqual(['-a0', 'a0-B0', 'B0-']);
  });

  it('leaves a shard without a range without one', async () => {
    await createShard(ctx, start.topo, 'ks', '0');
    await rebuildKeyspaceGraph(ctx, start.topo, 'ks', ['zone1']);
    const record = await getSrvKeyspace(ctx, start.topo, 'zone1', 'ks');
    expect(partitionOf(record, 'REPLICA')).toEqual({ served_type: 'REPLICA', shard_references: [{ name: '0' }] });
    expect(partitionOf(record, 'SPARE')).toBeUndefined();
    expect(partitionOf(undefined, 'PRIMARY')).toBeUndefined();
    expect(await getSrvKeyspace(ctx, start.topo, 'zone2', 'ks')).toBeUndefined();
  });

  it('writes a record without partitions where nothing serves', async () => {
    await rebuildKeyspaceGraph(ctx, start.topo, 'ks');
    expect(await getSrvKeyspace(ctx, start.topo, 'zone1', 'ks')).toEqual({});
  });

  it("takes over the keyspace's throttler settings", async () => {
    await start.conn.update(ctx, 'keyspaces/ks/Keyspace', '{"throttler_config":{"enabled":true}}', null);
    await rebuildKeyspaceGraph(ctx, start.topo, 'ks');
    expect(await getSrvKeyspace(ctx, start.topo, 'zone1', 'ks')).toEqual({ throttler_config: { enabled: true } });
  });

  it('refuses while a query service is disabled, and lets the lock go', async () => {
    await createShard(ctx, start.topo, 'ks', '0');
    const contents = {
      partitions: [
        { served_type: 'REPLICA', shard_references: [{ name: '0' }] },
        { served_type: 'PRIMARY', shard_tablet_controls: [{ name: '0', query_service_disabled: true }] },
      ],
    };
    await start.conn.forCell('zone2').create(ctx, 'keyspaces/ks/SrvKeyspace', JSON.stringify(contents));
    expect(await failureOf(rebuildKeyspaceGraph(ctx, start.topo, 'ks'))).toEqual({
      text: `can't rebuild serving keyspace while a migration is on going. TabletControls is set for partition served_type:PRIMARY shard_tablet_controls:{name:"0" query_service_disabled:true}`,
      code: 'INTERNAL',
    });
    expect(await getSrvKeyspace(ctx, start.topo, 'zone1', 'ks')).toBeUndefined();
    expect(start.conn.locks()).toEqual([]);
    await rebuildKeyspaceGraph(ctx, start.topo, 'ks', ['zone1']);
  });

  it('locks the keyspace as vtctld does', async () => {
    await rebuildKeyspaceGraph(ctx, start.topo, 'ks');
    expect(start.logged('info')).toEqual([
      'Locking keyspace ks for action RebuildKeyspace',
      'Unlocking keyspace ks for successful action RebuildKeyspace',
    ]);
    const { ctx: locked } = await lockKeyspace(ctx, start.topo, 'ks', 'x');
    expect(await textOf(rebuildKeyspaceGraph(locked, start.topo, 'ks'))).toBe('lock for keyspace ks is already held');
    const missing = await caught(rebuildKeyspaceGraph(ctx, start.topo, 'nope'));
    expect(isMissing(missing)).toBe(true);
    expect(isMissing(new Error('x'))).toBe(false);
  });
});
