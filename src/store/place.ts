import { existsSync, lstatSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { UserError } from '../lib/errors.ts';
import { explain } from './sqlite-errors.ts';

/** What stands where a state file should be, before SQLite sees it: it would make a new file, or fill an empty one. */

/** What to do where a file is no good. */
export const GO_BACK = 'go back to a snapshot (switchtraffic snapshot list), or start again: switchtraffic init commerce --force';

/** Throws UserError, exit 2, for a folder, a link that leads nowhere, and, unless it may be made, for a file that is missing or empty. */
export function checkPlace({ path, create }: { path: string; create?: boolean }): void {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat?.isDirectory() === true) throw new UserError(`the state file ${path} is a folder`, { next: 'move it away, or choose another place with --state', exit: 2 });
  if (stat === undefined && lstatSync(path, { throwIfNoEntry: false }) !== undefined) {
    throw new UserError(`the state file ${path} is a link to a file that is not there`, { next: 'put the file back, or remove the link', exit: 2 });
  }
  if (!existsSync(dirname(path))) throw explain({ code: 'SQLITE_CANTOPEN' }, path);
  if (create !== false) return;
  if (stat === undefined) throw new UserError(`there is no state file ${path}`, { next: GO_BACK, exit: 2 });
  // One that was just made may have all of its pages in its log.
  if (stat.size === 0 && (statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0) === 0) refuseEmpty(path, 0);
}

/** Throws UserError for a file without a schema: what it held is gone, and it must not pass for a new one. */
export function refuseEmpty(path: string, schema: number): void {
  if (schema === 0) throw new UserError(`the state file ${path} is empty: what it held is gone`, { next: GO_BACK, exit: 2 });
}
