import { beforeEach, describe, expect, it } from 'vitest';
import { background } from '../../src/runtime/context.ts';
import { addCell, cellNames, connForCell, knownCells } from '../../src/topo/cells.ts';
import { ensureKeyspace } from '../../src/topo/keyspaces.ts';
import { saveMirrorRules, saveRoutingRules } from '../../src/topo/rules.ts';
import { getSrvVSchema, getVSchema, rebuildSrvVSchema, saveVSchema, vschemaTables } from '../../src/topo/vschema.ts';
import { textOf, TopoMachine, type TopoWorld } from '../helpers/topo-world.ts';

const ctx = background();
let start: TopoWorld;

beforeEach(async () => {
  start = new TopoMachine().process();
});

describe('cells', () => {
  it('are listed by name, and known only once one is registered', async () => {
    expect(await cellNames(ctx, start.topo)).toEqual([]);
    expect(await textOf(knownCells(ctx, start.topo))).toBe("GetKnownCells failed: node doesn't exist: /vitess/global/cells/");
    await addCell(ctx, start.topo, 'zone2');
    await addCell(ctx, start.topo, 'zone1');
    expect(await cellNames(ctx, start.topo)).toEqual(['zone1', 'zone2']);
    expect(await knownCells(ctx, start.topo)).toEqual(['zone1', 'zone2']);
    expect(await textOf(addCell(ctx, start.topo, 'zone1'))).toBe('node already exists: /vitess/global/cells/zone1/CellInfo');
    expect(await textOf(addCell(ctx, start.topo, ''))).toBe('CellInfo.Root must be non-empty');
  });

  it('have a connection each, if they are registered', async () => {
    await addCell(ctx, start.topo, 'zone1');
    expect((await connForCell(ctx, start.topo, 'zone1')).cell).toBe('zone1');
    expect(await textOf(connForCell(ctx, start.topo, 'nope'))).toBe("node doesn't exist: /vitess/global/cells/nope/CellInfo");
  });
});

describe('a vschema', () => {
  it('is saved over any version, or over the one that was read', async () => {
    expect(await textOf(getVSchema(ctx, start.topo, 'ks'))).toBe("node doesn't exist: /vitess/global/keyspaces/ks/VSchema");
    await saveVSchema(ctx, start.topo, 'ks', {}, null);
    const { version, record } = await getVSchema(ctx, start.topo, 'ks');
    expect(record).toEqual({});
    await saveVSchema(ctx, start.topo, 'ks', { sharded: true }, version);
    expect(await textOf(saveVSchema(ctx, start.topo, 'ks', {}, version))).toBe(
      'bad node version: /vitess/global/keyspaces/ks/VSchema',
    );
    expect((await getVSchema(ctx, start.topo, 'ks')).record).toEqual({ sharded: true });
  });

  it('lists its tables, if there is one', async () => {
    expect(vschemaTables({ tables: { b: {}, a: {} } }, 'ks')).toEqual(['b', 'a']);
    expect(vschemaTables({}, 'ks')).toEqual([]);
    expect(await textOf(() => vschemaTables(undefined, 'ks'))).toBe('no vschema found for target keyspace ks');
  });
});

describe('rebuilding SrvVSchema', () => {
  it('fails where no cell is known', async () => {
    expect(await textOf(rebuildSrvVSchema(ctx, start.topo))).toBe(
      "GetKnownCells failed: node doesn't exist: /vitess/global/cells/",
    );
  });

  it('copies every vschema and all rules into each cell', async () => {
    await addCell(ctx, start.topo, 'zone1');
    await addCell(ctx, start.topo, 'zone2');
    await ensureKeyspace(ctx, start.topo, 'commerce');
    await saveVSchema(ctx, start.topo, 'customer', { sharded: true }, null);
    await start.conn.create(ctx, 'keyspaces/bare/Keyspace', '{}');
    await saveRoutingRules(ctx, start.topo, { rules: [{ from_table: 't', to_tables: ['customer.t'] }] });
    await saveMirrorRules(ctx, start.topo, { rules: [{ from_table: 'a.t', to_table: 'b.t', percent: 2 }] });
    await rebuildSrvVSchema(ctx, start.topo);
    const expected = {
      keyspaces: { bare: {}, commerce: {}, customer: { sharded: true } },
      routing_rules: { rules: [{ from_table: 't', to_tables: ['customer.t'] }] },
      shard_routing_rules: {},
      mirror_rules: { rules: [{ from_table: 'a.t', to_table: 'b.t', percent: 2 }] },
    };
    expect(await getSrvVSchema(ctx, start.topo, 'zone1')).toEqual(expected);
    expect(await getSrvVSchema(ctx, start.topo, 'zone2')).toEqual(expected);
  });

  it('has keyspace rules only if their file exists', async () => {
    await addCell(ctx, start.topo, 'zone1');
    await rebuildSrvVSchema(ctx, start.topo);
    expect(await getSrvVSchema(ctx, start.topo, 'zone1')).toEqual({
      keyspaces: {},
      routing_rules: {},
      shard_routing_rules: {},
      mirror_rules: {},
    });
    await start.conn.create(ctx, 'routing_rules/keyspace/Rules', '{}');
    await rebuildSrvVSchema(ctx, start.topo);
    expect((await getSrvVSchema(ctx, start.topo, 'zone1'))?.keyspace_routing_rules).toEqual({});
  });

  it('of named cells leaves the others, and goes on past one that is unknown', async () => {
    await addCell(ctx, start.topo, 'zone1');
    await addCell(ctx, start.topo, 'zone2');
    expect(await textOf(rebuildSrvVSchema(ctx, start.topo, ['nope', 'zone1']))).toBe(
      "node doesn't exist: /vitess/global/cells/nope/CellInfo",
    );
    expect(await getSrvVSchema(ctx, start.topo, 'zone1')).toBeDefined();
    expect(await getSrvVSchema(ctx, start.topo, 'zone2')).toBeUndefined();
  });

  it('needs no lock', async () => {
    await addCell(ctx, start.topo, 'zone1');
    await rebuildSrvVSchema(ctx, start.topo);
    expect(start.conn.locks()).toEqual([]);
    expect(start.logged('info')).toEqual([]);
  });
});
