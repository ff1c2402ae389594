import { statSync } from 'node:fs';
import type BetterSqlite3 from 'better-sqlite3';
import { InvariantError } from '../lib/errors.ts';
import type { Clock } from '../runtime/clock.ts';
import { copyAll, copyTables } from './copy-tables.ts';
import { migrate, type Migration } from './migrate.ts';
import { asInMemory, emptyFor, keepEmpty, openFile, openInMemory, openReader } from './raw.ts';
import { Marks } from './marks.ts';
import { Remembered } from './remembered.ts';
import { checkKind, checkPlace } from './place.ts';
import { explain, isBusy } from './sqlite-errors.ts';

/** A value as SQLite takes and gives it. */
export type SqlValue = null | number | bigint | string | Uint8Array;

export interface OpenOptions {
  /** A file, or `:memory:`. */
  path: string;
  migrations: readonly Migration[];
  /** False: the file must be there already. */
  create?: boolean;
}

/**
 * How long one call into SQLite may wait for another process's transaction. The driver is synchronous, so this
 * blocks renewal and signals too; longer waits go through `write`, which lets the loop turn between tries.
 */
const BUSY_MS = 40;
/** How often `write` tries, BUSY_MS each: 20 s. A transaction of ours takes well under a millisecond. */
const WRITE_TRIES = 500;

/** SQLite's own bound: with so many pages in the log, a commit writes them back into the file. */
const AUTOCHECKPOINT_PAGES = 1000;
/** How many of `writeBeside` may pass before the log is written back: some 10 MB, in about as long as one of them takes. */
const BULK_WRITES_PER_CHECKPOINT = 8;

/** How many statements a connection keeps prepared. */
const MOST_STATEMENTS = 250;

/** A log that takes a few milliseconds to write back. */
const LARGE_LOG_BYTES = 512 * 1024;

/** One SQLite file. Statements are prepared once; transactions nest by savepoint. */
export class Database {
  readonly path: string;
  #db: BetterSqlite3.Database;
  readonly #statements = new Map<string, BetterSqlite3.Statement>();
  #depth = 0;
  /** While one stands, the connection is in a transaction that began at the last. */
  readonly #marks = new Marks();
  #bulkWrites = 0;
  readonly #remembered = new Remembered();

  private constructor(path: string, db: BetterSqlite3.Database) {
    this.path = path;
    this.#db = db;
  }

  /** Opens (and creates, and migrates) a file. Throws UserError naming the file and the remedy. */
  static open(options: OpenOptions): Database {
    const { path } = options;
    if (path !== ':memory:') checkPlace(options);
    let raw: BetterSqlite3.Database | undefined;
    try {
      // An empty one in memory is copied from the first of its kind: worlds are made and thrown away by the thousand.
      const empty = path === ':memory:' ? emptyFor(options.migrations) : undefined;
      raw = empty === undefined ? openFile(path, options.create === false ? (db) => checkKind(path, options.migrations, (sql, ...params) => db.prepare(sql).get(...params)) : undefined) : openInMemory(empty);
      const database = new Database(path, raw);
      if (empty === undefined) migrate(database, options.migrations);
      if (path === ':memory:' && empty === undefined) keepEmpty(options.migrations, raw);
      raw.pragma(`busy_timeout = ${BUSY_MS}`);
      return database;
    } catch (error) {
      raw?.close();
      throw explain(error, path);
    }
  }

  /** True if another connection can open the same data. */
  get isFile(): boolean {
    return this.path !== ':memory:';
  }

