import { existsSync } from 'node:fs';
import { InvariantError, UserError } from '../lib/errors.ts';
import { EMPTY_POSITION, formatPosition, type Position } from '../lib/gtid.ts';
import type { Clock } from '../runtime/clock.ts';
import type { World } from '../runtime/world.ts';
import { noSuchTable } from '../sql/mysql-errors.ts';
import type { TableDef } from '../sql/schema.ts';
import { sqliteName } from '../sql/storage.ts';
import { Database } from '../store/database.ts';
import { type BinlogEvent, eventText, parseEvents } from './binlog.ts';
import { putAside, sweepDropped } from './dropped-tables.ts';
import { positionAt, sequenceOf, type Term } from './servers.ts';
import { SHARD_MIGRATIONS } from './shard-schema.ts';

/** One committed transaction as the binlog has it. */
export interface BinlogTransaction {
  sequence: number;
  /** When it was committed, epoch milliseconds. */
  at: number;
  events: BinlogEvent[];
}

/** A shard's file as a connection sees it: its own is `main`, another's is attached under a name. */
export interface ShardView {
  db: Database;
  schema: string;
}

/** A shard's database: tables with rows, `_vt` tables, and a binlog with a position. All calls are synchronous. */
export class ShardDb {
  readonly keyspace: string;
  readonly shard: string;
  readonly db: Database;
  /** The UUID of the MySQL server that was primary first. */
  readonly uuid: string;
  readonly #tables = new Map<string, { definition: string; def: TableDef }>();

  constructor(keyspace: string, shard: string, db: Database, makeUuid: () => string) {
    this.keyspace = keyspace;
    this.shard = shard;
    this.db = db;
    this.uuid = this.#meta('uuid') ?? this.#firstUse(makeUuid());
  }

  /** The MySQL database name. */
  get dbName(): string {
    return `vt_${this.keyspace}`;
  }

  /** The file as this shard's own connection sees it. */
  get view(): ShardView {
    return { db: this.db, schema: 'main' };
  }

