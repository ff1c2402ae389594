import { beforeEach, describe, expect, it } from 'vitest';
import { background, type Context } from '../../src/runtime/context.ts';
import { addCell } from '../../src/topo/cells.ts';
import type { Conn } from '../../src/topo/conn/conn.ts';
import { createShard, ensureKeyspace, findAllShards, type ShardInfo } from '../../src/topo/keyspaces.ts';
import { heldLocks, lockKeyspace } from '../../src/topo/locks.ts';
import { getSrvKeyspace, partitionOf, rebuildKeyspaceGraph, updateDisableQueryService } from '../../src/topo/srv-keyspace.ts';
import { failureOf, textOf, TopoMachine, type TopoWorld } from '../helpers/topo-world.ts';

const ctx = background();

async function start(release: string): Promise<{ world: TopoWorld; shards: ShardInfo[]; locked: Context }> {
  const world = new TopoMachine(release).process();
  for (const cell of ['zone1', 'zone2', 'zone3']) await addCell(ctx, world.topo, cell);
  await ensureKeyspace(ctx, world.topo, 'ks');
  for (const name of ['-80', '80-']) await createShard(ctx, world.topo, 'ks', name);
  await rebuildKeyspaceGraph(ctx, world.topo, 'ks', ['zone1', 'zone2']);
  const shards = await findAllShards(ctx, world.topo, 'ks');
  return { world, shards, locked: (await lockKeyspace(ctx, world.topo, 'ks', 'test')).ctx };
}

describe.each(['hardened', 'v21'])('turning the query service off on %s', (release) => {
  let world: TopoWorld;
  let shards: ShardInfo[];
  let locked: Context;
  beforeEach(async () => void ({ world, shards, locked } = await start(release)));

  const change = (more: object = {}): Parameters<typeof updateDisableQueryService>[2] => ({
    keyspace: 'ks', shards: shards.slice(0, 1), tabletType: 'PRIMARY', cells: [], disable: true, ...more,
  });
  const controls = async (cell: string, type = 'PRIMARY'): Promise<unknown> =>
    partitionOf(await getSrvKeyspace(ctx, world.topo, cell, 'ks'), type)?.shard_tablet_controls;

  it('adds an entry in every cell that serves, for that type and shard', async () => {
    await updateDisableQueryService(locked, world.topo, change());
    const entry = [{ name: '-80', key_range: { end: 'gA==' }, query_service_disabled: true }];
    expect(await controls('zone1')).toEqual(entry);
    expect(await controls('zone2')).toEqual(entry);
    expect(await controls('zone1', 'REPLICA')).toBeUndefined();
    expect(await getSrvKeyspace(ctx, world.topo, 'zone3', 'ks')).toBeUndefined();
  });

  it('keeps to the cells named, and edits the entry that is there', async () => {
    await updateDisableQueryService(locked, world.topo, change({ cells: ['zone2', 'zone9'] }));
    expect(await controls('zone1')).toBeUndefined();
    await updateDisableQueryService(locked, world.topo, change({ shards, disable: false }));
    expect(await controls('zone2')).toEqual([
      { name: '-80', key_range: { end: 'gA==' } },
      { name: '80-', key_range: { start: 'gA==' } },
    ]);
  });

  it('records nothing where no partition has the type', async () => {
    const before = await getSrvKeyspace(ctx, world.topo, 'zone1', 'ks');
    await updateDisableQueryService(locked, world.topo, change({ tabletType: 'SPARE' }));
    expect(await getSrvKeyspace(ctx, world.topo, 'zone1', 'ks')).toEqual(before);
  });

  it('needs the lock', async () => {
    expect(await textOf(updateDisableQueryService(ctx, world.topo, change()))).toBe('keyspace ks is not locked (no locksInfo)');
    for (const lock of heldLocks(locked)) lock.expire();
    expect(await textOf(updateDisableQueryService(locked, world.topo, change()))).toBe(
      `${release === 'hardened' ? 'lock on keyspace ks was lost (its lease ran out; nobody holds it now): ' : ''}node doesn't exist: lease`,
    );
    expect(await controls('zone1')).toBeUndefined();
  });

  it('refuses denied tables of any type and shard, and a frozen control of its type', async () => {
    const [low, high] = shards as [ShardInfo, ShardInfo];
    const denied = { ...high, record: { ...high.record, tablet_controls: [{ tablet_type: 'RDONLY' as const, denied_tables: ['t'] }] } };
    expect(await textOf(updateDisableQueryService(locked, world.topo, change({ shards: [low, denied] })))).toBe(
      'cannot safely alter DisableQueryService as DeniedTables is set for shard key_range:{start:"\\x80"} tablet_controls:{tablet_type:RDONLY denied_tables:"t"} is_primary_serving:true',
    );
    const frozen = { ...low, record: { ...low.record, tablet_controls: [{ tablet_type: 'PRIMARY' as const, frozen: true }] } };
    expect(await textOf(updateDisableQueryService(locked, world.topo, change({ shards: [frozen], disable: false })))).toBe(
      'migrate has gone past the point of no return, cannot re-enable serving for ks/-80',
    );
    expect(await controls('zone1')).toBeUndefined();
    await updateDisableQueryService(locked, world.topo, change({ shards: [frozen], tabletType: 'REPLICA', disable: false }));
    await updateDisableQueryService(locked, world.topo, change({ shards: [frozen] }));
    expect(await controls('zone1')).toHaveLength(1);
  });
});

describe('a cell that cannot be written', () => {
  /** A connection whose cells fail to write: zone1 and zone2. */
  const broken = (conn: Conn): Conn => ({
    ...bound(conn),
    forCell: (cell) => ({ ...bound(conn.forCell(cell)), update: () => Promise.reject(new Error(`no ${cell}`)) }),
  });
  const bound = (conn: Conn): Conn => ({
    cell: conn.cell,
    policy: conn.policy,
    watched: () => conn.watched(),
    forCell: (cell) => conn.forCell(cell),
    listDir: (...args) => conn.listDir(...args),
    create: (...args) => conn.create(...args),
    update: (...args) => conn.update(...args),
    get: (...args) => conn.get(...args),
    find: (...args) => conn.find(...args),
    has: (path) => conn.has(path),
    entries: (...args) => conn.entries(...args),
    list: (...args) => conn.list(...args),
    delete: (...args) => conn.delete(...args),
    atomically: (...args) => conn.atomically(...args),
    lock: (...args) => conn.lock(...args),
    borrow: (...args) => conn.borrow(...args),
    locks: () => conn.locks(),
    lockEvents: (most) => conn.lockEvents(most),
    breakLock: (order) => conn.breakLock(order),
    close: () => conn.close(),
  });

  it('gives a partial result on a release', async () => {
    const { world, shards, locked } = await start('v21');
    const topo = { ...world.topo, conn: broken(world.conn) };
    const change = { keyspace: 'ks', shards, tabletType: 'PRIMARY', cells: [], disable: true };
    expect(await failureOf(updateDisableQueryService(locked, topo, change))).toEqual({
      text: 'partial result: no zone1;no zone2',
      code: 'UNKNOWN',
    });
  });
});
