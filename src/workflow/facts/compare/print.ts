import type { Context } from '../../../runtime/context.ts';
import type { Cluster } from '../../../tablet/cluster.ts';
import type { ShardDb } from '../../../tablet/shard-db.ts';
import { readViews } from '../../../tablet/view.ts';
import { sourceOf } from '../../../tablet/vreplication/stream-source.ts';
import { readStreams, type StreamRow } from '../../../tablet/vreplication/streams.ts';
import { cellNames } from '../../../topo/cells.ts';
import type { Shard } from '../../../topo/proto/types.ts';
import type { IntentHead } from '../../intent/record.ts';
import { recordOf, streamPrint } from '../fingerprint.ts';
import { type OpenShard, shardsOf } from './shards.ts';

/** The parts of a cluster's state that are compared, in the order in which they are told. */
export const AREAS = [
  'cluster',
  'cells',
  'keyspaces',
  'vschemas',
  'shards',
  'tablets',
  'believes',
  'rules',
  'serving',
  'served vschemas',
  'streams',
  'journals',
  'interrupted',
  'tables',
  'other',
] as const;

export type Area = (typeof AREAS)[number];

/** A state as names and plain values, by area: two states are equal if these are, the positions of streams and the rows apart. */
export type StatePrint = Record<Area, Record<string, unknown>>;

/**
 * What "equal to what it was" is about, rows apart (rows.ts): records without their versions, what tablets believe, streams, journals, definitions of
 * tables. Not: history, fences, ids that were used up, timestamps, locks.
 */
export async function printState(ctx: Context, cluster: Cluster): Promise<StatePrint> {
  const print = Object.fromEntries(AREAS.map((area) => [area, {}])) as StatePrint;
  for (const cell of ['global', ...(await cellNames(ctx, cluster.topo))]) {
    for (const { path, contents } of await cluster.topo.conn.forCell(cell).list(ctx, '')) addRecord(print, cell, path, contents);
  }
  for (const { name, db } of await shardsOf(ctx, cluster)) addShard(print, name, db);
  return print;
}

/** How a record of a path is told; the first that fits. */
const RECORDS: readonly [path: RegExp, area: Area | undefined, nameOf: (found: readonly string[], cell: string) => string, read?: (record: unknown) => unknown][] = [
  [/^switchtraffic\/(?:history|gates|intent_progress)\//, undefined, () => ''],
  [/^switchtraffic\/cluster$/, 'cluster', () => 'behaves like', (record) => (record as { vitess_version: string }).vitess_version],
  [/^switchtraffic\/intents\/([^/]+)\/([^/]+)$/, 'interrupted', ([, keyspace, workflow]) => `${keyspace}.${workflow}`, withoutOwner],
  [/^switchtraffic\/stopped_cells\/([^/]+)$/, 'cells', ([, cell]) => `${cell} cannot be reached`],
  [/^cells\/([^/]+)\/CellInfo$/, 'cells', ([, cell = '']) => cell],
  [/^cells_aliases\/([^/]+)\/CellsAlias$/, 'cells', ([, alias]) => `alias ${alias}`],
  [/^keyspaces\/([^/]+)\/Keyspace$/, 'keyspaces', ([, keyspace = '']) => keyspace],
  [/^keyspaces\/([^/]+)\/VSchema$/, 'vschemas', ([, keyspace = '']) => keyspace],
  [/^keyspaces\/([^/]+)\/shards\/([^/]+)\/Shard$/, 'shards', ([, keyspace, shard]) => `${keyspace}/${shard}`, withDenials],
  [/^keyspaces\/([^/]+)\/shards\/([^/]+)\/ShardReplication$/, 'shards', ([, keyspace, shard], cell) => `${keyspace}/${shard} replication in ${cell}`],
  [/^tablets\/([^/]+)\/Tablet$/, 'tablets', ([, alias = '']) => alias],
  [/^RoutingRules$/, 'rules', () => 'tables', withSingles],
  [/^ShardRoutingRules$/, 'rules', () => 'shards'],
  [/^routing_rules\/keyspace\/Rules$/, 'rules', () => 'keyspaces'],
  [/^MirrorRules$/, 'rules', () => 'mirror'],
  [/^keyspaces\/([^/]+)\/SrvKeyspace$/, 'serving', ([, keyspace], cell) => `${keyspace} in ${cell}`],
  [/^SrvVSchema$/, 'served vschemas', (_, cell) => cell, withServedSingles],
];

function addRecord(print: StatePrint, cell: string, path: string, contents: string): void {
  for (const [pattern, area, nameOf, read] of RECORDS) {
    const found = pattern.exec(path);
    if (found === null) continue;
    const record = recordOf(path, contents);
    if (area !== undefined) print[area][nameOf(found, cell)] = read === undefined ? record : read(record);
    return;
  }
  print.other[`${cell}:${path}`] = recordOf(path, contents);
}

/** Of an interrupted switch, what it was about; who was at it, and since when, is another's in each process. */
function withoutOwner(record: unknown): unknown {
  const { owner: _owner, started: _started, tokens: _tokens, ...rest } = record as IntentHead;
  return rest;
}

/** A rule leads to one table nearly always: that is told as a name, not as a list of names that went and came. */
function withSingles(rules: unknown): unknown {
  if (typeof rules !== 'object' || rules === null || Array.isArray(rules)) return rules;
  return Object.fromEntries(Object.entries(rules).map(([from, to]: [string, unknown]) => [from, Array.isArray(to) && to.length === 1 ? (to[0] as unknown) : to]));
}

function withServedSingles(record: unknown): unknown {
  const { routing_rules: rules, ...rest } = record as { routing_rules?: unknown };
  return { ...rest, routing_rules: withSingles(rules) };
}

/** Denied tables by tablet type, as sets of names. */
function withDenials(record: unknown): unknown {
  const { tablet_controls: controls = [], ...rest } = record as Shard;
  const denied = controls.map(({ tablet_type: type, denied_tables: tables = [], ...more }) => [String(type), { tables: tables.toSorted(), ...more }]);
  return { ...rest, denied: Object.fromEntries(denied) as unknown };
}

function addShard(print: StatePrint, name: string, shard: ShardDb): void {
  for (const { alias, view } of readViews(shard)) {
    const { fence: _fence, ...rest } = view;
    print.believes[alias] = { ...rest, deniedTables: view.deniedTables.toSorted() };
  }
  for (const row of readStreams(shard)) print.streams[streamName(print.streams, { name, db: shard }, row)] = { ...streamPrint(row), position: row.pos };
  const journals = shard.db.all<{ id: unknown }>('SELECT id FROM "_vt.resharding_journal" ORDER BY id').map(({ id }) => String(id));
  if (journals.length > 0) print.journals[name] = journals;
  for (const table of shard.tables()) print.tables[`${name} ${table.name}`] = table;
}

/** `customer.c2c/0 from commerce/0`; several streams may have one name only in a state that is broken. */
function streamName(there: Record<string, unknown>, { name: shard, db }: OpenShard, row: StreamRow): string {
  const [keyspace, ...rest] = shard.split('/');
  const name = `${keyspace}.${row.workflow}/${rest.join('/')} from ${sourceName(db, row)}`;
  return name in there ? `${name}, stream ${row.id}` : name;
}

function sourceName(db: ShardDb, row: StreamRow): string {
  try {
    const { keyspace = '?', shard = '?' } = sourceOf(db, row);
    return `${keyspace}/${shard}`;
  } catch {
    // Damaged: its text is compared with the rest.
    return '?';
  }
}
