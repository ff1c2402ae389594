import { quoteName } from '../../../../src/sql/format-expr.ts';
import { NO_FAULTS } from '../../../../src/runtime/step.ts';
import { getShard } from '../../../../src/topo/keyspaces.ts';
import { getTablet } from '../../../../src/topo/tablets.ts';
import { getVSchema, saveVSchema } from '../../../../src/topo/vschema.ts';
import type { Table } from '../../../../src/topo/proto/types.ts';
import type { TrafficSwitcher } from '../../../../src/workflow/switcher.ts';
import { findSequences } from '../../../../src/workflow/switch/sequences/find.ts';
import { largestValues } from '../../../../src/workflow/switch/sequences/largest.ts';
import { raiseSequences } from '../../../../src/workflow/switch/sequences/raise.ts';
import type { Sequence } from '../../../../src/workflow/switch/sequences/sequence.ts';
import { createSequenceSql } from '../../../../src/tablet/sequence-table.ts';
import { readError, same } from '../../compare.ts';
import { type Adapter, type Case, type Check, Fields, isMap, Mismatch, shown, Skipped } from '../../fields.ts';
import { readScene, type Scene } from '../../scene.ts';
import { createLine, movingWorld, sceneWorld, workflowWords, type World } from '../../world.ts';
import { WORKFLOW_DEFAULTS } from './adapters.ts';
import { definitionOf } from './create.ts';
import { linesOf } from './expect-answer.ts';

const NO_ERROR = readError(new Fields({ error: null }, 'then'))!;

/** A column that takes its ids from a sequence. */
interface Use {
  sequence: string;
  table: string;
  column: string;
}

/** An unsharded source with sequences, a sharded target whose tables use them. Columns are named as the uses say. */
function sequenceScene(source: string, target: string, uses: readonly Use[]): Scene {
  const scene = readScene(new Fields({ source_keyspace: `${source} (unsharded)`, target_keyspace: `${target} (-80,80-)`, tables: uses.map(({ table }) => table) }, 'given'), WORKFLOW_DEFAULTS);
  scene.ddl = uses.map(({ table, column }) => `create table ${quoteName(table)} (${quoteName(column)} bigint not null, val varchar(64), primary key (${quoteName(column)}))`).join(';\n');
  const tables = Object.fromEntries(uses.map(({ table, column, sequence }) => [table, { column_vindexes: [{ column, name: 'hash' }], auto_increment: { column, sequence } }]));
  scene.vschema = { [target]: { tables } };
  return scene;
}

/** Makes sequences in the source: the backing table and its place in the VSchema. `next` undefined: no row is in it. */
async function addSequences(world: World, keyspace: string, sequences: readonly { name: string; next?: number; cache?: number }[]): Promise<void> {
  const { ctx, cluster } = world.engine();
  const { record } = await getVSchema(ctx, cluster.topo, keyspace);
  const added = Object.fromEntries(sequences.map(({ name }) => [name, { type: 'sequence' }]));
  await saveVSchema(ctx, cluster.topo, keyspace, { ...record, tables: { ...record.tables, ...added } }, null);
  for (const { name, next, cache = 1000 } of sequences) {
    await world.prepare('query', '--target', `${keyspace}:0`, createSequenceSql(name));
    if (next !== undefined) await world.prepare('query', '--target', `${keyspace}:0`, `insert into ${quoteName(name)} (id, next_id, cache) values (0, ${next}, ${cache})`);
  }
  await world.prepare('RebuildVSchemaGraph');
}

/** The workflow's own view of its tables, without a workflow. */
async function switcherOf(world: World, scene: Scene, tables: Readonly<Record<string, Table>>, options: object): Promise<TrafficSwitcher> {
  const { ctx, cluster } = world.engine();
  const { source, target } = scene.workflow;
  const keyspace = scene.keyspaces.find((one) => one.name === target)!;
  const targets = await Promise.all(
    keyspace.shards.map(async (shard) => {
      const info = await getShard(ctx, cluster.topo, target, shard);
      return { info, primary: await getTablet(ctx, cluster.topo, info.record.primary_alias!), db: world.shard(target, shard), streams: [], position: '' };
    }),
  );
  return { sourceKeyspace: source, targetKeyspace: target, tables: Object.keys(tables), targets, options } as unknown as TrafficSwitcher;
}

