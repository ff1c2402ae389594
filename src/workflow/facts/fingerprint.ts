import { createHash, type Hash } from 'node:crypto';
import type { Context } from '../../runtime/context.ts';
import type { TableDef } from '../../sql/schema.ts';
import { sqliteName } from '../../sql/storage.ts';
import type { SqlValue } from '../../store/database.ts';
import type { Cluster } from '../../tablet/cluster.ts';
import type { ShardDb } from '../../tablet/shard-db.ts';
import { readViews } from '../../tablet/view.ts';
import { tablesWritten } from '../../tablet/vreplication/rule.ts';
import { sourceOf } from '../../tablet/vreplication/stream-source.ts';
import { FROZEN, readStreams, type StreamRow } from '../../tablet/vreplication/streams.ts';
import { cellNames } from '../../topo/cells.ts';
import { findAllShards, keyspaceNames, shardText } from '../../topo/keyspaces.ts';
import type { MirrorRules, RoutingRules, SrvVSchema } from '../../topo/proto/types.ts';

/** A state as a tree of plain values: two of them are equal if the states are. */
export interface Fingerprint {
  topology: Record<string, unknown>;
  locks: string[];
  shards: Record<string, ShardPrint>;
}

interface ShardPrint {
  streams: object[];
  /** What each tablet believes. */
  tablets: Record<string, object>;
  journals: string[];
  /** By table: its rows as text, or their number and hash where they are many. */
  rows: Record<string, string[] | { count: number; sha256: string }>;
}

/** Tables with more rows are compared by hash: a difference in them has no rows to show. */
const ROWS_SHOWN = 1000;

/**
 * The state of a cluster as "equal to what it was" means it: topology records without their versions; of each stream its
 * state, message, stop position, cell and tablet types; what each tablet denies and serves; rows, those apart that a stream
 * writes. Not: history, fences, ids that were used up, timestamps, positions.
 */
export async function takeFingerprint(ctx: Context, cluster: Cluster): Promise<Fingerprint> {
  const { conn } = cluster.topo;
  const topology: Record<string, unknown> = {};
  for (const cell of ['global', ...(await cellNames(ctx, cluster.topo))]) {
    for (const { path, contents } of await conn.forCell(cell).list(ctx, '')) {
      if (!path.startsWith('switchtraffic/history')) topology[`${cell}:${path}`] = recordOf(path, contents);
    }
  }
  const shards: Record<string, ShardPrint> = {};
  for (const keyspace of await keyspaceNames(ctx, cluster.topo)) {
    for (const info of await findAllShards(ctx, cluster.topo, keyspace)) {
      shards[shardText(info)] = shardPrint(cluster.shards.open(keyspace, info.name));
    }
  }
  // A lock whose lease has run out is nobody's; its row stays until somebody asks for the lock.
  const locks = conn.locks().filter((lock) => lock.expiresMs > 0);
  return { topology, locks: locks.map((lock) => lock.resource), shards };
}

/** Routing and mirror rules by name: their order means nothing, and as a list, one more would make every later one look changed. */
export function recordOf(path: string, contents: string): unknown {
  const known = read.get(contents);
  if (known !== undefined) return known;
  const record = readRecord(path, contents);
  if (read.size >= MOST_READ) read.clear();
  read.set(contents, record);
  return record;
}

/** Records by their text: most have not changed since they were compared last. Nobody writes to what stands here. */
const read = new Map<string, unknown>();
const MOST_READ = 2000;

function readRecord(path: string, contents: string): unknown {
  const record = JSON.parse(contents) as unknown;
  if (path.endsWith('RoutingRules')) return rulesByName(record);
  if (path.endsWith('MirrorRules')) return mirrorsByName(record as MirrorRules);
  if (!path.endsWith('SrvVSchema')) return record;
  const { routing_rules: rules, mirror_rules: mirrors, ...rest } = record as SrvVSchema;
  return { ...rest, routing_rules: rulesByName(rules), ...(mirrors && { mirror_rules: mirrorsByName(mirrors) }) };
}

function mirrorsByName({ rules = [] }: MirrorRules): unknown {
  return Object.fromEntries(rules.map(({ from_table: from, to_table: to, percent }) => [`${from} -> ${to}`, percent]));
}

function rulesByName(record: unknown): unknown {
  if (!isRules(record)) return record;
  return Object.fromEntries(record.rules.map(({ from_table: from = '', to_tables: to = [] }) => [from, to]));
}

function isRules(record: unknown): record is Required<RoutingRules> {
  const rules = (record as Partial<RoutingRules> | undefined)?.rules;
  return Array.isArray(rules) && rules.every((rule) => typeof rule.from_table === 'string');
}

function shardPrint(shard: ShardDb): ShardPrint {
  const streams = readStreams(shard);
  const tables = shard.tables();
  // The rows of tables that a stream writes follow those of its source, sooner or later.
  const copied = new Set(streams.filter(({ message }) => message !== FROZEN).flatMap((row) => tablesWritten(sourceOf(shard, row), tables.map(({ name }) => name))));
  const rows: ShardPrint['rows'] = {};
  for (const table of tables) if (!copied.has(table.name)) rows[table.name] = rowsOf(shard, table);
  return {
    streams: streams.map(streamPrint),
    tablets: Object.fromEntries(readViews(shard).map(({ alias, view }) => [alias, { ...view, fence: 0 }])),
    journals: shard.db.all<{ id: unknown }>('SELECT id FROM "_vt.resharding_journal" ORDER BY id').map(({ id }) => String(id)),
    rows,
  };
}

/** What of a stream makes it the same stream. */
export function streamPrint(row: StreamRow): object {
  const { workflow, state, message, stop_pos, cell, tablet_types, source } = row;
  return { workflow, state, message: message ?? '', stop_pos, cell, tablet_types, source };
}

function rowsOf(shard: ShardDb, { name, primaryKey }: TableDef): string[] | { count: number; sha256: string } {
  const order = primaryKey.length === 0 ? 'rowid' : primaryKey.map(sqliteName).join(', ');
  const rows: string[] = [];
  let count = 0;
  let hash: Hash | undefined;
  for (const row of shard.db.iterate<Record<string, SqlValue>>(`SELECT * FROM ${sqliteName(name)} ORDER BY ${order}`)) {
    const text = rowText(row);
    if (++count <= ROWS_SHOWN) rows.push(text);
    else (hash ??= createHash('sha256').update(rows.join(''))).update(text);
  }
  return hash === undefined ? rows : { count, sha256: hash.digest('hex') };
}

function rowText(row: Record<string, SqlValue>): string {
  for (const [column, value] of Object.entries(row)) {
    if (value instanceof Uint8Array) row[column] = `0x${Buffer.from(value).toString('hex')}`;
    else if (typeof value === 'bigint') row[column] = String(value);
  }
  return JSON.stringify(row);
}
