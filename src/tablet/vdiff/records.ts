/**
 * The records of VDiffs in a target shard: `_vt.vdiff` (one row for each), `_vt.vdiff_table` (one for each of its tables) and
 * `_vt.vdiff_log`. Vitess: go/vt/vttablet/tabletmanager/vdiff/schema.go, action.go.
 */
import { formatDateTime } from '../../lib/go-time.ts';
import type { SqlValue } from '../../store/database.ts';
import type { ShardDb } from '../shard-db.ts';
import type { VDiffOptions } from './options.ts';

/** States of a diff and of its tables; `''` is not known. */
export type VDiffState = 'pending' | 'started' | 'stopped' | 'completed' | 'error' | '';

/** A row of `_vt.vdiff`. Times are `2026-03-27 12:00:00` UTC. */
export interface VDiffRow {
  id: number;
  vdiff_uuid: string;
  workflow: string;
  keyspace: string;
  shard: string;
  db_name: string;
  state: VDiffState;
  /** VDiffOptions as JSON. */
  options: string;
  created_at: string;
  started_at: string | null;
  liveness_timestamp: string | null;
  completed_at: string | null;
  last_error: string | null;
}

/** A row of `_vt.vdiff_table`. */
export interface VDiffTableRow {
  vdiff_id: number;
  table_name: string;
  state: VDiffState;
  /** The key up to which all rows of both sides were compared, as value-json.ts writes values. */
  lastpk: string | null;
  table_rows: number;
  rows_compared: number;
  mismatch: number;
  /** A DiffReport as JSON. */
  report: string | null;
  updated_at: string;
}

/** One row of what `show` answers for a shard: the diff joined with one of its tables. */
export interface VDiffSummaryRow {
  vdiff_state: VDiffState;
  last_error: string;
  /** Null where no table has been begun. */
  table_name: string | null;
  uuid: string;
  table_state: VDiffState | null;
  table_rows: number | null;
  started_at: string | null;
  rows_compared: number | null;
  completed_at: string | null;
  has_mismatch: number;
  report: string | null;
}

/** How many diffs `show all` lists. */
const MOST_SHOWN = 100;
/** No bound. */
export const ALL = -1;
/** The column of an error holds this many characters. */
const ERROR_CHARACTERS = 1024;

/** What a new diff is made from. */
export interface NewVDiff {
  uuid: string;
  keyspace: string;
  workflow: string;
  state: VDiffState;
  options: VDiffOptions;
}

/** Adds a diff and returns its id. `at` is in milliseconds, here and below. */
export function insertVDiff(shard: ShardDb, diff: NewVDiff, at: number): number {
  return shard.db.insert(
    'INSERT INTO "_vt.vdiff" (keyspace, workflow, state, options, shard, db_name, vdiff_uuid, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
    diff.keyspace,
    diff.workflow,
    diff.state,
    JSON.stringify(diff.options),
    shard.shard,
    shard.dbName,
    diff.uuid,
    formatDateTime(at),
  );
}

export function findVDiff(shard: ShardDb, uuid: string): VDiffRow | undefined {
  return shard.db.get<VDiffRow>('SELECT * FROM "_vt.vdiff" WHERE vdiff_uuid = ?', uuid);
}

export function readVDiff(shard: ShardDb, id: number): VDiffRow | undefined {
  return shard.db.get<VDiffRow>('SELECT * FROM "_vt.vdiff" WHERE id = ?', id);
}

/** The diffs of a workflow, the newest first. */
export function recentVDiffs(shard: ShardDb, keyspace: string, workflow: string, most = MOST_SHOWN): VDiffRow[] {
  return shard.db.all<VDiffRow>('SELECT * FROM "_vt.vdiff" WHERE keyspace = ? AND workflow = ? ORDER BY id DESC LIMIT ?', keyspace, workflow, most);
}

/** What `show` answers of one diff: a row for each table, in their order; a single one without a table before any is begun. */
export function summaryRows(shard: ShardDb, id: number): VDiffSummaryRow[] {
  return shard.db.all<VDiffSummaryRow>(
    `SELECT vd.state AS vdiff_state, coalesce(vd.last_error, '') AS last_error, vdt.table_name, vd.vdiff_uuid AS uuid,
       vdt.state AS table_state, vdt.table_rows, vd.started_at, vdt.rows_compared, vd.completed_at,
       iif(vdt.mismatch = 1, 1, 0) AS has_mismatch, vdt.report
     FROM "_vt.vdiff" AS vd LEFT JOIN "_vt.vdiff_table" AS vdt ON vd.id = vdt.vdiff_id WHERE vd.id = ? ORDER BY vdt.table_name`,
    id,
  );
}

/** Sets a diff's state, with the time that belongs to it and the error, if it is one. */
export function setVDiffState(shard: ShardDb, id: number, state: VDiffState, at: number, error = ''): void {
  const column = state === 'started' ? 'started_at' : state === 'completed' ? 'completed_at' : undefined;
  const time = column === undefined ? '' : `, ${column} = ?`;
  const params: SqlValue[] = [state, [...error].slice(0, ERROR_CHARACTERS).join('')];
  if (column !== undefined) params.push(formatDateTime(at));
  shard.db.run(`UPDATE "_vt.vdiff" SET state = ?, last_error = ?${time} WHERE id = ?`, ...params, id);
  logVDiff(shard, id, `State changed to: ${state}`, at);
}

