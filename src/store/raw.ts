import { statSync } from 'node:fs';
import BetterSqlite3 from 'better-sqlite3';
import { explain } from './sqlite-errors.ts';

/** The driver's connections, as every file and every database in memory is opened. */

/** How long opening may wait: whoever closed the file last may still be writing it back, and nobody waits for us yet. */
export const OPEN_BUSY_MS = 2_000;

/** A connection to a file, or to an empty database in memory for `:memory:`. `check` sees it before anything is written. Throws what SQLite and `check` throw. */
export function openFile(path: string, check?: (raw: BetterSqlite3.Database) => void): BetterSqlite3.Database {
  return openWhole(path, { timeout: OPEN_BUSY_MS }, (raw) => {
    check?.(raw);
    setPragmas(raw, path);
  });
}

/**
 * A connection to a file and to the log of that same file. SQLite opens the file by its name, and its log by the name too, but only
 * when it is first asked something, which `first` does: of a file that is swapped in between it would have the old one with the log
 * of the new one, and what it writes would destroy the new one.
 */
export function openWhole(path: string, options: BetterSqlite3.Options, first: (raw: BetterSqlite3.Database) => void): BetterSqlite3.Database {
  for (;;) {
    const before = identity(path);
    // One that is made now is nobody else's yet.
    const isSwapped = (): boolean => before !== undefined && identity(path) !== before;
    const raw = new BetterSqlite3(path, options);
    try {
      first(raw);
      if (!isSwapped()) return raw;
    } catch (error) {
      if (!isSwapped()) {
        raw.close();
        throw error;
      }
    }
    raw.close();
  }
}

function identity(path: string): string | undefined {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stat && `${stat.dev}/${stat.ino}`;
}

/** A database in memory that begins with these contents and goes its own way. */
export function openInMemory(contents?: Buffer): BetterSqlite3.Database {
  const raw = new BetterSqlite3(contents ?? ':memory:');
  setPragmas(raw, ':memory:');
  return raw;
}

/** The contents of a file, as a database in memory may begin with them: one in memory has no log, and the header must not ask for it. */
export function asInMemory(contents: Buffer): Buffer {
  const own = Buffer.from(contents);
  if (own.length >= 20) own.fill(1, 18, 20);
  return own;
}

/**
 * A connection to a file that sees the data of this moment, whatever is written later, until it is closed; the log of the file grows
 * meanwhile. Throws UserError where the file cannot be read.
 */
export function openReader(path: string): BetterSqlite3.Database {
  try {
    return openWhole(path, { fileMustExist: true, timeout: OPEN_BUSY_MS }, pin);
  } catch (error) {
    throw explain(error, path);
  }
}

/** Lets a connection see the data of this moment from here on: a transaction sees that of the moment at which it first reads. */
export function pin(raw: BetterSqlite3.Database): void {
  raw.exec('BEGIN');
  raw.prepare('SELECT 1 FROM sqlite_schema').get();
}

/** Empty databases by the migrations they were made with. */
const emptyOnes = new WeakMap<object, Buffer>();

export function emptyFor(migrations: object): Buffer | undefined {
  return emptyOnes.get(migrations);
}

export function keepEmpty(migrations: object, raw: BetterSqlite3.Database): void {
  emptyOnes.set(migrations, raw.serialize());
}

function setPragmas(raw: BetterSqlite3.Database, path: string): void {
  // FULL: what was acknowledged survives power loss, not only a killed process.
  raw.pragma(path === ':memory:' ? 'journal_mode = MEMORY' : 'journal_mode = WAL');
  raw.pragma(path === ':memory:' ? 'synchronous = OFF' : 'synchronous = FULL');
  raw.pragma('foreign_keys = ON');
}
