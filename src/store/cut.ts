import { type FileHandle, open } from 'node:fs/promises';
import type BetterSqlite3 from 'better-sqlite3';
import { UserError } from '../lib/errors.ts';
import type { Clock } from '../runtime/clock.ts';
import { checkPlace } from './place.ts';
import { OPEN_BUSY_MS, openWhole, pin } from './raw.ts';
import { explain, isBusy } from './sqlite-errors.ts';

/**
 * Several SQLite files as they were at one instant. Each has a connection that locks and one that reads. All are locked, the
 * first of the list first (a guarded write holds the topology while it waits for a shard); while nobody can commit anywhere, every
 * reader begins its transaction; then the locks are let go, some milliseconds after the first was taken. Whoever writes afterwards is not seen.
 */
export interface Cut {
  readonly paths: readonly string[];
  /** The first row of a query on one of the files, as of the instant. Throws UserError for a damaged file. */
  ask(path: string, sql: string, ...params: string[]): unknown;
  /** Copies one of the files, as of the instant, to a new file: `pages` at a time, the loop turning in between. Throws UserError. */
  copy(path: string, to: string): Promise<void>;
  close(): void;
}

/** How long all locks together may be waited for at one go, which blocks the loop. */
const LOCK_MS = 40;
/** How long until somebody who writes without a pause is given up on, in tries of LOCK_MS. */
const MOST_TRIES = 500;
/** One MiB takes some 2 ms. */
const PAGES_AT_ONCE = 250;
/** How many of those are written before the disk is told to begin with them. */
const STEPS_PER_SYNC = 8;

/** Gives the first row of a query on the first file of a cut. */
export type AskFirst = (sql: string, ...params: string[]) => unknown;

/**
 * Cuts through a file and those that `others` names, asking the first. `others` is called again while the first is locked: a file that
 * came or went meanwhile counts. Throws UserError, exit 75, where one stays locked for about 20 s; for one that is missing or damaged, as `explain` says.
 */
export async function cutFiles(clock: Clock, first: string, others: (ask: AskFirst) => readonly string[]): Promise<Cut> {
  const pairs = new Map<string, Pair>();
  const openBoth = (path: string): Pair => {
    const pair = pairs.get(path) ?? openPair(path);
    pairs.set(path, pair);
    return pair;
  };
  try {
    const { lock } = openBoth(first);
    const ask: AskFirst = (sql, ...params) => lock.prepare(sql).get(...params);
    for (let tries = 1; ; tries++) {
      const wanted = [first, ...others(ask)];
      for (const path of wanted) {
        openBoth(path);
        if (clock.due()) await clock.turn();
      }
      for (const [path, pair] of pairs) {
        if (wanted.includes(path)) continue;
        pair.close();
        pairs.delete(path);
      }
      const locked = lockAndPin(clock, pairs, () => sameTexts(wanted.slice(1), others(ask)));
      if (locked === true) return cutOf(pairs);
      if (locked !== false && tries >= MOST_TRIES) {
        throw new UserError(`the state file ${locked} is locked by another process`, { next: 'run it again when that has ended; who holds locks: switchtraffic lock show', exit: 75 });
      }
      await clock.turn();
    }
  } catch (error) {
    for (const pair of pairs.values()) pair.close();
    throw explain(error, first);
  }
}

interface Pair {
  path: string;
  lock: BetterSqlite3.Database;
  reader: BetterSqlite3.Database;
  close(): void;
}

function openPair(path: string): Pair {
  checkPlace({ path, create: false });
  const opened: BetterSqlite3.Database[] = [];
  const close = (): void => {
    for (const raw of opened.splice(0)) raw.close();
  };
  try {
    for (let i = 0; i < 2; i++) {
      // Opens the log too, so that nothing is left to open while others wait.
      opened.push(openWhole(path, { fileMustExist: true, timeout: OPEN_BUSY_MS }, (raw) => void raw.prepare('SELECT count(*) FROM sqlite_schema').get()));
    }
  } catch (error) {
    close();
    throw isBusy(error) ? error : explain(error, path);
  }
  const [lock, reader] = opened as [BetterSqlite3.Database, BetterSqlite3.Database];
  return { path, lock, reader, close };
}

/** True: done. False: other files should have been cut. Else the file that somebody else is writing to. */
function lockAndPin(clock: Clock, pairs: ReadonlyMap<string, Pair>, isSame: () => boolean): boolean | string {
  const all = [...pairs.values()];
  const until = clock.monotonic() + LOCK_MS;
  try {
    for (const { lock, path } of all) {
      lock.pragma(`busy_timeout = ${Math.max(1, Math.round(until - clock.monotonic()))}`);
      try {
        lock.exec('BEGIN IMMEDIATE');
      } catch (error) {
        if (isBusy(error)) return path;
        throw explain(error, path);
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
    ask: (path, sql, ...params) => {
      try {
        return pairs.get(path)!.reader.prepare(sql).get(...params);
      } catch (error) {
        throw explain(error, path);
      }
    },
    copy: async (path, to) => {
      const syncing = new EarlySync(to);
      try {
        await pairs.get(path)!.reader.backup(to, {
          progress: () => {
            syncing.step();
            return PAGES_AT_ONCE;
          },
        });
      } catch (error) {
        throw explain(error, to);
      } finally {
        await syncing.end();
      }
    },
    close: () => {
      for (const { reader } of pairs.values()) reader.close();
    },
  };
}

/** Syncs a growing file beside the loop, so that the commit at its end, which blocks, has less left to wait for. */
class EarlySync {
  readonly #path: string;
  #steps = 0;
  #handle: Promise<FileHandle> | undefined;
  #running: Promise<void> | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  step(): void {
    if (++this.#steps % STEPS_PER_SYNC !== 0 || this.#running !== undefined) return;
    this.#handle ??= open(this.#path, 'r+');
    // What goes wrong here goes wrong again where it matters.
    this.#running = this.#handle.then((handle) => handle.sync()).catch(() => {}).finally(() => (this.#running = undefined));
  }

  async end(): Promise<void> {
    await this.#running;
    await (await this.#handle?.catch(() => undefined))?.close();
  }
}