export function logVDiff(shard: ShardDb, id: number, message: string, at: number): void {
  shard.db.run('INSERT INTO "_vt.vdiff_log" (vdiff_id, created_at, message) VALUES (?, ?, ?)', id, formatDateTime(at), message);
}

/** A diff's log, oldest first. */
export function vdiffLog(shard: ShardDb, id: number): { created_at: string; message: string }[] {
  return shard.db.all('SELECT created_at, message FROM "_vt.vdiff_log" WHERE vdiff_id = ? ORDER BY id', id);
}

/** Adds a table to a diff, or notes anew how many rows it has. */
export function putVDiffTable(shard: ShardDb, id: number, table: string, rows: number, at: number): void {
  const time = formatDateTime(at);
  shard.db.run(
    `INSERT INTO "_vt.vdiff_table" (vdiff_id, table_name, state, table_rows, created_at, updated_at) VALUES (?, ?, 'pending', ?, ?, ?)
     ON CONFLICT (vdiff_id, table_name) DO UPDATE SET table_rows = excluded.table_rows, updated_at = excluded.updated_at`,
    id,
    table,
    rows,
    time,
    time,
  );
}

export function readVDiffTable(shard: ShardDb, id: number, table: string): VDiffTableRow | undefined {
  return shard.db.get<VDiffTableRow>('SELECT * FROM "_vt.vdiff_table" WHERE vdiff_id = ? AND table_name = ?', id, table);
}

export function readVDiffTables(shard: ShardDb, id: number): VDiffTableRow[] {
  return shard.db.all<VDiffTableRow>('SELECT * FROM "_vt.vdiff_table" WHERE vdiff_id = ? ORDER BY table_name', id);
}

/** Changes columns of one table of a diff. */
export function updateVDiffTable(
  shard: ShardDb,
  id: number,
  table: string,
  changes: Partial<Pick<VDiffTableRow, 'state' | 'lastpk' | 'rows_compared' | 'mismatch' | 'report'>>,
  at: number,
): void {
  const columns = Object.keys(changes);
  shard.db.run(
    `UPDATE "_vt.vdiff_table" SET ${columns.map((column) => `${column} = ?`).join(', ')}, updated_at = ? WHERE vdiff_id = ? AND table_name = ?`,
    ...(Object.values(changes) as SqlValue[]),
    formatDateTime(at),
    id,
    table,
  );
}

/** Makes a diff that was stopped, or has ended, ready to go on. False if it is neither. */
export function resumeVDiff(shard: ShardDb, { id, state }: VDiffRow): boolean {
  if (state !== 'completed' && state !== 'stopped') return false;
  const tables = readVDiffTables(shard, id);
  if (tables.length === 0 && state !== 'stopped') return false;
  const open = tables.filter((table) => table.state === 'completed' || table.state === 'stopped');
  if (tables.length > 0 && open.length === 0) return false;
  shard.db.run(`UPDATE "_vt.vdiff" SET state = 'pending', started_at = NULL, completed_at = NULL WHERE id = ?`, id);
  shard.db.run(`UPDATE "_vt.vdiff_table" SET state = 'pending' WHERE vdiff_id = ? AND state IN ('completed', 'stopped')`, id);
  return true;
}

/** Makes a diff that ended with an error ready for another try. */
export function retryVDiff(shard: ShardDb, id: number): void {
  shard.db.run(`UPDATE "_vt.vdiff" SET state = 'pending', last_error = '' WHERE id = ?`, id);
  shard.db.run(`UPDATE "_vt.vdiff_table" SET state = 'pending' WHERE vdiff_id = ?`, id);
}

/** Marks a diff as stopped by its user, unless it is completed: then there is nothing to stop. */
export function stopVDiff(shard: ShardDb, { id, state }: VDiffRow, at: number): void {
  if (state === 'completed') return;
  shard.db.run(`UPDATE "_vt.vdiff" SET state = 'stopped', last_error = '' WHERE id = ?`, id);
  shard.db.run(`UPDATE "_vt.vdiff_table" SET state = 'stopped' WHERE vdiff_id = ?`, id);
  logVDiff(shard, id, 'State changed to: stopped (by user request)', at);
}

/** Deletes a diff with its tables and its log. */
export function deleteVDiff(shard: ShardDb, id: number): void {
  shard.db.run('DELETE FROM "_vt.vdiff_table" WHERE vdiff_id = ?', id);
  shard.db.run('DELETE FROM "_vt.vdiff_log" WHERE vdiff_id = ?', id);
  shard.db.run('DELETE FROM "_vt.vdiff" WHERE id = ?', id);
}

/** Deletes everything about the diffs of a workflow, as its end does. */
export function deleteWorkflowVDiffs(shard: ShardDb, workflow: string): void {
  for (const { id } of shard.db.all<{ id: number }>('SELECT id FROM "_vt.vdiff" WHERE workflow = ?', workflow)) deleteVDiff(shard, id);
}
