import { parseTabletAlias, type TabletType, validateShardName } from '../../../src/lib/names.ts';
import { deleteShards } from '../../../src/topo/delete-shard.ts';
import { rebuildKeyspaceGraph } from '../../../src/topo/srv-keyspace.ts';
import { createShard, ensureKeyspace, findAllShards, getShard, servingShards } from '../../../src/topo/keyspaces.ts';
import { listTablets, type TabletFilter } from '../../../src/topo/list-tablets.ts';
import { keyRangeToProto } from '../../../src/topo/proto/key-range.ts';
import type { SrvKeyspace, Tablet } from '../../../src/topo/proto/types.ts';
import { aliasText, createTablet } from '../../../src/topo/tablets.ts';
import { generateShardRanges } from '../../../src/lib/key-range.ts';
import { type Outcome, outcomeOf, readError, readResults, same, subset, succeeded } from '../compare.ts';
import { type Adapter, type Case, type Check, type Fields, isMap, Mismatch, shown, Skipped, texts } from '../fields.ts';
import { putSrvKeyspace, shardPath, topoWorld } from '../topo-world.ts';
import type { World } from '../world.ts';

const area = 'topo_records';

/** Runs a command once for each input; each answer is a JSON record, of which a case gives a part. */
function readRecords(command: string, world: (given: Fields) => () => Promise<World>) {
  return ({ given, when, then }: Case): Check => {
    const make = world(given);
    const inputs = when.strings('inputs');
    const check = readResults(then, 'results', inputs.length, subset);
    return async () => {
      const made = await make();
      const results: Outcome<unknown>[] = [];
      for (const input of inputs) {
        const { failure, stdout } = await made.run(command, input);
        results.push(failure === undefined ? { value: withoutNulls(JSON.parse(stdout)) } : { failure });
      }
      check(results);
    };
  };
}

/** A message that is not set is an empty one to a case. */
function withoutNulls(value: unknown): unknown {
  if (value === null) return {};
  if (Array.isArray(value)) return value.map(withoutNulls);
  return isMap(value) ? Object.fromEntries(Object.entries(value).map(([name, one]) => [name, withoutNulls(one)])) : value;
}

function withKeyspaces(given: Fields): () => Promise<World> {
  const names = given.strings('keyspaces');
  return () => topoWorld(['zone1'], Object.fromEntries(names.map((name) => [name, []])));
}

function withShards(given: Fields): () => Promise<World> {
  const byKeyspace: Record<string, string[]> = {};
  for (const text of given.strings('shards')) {
    const { keyspace, shard } = shardPath(text);
    (byKeyspace[keyspace] ??= []).push(shard);
  }
  return () => topoWorld(['zone1'], byKeyspace);
}

/** Tablets as a case lists them. */
function readTablets(given: Fields): Tablet[] {
  return given.maps('tablets').map((one) => {
    const alias = parseTabletAlias(one.str('alias'));
    const shard = one.str('shard');
    const { keyRange } = validateShardName(shard);
    const start = one.has('primary_term_start') ? Date.parse(one.str('primary_term_start')) / 1000 : undefined;
    if (start !== undefined && !Number.isInteger(start)) throw new Skipped(`not a time: ${one.path}.primary_term_start`);
    return {
      alias,
      hostname: 'localhost',
      keyspace: one.str('keyspace'),
      shard,
      type: one.str('type', 'REPLICA') as TabletType,
      ...(keyRange !== undefined && { key_range: keyRangeToProto(keyRange) }),
      ...(start !== undefined && { primary_term_start_time: { seconds: String(start) } }),
    };
  });
}

async function tabletWorld(tablets: readonly Tablet[], cells: readonly string[]): Promise<World> {
  const world = await topoWorld([...new Set([...cells, ...tablets.map((tablet) => tablet.alias!.cell)])]);
  const { ctx, cluster } = world.engine();
  for (const tablet of tablets) {
    await ensureKeyspace(ctx, cluster.topo, tablet.keyspace!);
    await outcomeOf(() => createShard(ctx, cluster.topo, tablet.keyspace!, tablet.shard!));
    await createTablet(ctx, cluster.topo, tablet);
  }
  return world;
}