  #meta(key: string, { db, schema }: ShardView = this.view): string | undefined {
    if (db === this.db && schema === 'main') return db.remember('_meta', key, () => db.get<{ value: string }>('SELECT value FROM _meta WHERE key = ?', key)?.value);
    return db.get<{ value: string }>(`SELECT value FROM ${schema}._meta WHERE key = ?`, key)?.value;
  }

  #setMeta(key: string, value: string): void {
    this.db.run('INSERT INTO _meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value', key, value);
  }

  #firstUse(uuid: string): string {
    return this.db.transact(() => {
      const there = this.#meta('uuid');
      if (there !== undefined) return there;
      this.#setMeta('uuid', uuid);
      // A new server has executed something before anybody sees it: its own tables. An empty position would mean a stream that
      // has not begun, also where a shard has not been written to yet.
      this.#setMeta('sequence', '1');
      return uuid;
    });
  }

  /** The number of the last transaction. */
  sequence(view: ShardView = this.view): number {
    return Number(this.#meta('sequence', view) ?? 0);
  }

  /** Everything this server has executed. */
  position(): Position {
    return this.positionAt(this.sequence());
  }

  positionAt(sequence: number): Position {
    return sequence === 0 ? EMPTY_POSITION : positionAt(this.#terms(), sequence);
  }

  /** The number of the last transaction that a position holds. */
  reached(position: Position): number {
    return sequenceOf(this.#terms(), position);
  }

  /** Whose transactions these are; of its first server alone until the shard is reparented. */
  #terms(): readonly Term[] {
    return this.db.remember('_term', 'all', () => {
      const terms = this.db.all<Term>('SELECT first, uuid FROM _term ORDER BY first');
      return terms.length === 0 ? [{ first: 1, uuid: this.uuid }] : terms;
    });
  }

  /** Begins the term of another tablet's server, in the caller's transaction; `makeUuid` is for one that has none yet. */
  beginTerm(before: string | undefined, alias: string, makeUuid: () => string): void {
    if (this.db.get('SELECT 1 FROM _term LIMIT 1') === undefined) {
      this.db.run('INSERT INTO _term VALUES (1, ?)', this.uuid);
      if (before !== undefined) this.db.run('INSERT INTO _server VALUES (?, ?) ON CONFLICT DO NOTHING', before, this.uuid);
    }
    const known = this.db.get<{ uuid: string }>('SELECT uuid FROM _server WHERE alias = ?', alias)?.uuid;
    const uuid = known ?? makeUuid();
    if (known === undefined) this.db.run('INSERT INTO _server VALUES (?, ?)', alias, uuid);
    this.db.run('INSERT INTO _term VALUES (?, ?) ON CONFLICT (first) DO UPDATE SET uuid = excluded.uuid', this.sequence() + 1, uuid);
  }

  /** `MySQL56/uuid:1-n`. */
  positionText(): string {
    return formatPosition(this.position());
  }

  /** Writes a transaction to the binlog, inside the transaction that changes the rows. Returns its number. */
  log(at: number, events: readonly BinlogEvent[]): number {
    return this.logTexts(at, events.map(eventText));
  }

  /** The same for events that are text already (binlog.ts). */
  logTexts(at: number, events: readonly string[]): number {
    if (!this.db.inTransaction) throw new InvariantError('a binlog event outside the transaction of its rows');
    const sequence = this.sequence() + 1;
    this.db.run('INSERT INTO _binlog VALUES (?, ?, ?)', sequence, at, `[${events.join(',')}]`);
    this.#setMeta('sequence', String(sequence));
    return sequence;
  }

  /** True once a stream reads this binlog, or may: it then holds every row of what changes. */
  get isRead(): boolean {
    return this.#meta('read') !== undefined;
  }

  /** Says that a stream is going to read this binlog, from a position that must be taken after. */
  async expectReader(clock: Clock): Promise<void> {
    if (this.isRead) return;
    await this.db.write(clock, () => this.#setMeta('read', '1'));
  }

  /** A transaction without row events: only the position moves, as for a bulk load whose binlogs are purged. */
  skip(): number {
    const sequence = this.sequence() + 1;
    this.#setMeta('sequence', String(sequence));
    return sequence;
  }

  /** Transactions after a number, oldest first: `limit` of them at most, and no more once there are `events` events. */
  transactionsAfter(sequence: number, limit: number, events = Number.POSITIVE_INFINITY, view: ShardView = this.view): BinlogTransaction[] {
    // Mostly there are none, and the last one's number is the cheaper question.
    if (this.sequence(view) <= sequence) return [];
    const rows = view.db.iterate<{ sequence: number; at: number; events: string }>(
      `SELECT * FROM ${view.schema}._binlog WHERE sequence > ? ORDER BY sequence LIMIT ?`,
      sequence,
      limit,
    );
    const transactions: BinlogTransaction[] = [];
    let count = 0;
    for (const row of rows) {
      const transaction = { ...row, events: parseEvents(row.events) };
      transactions.push(transaction);
      count += transaction.events.length;
      if (count >= events) break;
    }
    return transactions;
  }

  /** True if the binlog holds a transaction after a number. */
  hasTransactionsAfter(sequence: number, view: ShardView = this.view): boolean {
    return view.db.get(`SELECT 1 FROM ${view.schema}._binlog WHERE sequence > ? LIMIT 1`, sequence) !== undefined;
  }

  /** Tables by name. */
  tableNames(): string[] {
    return [...this.db.remember('_tables', 'names', () => this.db.all<{ name: string }>('SELECT name FROM _tables ORDER BY name').map((row) => row.name))];
  }

  /** A table's definition, or undefined. */
  findTable(name: string, { db, schema }: ShardView = this.view): TableDef | undefined {
    const row = db.get<{ definition: string }>(`SELECT definition FROM ${schema}._tables WHERE name = ?`, name);
    return row === undefined ? undefined : this.#definition(name, row.definition);
  }

  /** Every table's definition, by name. */
  tables(): TableDef[] {
    const rows = this.db.all<{ name: string; definition: string }>('SELECT name, definition FROM _tables ORDER BY name');
    return rows.map(({ name, definition }) => this.#definition(name, definition));
  }

  /** Another process may have altered the table: the text is compared, parsing is what the cache saves. */
  #definition(name: string, definition: string): TableDef {
    const cached = this.#tables.get(name);
    if (cached?.definition === definition) return cached.def;
    const def = definitionOf(definition);
    this.#tables.set(name, { definition, def });
    return def;
  }

  /** A table's definition. Throws MySQL's 1146. */
  table(name: string, view: ShardView = this.view): TableDef {
    const def = this.findTable(name, view);
    if (def === undefined) throw noSuchTable(this.dbName, name);
    return def;
  }

  saveDefinition(def: TableDef): void {
    this.db.run(
      'INSERT INTO _tables VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET definition = excluded.definition',
      def.name,
      JSON.stringify(def),
    );
  }

  /** Drops a table. Throws MySQL's 1146. */
  dropTable(name: string): void {
    this.removeRows(this.table(name));
    this.db.run('DELETE FROM _tables WHERE name = ?', name);
    this.db.run('DELETE FROM _sequence_cache WHERE "table" = ?', name);
  }

  /** Removes a table from SQLite, with its indexes. In a file, the rows of a large one are only put aside: see dropped-tables.ts. */
  removeRows(def: TableDef): void {
    if (!this.db.isFile || !putAside(this.db, def)) this.db.exec(`DROP TABLE ${sqliteName(def.name)}`);
  }
}

/** Definitions by their text: those of a keyspace's shards are the same, and of many shards they would be most of the memory. */
const definitions = new Map<string, TableDef>();
const MOST_DEFINITIONS = 5000;

function definitionOf(text: string): TableDef {
  let def = definitions.get(text);
  if (def === undefined) {
    def = JSON.parse(text) as TableDef;
    if (definitions.size >= MOST_DEFINITIONS) definitions.clear();
    definitions.set(text, def);
  }
  return def;
}

/** The error for a shard that has tablets and no file. */
export function rowsGone(shard: string, path: string): UserError {
  return new UserError(`the rows of shard ${shard} are gone: there is no file ${path}`, {
    next: 'put the file back, go back to a snapshot (switchtraffic snapshot list), or start again: switchtraffic init commerce --force',
    exit: 2,
  });
}

/** Where the shards of a cluster are kept. At most 100 files are open at once. */
export interface ShardStore {
  /** A shard that a tablet was started for. Throws UserError if its file is gone: an empty one must never pass for it. */
  open(keyspace: string, shard: string): ShardDb;
  /** The same, made if it is not there yet. */
  create(keyspace: string, shard: string): ShardDb;
  /** Clears up behind dropped tables and closes the files, with turns of the loop in between. What is in memory stays. */
  closeFiles(clock: Clock): Promise<void>;
  close(): void;
}

/** Shards in memory, which can go back to an earlier state. */
export interface MemoryShardStore extends ShardStore {
  /** Shards with the same contents, which go their own way. */
  fork(world: Pick<World, 'random'>): MemoryShardStore;
  /** Remembers every shard; the function goes back to there, and shards made later are gone. */
  mark(): () => void;
  /** Every shard, in the order of their names. */
  all(): ShardDb[];
  /** Puts in a shard with these contents: those of a file. Throws UserError for what is none, and for a newer one. */
  put(keyspace: string, shard: string, contents: Buffer): void;
}

const MOST_OPEN = 100;
/** Files that keep pages and statements in memory; of the others open only the handle is kept, so that many shards cost little. */
const MOST_WARM = 4;

/** Shards as files of a folder. The file's name is unambiguous: neither part may hold a dot. */
export function fileShards(folder: string, world: World): ShardStore {
  return shardStore((keyspace, shard) => `${folder}/${keyspace}.${shard}.db`, world, MOST_OPEN);
}

/** Shards in memory; they live as long as the store. */
export function memoryShards(world: Pick<World, 'random'>): MemoryShardStore {
  return shardStore(() => ':memory:', world, Number.POSITIVE_INFINITY);
}

function shardStore(
  pathOf: (keyspace: string, shard: string) => string,
  world: Pick<World, 'random'>,
  most: number,
  open = new Map<string, ShardDb>(),
): MemoryShardStore {
  const warm = new Set<ShardDb>();
  const warmUp = (used: ShardDb): ShardDb => {
    if (!used.db.isFile) return used;
    warm.delete(used);
    warm.add(used);
    if (warm.size > MOST_WARM) coolOldest(warm);
    return used;
  };
  const get = (keyspace: string, shard: string, create: boolean): ShardDb => {
    const key = `${keyspace}/${shard}`;
    const there = open.get(key);
    if (there !== undefined) {
      // Moved to the end: the first is the one used longest ago.
      open.delete(key);
      open.set(key, there);
      return warmUp(there);
    }
    if (open.size >= most) closeOldest(open, warm);
    const path = pathOf(keyspace, shard);
    if (!create && path !== ':memory:' && !existsSync(path)) throw rowsGone(key, path);
    const db = Database.open({ path, migrations: SHARD_MIGRATIONS, ...(path !== ':memory:' && { create }) });
    const made = new ShardDb(keyspace, shard, db, () => world.random.uuid());
    open.set(key, made);
    return warmUp(made);
  };
  return {
    open: (keyspace, shard) => get(keyspace, shard, false),
    create: (keyspace, shard) => get(keyspace, shard, true),
    closeFiles: async (clock) => {
      for (const [key, { db }] of open) {
        if (!db.isFile) continue;
        // What cannot be swept now, since the disk is full or somebody else writes, is left to the next command.
        await sweepDropped(db, clock).catch(() => {});
        await db.settle(clock);
        open.delete(key);
        db.close();
        if (clock.due()) await clock.turn();
      }
      warm.clear();
    },
    close: () => {
      warm.clear();
      for (const shard of open.values()) shard.db.close();
      open.clear();
    },
    fork: (other) => {
      const copies = [...open].map(([key, { keyspace, shard, db, uuid }]) => [key, new ShardDb(keyspace, shard, db.fork(), () => uuid)] as const);
      return shardStore(pathOf, other, most, new Map(copies));
    },
    all: () => [...open].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, shard]) => shard),
    put: (keyspace, shard, contents) => {
      const db = Database.ofContents(contents, SHARD_MIGRATIONS);
      open.set(`${keyspace}/${shard}`, new ShardDb(keyspace, shard, db, () => world.random.uuid()));
    },
    mark: () => {
      const chance = world.random.mark();
      const marked = new Map([...open].map(([key, shard]) => [key, shard.db.mark()]));
      return () => {
        chance();
        for (const [key, shard] of open) {
          const back = marked.get(key);
          if (back !== undefined) back();
          else {
            shard.db.close();
            open.delete(key);
          }
        }
      };
    },
  };
}

/** Lets the one used longest ago give its memory back; one in a transaction is in use. */
function coolOldest(warm: Set<ShardDb>): void {
  for (const shard of warm) {
    if (shard.db.inTransaction) continue;
    warm.delete(shard);
    shard.db.trim();
    return;
  }
}

function closeOldest(open: Map<string, ShardDb>, warm: Set<ShardDb>): void {
  for (const [key, shard] of open) {
    // One in the middle of a transaction is in use; SQLite would refuse to close it.
    if (shard.db.inTransaction) continue;
    shard.db.close();
    open.delete(key);
    warm.delete(shard);
    return;
  }
}
