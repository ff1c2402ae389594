import { accessSync, constants, existsSync, lstatSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { errorText, UserError } from '../lib/errors.ts';
import { type Migration, refuseNewer } from './migrate.ts';
import { explain } from './sqlite-errors.ts';

/** What stands where a state file should be, before SQLite sees it: it would make a new file, or fill an empty one. */

/** What to do where a file is no good. */
export const GO_BACK = 'go back to a snapshot (switchtraffic snapshot list), or start again: switchtraffic init commerce --force';

/** Throws UserError, exit 2, for a folder, a link that leads nowhere, what may not be read or written, and, unless it may be made, for a file that is missing or empty. */
export function checkPlace({ path, create }: { path: string; create?: boolean }): void {
  let stat;
  try {
    stat = statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    throw new UserError(`the state file ${path} cannot be looked at: ${errorText(error).split(',')[0]}`, { next: 'check who owns its folder, or choose another place with --state', exit: 2, cause: error });
  }
  if (stat?.isDirectory() === true) throw new UserError(`the state file ${path} is a folder`, { next: 'move it away, or choose another place with --state', exit: 2 });
  if (stat === undefined && lstatSync(path, { throwIfNoEntry: false }) !== undefined) {
    throw new UserError(`the state file ${path} is a link to a file that is not there`, { next: 'put the file back, or remove the link', exit: 2 });
  }
  if (!existsSync(dirname(path))) throw explain({ code: 'SQLITE_CANTOPEN' }, path);
  // SQLite would open it for reading, leave a file beside it that is read-only too, and stumble over that once it may be written.
  if (!mayBe(path, constants.R_OK)) throw explain({ code: 'SQLITE_PERM' }, path);
  if (!mayBe(path, constants.W_OK)) throw explain({ code: 'SQLITE_READONLY' }, path);
  if (!mayBe(dirname(path), constants.W_OK)) {
    throw new UserError(`the folder of the state file ${path} is read-only`, { next: 'make it writable, or choose another place with --state', exit: 2 });
  }
  if (create !== false) return;
  if (stat === undefined) throw new UserError(`there is no state file ${path}`, { next: GO_BACK, exit: 2 });
  // One that was just made may have all of its pages in its log.
  if (stat.size === 0 && (statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0) === 0) refuseEmpty(path, 0);
}

/** Throws UserError for a file without a schema: what it held is gone, and it must not pass for a new one. */
 function refuseEmpty(path: string, schema: number): void {
  if (schema === 0) throw new UserError(`the state file ${path} is empty: what it held is gone`, { next: GO_BACK, exit: 2 });
}

/**
 * Throws UserError, exit 2, for a SQLite file that these migrations did not make: without a schema, of a newer program, or somebody
 * else's. `ask` gives the first row of a query. Before anything is written: also the way it keeps its log is written in a file.
 */
export function checkKind(path: string, migrations: readonly Migration[], ask: (sql: string, ...params: string[]) => unknown): void {
  const { user_version: schema } = ask('PRAGMA user_version') as { user_version: number };
  refuseEmpty(path, schema);
  refuseNewer(path, schema, migrations.length);
  const table = /CREATE TABLE "?(\w+)/.exec(migrations[0] ?? '')?.[1];
  if (table !== undefined && ask("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?", table) === undefined) {
    throw new UserError(`the state file ${path} is a SQLite file, but none of ours`, { next: `choose another with --state, or ${GO_BACK}`, exit: 2 });
  }
}

/** True also for what is not there. */
function mayBe(path: string, mode: number): boolean {
  try {
    accessSync(path, mode);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ENOENT';
  }
}
