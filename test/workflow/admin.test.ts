import { describe, expect, it } from 'vitest';
import { background } from '../../src/runtime/context.ts';
import { memoryShards } from '../../src/tablet/shard-db.ts';
import { createShard, ensureKeyspace } from '../../src/topo/keyspaces.ts';
import { setShardTabletControl } from '../../src/workflow/admin.ts';
import { textOf, TopoMachine } from '../helpers/topo-world.ts';

describe('SetShardTabletControl', () => {
  it('holds the keyspace lock for just as long as it lasts', async () => {
    const ctx = background();
    const process = new TopoMachine().process();
    const { topo, world } = process;
    const cluster = { topo, world, release: topo.release, shards: memoryShards(world) };
    await ensureKeyspace(ctx, topo, 'ks');
    await createShard(ctx, topo, 'ks', '0');
    const request = { keyspace: 'ks', shard: '0', tabletType: 'PRIMARY', cells: [], deniedTables: ['t'], remove: true, disableQueryService: false };
    await setShardTabletControl(ctx, cluster, request, () => {});
    expect(process.conn.locks()).toEqual([]);
    const refuse = (): never => {
      throw new Error(`while ${process.conn.locks().length} is locked`);
    };
    expect(await textOf(setShardTabletControl(ctx, cluster, { ...request, remove: false }, refuse))).toBe('while 1 is locked');
    expect(process.conn.locks()).toEqual([]);
    expect(process.logged('info')).toEqual([
      'Locking keyspace ks for action SetShardTabletControl',
      'Unlocking keyspace ks for successful action SetShardTabletControl',
      'Locking keyspace ks for action SetShardTabletControl',
      'Unlocking keyspace ks for action SetShardTabletControl with error while 1 is locked',
    ]);
  });
});
