import { describe, expect, it } from 'vitest';
import { background, type Context } from '../../src/runtime/context.ts';
import { type DeniedTablesChange, updateDeniedTables } from '../../src/topo/denied-tables.ts';
import { createShard, ensureKeyspace, getShard, updateShardFields } from '../../src/topo/keyspaces.ts';
import { lockKeyspace } from '../../src/topo/locks.ts';
import type { Shard, TabletControl } from '../../src/topo/proto/types.ts';
import { failureOf, TopoMachine, type TopoWorld } from '../helpers/topo-world.ts';

interface Fixture extends TopoWorld {
  ctx: Context;
  /** Edits a record that has these controls and returns what is left of it. */
  change(controls: TabletControl[] | undefined, edit: Partial<DeniedTablesChange>): Promise<Shard>;
}

async function start(release: string): Promise<Fixture> {
  const world = new TopoMachine(release).process();
  await ensureKeyspace(background(), world.topo, 'commerce');
  const { ctx } = await lockKeyspace(background(), world.topo, 'commerce', 'test');
  return {
    ...world,
    ctx,
    change: async (controls, edit) => {
      const record: Shard = controls === undefined ? {} : { tablet_controls: structuredClone(controls) };
      const change = { tabletType: 'PRIMARY', tables: ['t1', 't2'], ...edit };
      await updateDeniedTables(ctx, world.topo, { keyspace: 'commerce', name: '-80' }, record, change);
      return record;
    },
  };
}

const primary = (tables: string[], rest: Partial<TabletControl> = {}): TabletControl => ({
  tablet_type: 'PRIMARY',
  ...(tables.length > 0 && { denied_tables: tables }),
  ...rest,
});

describe.each(['hardened', '24.0.0-SNAPSHOT', '22', '20.0.0', '19', '18'])('denied tables on %s', (release) => {
  it('need the keyspace lock', async () => {
    const { topo } = await start(release);
    const edit = { tabletType: 'PRIMARY', tables: ['t1'], allowCreate: true };
    const record: Shard = {};
    const run = updateDeniedTables(background(), topo, { keyspace: 'commerce', name: '-80' }, record, edit);
    expect((await failureOf(run)).text).toBe('keyspace commerce is not locked (no locksInfo)');
    expect(record).toEqual({});
  });

  it('cannot name cells for a primary', async () => {
    const { change } = await start(release);
    const failure = await failureOf(change(undefined, { cells: ['zone1'], allowCreate: true }));
    expect(failure.text).toBe("you cannot specify cells for a primary's tablet control");
  });

  describe('where there is no control', () => {
    it('removing warns and changes nothing', async () => {
      const { change, logged } = await start(release);
      expect(await change(undefined, { remove: true })).toEqual({});
      expect(logged('warning')).toEqual([
        'Trying to remove TabletControl.DeniedTables for missing type PRIMARY in shard commerce/-80',
      ]);
    });

    it('adding does nothing unless creating is allowed', async () => {
      const { change, logged } = await start(release);
      expect(await change(undefined, {})).toEqual({});
      expect(await change([{ tablet_type: 'REPLICA' }], {})).toEqual({ tablet_controls: [{ tablet_type: 'REPLICA' }] });
      expect(logged('warning')).toEqual([]);
    });

    it('adding appends a control where creating is allowed', async () => {
      const { change } = await start(release);
      expect(await change(undefined, { allowCreate: true })).toEqual({ tablet_controls: [primary(['t1', 't2'])] });
      expect(await change([{ tablet_type: 'REPLICA' }], { allowCreate: true, allowReads: true })).toEqual({
        tablet_controls: [{ tablet_type: 'REPLICA' }, primary(['t1', 't2'], { allow_reads: true })],
      });
    });
  });

  it('every change sets allow_reads, or clears it', async () => {
    const { change } = await start(release);
    // Only hardened leaves it alone where nothing is said of it.
    const left = release === 'hardened' ? { allow_reads: true } : {};
    expect(await change([primary(['t3'], { allow_reads: true })], {})).toEqual({
      tablet_controls: [primary(['t3', 't1', 't2'], left)],
    });
    expect(await change([primary(['t3'], { allow_reads: true })], { allowReads: false })).toEqual({
      tablet_controls: [primary(['t3', 't1', 't2'])],
    });
    expect(await change([primary(['t3'])], { allowReads: true })).toEqual({
      tablet_controls: [primary(['t3', 't1', 't2'], { allow_reads: true })],
    });
    expect(await change([primary(['t1', 't2', 't3'], { allow_reads: true })], { remove: true })).toEqual({
      tablet_controls: [primary(['t3'], left)],
    });
  });

  it('new tables are appended as given', async () => {
    const { change } = await start(release);
    expect(await change([primary(['z', 'm'])], { tables: ['b', 'a'] })).toEqual({
      tablet_controls: [primary(['z', 'm', 'b', 'a'])],
    });
  });

  it('removing the last table removes the control, and the others stay', async () => {
    const { change } = await start(release);
    expect(await change([primary(['t2', 't1'])], { remove: true })).toEqual({});
    expect(await change([primary(['t1', 't2']), { tablet_type: 'REPLICA' }], { remove: true })).toEqual({
      tablet_controls: [{ tablet_type: 'REPLICA' }],
    });
  });

  it('removing no table in particular removes all', async () => {
    const { change, logged } = await start(release);
    expect(await change([primary(['t1', 'x'])], { remove: true, tables: [] })).toEqual({});
    expect(logged('warning')).toEqual([]);
  });

  describe('of other tablet types', () => {
    const replica = (tables: string[], cells: string[]): TabletControl => ({
      tablet_type: 'REPLICA',
      denied_tables: tables,
      ...(cells.length > 0 && { cells }),
    });

    it('go by cell', async () => {
      const { change } = await start(release);
      const edit = { tabletType: 'REPLICA', tables: ['t1'] };
      expect(await change(undefined, { ...edit, cells: ['z1'], allowCreate: true })).toEqual({
        tablet_controls: [{ tablet_type: 'REPLICA', cells: ['z1'], denied_tables: ['t1'] }],
      });
      expect(await change([replica(['t1'], ['z1'])], { ...edit, cells: ['z2', 'z1'] })).toEqual({
        tablet_controls: [replica(['t1'], ['z1', 'z2'])],
      });
      expect(await change([replica(['t1'], ['z1', 'z2'])], { ...edit, cells: ['z1'], remove: true })).toEqual({
        tablet_controls: [replica(['t1'], ['z2'])],
      });
      expect(await change([replica(['t1'], ['z1'])], { ...edit, cells: ['z1'], remove: true })).toEqual({});
      expect(await change([replica(['t1'], ['z1'])], { ...edit, remove: true })).toEqual({});
      expect(await change([replica(['t1'], [])], { ...edit, cells: ['z1'], remove: true })).toEqual({});
    });

    it('no cells on either side means all', async () => {
      const { change } = await start(release);
      const left = await change([replica(['t1'], ['z1'])], { tabletType: 'REPLICA', tables: ['t1'] });
      expect(left.tablet_controls?.[0]?.cells ?? []).toEqual([]);
      const right = await change([replica(['t1'], [])], { tabletType: 'REPLICA', tables: ['t1'], cells: ['z1'] });
      expect(right.tablet_controls?.[0]?.cells ?? []).toEqual([]);
    });

    it('must keep to one list of tables, in its order', async () => {
      const { change } = await start(release);
      const edit = { tabletType: 'REPLICA', tables: ['t3'], cells: ['z1'] };
      expect(await failureOf(change([replica(['t1', 't2'], ['z1'])], edit))).toEqual({
        text: 'trying to use two different sets of denied tables for shard commerce/-80: [t1 t2] and [t3]',
        code: 'INVALID_ARGUMENT',
      });
      await expect(change([replica(['t1', 't2'], ['z1'])], { ...edit, tables: ['t2', 't1'] })).rejects.toThrow('two different sets');
    });
  });
});