function readFilter(when: Fields): TabletFilter {
  return {
    aliases: when.strings('tablet_aliases', []).map(parseTabletAlias),
    keyspace: when.str('keyspace', ''),
    shard: when.str('shard', ''),
    cells: when.strings('cells', []),
    tabletType: when.str('tablet_type', 'UNKNOWN'),
    strict: when.bool('strict', false),
  } as TabletFilter;
}

/** What is expected of a list of tablets. */
function readListed(then: Fields): (got: Outcome<Tablet[]>) => void {
  const error = readError(then);
  const aliases = then.has('aliases') ? then.strings('aliases').toSorted() : undefined;
  const types = then.has('types') ? then.raw('types') : undefined;
  return (got) => {
    error?.(got.failure);
    if (got.failure !== undefined) {
      if (error === undefined) succeeded(got, 'GetTablets');
      return;
    }
    const tablets = got.value ?? [];
    if (aliases !== undefined) same(aliases, tablets.map((tablet) => aliasText(tablet.alias)).toSorted(), 'aliases');
    if (types !== undefined) same(types, Object.fromEntries(tablets.map((tablet) => [aliasText(tablet.alias), tablet.type ?? 'UNKNOWN'])), 'types');
  };
}

function readGetTablets({ given, when, then }: Case): Check {
  const tablets = readTablets(given);
  const cells = given.strings('cells', []);
  const unreachable = given.strings('unreachable', []);
  const inputs = when.has('inputs') ? when.maps('inputs').map(readFilter) : [readFilter(when)];
  const results = then.has('results') ? then.maps('results').map(readListed) : [readListed(then)];
  if (results.length !== inputs.length) throw new Skipped('then.results has not one entry for each input');
  return async () => {
    const world = await tabletWorld(tablets, cells);
    for (const cell of unreachable) await world.prepare('cell', 'stop', cell);
    const { ctx, cluster } = world.engine();
    for (const [index, filter] of inputs.entries()) results[index]!(await outcomeOf(() => listTablets(ctx, cluster.topo, filter)));
  };
}

/** `GetSrvKeyspaces KEYSPACE`, once for each list of cells, as the server answers: over gRPC a record that is not there is an empty one. */
function readSrvKeyspaces({ op, given, when, then }: Case): Check {
  const keyspace = op.slice('GetSrvKeyspaces '.length);
  const cells = given.strings('cells');
  const records = given.map('srv_keyspaces');
  const stored = records.names.map((cell) => [cell, records.raw(cell)] as const);
  const inputs = when.list('inputs').map((list, index) => texts(list, `when.inputs[${index}]`));
  const check = readResults(then, 'results', inputs.length);
  return async () => {
    const world = await topoWorld(cells, { [keyspace]: [] });
    const { ctx, cluster } = world.engine();
    for (const cell of cells) world.host.store.cell(cell).delete(`keyspaces/${keyspace}/SrvKeyspace`);
    for (const [cell, record] of stored) await putSrvKeyspace(ctx, cluster, cell, keyspace, record as SrvKeyspace);
    const results: Outcome<unknown>[] = [];
    for (const names of inputs) {
      const { failure, stdout } = await world.run('--server', 'internal', 'GetSrvKeyspaces', keyspace, ...names);
      results.push(failure === undefined ? { value: withoutLists(JSON.parse(stdout)) } : { failure });
    }
    check(results);
  };
}

/** A record without the fields that are empty or not set; a cell that has none keeps its null. */
function withoutLists(cells: unknown): unknown {
  if (!isMap(cells)) return cells;
  const plain = (record: unknown): unknown =>
    isMap(record) ? Object.fromEntries(Object.entries(record).filter(([, value]) => value !== null && !(Array.isArray(value) && value.length === 0))) : record;
  return Object.fromEntries(Object.entries(cells).map(([cell, record]) => [cell, plain(record)]));
}

