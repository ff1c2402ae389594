import { errorText, UserError } from '../../lib/errors.ts';
import { checkContext, type Context } from '../../runtime/context.ts';
import type { DdlStatement } from '../../sql/ast.ts';
import { fileError, MORE } from '../../sql/dump/cursor.ts';
import { headOf, purposeOf } from '../../sql/dump/classify.ts';
import { applySet, type DumpSession, newSession } from '../../sql/dump/session.ts';
import { skipSpace } from '../../sql/dump/space.ts';
import { acceptDelimiter, checkBeginning, type InsertHead, readStatement, type ScriptStatement } from '../../sql/dump/statements.ts';
import { parseStatement } from '../../sql/parser.ts';
import { findRecord } from '../../topo/server.ts';
import { paths } from '../../topo/paths.ts';
import type { VSchemaKeyspace } from '../../topo/proto/types.ts';
import type { Cluster } from '../cluster.ts';
import { dropUnfinished } from '../query/ddl-alter.ts';
import { changeSteps } from '../query/ddl-changes.ts';
import { mysqlTime } from '../query/mysql-time.ts';
import type { ShardDb } from '../shard-db.ts';
import { locate, located, parseDefinition, tablesNamed } from './define.ts';
import { type LoadCounts, PendingRows } from './pending.ts';
import { type Destination, rowPlace } from './place.ts';
import { Feed, type SqlSource } from './source.ts';
import { type InsertTarget, insertTarget } from './target.ts';

/** What a load did. */
export interface LoadedDump {
  /** The tables that the file made and that are there now. */
  tables: string[];
  /** The views that the file has; none is kept. */
  views: string[];
  statements: number;
  rows: number;
  /** What could not be kept and does no harm: `FILE:LINE: trigger t_bi is not run: …`. */
  notes: string[];
  counts: LoadCounts;
}

export interface LoadOptions {
  /** Says which shard a row belongs to; the keyspace's own unless given. */
  vschema?: VSchemaKeyspace;
}

/**
 * Loads a script, such as mysqldump writes or a person does, into the shards of a keyspace: tables into each, rows into
 * the one that the vschema says. It is a bulk load: the position moves once, the binlog keeps nothing of it, foreign keys
 * and checks are not looked at, as under mysqldump's own FOREIGN_KEY_CHECKS=0.
 *
 * The file is read as it comes, in transactions of bounded size. Throws UserError (exit 2) `FILE:LINE: …` for what cannot
 * be kept; tables that the file made are dropped again then.
 */
export async function loadDump(
  ctx: Context,
  cluster: Cluster,
  keyspace: string,
  shards: readonly string[],
  source: SqlSource,
  options: LoadOptions = {},
): Promise<LoadedDump> {
  const vschema =
    options.vschema ?? (await findRecord<VSchemaKeyspace>(ctx, cluster.topo.conn, paths.vschema(keyspace)))?.record ?? {};
  const load = new DumpLoad(ctx, cluster, { keyspace, shards, vschema }, source);
  return load.run();
}

/** Rows read before the time is looked at. */
const ROWS_PER_LOOK = 32;

/** One file on its way into a keyspace. */
class DumpLoad {
  readonly #ctx: Context;
  readonly #cluster: Cluster;
  readonly #destination: Destination;
  readonly #shards: ShardDb[];
  readonly #feed: Feed;
  readonly #session: DumpSession;
  readonly #pending: PendingRows;
  readonly #notes = new Map<string, string>();
  readonly #views = new Set<string>();
  /** Forms of INSERT met so far; emptied when a definition changes. */
  readonly #targets = new Map<string, InsertTarget>();
  #statements = 0;
  #touched = false;

  constructor(ctx: Context, cluster: Cluster, destination: Destination, source: SqlSource) {
    this.#ctx = ctx;
    this.#cluster = cluster;
    this.#destination = destination;
    this.#shards = destination.shards.map((shard) => cluster.shards.open(destination.keyspace, shard));
    this.#feed = new Feed(source);
    this.#session = newSession(mysqlTime(cluster.world.clock.now()));
    this.#pending = new PendingRows(this.#shards, source.name);
  }

