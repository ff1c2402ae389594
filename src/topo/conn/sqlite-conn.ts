import { TopoError } from '../../lib/errors.ts';
import { checkContext, type Context } from '../../runtime/context.ts';
import type { World } from '../../runtime/world.ts';
import { Database } from '../../store/database.ts';
import { checkFileSystem } from '../../store/network-fs.ts';
import type { Conn, DirEntry, LockDescriptor, LockView, Node, Version, WriteOptions, Writer } from './conn.ts';
import { cleanPath, entriesBelow, type NodeNames } from './directory.ts';
import { checkCall } from './ended.ts';
import type { LockEvent } from './lock-events.ts';
import type { LeasePolicy } from './lease-policy.ts';
import { LockTable } from './lock-table.ts';
import type { Broken, LockBreak } from './lock-view.ts';
import { type AskedLock, ServerLocks } from './server-locks.ts';
import { after, nextRevision, sqliteLockRows } from './sqlite-lock-rows.ts';
import { TOPO_MIGRATIONS } from './sqlite-schema.ts';

/** What every cell's connection of one topology shares. */
interface Shared {
  database: Database;
  world: World;
  locks: LockTable;
  server: ServerLocks;
  policy: LeasePolicy;
}

/** Opens a topology kept in one SQLite file (or `:memory:`) and returns its global connection. Throws UserError for a file on a network. */
export function openSqliteConn(path: string, world: World, policy: LeasePolicy, create: boolean): Conn {
  const doubt = path === ':memory:' ? undefined : checkFileSystem(path);
  if (doubt !== undefined) world.events.emit({ kind: 'warning', text: doubt });
  const database = Database.open({ path, migrations: TOPO_MIGRATIONS, create });
  const retry = <T>(fn: () => T): Promise<T> => database.write(world.clock, fn);
  const rows = sqliteLockRows(database);
  const locks = new LockTable(rows, world.clock, world.processes, policy, retry);
  const server = new ServerLocks({ locks, rows, policy, clock: world.clock, retry });
  return new SqliteConn({ database, world, locks, server, policy }, 'global');
}

class SqliteConn implements Conn {
  readonly cell: string;
  readonly #shared: Shared;

  constructor(shared: Shared, cell: string) {
    this.#shared = shared;
    this.cell = cell;
  }

  get policy(): LeasePolicy {
    return this.#shared.policy;
  }

