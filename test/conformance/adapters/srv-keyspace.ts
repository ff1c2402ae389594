import { type KeyRange, parseShardingSpec } from '../../../src/lib/key-range.ts';
import { validateForReshard } from '../../../src/topo/reshard-ranges.ts';
import { servingShardsOf } from '../../../src/gate/shards.ts';
import type { Context } from '../../../src/runtime/context.ts';
import type { Cluster } from '../../../src/tablet/cluster.ts';
import { getShard } from '../../../src/topo/keyspaces.ts';
import { lockKeyspace } from '../../../src/topo/locks.ts';
import { keyRangeToProto } from '../../../src/topo/proto/key-range.ts';
import type { SrvKeyspace } from '../../../src/topo/proto/types.ts';
import { migrateServedType, validateSrvKeyspace } from '../../../src/topo/served-types.ts';
import { getSrvKeyspace, updateDisableQueryService } from '../../../src/topo/srv-keyspace.ts';
import { validateShardName } from '../../../src/lib/names.ts';
import { outcome, outcomeOf, readError, readErrorEntry, same } from '../compare.ts';
import { type Adapter, type Case, type Check, Fields, Skipped, texts } from '../fields.ts';
import { putSrvKeyspace, topoWorld } from '../topo-world.ts';
import type { World } from '../world.ts';

const area = 'srv_keyspace';
const NO_ERROR = readError(new Fields({ error: null }, 'then'))!;

type Controls = { name: string; query_service_disabled: boolean }[];

/** What a cell serves: shards by tablet type, and what is turned off. */
interface Serving {
  types: Record<string, string[]>;
  controls: Record<string, Controls>;
}

function readServing(fields: Fields): Serving {
  const types = fields.names.filter((name) => /^[A-Z]+$/.test(name));
  if (types.length === 0) throw new Skipped(`${fields.path} serves no tablet type`);
  return { types: Object.fromEntries(types.map((type) => [type, fields.strings(type)])), controls: readControls(fields, 'shard_tablet_controls') };
}

function readControls(fields: Fields, name: string): Record<string, Controls> {
  const all = fields.maybe(name);
  if (all === undefined) return {};
  return Object.fromEntries(all.names.map((type) => [type, all.maps(type).map((one) => ({ name: one.str('name'), query_service_disabled: one.bool('query_service_disabled') }))]));
}

/** Each cell's serving record: `partitions_each_cell`, `partitions` or one field for each cell. */
function readCells(given: Fields): Map<string, Serving> {
  const cells = new Map<string, Serving>();
  for (const name of ['partitions_each_cell', 'partitions']) {
    if (!given.has(name)) continue;
    const serving = { ...readServing(given.map(name)), controls: readControls(given, 'shard_tablet_controls') };
    for (const cell of given.strings('cells', ['cell1', 'cell2'])) cells.set(cell, serving);
  }
  for (const name of given.names.filter((one) => /^cell\d+$|^zone\d+$/.test(one))) cells.set(name, readServing(given.map(name)));
  return cells;
}

const reference = (name: string): { name: string; key_range?: ReturnType<typeof keyRangeToProto> } => {
  const { keyRange } = validateShardName(name);
  return { name, ...(keyRange !== undefined && { key_range: keyRangeToProto(keyRange) }) };
};

function recordOf({ types, controls }: Serving): SrvKeyspace {
  return {
    partitions: Object.entries(types).map(([type, shards]) => ({
      served_type: type,
      shard_references: shards.map(reference),
      ...(controls[type] !== undefined && { shard_tablet_controls: controls[type].map(({ name, query_service_disabled: off }) => ({ ...reference(name), ...(off && { query_service_disabled: true }) })) }),
    })),
  } as unknown as SrvKeyspace;
}

function servingOf(record: SrvKeyspace | undefined): Serving {
  const partitions = record?.partitions ?? [];
  const controls = partitions.filter((partition) => (partition.shard_tablet_controls ?? []).length > 0);
  return {
    types: Object.fromEntries(partitions.map((partition) => [String(partition.served_type), (partition.shard_references ?? []).map((shard) => shard.name)])),
    controls: Object.fromEntries(
      controls.map((partition) => [String(partition.served_type), (partition.shard_tablet_controls ?? []).map((control) => ({ name: control.name, query_service_disabled: control.query_service_disabled === true }))]),
    ),
  };
}