describe.each(['hardened', '24.0.0-SNAPSHOT', '22', '20.0.0'])('entries that are there already, or are not, on %s', (release) => {
  it('adding twice warns, and sorts', async () => {
    const { change, logged } = await start(release);
    expect(await change([primary(['z', 't2', 'a'])], {})).toEqual({ tablet_controls: [primary(['a', 't1', 't2', 'z'])] });
    expect(logged('warning')).toEqual(['one or more tables were already present in the denylist:t1,t2']);
  });

  it('removing what is not there warns', async () => {
    const { change, logged } = await start(release);
    expect(await change([primary(['t2', 't3'])], { remove: true })).toEqual({ tablet_controls: [primary(['t3'])] });
    expect(logged('warning')).toEqual(['one or more tables did not exist in the denylist:t1,t2']);
  });
});

describe.each(['19', '18'])('entries that are there already, or are not, on %s', (release) => {
  it('adding twice fails', async () => {
    const { change, logged } = await start(release);
    expect(await failureOf(change([primary(['t2'])], {}))).toEqual({
      text: 'one or more tables are already present in the denylist',
      code: 'INVALID_ARGUMENT',
    });
    expect(logged('warning')).toEqual([]);
  });

  it('removing what is not there fails', async () => {
    const { change } = await start(release);
    expect(await failureOf(change([primary(['t2', 't3'])], { remove: true }))).toEqual({
      text: 'cannot remove tables since one or more do not exist in the denylist',
      code: 'INVALID_ARGUMENT',
    });
  });
});

describe.each(['hardened', '21.0.2'])('a round trip through the shard record on %s', (release) => {
  it('denies, frees, and leaves the record as it was', async () => {
    const { ctx, topo } = await start(release);
    await createShard(ctx, topo, 'commerce', '0');
    const before = (await getShard(ctx, topo, 'commerce', '0')).record;
    const edit = (remove: boolean): Promise<unknown> =>
      updateShardFields(ctx, topo, 'commerce', '0', async (record) => {
        const change = { tabletType: 'PRIMARY', tables: ['customer', 'corder'], remove, allowCreate: true };
        await updateDeniedTables(ctx, topo, { keyspace: 'commerce', name: '0' }, record, change);
        return true;
      });
    await edit(false);
    expect((await getShard(ctx, topo, 'commerce', '0')).record.tablet_controls).toEqual([primary(['customer', 'corder'])]);
    await edit(true);
    expect((await getShard(ctx, topo, 'commerce', '0')).record).toEqual(before);
  });
});
