import { beforeEach, describe, expect, it } from 'vitest';
import { InvariantError } from '../../src/lib/errors.ts';
import { background } from '../../src/runtime/context.ts';
import { addCell } from '../../src/topo/cells.ts';
import { createShard, ensureKeyspace, getShard } from '../../src/topo/keyspaces.ts';
import type { Tablet } from '../../src/topo/proto/types.ts';
import { aliasText, allTablets, createTablet, getTablet, setShardPrimary, shardTablets } from '../../src/topo/tablets.ts';
import { caught, textOf, TopoMachine, type TopoWorld } from '../helpers/topo-world.ts';

const ctx = background();
let start: TopoWorld;

const tablet = (cell: string, uid: number, shard = '0'): Tablet => ({
  alias: { cell, uid },
  keyspace: 'ks',
  shard,
  type: 'REPLICA',
});

beforeEach(async () => {
  start = new TopoMachine().process();
  for (const cell of ['zone1', 'zone2']) await addCell(ctx, start.topo, cell);
  await ensureKeyspace(ctx, start.topo, 'ks');
  await createShard(ctx, start.topo, 'ks', '0');
});

describe('tablets', () => {
  it('have their record and their place in the graph in their own cell', async () => {
    await createTablet(ctx, start.topo, tablet('zone1', 100));
    await createTablet(ctx, start.topo, tablet('zone1', 101));
    await createTablet(ctx, start.topo, tablet('zone2', 200));
    expect(await getTablet(ctx, start.topo, { cell: 'zone1', uid: 100 })).toEqual(tablet('zone1', 100));
    const graph = async (cell: string): Promise<unknown> =>
      JSON.parse((await start.conn.forCell(cell).get(ctx, 'keyspaces/ks/shards/0/ShardReplication')).contents);
    expect(await graph('zone1')).toEqual({
      nodes: [{ tablet_alias: { cell: 'zone1', uid: 100 } }, { tablet_alias: { cell: 'zone1', uid: 101 } }],
    });
    expect(await graph('zone2')).toEqual({ nodes: [{ tablet_alias: { cell: 'zone2', uid: 200 } }] });
  });

  it('are made once', async () => {
    await createTablet(ctx, start.topo, tablet('zone1', 100));
    expect(await textOf(createTablet(ctx, start.topo, tablet('zone1', 100)))).toBe(
      'node already exists: /vitess/zone1/tablets/zone1-0000000100/Tablet',
    );
    expect(await caught(createTablet(ctx, start.topo, { keyspace: 'ks' } as Tablet))).toBeInstanceOf(InvariantError);
    expect(await textOf(getTablet(ctx, start.topo, { cell: 'zone1', uid: 7 }))).toBe(
      "node doesn't exist: /vitess/zone1/tablets/zone1-0000000007/Tablet",
    );
  });

  it('are listed by cell and alias, and by shard', async () => {
    expect(await allTablets(ctx, start.topo)).toEqual([]);
    for (const [cell, uid, shard] of [['zone2', 9, '0'], ['zone1', 1000, '0'], ['zone1', 20, '-80']] as const) {
      await createTablet(ctx, start.topo, tablet(cell, uid, shard));
    }
    const aliases = (found: Tablet[]): string[] => found.map((one) => aliasText(one.alias));
    expect(aliases(await allTablets(ctx, start.topo))).toEqual(['zone1-0000000020', 'zone1-0000001000', 'zone2-0000000009']);
    expect(aliases(await allTablets(ctx, start.topo, ['zone2']))).toEqual(['zone2-0000000009']);
    expect(aliases(await shardTablets(ctx, start.topo, { keyspace: 'ks', name: '0' }))).toEqual([
      'zone1-0000001000',
      'zone2-0000000009',
    ]);
    expect(await shardTablets(ctx, start.topo, { keyspace: 'other', name: '0' })).toEqual([]);
  });

  it('print as Go prints them', () => {
    expect(aliasText({ cell: 'zone1', uid: 100 })).toBe('zone1-0000000100');
    expect(aliasText(undefined)).toBe('<nil>');
  });
});

describe("making a tablet its shard's primary", () => {
  it('writes alias and term into the shard, under the keyspace lock', async () => {
    const shard = await getShard(ctx, start.topo, 'ks', '0');
    const primary: Tablet = { ...tablet('zone1', 100), primary_term_start_time: { seconds: '7' } };
    await setShardPrimary(ctx, start.topo, shard, primary);
    expect((await getShard(ctx, start.topo, 'ks', '0')).record).toEqual({
      is_primary_serving: true,
      primary_alias: { cell: 'zone1', uid: 100 },
      primary_term_start_time: { seconds: '7' },
    });
    expect(start.logged('info')[0]).toBe('Locking keyspace ks for action InitShardPrimary(zone1-0000000100)');
    expect(start.conn.locks()).toEqual([]);
  });

  it('lets the lock go when the shard is gone', async () => {
    const shard = await getShard(ctx, start.topo, 'ks', '0');
    await start.conn.delete(ctx, 'keyspaces/ks/shards/0/Shard', null);
    expect(await textOf(setShardPrimary(ctx, start.topo, shard, tablet('zone1', 1)))).toContain("node doesn't exist");
    expect(start.conn.locks()).toEqual([]);
  });
});
