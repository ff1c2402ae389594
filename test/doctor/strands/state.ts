import { expect } from 'vitest';
import { readStreams } from '../../../src/tablet/vreplication/streams.ts';
import type { KeyspaceRoutingRules, MirrorRules, RoutingRules, Shard, ShardRoutingRules, SrvKeyspace, SrvVSchema } from '../../../src/topo/proto/types.ts';
import { shardsOf } from '../../helpers/fingerprint.ts';
import type { TestCluster } from '../../helpers/shell.ts';

/** What the records of a cluster say of a cutover, in few words; parts that say nothing are left out. */
export interface State {
  /** Denied tables by shard (of PRIMARY, unless it is said). */
  denied: Record<string, string>;
  /** Controls of the serving graph, by cell, type and shard: `off`, or `empty` where nothing is turned off. */
  controls: Record<string, 'off' | 'empty'>;
  /** State and message by shard and workflow; where several streams differ, each. */
  streams: Record<string, string>;
  /** Number of journal rows by shard. */
  journals: Record<string, number>;
  /** Rules as saved, from and to. */
  rules: Record<string, string>;
  /** Rules that a cell was not told of, or still has: `zone1 customer`: what it has. */
  unpublished: Record<string, string>;
  mirrors: Record<string, number>;
  /** Shards that serve by type, and by cell where cells differ. */
  serving: Record<string, string>;
  /** Shards whose records say that their primary serves. */
  primaryServing: string[];
  /** Tables by shard. */
  tables: Record<string, string>;
  locks: string[];
}

/** Reads it all from the store. */
export async function stateOf(cluster: TestCluster): Promise<State> {
  const { host } = cluster;
  const { store } = host;
  const record = <T>(cell: string, path: string): T | undefined => {
    const node = store.cell(cell).get(path);
    return node === undefined ? undefined : (JSON.parse(node.contents) as T);
  };
  const state: State = { denied: {}, controls: {}, streams: {}, journals: {}, rules: savedRules(record), unpublished: {}, mirrors: {}, serving: {}, primaryServing: [], tables: {}, locks: [] };
  for (const [keyspace, shard] of shardsOf(host)) {
    const place = `${keyspace}/${shard}`;
    const { tablet_controls: controls = [], is_primary_serving: serving } = record<Shard>('global', `keyspaces/${keyspace}/shards/${shard}/Shard`)!;
    for (const { tablet_type: type, denied_tables: tables = [] } of controls) {
      if (tables.length > 0) state.denied[type === 'PRIMARY' ? place : `${place} ${type}`] = tables.toSorted().join(' ');
    }
    if (serving === true) state.primaryServing.push(place);
    const db = host.shards.open(keyspace, shard);
    const streams = new Map<string, Set<string>>();
    for (const { workflow, state: stored, message } of readStreams(db)) {
      const said = streams.get(workflow) ?? new Set<string>();
      streams.set(workflow, said.add(`${stored}${(message ?? '') === '' ? '' : `: ${message}`}`));
    }
    for (const [workflow, said] of streams) state.streams[`${place} ${workflow}`] = [...said].toSorted().join(', ');
    const journals = db.db.all('SELECT 1 FROM "_vt.resharding_journal"').length;
    if (journals > 0) state.journals[place] = journals;
    const tables = db.tableNames();
    if (tables.length > 0) state.tables[place] = tables.toSorted().join(' ');
  }
  const cells = [...store.nodes.keys()].filter((cell) => cell !== 'global').toSorted();
  for (const cell of cells) addCell(state, cell, record, store.cell(cell).keys());
  for (const { from_table: from, to_table: to, percent } of record<MirrorRules>('global', 'MirrorRules')?.rules ?? []) state.mirrors[`${from} -> ${to}`] = percent ?? 0;
  const { locks } = JSON.parse(await cluster.ok('show locks --format json')) as { locks: { name: string; holder?: { expiresMs: number } }[] };
  state.locks = locks.filter(({ holder }) => (holder?.expiresMs ?? 0) > 0).map(({ name }) => name).toSorted();
  return state;
}

type Read = <T>(cell: string, path: string) => T | undefined;

function savedRules(record: Read): Record<string, string> {
  return rulesOf({
    routing_rules: record<RoutingRules>('global', 'RoutingRules'),
    shard_routing_rules: record<ShardRoutingRules>('global', 'ShardRoutingRules'),
    keyspace_routing_rules: record<KeyspaceRoutingRules>('global', 'routing_rules/keyspace/Rules'),
  } as SrvVSchema);
}

function rulesOf({ routing_rules: tables, shard_routing_rules: shards, keyspace_routing_rules: keyspaces }: SrvVSchema): Record<string, string> {
  return Object.fromEntries([
    ...(tables?.rules ?? []).map(({ from_table: from, to_tables: to = [] }) => [from, to.join(' ')]),
    ...(shards?.rules ?? []).map(({ from_keyspace: from, shard, to_keyspace: to }) => [`${from}/${shard}`, to]),
    ...(keyspaces?.rules ?? []).map(({ from_keyspace: from, to_keyspace: to }) => [`${from}.*`, to]),
  ]);
}

function addCell(state: State, cell: string, record: Read, paths: Iterable<string>): void {
  const told = rulesOf(record<SrvVSchema>(cell, 'SrvVSchema') ?? {});
  for (const from of new Set([...Object.keys(state.rules), ...Object.keys(told)])) {
    if (state.rules[from] !== told[from]) state.unpublished[`${cell} ${from}`] = told[from] ?? 'none';
  }
  for (const path of paths) {
    const keyspace = /^keyspaces\/([^/]+)\/SrvKeyspace$/.exec(path)?.[1];
    if (keyspace === undefined) continue;
    for (const { served_type: type, shard_references: shards = [], shard_tablet_controls: controls = [] } of record<SrvKeyspace>(cell, path)?.partitions ?? []) {
      state.serving[`${cell} ${keyspace} ${type}`] = shards.map(({ name }) => name).join(' ');
      for (const { name, query_service_disabled: off } of controls) state.controls[`${cell} ${type} ${keyspace}/${name}`] = off === true ? 'off' : 'empty';
    }
  }
}

/** Parts of which a row names what matters to it; of the others, everything. */
const LARGE: readonly (keyof State)[] = ['rules', 'unpublished', 'serving', 'tables'];

/** Fails unless the records say what a row says of them. */
export function expectState(state: State, wanted: Partial<State>): void {
  for (const part of Object.keys(wanted) as (keyof State)[]) {
    if (LARGE.includes(part)) expect(state[part], part).toMatchObject(wanted[part] as object);
    else expect(state[part], part).toEqual(wanted[part]);
  }
}
