import type { ShardDb } from '../shard-db.ts';
import { deleteWorkflowVDiffs } from '../vdiff/records.ts';

/** A row of `_vt.vreplication`. Times are epoch seconds. */
export interface StreamRow {
  id: number;
  workflow: string;
  /** Prototext BinlogSource. */
  source: string;
  pos: string;
  stop_pos: string | null;
  max_tps: number | string;
  max_replication_lag: number | string;
  cell: string | null;
  tablet_types: string | null;
  time_updated: number;
  transaction_timestamp: number;
  state: StreamState;
  message: string | null;
  db_name: string;
  rows_copied: number;
  tags: string;
  time_heartbeat: number;
  workflow_type: number;
  time_throttled: number;
  component_throttled: string;
  reason_throttled: string;
  workflow_sub_type: number;
  defer_secondary_keys: number;
  options: string;
}

export type StreamState = 'Init' | 'Stopped' | 'Copying' | 'Running' | 'Error' | 'Lagging';

/** What may be given for a new row; the rest has the column's default. */
export type NewStream = Pick<StreamRow, 'workflow' | 'source' | 'pos' | 'state' | 'db_name' | 'time_updated'> &
  Partial<Omit<StreamRow, 'id'>>;

/** Message of a workflow that a switch has left behind: it cannot be started again. */
export const FROZEN = 'FROZEN';

/** The message of a stream that a switch has stopped, once it had applied everything. */
export const STOPPED_FOR_CUTOVER = 'stopped for cutover';
/** `max_tps` and `max_replication_lag` of a stream that Vitess inserts by itself: no limit. */
export const UNLIMITED = '9223372036854775807';
/** A message column holds this many bytes of an error. */
const MESSAGE_BYTES = 950;

/** What remembered answers about streams go by (`Database.remember`). */
const STREAMS = '_vt.vreplication';

/** Every stream of a shard, by id. */
export function readStreams(shard: ShardDb, workflow?: string): readonly Readonly<StreamRow>[] {
  return shard.db.remember(STREAMS, workflow === undefined ? 'all' : `of ${workflow}`, () => {
    const rows =
      workflow === undefined
        ? shard.db.all<StreamRow>('SELECT * FROM "_vt.vreplication" ORDER BY id')
        : shard.db.all<StreamRow>('SELECT * FROM "_vt.vreplication" WHERE workflow = ? ORDER BY id', workflow);
    for (const row of rows) Object.freeze(row);
    return Object.freeze(rows);
  });
}

/** The ids of a shard's streams that work, in order. */
export function runningStreams(shard: ShardDb): readonly number[] {
  return shard.db.remember(STREAMS, 'running', () =>
    shard.db.all<{ id: number }>(`SELECT id FROM "_vt.vreplication" WHERE state IN ('Running', 'Copying') ORDER BY id`).map(({ id }) => id),
  );
}

/** True if a shard has any stream. */
export function hasStreams(shard: ShardDb): boolean {
  return shard.db.get('SELECT 1 FROM "_vt.vreplication" LIMIT 1') !== undefined;
}

export function readStream(shard: ShardDb, id: number): Readonly<StreamRow> | undefined {
  return shard.db.remember(STREAMS, String(id), () => {
    const row = shard.db.get<StreamRow>('SELECT * FROM "_vt.vreplication" WHERE id = ?', id);
    return row === undefined ? undefined : Object.freeze(row);
  });
}

/** Inserts a stream and returns its id, which is never used again. */
export function insertStream(shard: ShardDb, row: NewStream, at: number): number {
  const columns = Object.keys(row);
  const id = shard.db.insert(
    `INSERT INTO "_vt.vreplication" (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`,
    ...(Object.values(row) as (string | number | null)[]),
  );
  logStream(shard, id, 'Stream Created', row.state, JSON.stringify({ workflow: row.workflow, source: row.source }), at);
  return id;
}

/** Puts back a stream that was deleted, under its own id. */
export function restoreStream(shard: ShardDb, row: StreamRow): void {
  const columns = Object.keys(row);
  shard.db.run(
    `INSERT INTO "_vt.vreplication" (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`,
    ...(Object.values(row) as (string | number | null)[]),
  );
}

