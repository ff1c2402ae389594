import { expect } from 'vitest';
import { quoteName } from '../../../src/sql/format-expr.ts';
import { createSequenceSql } from '../../../src/tablet/sequence-table.ts';
import { getVSchema, saveVSchema } from '../../../src/topo/vschema.ts';
import { Stage } from '../adapters/workflow/stage.ts';
import { Fields } from '../fields.ts';
import { readScene, type Scene } from '../scene.ts';
import { createLine, sceneWorld, type World } from '../world.ts';
import { type HandCases, moving, succeeds } from './helpers.ts';

/** Gives a keyspace a sequence with this cache. */
async function addSequence(world: World, keyspace: string, name: string, cache: number): Promise<void> {
  const { ctx, cluster } = world.engine();
  const { record } = await getVSchema(ctx, cluster.topo, keyspace);
  await saveVSchema(ctx, cluster.topo, keyspace, { ...record, tables: { ...record.tables, [name]: { type: 'sequence' } } }, null);
  await world.prepare('query', '--target', `${keyspace}:0`, createSequenceSql(name));
  await world.prepare('query', '--target', `${keyspace}:0`, `insert into ${quoteName(name)} (id, next_id, cache) values (0, 1, ${cache})`);
  await world.prepare('RebuildVSchemaGraph');
}

function sequenceScene(): Scene {
  const scene = readScene(new Fields({ source_keyspace: 'sourceks (unsharded)', target_keyspace: 'targetks (-80,80-)', tables: ['customer'] }, 'given'));
  scene.ddl = 'create table customer (cid bigint not null, name varchar(64), primary key (cid))';
  scene.vschema = { targetks: { tables: { customer: { column_vindexes: [{ column: 'cid', name: 'hash' }], auto_increment: { column: 'cid', sequence: 'customer_seq' } } } } };
  return scene;
}

export const sequenceCases: HandCases = {
  'sequences.cache_reset_on_back_and_forth': async () => {
    const scene = sequenceScene();
    const world = await sceneWorld(scene);
    await addSequence(world, 'sourceks', 'customer_seq', 1000);
    await world.prepare('query', '--target', 'sourceks:0', "insert into customer (cid, name) values (1, 'a'), (2, 'b'), (3, 'c')");
    await world.prepare(...createLine(scene));
    await world.pump();
    const stage = new Stage(scene, world);
    const next = (): number => Number(world.shard('sourceks', '0').db.get<{ next_id: number }>('SELECT next_id FROM customer_seq')!.next_id);
    const insert = (...names: string[]): Promise<string> => world.prepare('query', `insert into customer (name) values ${names.map((name) => `('${name}')`).join(', ')}`);
    succeeds(await stage.run('switchtraffic', '--initialize-target-sequences'));
    expect(next()).toBe(4);
    await insert('d', 'e', 'f');
    expect(next()).toBe(1004);
    succeeds(await stage.run('reversetraffic'));
    await world.prepare('query', '--target', 'sourceks:0', "insert into customer (cid, name) values (1004, 'x'), (1005, 'x'), (1006, 'x'), (2004, 'x'), (2005, 'x'), (2006, 'x')");
    await world.pump();
    succeeds(await stage.run('switchtraffic', '--initialize-target-sequences'));
    expect(next()).toBe(2007);
    // The ids that the gates had cached before the reversal are not used again.
    await insert('g', 'h', 'i');
    expect(next()).toBe(3007);
    const ids = ['-80', '80-'].flatMap((shard) => world.shard('targetks', shard).db.all<{ cid: number }>("SELECT cid FROM customer WHERE name IN ('g', 'h', 'i')").map(({ cid }) => Number(cid)));
    expect(ids.toSorted((a, b) => a - b)).toEqual([2007, 2008, 2009]);
  },

  'sequences.only_for_unsharded_source': async () => {
    const stage = await moving({ source_keyspace: 'sourceks (-80,80-)', target_keyspace: 'targetks (-80,80-)' });
    const { ctx, cluster } = stage.world.engine();
    const { record } = await getVSchema(ctx, cluster.topo, 'targetks');
    await saveVSchema(ctx, cluster.topo, 'targetks', { ...record, tables: { ...record.tables, t1: { ...record.tables?.['t1'], auto_increment: { column: 'id', sequence: 'nowhere.t1_seq' } } } }, null);
    // A sequence that is nowhere would be an error if it were looked for.
    succeeds(await stage.run('switchtraffic', '--tablet-types', 'primary', '--initialize-target-sequences'));
    // Reshard has no such flag: its tables use the sequences that they have used before.
    const other = await moving({ keyspace: 'ks', source_shards: ['0'], target_shards: ['-80', '80-'] });
    succeeds(await other.run('switchtraffic', '--tablet-types', 'primary'));
  },
};
