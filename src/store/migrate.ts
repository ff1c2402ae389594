import { UserError } from '../lib/errors.ts';
import type { Database } from './database.ts';

/** A step of a file's schema. They are numbered by their place, from 1, and never changed once released. */
export type Migration = string;

/**
 * Brings a file to the newest schema, each step in the transaction that also counts it, so that two processes that
 * open a new file at once do it once. Throws UserError for a file made by a newer version of this program.
 */
export function migrate(database: Database, migrations: readonly Migration[]): void {
  const current = (): number => Number(database.pragma('user_version'));
  refuseNewer(database.path, current(), migrations.length);
  if (current() === migrations.length) return;
  database.transact(() => {
    for (let next = current(); next < migrations.length; next++) {
      database.exec(migrations[next]!);
      database.exec(`PRAGMA user_version = ${next + 1}`);
    }
  });
}

/** Throws UserError for a file whose schema is newer than what this program knows. */
export function refuseNewer(path: string, found: number, known: number): void {
  if (found <= known) return;
  throw new UserError(`the state file ${path} has schema ${found}; this switchtraffic knows up to ${known}`, {
    next: 'run a newer switchtraffic, or start again: switchtraffic init commerce --force',
    exit: 2,
  });
}