/** Changes columns of one stream, logging a change of state or message as the engine does. */
export function updateStream(shard: ShardDb, id: number, changes: Partial<StreamRow>, at: number): void {
  const before = readStream(shard, id);
  if (before === undefined) return;
  const cut = { ...changes };
  if (typeof cut.message === 'string') cut.message = cut.message.slice(0, MESSAGE_BYTES);
  const columns = Object.keys(cut);
  shard.db.run(
    `UPDATE "_vt.vreplication" SET ${columns.map((column) => `${column} = ?`).join(', ')} WHERE id = ?`,
    ...(Object.values(cut) as (string | number | null)[]),
    id,
  );
  if (cut.state !== undefined && cut.state !== before.state) {
    logStream(shard, id, cut.state === 'Error' ? 'Error' : 'State Changed', cut.state, cut.message ?? '', at);
  } else if (typeof cut.message === 'string' && cut.message !== '' && cut.message !== before.message) {
    logStream(shard, id, 'Message', before.state, cut.message, at);
  }
}

/** Deletes a workflow's streams and what belongs to them. Returns how many there were; none is not an error. */
export function deleteWorkflowStreams(shard: ShardDb, workflow: string): number {
  shard.db.run(
    'DELETE FROM "_vt.copy_state" WHERE vrepl_id IN (SELECT id FROM "_vt.vreplication" WHERE workflow = ?)',
    workflow,
  );
  deleteWorkflowVDiffs(shard, workflow);
  return shard.db.run('DELETE FROM "_vt.vreplication" WHERE workflow = ?', workflow);
}

/** Deletes one stream and what belongs to it. */
export function deleteStream(shard: ShardDb, id: number): void {
  shard.db.run('DELETE FROM "_vt.copy_state" WHERE vrepl_id = ?', id);
  shard.db.run('DELETE FROM "_vt.vreplication" WHERE id = ?', id);
}

/** A table that a stream still has to copy, and the key that its copy has reached: values of the key as value-json.ts writes them. */
export interface CopyState {
  table: string;
  lastpk: string | null;
}

/** Tables that a stream still has to copy, the next one first. */
export function readCopyState(shard: ShardDb, id: number, most = -1): CopyState[] {
  return shard.db.all(
    'SELECT table_name AS "table", lastpk FROM "_vt.copy_state" WHERE vrepl_id = ? ORDER BY table_name LIMIT ?',
    id,
    most,
  );
}

/** True if a stream still has tables to copy. */
export function hasCopyState(shard: ShardDb, id: number): boolean {
  return shard.db.get('SELECT 1 FROM "_vt.copy_state" WHERE vrepl_id = ? LIMIT 1', id) !== undefined;
}

export interface StreamLog {
  id: number;
  vrepl_id: number;
  type: string;
  state: string;
  message: string;
  created_at: number;
  updated_at: number;
  count: number;
}

export function readStreamLogs(shard: ShardDb, id: number): StreamLog[] {
  return shard.db.all<StreamLog>('SELECT * FROM "_vt.vreplication_log" WHERE vrepl_id = ? ORDER BY id', id);
}

/** Adds a line to a stream's log; the same message again only counts. `at` is in seconds. */
export function logStream(shard: ShardDb, id: number, type: string, state: string, message: string, at: number): void {
  const last = shard.db.get<StreamLog>(
    'SELECT * FROM "_vt.vreplication_log" WHERE vrepl_id = ? ORDER BY id DESC LIMIT 1',
    id,
  );
  if (last !== undefined && last.type === type && last.message === message && last.state === state) {
    shard.db.run('UPDATE "_vt.vreplication_log" SET count = count + 1, updated_at = ? WHERE id = ?', at, last.id);
    return;
  }
  shard.db.run(
    'INSERT INTO "_vt.vreplication_log" (vrepl_id, type, state, message, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?)',
    id,
    type,
    state,
    message,
    at,
    at,
  );
}

/** The journal rows of a migration id. */
export function readJournal(shard: ShardDb, id: string): string | undefined {
  return shard.db.get<{ val: string }>('SELECT val FROM "_vt.resharding_journal" WHERE id = ?', id)?.val;
}