  async run(): Promise<LoadedDump> {
    const before = this.#shards.map((shard) => new Set(shard.tableNames()));
    try {
      await this.#feed.more();
      checkBeginning(this.#feed.cursor);
      for (;;) {
        const statement = await this.#feed.read(() => readStatement(this.#feed.cursor, this.#session.mode));
        if (statement === undefined) break;
        this.#statements += 1;
        if (statement.kind === 'insert') await this.#insert(statement);
        else await this.#run(statement);
      }
      await this.#flush();
    } catch (error) {
      await this.#undo(before);
      throw error;
    } finally {
      await this.#feed.close();
    }
    await this.#everywhere((shard) => void shard.skip());
    const made = this.#shards.flatMap((shard, i) => shard.tableNames().filter((name) => before[i]?.has(name) !== true));
    return {
      tables: [...new Set(made)],
      views: [...this.#views],
      statements: this.#statements,
      rows: this.#pending.written,
      notes: [...this.#notes.values()],
      counts: this.#pending.counts,
    };
  }

  #flush(): Promise<void> {
    return this.#pending.flush(this.#ctx, this.#cluster);
  }

  async #everywhere(change: (shard: ShardDb) => void): Promise<void> {
    for (const shard of this.#shards) await shard.db.write(this.#cluster.world.clock, () => change(shard));
  }

  /** Drops what the file made. Rows in tables that were there before stay. */
  async #undo(before: readonly Set<string>[]): Promise<void> {
    for (const [i, shard] of this.#shards.entries()) {
      await shard.db.write(this.#cluster.world.clock, () => dropUnfinished(shard));
      for (const table of shard.tableNames()) {
        if (before[i]?.has(table) === true) continue;
        await shard.db.write(this.#cluster.world.clock, () => shard.dropTable(table));
        await this.#cluster.world.clock.turn();
      }
    }
  }

  #note(line: number, text: string, key = text): void {
    // mysqldump writes a view twice; the second is the view itself.
    this.#notes.delete(key);
    this.#notes.set(key, `${this.#feed.cursor.name}:${line}: ${text}`);
  }

  async #run(source: ScriptStatement): Promise<void> {
    const purpose = purposeOf(source.text);
    const file = this.#feed.cursor.name;
    switch (purpose.kind) {
      case 'nothing':
        return;
      case 'set': {
        const unknown = located(file, source, () => applySet(this.#session, headOf(source.text)));
        for (const name of unknown) this.#note(source.line, `SET ${name} changes nothing here`);
        return;
      }
      case 'use': {
        const statement = parseStatement(headOf(source.text));
        if (statement.kind === 'use') this.#enter(statement.target, source.line);
        return;
      }
      case 'view':
        this.#views.add(purpose.name);
        this.#note(source.line, `view ${purpose.name} is not kept: query its tables instead`, `view ${purpose.name}`);
        return;
      case 'noted':
        this.#note(source.line, `${purpose.what} ${purpose.why}`);
        return;
      case 'refused':
        throw fileError(file, source.line, purpose.what, purpose.next);
      case 'tables':
        await this.#define(source);
        return;
      case 'unknown':
        located(file, source, () => parseStatement(source.text));
        throw fileError(file, source.line, `a statement that is not known: ${headOf(source.text).slice(0, 40)}`, 'leave it out');
    }
  }

  /** One file is one database: tables of two would mix. */
  #enter(database: string, line: number): void {
    const { database: present } = this.#session;
    if (present !== undefined && present !== database && this.#touched) {
      throw fileError(this.#feed.cursor.name, line, `the file has a second database, ${database}, behind ${present}`, `dump each into a file of its own: mysqldump ${database} > ${database}.sql`);
    }
    this.#session.database = database;
  }

  #touch(qualifier: string | undefined, line: number): void {
    if (qualifier !== undefined && qualifier !== this.#session.database) this.#enter(qualifier, line);
    this.#touched = true;
  }

  async #define(source: ScriptStatement): Promise<void> {
    const file = this.#feed.cursor.name;
    const { statement, leftOut } = parseDefinition(file, source);
    for (const { construct, line } of leftOut) this.#note(line, `${construct}: not kept`, `${line} ${construct}`);
    for (const table of tablesNamed(statement)) this.#touch(table.qualifier, source.line);
    await this.#flush();
    this.#targets.clear();
    try {
      for (const shard of this.#shards) await this.#change(shard, statement);
    } catch (error) {
      throw locate(file, source, error);
    }
  }

  async #change(shard: ShardDb, statement: DdlStatement): Promise<void> {
    const { clock } = this.#cluster.world;
    const steps = changeSteps(shard, statement, this.#session.scope.now ?? '', { zeroDates: true, stepwise: true });
    for (let done: boolean | undefined = false; done !== true; ) {
      done = await shard.db.write(clock, () => steps.next().done);
      await clock.turn();
      checkContext(this.#ctx);
    }
  }

  async #insert(head: InsertHead): Promise<void> {
    this.#touch(head.qualifier, head.line);
    const target = this.#target(head);
    this.#session.scope.rowNumber = 0;
    for (let more = true; more; ) {
      more = await this.#rows(head, target);
      if (this.#pending.full) await this.#flush();
    }
  }

  #target(head: InsertHead): InsertTarget {
    const key = JSON.stringify([head.verb, head.ignore, head.table, head.columns]);
    const known = this.#targets.get(key);
    if (known !== undefined) return known;
    const { cursor } = this.#feed;
    try {
      const def = this.#shards[0]!.table(head.table);
      const made = insertTarget(cursor, this.#session, def, head, rowPlace(this.#destination, def));
      this.#targets.set(key, made);
      return made;
    } catch (error) {
      const next = error instanceof UserError && error.next !== undefined ? error.next : `is ${head.table} made before this line?`;
      throw fileError(cursor.name, head.line, errorText(error), next, error);
    }
  }

  /** Reads rows until enough wait to be written, or the bytes or the statement end. False at the end of the statement. */
  async #rows(head: InsertHead, target: InsertTarget): Promise<boolean> {
    const { cursor } = this.#feed;
    const { clock } = this.#cluster.world;
    for (let read = 1; !this.#pending.full; read += 1) {
      // The first rows take many times as long as later ones: their number alone would bound nothing.
      if (read % ROWS_PER_LOOK === 0 && clock.due()) await clock.turn();
      const start = cursor.pos;
      try {
        const more = this.#row(head, target);
        if (!more) return false;
      } catch (error) {
        if (error !== MORE) throw error;
        cursor.pos = start;
        this.#session.scope.rowNumber -= 1;
        await this.#feed.more();
      }
    }
    return true;
  }

  /** Reads a row and what stands behind it; true when another follows. */
  #row(head: InsertHead, target: InsertTarget): boolean {
    const { cursor } = this.#feed;
    this.#session.scope.rowNumber += 1;
    skipSpace(cursor);
    const start = cursor.pos;
    let params;
    try {
      params = target.read();
    } catch (error) {
      if (error === MORE || (error instanceof UserError && error.message.startsWith(`${cursor.name}:`))) throw error;
      throw cursor.error(errorText(error), this.#nextFor(error, head), start, error);
    }
    const more = this.#separator(head);
    const line = cursor.line(start);
    try {
      this.#pending.add(target, params, line);
    } catch (error) {
      throw cursor.error(errorText(error), this.#nextFor(error, head), start, error);
    }
    return more;
  }

  #nextFor(error: unknown, head: InsertHead): string {
    if (error instanceof UserError && error.next !== undefined) return error.next;
    return `correct the row for ${head.table}, or leave it out`;
  }

  #separator(head: InsertHead): boolean {
    const { cursor } = this.#feed;
    skipSpace(cursor);
    const byte = cursor.buf[cursor.pos];
    if (byte === 0x2c) {
      cursor.pos += 1;
      return true;
    }
    if (byte === undefined || acceptDelimiter(cursor, this.#session.mode)) return false;
    const word = cursor.buf.toString('latin1', cursor.pos, cursor.pos + 12).toUpperCase();
    if (/^(ON\s+DUPLIC|AS\s)/.test(word)) {
      throw cursor.error('ON DUPLICATE KEY UPDATE is not done while a file is loaded', `use REPLACE INTO ${head.table}, or INSERT IGNORE`);
    }
    throw cursor.error('"," or ";" is expected behind a row', 'see whether a quote or a parenthesis is missing');
  }
}