/** A keyspace with every shard that a case names, and these serving records. */
async function servingWorld(keyspace: string, cells: ReadonlyMap<string, Serving>, more: readonly string[]): Promise<World> {
  const shards = new Set([...more, ...[...cells.values()].flatMap(({ types }) => Object.values(types).flat())]);
  const world = await topoWorld([...cells.keys()], { [keyspace]: [...shards] });
  const { ctx, cluster } = world.engine();
  for (const [cell, serving] of cells) await putSrvKeyspace(ctx, cluster, cell, keyspace, recordOf(serving));
  return world;
}

function readLock(given: Fields): boolean {
  const lock = given.has('lock') ? given.str('lock') : 'none';
  if (lock !== 'keyspace lock held' && lock !== 'none') throw new Skipped(`given.lock is not known: ${lock}`);
  return lock !== 'none';
}

/** What is expected of cells: what each serves, or that it is as it was. */
function readCellChecks(then: Fields): (world: World, keyspace: string, before: ReadonlyMap<string, Serving>) => Promise<void> {
  const cells = then.names.filter((name) => /^cell\d+$|^zone\d+$/.test(name));
  const wanted = cells.map((cell) => {
    if (then.peek(cell) === 'unchanged') {
      then.raw(cell);
      return [cell, undefined] as const;
    }
    return [cell, readServing(then.map(cell))] as const;
  });
  return async (world, keyspace, before) => {
    const { ctx, cluster } = world.engine();
    for (const [cell, expected] of wanted) {
      const got = servingOf(await getSrvKeyspace(ctx, cluster.topo, cell, keyspace));
      same(expected ?? before.get(cell), got, cell);
    }
  };
}

/** Moves a tablet type from some shards to others. */
function readMigrate({ given, when, then }: Case): Check {
  const keyspace = given.str('keyspace');
  const cells = readCells(given);
  const locked = readLock(given);
  const [from, to] = [when.strings('from'), when.strings('to')];
  const type = when.str('tablet_type');
  const asked = when.strings('cells', []);
  const error = readError(then) ?? NO_ERROR;
  const check = readCellChecks(then);
  return async () => {
    const world = await servingWorld(keyspace, cells, [...from, ...to]);
    const { ctx, cluster } = world.engine();
    const inner = locked ? (await lockKeyspace(ctx, cluster.topo, keyspace, 'a case')).ctx : ctx;
    const infos = (names: readonly string[]): Promise<Awaited<ReturnType<typeof getShard>>[]> => Promise.all(names.map((name) => getShard(ctx, cluster.topo, keyspace, name)));
    const move = { keyspace, from: await infos(from), to: await infos(to), tabletType: type as 'RDONLY', cells: asked };
    error((await outcomeOf(() => migrateServedType(inner, cluster.topo, move))).failure);
    await check(world, keyspace, cells);
  };
}

/** Turns the query service of shards off or on. */
function readDisable({ given, when, then }: Case): Check {
  const keyspace = given.str('keyspace');
  const cells = readCells(given);
  const locked = readLock(given);
  const shards = when.strings('shards');
  const type = when.str('tablet_type');
  const asked = when.strings('cells', []);
  const disable = when.bool('disable');
  const error = readError(then) ?? NO_ERROR;
  const check = readCellChecks(then);
  return async () => {
    const world = await servingWorld(keyspace, cells, shards);
    const { ctx, cluster } = world.engine();
    const inner = locked ? (await lockKeyspace(ctx, cluster.topo, keyspace, 'a case')).ctx : ctx;
    const infos = await Promise.all(shards.map((name) => getShard(ctx, cluster.topo, keyspace, name)));
    error((await outcomeOf(() => updateDisableQueryService(inner, cluster.topo, { keyspace, shards: infos, tabletType: type, cells: asked, disable }))).failure);
    await check(world, keyspace, cells);
  };
}

