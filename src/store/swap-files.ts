import { existsSync, linkSync, realpathSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type BetterSqlite3 from 'better-sqlite3';
import { UserError } from '../lib/errors.ts';
import type { Clock } from '../runtime/clock.ts';
import { checkPlace } from './place.ts';
import { openFile } from './raw.ts';
import { explain, isBusy } from './sqlite-errors.ts';

/** How long the file's lock may be waited for at one go, which blocks the loop; and how often it is tried. */
const LOCK_MS = 40;
const MOST_TRIES = 500;

/** Puts a closed SQLite file in a place where none is. Throws UserError if one came there meanwhile. */
export function putFile(file: string, target: string): void {
  try {
    linkSync(file, target);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : '';
    if (code === 'EEXIST') throw new UserError(`another process has made a cluster in ${dirname(target)} meanwhile`, { next: 'look at it: switchtraffic show keyspace', exit: 2 });
    // A file system without hard links.
    renameSync(file, target);
    return;
  }
  rmSync(file, { force: true });
}

/**
 * Puts a closed SQLite file in the place of another, in one instant: whoever dies before has changed nothing. The old one is locked
 * meanwhile, all that its log holds is written back into it first, and `check` is asked whether it may go; what that throws is thrown.
 * `bury` is run on the old one right after, under the same lock: a process that still has it open finds nothing in it, instead of working on what is
 * gone. What is damaged or no such file is replaced as it is. Throws UserError, exit 75, where some process keeps it locked.
 */
export async function swapFile(file: string, target: string, clock: Clock, check: () => void, bury: string): Promise<void> {
  if (existsSync(target)) checkPlace({ path: target });
  for (let tries = 1; existsSync(target); tries++) {
    const old = lockSettled(target);
    if (old === 'damaged') break;
    if (old === 'busy') {
      if (tries >= MOST_TRIES) throw new UserError(`the state ${target} is locked by another process`, { next: 'run it again when that has ended', exit: 75 });
      await clock.turn();
      continue;
    }
    try {
      check();
      removeLogs(target);
      renameSync(file, target);
      try {
        old.exec(bury);
        old.exec('COMMIT');
      } catch {
        // The swap is done. On a full disk whoever has the old one open goes on in it.
      }
      return;
    } finally {
      if (old.inTransaction) old.exec('ROLLBACK');
      old.close();
    }
  }
  removeLogs(target);
  renameSync(file, target);
}

/** A log that stayed beside the old file would be taken for one of the new. */
function removeLogs(target: string): void {
  for (const suffix of ['-wal', '-shm', '-journal']) rmSync(`${target}${suffix}`, { force: true });
}

/** A connection that holds the write lock of a file whose log is empty: nothing is lost with the log. */
function lockSettled(target: string): BetterSqlite3.Database | 'busy' | 'damaged' {
  let raw: BetterSqlite3.Database | undefined;
  try {
    raw = openFile(target);
    raw.pragma(`busy_timeout = ${LOCK_MS}`);
    raw.pragma('wal_checkpoint(TRUNCATE)');
    raw.exec('BEGIN IMMEDIATE');
    if ((statSync(`${realpathSync(target)}-wal`, { throwIfNoEntry: false })?.size ?? 0) === 0) return raw;
    raw.close();
    return 'busy';
  } catch (error) {
    raw?.close();
    if (isBusy(error)) return 'busy';
    if (isDamage(error)) return 'damaged';
    throw explain(error, target);
  }
}

function isDamage(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return code.startsWith('SQLITE_NOTADB') || code.startsWith('SQLITE_CORRUPT');
}