const keyspaceName = (text: string): string => text.split(' ')[0]!;

/** The sequences that the target's tables use, and where they are. */
function readCollect({ given, then }: Case): Check {
  const [source, target] = [keyspaceName(given.str('source_keyspace')), keyspaceName(given.str('target_keyspace'))];
  if (then.has('created_in')) return readCreated(source, target, given, then);
  const there = given.has('source_tables') ? given.map('source_tables') : undefined;
  const kinds = (there?.names ?? []).map((name) => [name, { type: there!.str(name) }] as const);
  const table = given.maybe('target_table');
  const own: [string, Table][] = table === undefined ? [['t1', {}]] : [[table.str('name'), { auto_increment: autoIncrement(table.map('auto_increment')) }]];
  const wanted = then.has('sequences') ? then.raw('sequences') : undefined;
  const names = then.names.filter((name) => name !== 'sequences');
  const expected = names.map((name) => {
    const one = then.map(name);
    return [name, { backing_keyspace: one.str('backing_keyspace'), backing_db: one.str('backing_db'), using_table: one.str('using_table'), using_db: one.str('using_db'), sequence: one.str('sequence') }] as const;
  });
  if (wanted !== null && wanted !== undefined) throw new Skipped(`then.sequences is not known: ${shown(wanted)}`);
  return async () => {
    const scene = readScene(new Fields({ source_keyspace: `${source} (unsharded)`, target_keyspace: `${target} (-80,80-)`, tables: ['t1'] }, 'given'));
    scene.vschema = { [source]: { tables: Object.fromEntries(kinds) }, [target]: { tables: Object.fromEntries(own) } };
    const world = await sceneWorld(scene);
    const { ctx, cluster } = world.engine();
    const found = await findSequences(ctx, cluster, await switcherOf(world, scene, Object.fromEntries(own), {}));
    same(Object.fromEntries(expected), Object.fromEntries(found.map((one) => [one.name, metadataOf(one)])), 'sequences');
  };
}

function autoIncrement(fields: Fields): { column: string; sequence: string } {
  return { column: fields.str('column'), sequence: fields.str('sequence') };
}

function metadataOf({ name, keyspace, database, uses, usingDatabase }: Sequence): object {
  return { backing_keyspace: keyspace, backing_db: database, using_table: uses.at(-1)?.table, using_db: usingDatabase, sequence: name };
}

