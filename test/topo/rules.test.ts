import { beforeEach, describe, expect, it } from 'vitest';
import { background, type Context } from '../../src/runtime/context.ts';
import { heldLocks, lockKeyspace } from '../../src/topo/locks.ts';
import { LockLostError } from '../../src/topo/lost-locks.ts';
import {
  changeRoutingRules,
  getKeyspaceRoutingRules,
  getMirrorRules,
  getRoutingRules,
  getShardRoutingRules,
  readRoutingMap,
  routingMap,
  routingRecord,
  saveMirrorRules,
  saveRoutingRules,
  writeRoutingMap,
} from '../../src/topo/rules.ts';
import { caught, textOf, TopoMachine, type TopoWorld } from '../helpers/topo-world.ts';

const ctx = background();

/** A context that holds both keyspaces of a migration. */
async function locked({ topo, conn }: TopoWorld): Promise<Context> {
  for (const keyspace of ['commerce', 'customer']) await conn.update(ctx, `keyspaces/${keyspace}/Keyspace`, '{}', null);
  const first = await lockKeyspace(ctx, topo, 'commerce', 'SwitchWrites');
  return (await lockKeyspace(first.ctx, topo, 'customer', 'SwitchWrites')).ctx;
}

describe('rules', () => {
  let start: TopoWorld;
  beforeEach(() => {
    start = new TopoMachine().process();
  });

  it('are empty where their file is missing; only keyspace rules are undefined', async () => {
    expect(await getRoutingRules(ctx, start.topo)).toEqual({});
    expect(await getShardRoutingRules(ctx, start.topo)).toEqual({});
    expect(await getMirrorRules(ctx, start.topo)).toEqual({});
    expect(await getKeyspaceRoutingRules(ctx, start.topo)).toBeUndefined();
  });

  it('are single files at the root', async () => {
    await saveRoutingRules(ctx, start.topo, { rules: [{ from_table: 't', to_tables: ['ks.t'] }] });
    await saveMirrorRules(ctx, start.topo, { rules: [{ from_table: 'a.t', to_table: 'b.t', percent: 1.5 }] });
    await start.conn.create(ctx, 'ShardRoutingRules', '{"rules":[{"from_keyspace":"a"}]}');
    await start.conn.create(ctx, 'routing_rules/keyspace/Rules', '{}');
    expect((await start.conn.get(ctx, 'RoutingRules')).contents).toBe('{"rules":[{"from_table":"t","to_tables":["ks.t"]}]}');
    expect((await getMirrorRules(ctx, start.topo)).rules).toHaveLength(1);
    expect(await getShardRoutingRules(ctx, start.topo)).toEqual({ rules: [{ from_keyspace: 'a' }] });
    expect(await getKeyspaceRoutingRules(ctx, start.topo)).toEqual({});
  });

  it('remove their file when the last one goes, there or not', async () => {
    await saveRoutingRules(ctx, start.topo, { rules: [] });
    await saveRoutingRules(ctx, start.topo, { rules: [{ from_table: 't', to_tables: ['ks.t'] }] });
    await saveRoutingRules(ctx, start.topo, {});
    await saveMirrorRules(ctx, start.topo, {});
    expect(await textOf(start.conn.get(ctx, 'RoutingRules'))).toBe("node doesn't exist: /vitess/global/RoutingRules");
  });

  it('make a map in which the last of two entries counts, and a sorted list again', () => {
    const map = routingMap({ rules: [{ from_table: 'z', to_tables: ['a.z'] }, { from_table: 'b', to_tables: [] }, { from_table: 'z', to_tables: ['c.z'] }] });
    expect([...map]).toEqual([['z', ['c.z']], ['b', []]]);
    expect(routingRecord(map)).toEqual({ rules: [{ from_table: 'b', to_tables: [] }, { from_table: 'z', to_tables: ['c.z'] }] });
    expect(routingMap({}).size).toBe(0);
  });

  it('can be edited inside a transaction of the store', async () => {
    await saveRoutingRules(ctx, start.topo, { rules: [{ from_table: 'a', to_tables: ['x.a'] }] });
    await start.conn.atomically(ctx, {}, (writer) => {
      const map = readRoutingMap(writer);
      map.delete('a');
      writeRoutingMap(writer, map);
      expect(readRoutingMap(writer).size).toBe(0);
    });
    expect(await getRoutingRules(ctx, start.topo)).toEqual({});
  });
});

describe('changing rules for a workflow', () => {
  const add = (table: string) => (map: Map<string, readonly string[]>) => void map.set(table, [`customer.${table}`]);
  const from = async ({ topo }: TopoWorld): Promise<string[]> =>
    ((await getRoutingRules(ctx, topo)).rules ?? []).map((rule) => rule.from_table ?? '');

  it('on hardened needs the locks of both keyspaces', async () => {
    const start = new TopoMachine().process();
    const keyspaces = ['commerce', 'customer'];
    expect(await textOf(changeRoutingRules(ctx, start.topo, keyspaces, add('t')))).toBe(
      'keyspace commerce is not locked (no locksInfo)',
    );
    const where = await locked(start);
    await changeRoutingRules(where, start.topo, keyspaces, add('t'));
    expect(await from(start)).toEqual(['t']);
  });

  it('on hardened changes nothing once a lock is lost', async () => {
    const start = new TopoMachine().process();
    const where = await locked(start);
    heldLocks(where)[1]!.steal();
    const error = await caught(changeRoutingRules(where, start.topo, ['commerce', 'customer'], add('t')));
    expect(error).toBeInstanceOf(LockLostError);
    expect(await from(start)).toEqual([]);
  });

  it('on a release needs none', async () => {
    const start = new TopoMachine('22').process();
    await changeRoutingRules(ctx, start.topo, ['commerce', 'customer'], add('t'));
    expect(await from(start)).toEqual(['t']);
  });

  it.each([
    ['22', ['b']],
    ['hardened', ['a', 'b']],
  ])('two workflows at once on %s leave %j (vitess#15807)', async (release, expected) => {
    const machine = new TopoMachine(release);
    const [one, two] = [machine.process(), machine.process()];
    const names = ['k1', 'k2'] as const;
    for (const name of names) await one.conn.create(ctx, `keyspaces/${name}/Keyspace`, '{}');
    const contexts = [
      (await lockKeyspace(ctx, one.topo, 'k1', 'x')).ctx,
      (await lockKeyspace(ctx, two.topo, 'k2', 'x')).ctx,
    ] as const;
    await Promise.all([
      changeRoutingRules(contexts[0], one.topo, ['k1'], add('a')),
      changeRoutingRules(contexts[1], two.topo, ['k2'], add('b')),
    ]);
    expect(await from(one)).toEqual(expected);
  });
});