  get #names(): NodeNames {
    return this.#shared.policy.names;
  }

  forCell(cell: string): Conn {
    return cell === this.cell ? this : new SqliteConn(this.#shared, cell);
  }

  watched(): Conn {
    return this;
  }

  async listDir(ctx: Context, dir: string): Promise<DirEntry[]> {
    const entries = await this.entries(ctx, dir);
    if (entries.length === 0) throw new TopoError('NoNode', this.#names.directory(this.cell, cleanPath(dir)));
    return entries;
  }

  async entries(ctx: Context, dir: string): Promise<DirEntry[]> {
    const clean = cleanPath(dir);
    checkCall(ctx, () => this.#names.directory(this.cell, clean));
    const prefix = clean === '' ? '' : `${clean}/`;
    const rows = this.#shared.database.all<{ path: string }>(
      'SELECT path FROM node WHERE cell = ? AND path >= ? AND path < ? ORDER BY path',
      this.cell,
      prefix,
      after(prefix),
    );
    return entriesBelow(clean, rows.map((row) => row.path));
  }

  async get(ctx: Context, path: string): Promise<Node> {
    const node = await this.find(ctx, path);
    if (node === undefined) throw new TopoError('NoNode', this.#names.node(this.cell, cleanPath(path)));
    return node;
  }

  async find(ctx: Context, path: string): Promise<Node | undefined> {
    const clean = cleanPath(path);
    checkCall(ctx, () => this.#names.node(this.cell, clean));
    return readNode(this.#shared.database, this.cell, clean);
  }

  has(path: string): boolean {
    return this.#shared.database.get('SELECT 1 FROM node WHERE cell = ? AND path = ?', this.cell, cleanPath(path)) !== undefined;
  }

  async list(ctx: Context, prefix: string): Promise<(Node & { path: string })[]> {
    checkContext(ctx);
    const rows = listNodes(this.#shared.database, this.cell, cleanPath(prefix));
    if (rows.length === 0) throw new TopoError('NoNode', this.#names.node(this.cell, cleanPath(prefix)));
    return rows;
  }

  async create(ctx: Context, path: string, contents: string, options: WriteOptions = {}): Promise<Version> {
    const clean = cleanPath(path);
    checkCall(ctx, () => this.#names.node(this.cell, clean));
    return this.#write(options, (database) => {
      if (readNode(database, this.cell, clean) !== undefined) throw new TopoError('NodeExists', this.#names.node(this.cell, clean));
      return writeNode(database, this.cell, clean, contents);
    });
  }

  async update(
    ctx: Context,
    path: string,
    contents: string,
    version: Version | null,
    options: WriteOptions = {},
  ): Promise<Version> {
    const clean = cleanPath(path);
    checkCall(ctx, () => this.#names.node(this.cell, clean));
    return this.#write(options, (database) => {
      if (version !== null && readNode(database, this.cell, clean)?.version !== version) {
        throw new TopoError('BadVersion', this.#names.node(this.cell, clean));
      }
      return writeNode(database, this.cell, clean, contents);
    });
  }

  async delete(ctx: Context, path: string, version: Version | null, options: WriteOptions = {}): Promise<void> {
    const clean = cleanPath(path);
    checkCall(ctx, () => this.#names.node(this.cell, clean));
    await this.#write(options, (database) => {
      const found = readNode(database, this.cell, clean);
      if (found === undefined) throw new TopoError('NoNode', this.#names.node(this.cell, clean));
      if (version !== null && found.version !== version) throw new TopoError('BadVersion', this.#names.node(this.cell, clean));
      database.run('DELETE FROM node WHERE cell = ? AND path = ?', this.cell, clean);
    });
  }

  async atomically<T>(ctx: Context, options: WriteOptions, fn: (writer: Writer) => T): Promise<T> {
    checkContext(ctx);
    return this.#write(options, (database) =>
      fn({
        get: (cell, path) => readNode(database, cell, cleanPath(path)),
        put: (cell, path, contents) => void writeNode(database, cell, cleanPath(path), contents),
        remove: (cell, path) =>
          void database.run('DELETE FROM node WHERE cell = ? AND path = ?', cell, cleanPath(path)),
        list: (cell, prefix) => listNodes(database, cell, cleanPath(prefix)),
      }),
    );
  }

  lock(ctx: Context, request: AskedLock): Promise<LockDescriptor> {
    return this.#shared.server.acquire(ctx, request);
  }

  borrow(ctx: Context, lock: LockDescriptor): Promise<LockDescriptor> {
    return this.#shared.server.borrow(ctx, lock);
  }

  locks(): LockView[] {
    return this.#shared.locks.views();
  }

  lockEvents(most: number): LockEvent[] {
    return this.#shared.locks.events(most);
  }

  breakLock(order: LockBreak): Promise<Broken> {
    return this.#shared.locks.break(order);
  }

  close(): void {
    this.#shared.database.close();
  }

  /** The check of the guards and the write commit together: a late writer cannot slip between them. */
  #write<T>(options: WriteOptions, fn: (database: Database) => T): Promise<T> {
    const { database, world, locks } = this.#shared;
    return database.write(world.clock, () => {
      if (options.guards !== undefined) locks.verify(options.guards);
      return fn(database);
    });
  }
}

function readNode(database: Database, cell: string, path: string): Node | undefined {
  return database.get<Node>('SELECT contents, version FROM node WHERE cell = ? AND path = ?', cell, path);
}

function listNodes(database: Database, cell: string, prefix: string): (Node & { path: string })[] {
  return database.all<Node & { path: string }>(
    'SELECT path, contents, version FROM node WHERE cell = ? AND path >= ? AND path < ? ORDER BY path',
    cell,
    prefix,
    after(prefix),
  );
}

function writeNode(database: Database, cell: string, path: string, contents: string): Version {
  const version = nextRevision(database);
  database.run(
    'INSERT INTO node VALUES (?, ?, ?, ?) ON CONFLICT (cell, path) DO UPDATE SET contents = excluded.contents, version = excluded.version',
    cell,
    path,
    contents,
    version,
  );
  return version;
}