/** A sequence that a switch makes, since create put it into the VSchema for an AUTO_INCREMENT. */
function readCreated(source: string, target: string, given: Fields, then: Fields): Check {
  const handling = given.str('sharded_auto_increment_handling');
  const global = given.str('global_keyspace');
  if (isMap(given.peek('source_tables')) && given.map('source_tables').names.length > 0) throw new Skipped('given.source_tables is not empty');
  const [keyspace, sql, key] = [then.str('created_in'), then.str('sql'), then.str('metadata_key')];
  // The case names the table by its sequence alone.
  const [, table] = /`([^`]+)_seq`/.exec(sql) ?? [];
  if (table === undefined) throw new Skipped(`then.sql makes no sequence of a table: ${sql}`);
  return async () => {
    // The name that a sequence gets by itself, without a keyspace: it is looked for everywhere, and found nowhere.
    const scene = sequenceScene(source, target, [{ sequence: `${table}_seq`, table, column: 'id' }]);
    scene.ddl = `create table ${quoteName(table)} (id bigint not null auto_increment, val varchar(64), primary key (id))`;
    const world = await sceneWorld(scene);
    await world.prepare(...createLine(scene), '--sharded-auto-increment-handling', handling, '--global-keyspace', global);
    await world.pump();
    await world.prepare(...workflowWords(scene.workflow), 'switchtraffic', '--initialize-target-sequences');
    const wanted = definitionOf(sql);
    const { ctx, cluster } = world.engine();
    const tables = (await getVSchema(ctx, cluster.topo, keyspace)).record.tables ?? {};
    same('sequence', tables[key]?.type, `the VSchema of ${keyspace}: ${key}`);
    same(wanted, world.shard(keyspace, '0').findTable(key), `the table ${key} of ${keyspace}`);
  };
}

/** Sets sequences above the largest values in use. */
function readInitialize({ given, then }: Case): Check {
  const sequences = given.map('sequences');
  const uses = sequences.names.map((sequence): Use => {
    const one = sequences.map(sequence);
    return { sequence, table: one.str('used_by'), column: one.str('column') };
  });
  const largest = given.map('max_values_on_target');
  const values = uses.map(({ sequence }) => largest.int(sequence));
  const asked = then.has('max_value_request') ? then.maps('max_value_request').map((one) => ({ backing_table: one.str('backing_table'), column: one.str('column'), table: one.str('table'), db: one.str('db') })) : undefined;
  const updates = then.has('update_request') ? then.maps('update_request').map((one) => ({ backing_table: one.str('backing_table'), db: one.str('db'), max_value: one.int('max_value') })) : undefined;
  return async () => {
    const scene = sequenceScene('sourceks', 'targetks', uses);
    const world = await movingWorld(scene);
    await addSequences(world, 'sourceks', uses.map(({ sequence }) => ({ name: sequence })));
    for (const [index, { table, column }] of uses.entries()) world.shard('targetks', '80-').db.exec(`INSERT INTO ${quoteSqlite(table)} (${quoteSqlite(column)}) VALUES (${values[index]})`);
    const { ctx, cluster } = world.engine();
    const tables = (await getVSchema(ctx, cluster.topo, 'targetks')).record.tables ?? {};
    const sw = await switcherOf(world, scene, tables, {});
    const found = await findSequences(ctx, cluster, sw);
    const max = await largestValues(ctx, cluster, sw, found, NO_FAULTS);
    await raiseSequences(ctx, cluster, found, max, NO_FAULTS, undefined);
    const requests = found.map(({ name, uses: [use], usingDatabase }) => ({ backing_table: name, column: quoteName(use!.column), table: quoteName(use!.table), db: quoteName(usingDatabase) }));
    if (asked !== undefined) same(asked, requests, 'max_value_request');
    if (updates === undefined) return;
    same(updates, found.map((one) => ({ backing_table: one.name, db: one.database, max_value: Number(max.get(one)) })), 'update_request');
    for (const { backing_table: name, max_value: value } of updates) same(value + 1, nextId(world, 'sourceks', name), `next_id of ${name}`);
  };
}

const quoteSqlite = (name: string): string => `"${name.replaceAll('"', '""')}"`;

function nextId(world: World, keyspace: string, sequence: string): number {
  const row = world.shard(keyspace, '0').db.get<{ next_id: number | bigint }>(`SELECT next_id FROM ${quoteSqlite(sequence)} WHERE id = 0`);
  if (row === undefined) throw new Mismatch(`the sequence ${sequence} has no row`);
  return Number(row.next_id);
}

