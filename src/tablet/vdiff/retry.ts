/** Diffs that ended with an error and are tried again. Vitess: go/vt/vttablet/tabletmanager/vdiff/engine.go retryVDiffs. */
import { parseDateTime } from '../../lib/go-time.ts';
import { mysqlErrno } from '../../sql/mysql-errors.ts';
import type { ShardDb } from '../shard-db.ts';
import type { VDiffOptions } from './options.ts';
import { vdiffLog, type VDiffRow } from './records.ts';

/** How often the engine looks. */
const RETRY_MS = 30_000;

/**
 * MySQL errors that may be gone at the next try. An error without a number counts as one of them.
 * Vitess: go/mysql/sqlerror/constants.go IsEphemeralError.
 */
const EPHEMERAL = new Set([
  1021, 1037, 1038, 1041, 1053, 1078, 1080, 1105, 1129, 1135, 1203, 1205, 1206, 1213, 1226, 1317, 1815, 1874, 2000, 2002, 2003, 2005,
  2006, 2012, 2013, 2018, 2026, 2027, 3024, 3168,
]);

/** True if a diff would have been tried again by now: it asked for that, its error may be gone, and it is 30 seconds old. */
export function isDueAgain(shard: ShardDb, vdiff: VDiffRow, now: number): boolean {
  if (vdiff.state !== 'error' || !(JSON.parse(vdiff.options) as VDiffOptions).core_options.auto_retry) return false;
  if (!isEphemeral(vdiff.last_error ?? '')) return false;
  const failed = vdiffLog(shard, vdiff.id).at(-1)?.created_at ?? '';
  return now - parseDateTime(failed) >= RETRY_MS;
}

function isEphemeral(text: string): boolean {
  const errno = mysqlErrno(new Error(text));
  return errno === undefined || EPHEMERAL.has(errno);
}