function readValidate({ given, when, then }: Case): Check {
  const keyspace = given.str('keyspace');
  const cells = readCells(given);
  const args = texts(when.raw('cell_args'), 'when.cell_args');
  const checks = then.list('errors').map((entry, index) => readErrorEntry(then, entry, `errors[${index}]`));
  if (checks.length !== args.length) throw new Skipped('then.errors has not one entry for each of when.cell_args');
  return async () => {
    const { ctx, cluster } = (await servingWorld(keyspace, cells, [])).engine();
    for (const [index, arg] of args.entries()) {
      const { failure } = await outcomeOf(() => validateSrvKeyspace(ctx, cluster.topo, keyspace, arg === '' ? [] : arg.split(','), 'what'));
      checks[index]!(failure instanceof Error ? new Error(failure.message.replace(/^what: /, '')) : failure);
    }
  };
}

const TYPES = ['PRIMARY', 'REPLICA', 'RDONLY'] as const;

/** Whether a gate of a cell sends queries of a type to a shard. */
async function serves(ctx: Context, cluster: Cluster, place: { cell: string; keyspace: string; shard: string }, type: (typeof TYPES)[number]): Promise<boolean> {
  const { value } = await outcomeOf(() => servingShardsOf(ctx, cluster, place.cell, place.keyspace, type));
  return (value ?? []).some(({ name }) => name === place.shard);
}

/** The tablet types that shards serve. */
function readServingTypes({ given, when, then }: Case): Check {
  const cells = readCells(given);
  const inputs = when.strings('inputs');
  const expected = then.list('results');
  if (expected.length !== inputs.length) throw new Skipped('then.results has not one entry for each input');
  return async () => {
    const { ctx, cluster } = (await servingWorld('ks', cells, inputs)).engine();
    for (const [index, shard] of inputs.entries()) {
      const types = new Set<string>();
      for (const cell of cells.keys()) for (const type of TYPES) if (await serves(ctx, cluster, { cell, keyspace: 'ks', shard }, type)) types.add(type);
      same(expected[index], [...types], `results[${index}]`);
    }
  };
}

/** The cells in which a shard is served, as one serving record after the other is stored. */
function readServingCells({ given, when, then }: Case): Check {
  const [keyspace, shard] = [given.str('keyspace'), given.str('shard')];
  const serving = readServing(given.map('partitions'));
  const stored = when.strings('after').map((text) => {
    const cell = /^record stored in (\S+)(?: too)?$/.exec(text)?.[1];
    if (cell === undefined && text !== 'no serving record anywhere') throw new Skipped(`when.after is not known: ${text}`);
    return cell;
  });
  const expected = then.list('results');
  if (expected.length !== stored.length) throw new Skipped('then.results has not one entry for each of when.after');
  return async () => {
    const cells = stored.flatMap((cell) => cell ?? []);
    const world = await topoWorld(cells, { [keyspace]: [...new Set(Object.values(serving.types).flat())] });
    const { ctx, cluster } = world.engine();
    for (const cell of cells) await putSrvKeyspace(ctx, cluster, cell, keyspace, {});
    for (const [index, cell] of stored.entries()) {
      if (cell !== undefined) await putSrvKeyspace(ctx, cluster, cell, keyspace, recordOf(serving));
      const got: string[] = [];
      for (const one of cells) for (const type of TYPES) if (!got.includes(one) && (await serves(ctx, cluster, { cell: one, keyspace, shard }, type))) got.push(one);
      same(expected[index], got, `results[${index}]`);
    }
  };
}

/** Shards that are to be resharded into others. */
function readForReshard({ when, then }: Case): Check {
  const ranges = (name: string): (KeyRange | undefined)[] =>
    when.strings(name).map((shard) => {
      const [range, ...more] = outcome(() => parseShardingSpec(shard)).value ?? [];
      if (range === undefined || more.length > 0) throw new Skipped(`not a key range: ${shard}`);
      return range;
    });
  const [source, target] = [ranges('source'), ranges('target')];
  const error = readError(then);
  if (error === undefined) throw new Skipped('then says nothing of an error');
  return () => error(outcome(() => validateForReshard(source, target)).failure);
}

export const srvKeyspaceAdapters: readonly Adapter[] = [
  { area, op: 'migrate served type', read: readMigrate },
  { area, op: 'update disable query service', read: readDisable },
  { area, op: 'validate serving keyspace', read: readValidate },
  { area, op: 'shard serving types', read: readServingTypes },
  { area, op: 'shard serving cells', read: readServingCells },
  { area: 'reshard_create', op: 'validate reshard shards', read: readForReshard },
];