/** `max_cid_in_customer`: the largest value of a column; `customer_seq_next_id`: where its sequence is afterwards. */
function readNextId({ op, given, then }: Case): Check {
  const flags = op.split(' ').slice(1);
  const [source, target] = [keyspaceName(given.str('source')), keyspaceName(given.str('target'))];
  const name = given.names.find((one) => /^max_\w+_in_\w+$/.test(one));
  const [, column, table] = /^max_(\w+)_in_(\w+)$/.exec(name ?? '') ?? [];
  if (name === undefined || column === undefined || table === undefined) throw new Skipped('given says no largest value');
  const value = given.int(name);
  const wanted = then.names.map((one) => {
    const sequence = /^(\w+)_next_id$/.exec(one)?.[1];
    return sequence === undefined ? [] : ([sequence, then.str(one)] as const);
  });
  const [sequence, expected] = wanted[0] ?? [];
  if (sequence === undefined || expected === undefined) throw new Skipped('then says no next_id');
  return async () => {
    const scene = sequenceScene(source, target, [{ sequence, table, column }]);
    const world = await sceneWorld(scene);
    await addSequences(world, source, [{ name: sequence, next: 1 }]);
    await world.prepare('query', '--target', `${source}:0`, `insert into ${quoteName(table)} (${quoteName(column)}) values (1), (${value})`);
    await world.prepare(...createLine(scene));
    await world.pump();
    await world.prepare(...workflowWords(scene.workflow), 'switchtraffic', '--tablet-types', 'replica,rdonly');
    NO_ERROR((await world.run(...workflowWords(scene.workflow), 'switchtraffic', ...flags)).failure);
    same(expected, String(nextId(world, source, sequence)), `${sequence}.next_id`);
  };
}

/** What a dry run says of the sequences that it would set: `given` names them by their backing tables. */
function readDryRun({ given, then }: Case): Check {
  const scene0 = readScene(given, WORKFLOW_DEFAULTS);
  const sequences = given.map('sequences');
  const names = sequences.names.map((name) => {
    sequences.str(name);
    return name;
  });
  for (const field of ['max_values', 'current_values']) if (given.str(field) !== '0 for all') throw new Skipped(`given.${field} is not known: ${given.str(field)}`);
  const expected = then.strings('lines');
  return async () => {
    const { source, target } = scene0.workflow;
    // The tables that are moved use them; what is said names the backing tables.
    const scene = sequenceScene(source, target, names.map((name) => ({ sequence: name, table: `uses_${name}`, column: 'id' })));
    const world = await movingWorld(scene);
    await addSequences(world, source, names.map((name) => ({ name, next: 0 })));
    const answer = await world.run(...workflowWords(scene.workflow), 'switchtraffic', '--tablet-types', 'primary', '--initialize-target-sequences', '--dry-run');
    NO_ERROR(answer.failure);
    same(expected, linesOf(answer).filter((line) => line.startsWith('The following sequence backing tables') || line.startsWith('\t')), 'lines');
  };
}

/** The sequence that create gives a table whose AUTO_INCREMENT it replaces. */
function readAutoName({ when, then }: Case): Check {
  const tables = when.strings('inputs');
  const expected = then.strings('results');
  return async () => {
    const scene = readScene(new Fields({ source_keyspace: 'sourceks (unsharded)', target_keyspace: 'targetks (-80,80-)', tables }, 'given'), WORKFLOW_DEFAULTS);
    scene.ddl = tables.map((table) => `create table ${quoteName(table)} (id bigint not null auto_increment, primary key (id))`).join(';\n');
    const world = await sceneWorld(scene);
    await world.prepare(...createLine(scene), '--sharded-auto-increment-handling', 'REPLACE', '--global-keyspace', 'sourceks');
    const { ctx, cluster } = world.engine();
    const entries = (await getVSchema(ctx, cluster.topo, 'targetks')).record.tables ?? {};
    same(expected, tables.map((table) => /`([^`]+)`$/.exec(entries[table]?.auto_increment?.sequence ?? '')?.[1]), 'results');
  };
}

export const sequenceAdapters: readonly Adapter[] = [
  { area: 'sequences', op: 'collect sequence metadata', read: readCollect },
  { area: 'sequences', op: 'initialize target sequences', read: readInitialize },
  { area: 'sequences', op: /^SwitchTraffic (?:--\S+ ?\S* )*--initialize-target-sequences$/, read: readNextId },
  { area: 'workflow_ids', op: 'auto sequence table name', read: readAutoName },
  { area: 'dry_run', op: 'dry-run step: initialize target sequences', read: readDryRun },
];

