import { Journal } from '../../topo/proto/messages-binlogdata.ts';
import { BinlogSource as BinlogSourceMessage } from '../../topo/proto/messages-binlogdata.ts';
import { prototext } from '../../topo/proto/prototext.ts';
import { parsePrototext } from '../../topo/proto/prototext-parse.ts';
import type { BinlogSource, Journal as JournalRecord } from '../../topo/proto/types-workflow.ts';
import type { BinlogTransaction, ShardDb } from '../shard-db.ts';
import type { StreamFilters } from './filter.ts';
import { sourceOf } from './stream-source.ts';
import { deleteStream, insertStream, readStreams, type StreamRow, updateStream } from './streams.ts';

/**
 * What a stream of another workflow does when it meets the journal of a switch in its source's binlog: it goes on from the shards
 * that the traffic went to, once every source of the switch that it reads from has got there.
 * Vitess: go/vt/vttablet/tabletmanager/vreplication/vplayer.go (VEventType_JOURNAL), engine.go registerJournal.
 */

/** Of `workflow_type`: a stream that fills a lookup vindex. */
const LOOKUP = 2;

/**
 * The place of the first journal among transactions that concerns the stream, with the journal; undefined if none does. A release
 * lets a stream follow into its own shard, where it then reads what it writes (#19680), and one of a lookup vindex to another
 * keyspace, where keyspace ids are others or none (#20915, cured in v24.0.3); `hardened` does neither: `harmful`.
 */
export function findJournal(
  transactions: readonly BinlogTransaction[],
  filters: StreamFilters,
  target: ShardDb,
  row: StreamRow,
  harmful: 'follow' | 'pass over',
): { index: number; journal: JournalRecord } | undefined {
  for (const [index, { events }] of transactions.entries()) {
    for (const event of events) {
      if (event.kind !== 'journal') continue;
      const journal = parsePrototext(Journal, event.val) as JournalRecord;
      if (harmful === 'pass over' && (endsIn(journal, target) || (row.workflow_type === LOOKUP && journal.migration_type !== 'SHARDS'))) continue;
      if (journal.migration_type === 'SHARDS' || matches(journal, filters) !== 'none') return { index, journal };
    }
  }
  return undefined;
}

/** True for a stream of the switch itself, or as good as: it ends where the traffic went. */
function endsIn(journal: JournalRecord, target: ShardDb): boolean {
  return (journal.shard_gtids ?? []).some(({ keyspace, shard }) => keyspace === target.keyspace && shard === target.shard);
}

function matches(journal: JournalRecord, filters: StreamFilters): 'all' | 'some' | 'none' {
  const moved = new Set(journal.tables ?? []);
  const own = filters.all.map(({ table }) => table);
  const found = own.filter((table) => moved.has(table)).length;
  return found === 0 ? 'none' : found === own.length ? 'all' : 'some';
}

/** Acts on a journal, inside the target's transaction. `at` is in seconds. */
export function followJournal(target: ShardDb, row: StreamRow, journal: JournalRecord, filters: StreamFilters, at: number): void {
  const stop = (message: string): void => updateStream(target, row.id, { state: 'Stopped', message }, at);
  if (journal.migration_type !== 'SHARDS' && matches(journal, filters) === 'some') {
    return stop('unable to handle journal event: tables were partially matched');
  }
  const siblings = readStreams(target, row.workflow);
  const sources = new Map(siblings.map((stream) => [stream.id, sourceOf(target, stream)]));
  const read = new Set([...sources.values()].map(placeOf));
  const places = (journal.participants ?? []).map(placeOf);
  const missing = places.find((place) => !read.has(place));
  if (missing !== undefined) return stop(`cannot redirect on journal: not all sources are present in this workflow: missing ${missing}`);
  const arrived = register(target, row, journal, placeOf(sources.get(row.id)!));
  if (places.some((place) => arrived[place] === undefined)) return;
  const reference = siblings.find((stream) => stream.id === arrived[places.toSorted()[0]!]) ?? row;
  for (const { keyspace = '', shard = '', gtid = '' } of (journal.shard_gtids ?? []).toSorted((a, b) => ((a.shard ?? '') < (b.shard ?? '') ? -1 : 1))) {
    const { id: _id, ...copied } = reference;
    const source = prototext(BinlogSourceMessage, { ...sources.get(reference.id)!, keyspace, shard });
    insertStream(target, { ...copied, source, pos: gtid, stop_pos: null, state: 'Running', message: '', rows_copied: 0, time_updated: at, transaction_timestamp: 0 }, at);
  }
  for (const place of places) deleteStream(target, arrived[place]!);
  target.db.run('DELETE FROM _meta WHERE key = ?', keyOf(row, journal));
}

const placeOf = ({ keyspace, shard }: Partial<Pick<BinlogSource, 'keyspace' | 'shard'>>): string => `${keyspace ?? ''}:${shard ?? ''}`;

const keyOf = (row: StreamRow, journal: JournalRecord): string => `journal ${row.workflow} ${journal.id ?? '0'}`;

/** Notes that a stream has come to the journal. Returns those that have, by source. */
function register(target: ShardDb, row: StreamRow, journal: JournalRecord, place: string): Record<string, number> {
  const key = keyOf(row, journal);
  const known = target.db.get<{ value: string }>('SELECT value FROM _meta WHERE key = ?', key)?.value;
  const arrived = { ...(known === undefined ? {} : (JSON.parse(known) as Record<string, number>)), [place]: row.id };
  target.db.run('INSERT INTO _meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value', key, JSON.stringify(arrived));
  return arrived;
}