  /** A database in memory with the same contents, which goes its own way. Not of what is marked: that is not committed. */
  fork(): Database {
    if (this.isFile || this.#marks.any) throw new InvariantError('only a database in memory without marks can be forked');
    return this.#copied();
  }

  /** A database in memory with the contents of a file, migrated. Throws UserError for what is none, and for a newer one. */
  static ofContents(contents: Buffer, migrations: readonly Migration[]): Database {
    const raw = openInMemory(asInMemory(contents));
    try {
      const database = new Database(':memory:', raw);
      migrate(database, migrations);
      return database;
    } catch (error) {
      raw.close();
      throw explain(error, 'in memory');
    }
  }

  /** The contents of a database in memory as a file would hold them, marked or not. */
  contents(): Buffer {
    if (this.isFile) throw new InvariantError('only the contents of a database in memory are had at once');
    if (!this.#marks.any) return this.#db.serialize();
    const copy = new Database(this.path, openInMemory());
    try {
      copyAll(this, copy);
      return copy.#db.serialize();
    } finally {
      copy.close();
    }
  }

  #copied(): Database {
    return new Database(this.path, openInMemory(this.#db.serialize()));
  }

  /**
   * The data of some tables as it is now, on a connection of its own that no later write changes and that writes to nothing but its
   * temporary tables. The log of a file grows until it is closed. In memory it is a copy.
   */
  snapshot(tables: readonly string[]): Database {
    if (!this.isFile) return this.#marks.any ? this.#copiedRows(tables) : this.#copied();
    return new Database(this.path, openReader(this.path));
  }

  /** What is not committed is in no copy that SQLite makes. */
  #copiedRows(tables: readonly string[]): Database {
    const copy = new Database(this.path, openInMemory());
    copyTables(this, copy, tables);
    return copy;
  }

  /** Runs statements that return nothing. */
  exec(sql: string): void {
    this.#remembered.clear();
    try {
      this.#db.exec(sql);
    } catch (error) {
      throw this.#explained(error);
    }
  }

  /**
   * What `read`, which asks for rows of these tables (lower case, a space between) and of nothing else, answers. In memory it is not
   * asked again until this connection, the only one there is, writes to one of them or takes something back; another process may
   * write to a file at any instant, and a file is asked each time. What it gives must not be changed. `key` says what is asked.
   */
  remember<T>(tables: string, key: string, read: () => T): T {
    return this.isFile ? read() : this.#remembered.get(tables, key, read);
  }

  pragma(name: string): SqlValue {
    try {
      return this.#db.pragma(name, { simple: true }) as SqlValue;
    } catch (error) {
      throw this.#explained(error);
    }
  }

  /** Runs a statement and returns how many rows it changed. */
  run(sql: string, ...params: SqlValue[]): number {
    try {
      return this.#prepare(sql).run(...params).changes;
    } catch (error) {
      throw this.#explained(error);
    }
  }

  /** The row id that the last insert of this connection was given. */
  insert(sql: string, ...params: SqlValue[]): number {
    try {
      return Number(this.#prepare(sql).run(...params).lastInsertRowid);
    } catch (error) {
      throw this.#explained(error);
    }
  }

  get<T>(sql: string, ...params: SqlValue[]): T | undefined {
    try {
      return this.#prepare(sql).get(...params) as T | undefined;
    } catch (error) {
      throw this.#explained(error);
    }
  }

  all<T>(sql: string, ...params: SqlValue[]): T[] {
    try {
      return this.#prepare(sql).all(...params) as T[];
    } catch (error) {
      throw this.#explained(error);
    }
  }

  *iterate<T>(sql: string, ...params: SqlValue[]): IterableIterator<T> {
    try {
      yield* this.#prepare(sql).iterate(...params) as IterableIterator<T>;
    } catch (error) {
      throw this.#explained(error);
    }
  }

  /** As `all`, with integers that may pass 2^53 given as bigint. */
  allBig<T>(sql: string, ...params: SqlValue[]): T[] {
    try {
      return this.#prepare(`${sql} /* safe */`, true).all(...params) as T[];
    } catch (error) {
      throw this.#explained(error);
    }
  }

  /**
   * Rows one by one, as `allStored` gives them, from a statement of their own that stays open while the loop turns. Until they are
   * all read, or the iterator's `return` is called, this connection can do nothing else and cannot be closed: for snapshots.
   */
  iterateStored(sql: string, ...params: SqlValue[]): IterableIterator<SqlValue[]> {
    return this.#db.prepare(sql).safeIntegers(true).raw(true).iterate(...params) as IterableIterator<SqlValue[]>;
  }

  /** Rows as arrays, every value as SQLite keeps it: integers as bigint, whatever their size. */
  allStored(sql: string, ...params: SqlValue[]): SqlValue[][] {
    try {
      return this.#prepare(`${sql} /* stored */`, true).raw(true).all(...params) as SqlValue[][];
    } catch (error) {
      throw this.#explained(error);
    }
  }

  /** A damaged file shows when a page of it is read. Being busy is left to `write`, which tries again. */
  #explained(error: unknown): unknown {
    return isBusy(error) ? error : explain(error, this.path);
  }

  #prepare(sql: string, safe = false): BetterSqlite3.Statement {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#db.prepare(sql);
      if (safe) statement.safeIntegers(true);
      // Statements carry table names; a bound keeps a switch over thousands of tables from growing without end.
      if (this.#statements.size >= MOST_STATEMENTS) this.#statements.clear();
      this.#statements.set(sql, statement);
    }
    if (!statement.readonly) this.#remembered.written(sql);
    return statement;
  }

  /** Gives back the memory of what can be had again, prepared statements and pages, unless somebody is at it. */
  trim(): void {
    if (this.#db.inTransaction) return;
    this.#statements.clear();
    try {
      this.#db.pragma('shrink_memory');
    } catch {
      // Rows are being read from it one by one: another time.
    }
  }

  /** True inside a transaction of this connection. */
  get inTransaction(): boolean {
    return this.#depth > 0;
  }

  /**
   * Runs `fn` in one write transaction, taken at the start so that it can never deadlock half-way.
   * Inside another transaction it is a savepoint. `fn` must not await.
   */
  transact<T>(fn: () => T): T {
    return this.#transact('BEGIN IMMEDIATE', fn);
  }

  #transact<T>(begin: string, fn: () => T): T {
    const outer = this.#depth;
    const savepoint = `s${outer}`;
    // What is marked is inside a transaction already.
    const outermost = outer === 0 && !this.#marks.any;
    // Prepared as any other statement: `exec` would read its text each time.
    this.run(outermost ? begin : `SAVEPOINT ${savepoint}`);
    this.#depth = outer + 1;
    try {
      const result = fn();
      this.#prepare(outermost ? 'COMMIT' : `RELEASE ${savepoint}`).run();
      return result;
    } catch (error) {
      // SQLite itself may have rolled back everything (a full disk); a COMMIT that failed leaves all of it open.
      this.#remembered.clear();
      if (this.#db.inTransaction) {
        this.#db.exec(outermost ? 'ROLLBACK' : `ROLLBACK TO ${savepoint}; RELEASE ${savepoint}`);
      }
      throw this.#explained(error);
    } finally {
      this.#depth = outer;
    }
  }

  /** Runs `fn` on one consistent view, without taking the write lock. */
  read<T>(fn: () => T): T {
    if (this.#depth > 0 || this.#marks.any) return fn();
    this.#db.exec('BEGIN');
    this.#depth++;
    try {
      return fn();
    } finally {
      this.#depth--;
      this.#db.exec('COMMIT');
    }
  }

  /**
   * `write` of many rows while another file is attached as `name`, where it can be read in one view for the whole transaction,
   * and is not locked. `table` is any table of this file. The log is written back now and then in a turn of its own, since a
   * large commit that did that too would block for twice as long. Throws what SQLite throws where the file cannot be attached.
   */
  async writeBeside<T>(clock: Clock, other: { path: string; name: string; table: string }, fn: () => T): Promise<T> {
    const result = await this.#patiently(clock, () => this.#beside(other, fn));
    if (++this.#bulkWrites >= BULK_WRITES_PER_CHECKPOINT) {
      this.#bulkWrites = 0;
      await clock.turn();
      this.#db.pragma('main.wal_checkpoint(PASSIVE)');
    }
    return result;
  }

  #beside<T>(other: { path: string; name: string; table: string }, fn: () => T): T {
    this.#db.prepare(`ATTACH ? AS "${other.name}"`).run(other.path);
    this.#db.pragma('wal_autocheckpoint = 0');
    try {
      // BEGIN IMMEDIATE would lock the other file against writers too. Any statement that writes takes the lock of its own file.
      return this.#transact('BEGIN', () => {
        this.run(`DELETE FROM main."${other.table}" WHERE 0`);
        return fn();
      });
    } finally {
      this.#db.pragma(`wal_autocheckpoint = ${AUTOCHECKPOINT_PAGES}`);
      this.#db.exec(`DETACH "${other.name}"`);
    }
  }

  /**
   * `transact`, waiting for other processes without blocking this one's loop.
   * Throws UserError if the file stays locked for 20 seconds.
   */
  async write<T>(clock: Clock, fn: () => T): Promise<T> {
    return this.#patiently(clock, () => this.transact(fn));
  }

  async #patiently<T>(clock: Clock, attempt: () => T): Promise<T> {
    for (let tries = 1; ; tries++) {
      let result;
      try {
        result = attempt();
      } catch (error) {
        if (!isBusy(error) || tries >= WRITE_TRIES) throw explain(error, this.path);
        await clock.turn();
        continue;
      }
      // A command may do dozens of commits that each wait for the disk, and nothing else in it lets the loop turn.
      if (clock.due()) await clock.turn();
      return result;
    }
  }

  /**
   * Remembers the state of a database in memory; the function goes back to it, as often as it is called. From here on
   * everything happens inside one transaction that never commits: going back costs what was changed, and statements stay
   * prepared. Marks nest; going back to one forgets those made after it, and has everything prepared anew if there are any.
   * (Savepoints would do that each time, once a table was made before the last of them.)
   */
  mark(): () => void {
    if (this.#depth > 0 || this.path !== ':memory:') throw new InvariantError('only a database in memory, outside of transactions, can be marked');
    const mark = this.#marks.add(this.#db);
    return () => {
      this.#depth = 0;
      this.#remembered.clear();
      const before = this.#db;
      this.#db = this.#marks.goBack(before, mark);
      if (this.#db !== before) this.#statements.clear();
    };
  }

  /**
   * Writes a large log back into the file in a turn of its own, so that closing has little left to do: both together would
   * block for twice as long. For a connection that is about to be closed.
   */
  async settle(clock: Clock): Promise<void> {
    if (!this.isFile || (statSync(`${this.path}-wal`, { throwIfNoEntry: false })?.size ?? 0) < LARGE_LOG_BYTES) return;
    await clock.turn();
    this.#db.pragma('wal_checkpoint(PASSIVE)');
    await clock.turn();
  }

  close(): void {
    this.#statements.clear();
    this.#db.close();
  }
}
