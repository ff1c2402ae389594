import { UserError } from '../lib/errors.ts';

/** True if another connection holds the lock that a call needed. */
export function isBusy(error: unknown): boolean {
  const code = (error as { code?: unknown }).code;
  return typeof code === 'string' && code.startsWith('SQLITE_BUSY');
}

const REMEDIES: [prefix: string, text: string, next: string][] = [
  ['SQLITE_BUSY', 'is locked by another process', 'wait for it, or see who holds it: switchtraffic lock show'],
  ['SQLITE_NOTADB', 'is not a state file', 'choose another with --state, go back to a snapshot (switchtraffic snapshot list), or replace it: switchtraffic init commerce --force'],
  ['SQLITE_CORRUPT', 'is damaged', 'go back to a snapshot (switchtraffic snapshot list), or start again: switchtraffic init commerce --force'],
  ['SQLITE_READONLY', 'is read-only', 'make it, its folder and what lies beside it (-wal, -shm) writable, or choose another place with --state'],
  ['SQLITE_CANTOPEN', 'cannot be opened', 'check that the folder exists and is writable'],
  ['SQLITE_PERM', 'may not be opened', 'make it readable and writable for this user'],
  ['SQLITE_AUTH', 'may not be opened', 'make it readable and writable for this user'],
  ['SQLITE_FULL', 'cannot grow: the disk is full', 'free some space and run the command again'],
  ['SQLITE_NOMEM', 'cannot be read: there is no memory left', 'free some memory and run the command again'],
  ['SQLITE_IOERR', 'cannot be read or written', 'check the disk, the quota and the limit of file sizes, and run the command again'],
  ['SQLITE_PROTOCOL', 'is locked by another process', 'wait for it, and run the command again'],
];

/** Turns SQLite's codes into what a person can act on (UserError, exit 2); anything else is passed on. */
export function explain(error: unknown, path: string): unknown {
  const code = (error as { code?: unknown }).code;
  if (typeof code !== 'string') return error;
  const remedy = REMEDIES.find(([prefix]) => code.startsWith(prefix));
  if (remedy === undefined) return error;
  return new UserError(`the state file ${path} ${remedy[1]}`, { next: remedy[2], exit: 2, cause: error });
}