function readFindAll({ given, when, then }: Case): Check {
  const count = given.int('shards');
  const names = when.strings('keyspace_args');
  const expected = then.list('count');
  const keyspace = names.find((name) => !name.includes('`'));
  if (keyspace === undefined) throw new Skipped('no keyspace is named without back-ticks');
  return async () => {
    const { ctx, cluster } = (await topoWorld(['zone1'], { [keyspace]: generateShardRanges(count) })).engine();
    const got: number[] = [];
    for (const name of names) got.push((await findAllShards(ctx, cluster.topo, name)).length);
    same(expected, got, 'count');
  };
}

function readServing({ given, when, then }: Case): Check {
  const keyspace = given.str('keyspace');
  const counts = when.list('shard_counts').map((count) => {
    if (!Number.isSafeInteger(count)) throw new Skipped(`not a number of shards: ${shown(count)}`);
    return count as number;
  });
  const check = readResults(then, 'results', counts.length, (expected, got: string[], what) => {
    if (!isMap(expected) || Object.keys(expected).join() !== 'count') throw new Mismatch(`${what}: expected ${shown(expected)}, got ${shown(got)}`);
    same(expected['count'], got.length, `${what}.count`);
  });
  return async () => {
    const results: Outcome<string[]>[] = [];
    for (const count of counts) {
      const { ctx, cluster } = (await topoWorld(['zone1'], { [keyspace]: count === 0 ? [] : generateShardRanges(count) })).engine();
      results.push(await outcomeOf(async () => (await servingShards(ctx, cluster.topo, keyspace)).map((shard) => shard.name)));
    }
    check(results);
  };
}

/** New shards beside those there are: whether they serve. */
function readNewShards({ given, when, then }: Case): Check {
  const keyspace = given.str('keyspace');
  const existing = given.strings('existing_shards');
  if (given.has('all_serving') && !given.bool('all_serving')) throw new Skipped('given.all_serving is false');
  const inputs = texts(when.raw('inputs'), 'when.inputs');
  const expected = then.list('is_primary_serving');
  if (expected.length !== inputs.length) throw new Skipped('then.is_primary_serving has not one entry for each input');
  return async () => {
    const got: boolean[] = [];
    for (const shard of inputs) {
      const { ctx, cluster } = (await topoWorld(['zone1'], { [keyspace]: existing })).engine();
      await createShard(ctx, cluster.topo, keyspace, shard);
      got.push((await getShard(ctx, cluster.topo, keyspace, validateShardName(shard).name)).record.is_primary_serving === true);
    }
    same(expected, got, 'is_primary_serving');
  };
}

/** A shard that is deleted as a Reshard does with those it has left: never one that serves. */
function readDeleteShard({ given, when, then }: Case): Check {
  const { keyspace, shard } = shardPath(given.str('shard'));
  const cells = given.strings('serving_cells');
  if (when.bool('even_if_serving', false)) throw new Skipped('no command deletes a shard that serves');
  const error = readError(then);
  if (error === undefined) throw new Skipped('then says nothing of an error');
  return async () => {
    const rest = validateShardName(shard).keyRange;
    const shards = [shard, ...(rest?.start ? [`-${rest.start}`] : []), ...(rest?.end ? [`${rest.end}-`] : [])];
    const world = await topoWorld(cells.length > 0 ? cells : ['zone1'], { [keyspace]: shards });
    const { ctx, cluster } = world.engine();
    // Shards without tablets have no serving records yet.
    await rebuildKeyspaceGraph(ctx, cluster.topo, keyspace, cells);
    error((await outcomeOf(() => deleteShards(ctx, cluster.topo, keyspace, [{ keyspace, name: shard }]))).failure);
  };
}

export const topoRecordAdapters: readonly Adapter[] = [
  { area, op: 'GetKeyspace', read: readRecords('GetKeyspace', withKeyspaces) },
  { area, op: 'GetShard', read: readRecords('GetShard', withShards) },
  { area, op: 'GetTablets', read: readGetTablets },
  { area, op: /^GetSrvKeyspaces \S+$/, read: readSrvKeyspaces },
  { area, op: 'find all shards', read: readFindAll },
  { area, op: 'get serving shards', read: readServing },
  { area: 'cancel_complete', op: 'DeleteShard', read: readDeleteShard },
  { area: [area, 'shard_names_keyranges'], op: 'CreateShard', read: readNewShards },
];
