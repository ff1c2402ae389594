import { existsSync } from 'node:fs';
import BetterSqlite3 from 'better-sqlite3';
import { UserError } from '../lib/errors.ts';
import type { Clock } from '../runtime/clock.ts';
import { OPEN_BUSY_MS, pin } from './raw.ts';
import { explain, isBusy } from './sqlite-errors.ts';

/**
 * Several SQLite files as they were at one instant. Each has a connection that locks and one that reads. All are locked, the
 * first of the list first (a guarded write holds the topology while it waits for a shard); while nobody can commit anywhere, every
 * reader begins its transaction; then the locks are let go, some milliseconds after the first was taken. Whoever writes afterwards is not seen.
 */
export interface Cut {
  readonly paths: readonly string[];
  /** Copies one of the files, as of the instant, to a new file: `pages` at a time, the loop turning in between. Throws UserError. */
  copy(path: string, to: string): Promise<void>;
  close(): void;
}

/** How long all locks together may be waited for at one go, which blocks the loop. */
const LOCK_MS = 40;
/** How long until somebody who writes without a pause is given up on, in tries of LOCK_MS. */
const MOST_TRIES = 500;
/** Two MiB take some 4 ms. */
const PAGES_AT_ONCE = 500;

/** Gives the first row of a query on the first file of a cut. */
export type AskFirst = (sql: string, ...params: string[]) => unknown;

/**
 * Cuts through a file and those that `others` names, asking the first. `others` is called again while the first is locked: a file that
 * came or went meanwhile counts. Throws UserError, exit 75, where one stays locked for about 20 s; for one that is missing or damaged, as `explain` says.
 */
export async function cutFiles(clock: Clock, first: string, others: (ask: AskFirst) => readonly string[]): Promise<Cut> {
  for (let tries = 1; ; tries++) {
    const pairs = new Map<string, Pair>();
    const open = (path: string): Pair => {
      const pair = openPair(path);
      pairs.set(path, pair);
      return pair;
    };
    try {
      const { lock } = open(first);
      const ask: AskFirst = (sql, ...params) => lock.prepare(sql).get(...params);
      const rest = others(ask);
      for (const path of rest) {
        open(path);
        if (clock.due()) await clock.turn();
      }
      if (lockAndPin(clock, pairs, () => sameTexts(rest, others(ask)))) return cutOf(pairs);
      for (const pair of pairs.values()) pair.close();
    } catch (error) {
      for (const pair of pairs.values()) pair.close();
      if (!isBusy(error)) throw explain(error, first);
      if (tries >= MOST_TRIES) throw new UserError(`the state ${first} is locked by another process`, { next: 'run it again when that has ended; who holds locks: switchtraffic show locks', exit: 75, cause: error });
    }
    await clock.turn();
  }
}

interface Pair {
  path: string;
  lock: BetterSqlite3.Database;
  reader: BetterSqlite3.Database;
  close(): void;
}

function openPair(path: string): Pair {
  if (!existsSync(path)) throw explain({ code: 'SQLITE_CANTOPEN' }, path);
  const opened: BetterSqlite3.Database[] = [];
  const close = (): void => {
    for (const raw of opened.splice(0)) raw.close();
  };
  try {
    for (let i = 0; i < 2; i++) {
      const raw = new BetterSqlite3(path, { fileMustExist: true, timeout: OPEN_BUSY_MS });
      opened.push(raw);
      // Opens the log too, so that nothing is left to open while others wait.
      raw.prepare('SELECT count(*) FROM sqlite_schema').get();
    }
  } catch (error) {
    close();
    throw isBusy(error) ? error : explain(error, path);
  }
  const [lock, reader] = opened as [BetterSqlite3.Database, BetterSqlite3.Database];
  return { path, lock, reader, close };
}

/** False if other files should have been cut. Throws SQLITE_BUSY where somebody is writing. */
function lockAndPin(clock: Clock, pairs: ReadonlyMap<string, Pair>, isSame: () => boolean): boolean {
  const all = [...pairs.values()];
  const until = clock.monotonic() + LOCK_MS;
  try {
    for (const { lock, path } of all) {
      lock.pragma(`busy_timeout = ${Math.max(1, Math.round(until - clock.monotonic()))}`);
      try {
        lock.exec('BEGIN IMMEDIATE');
      } catch (error) {
        throw isBusy(error) ? error : explain(error, path);
      }
    }
    if (!isSame()) return false;
    for (const { reader } of all) pin(reader);
    return true;
  } finally {
    for (const { lock } of all) if (lock.inTransaction) lock.exec('ROLLBACK');
  }
}

function sameTexts(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((text, index) => text === b[index]);
}

function cutOf(pairs: Map<string, Pair>): Cut {
  for (const { lock } of pairs.values()) lock.close();
  return {
    paths: [...pairs.keys()],
    copy: async (path, to) => {
      try {
        await pairs.get(path)!.reader.backup(to, { progress: () => PAGES_AT_ONCE });
      } catch (error) {
        throw explain(error, to);
      }
    },
    close: () => {
      for (const { reader } of pairs.values()) reader.close();
    },
  };
}
