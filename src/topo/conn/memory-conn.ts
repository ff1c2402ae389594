import { TopoError } from '../../lib/errors.ts';
import { checkContext, type Context } from '../../runtime/context.ts';
import type { World } from '../../runtime/world.ts';
import type { Conn, DirEntry, LockDescriptor, LockView, Node, Version, WriteOptions, Writer } from './conn.ts';
import { cleanPath, entriesBelow, type NodeNames } from './directory.ts';
import { checkCall } from './ended.ts';
import type { LockEvent } from './lock-events.ts';
import type { LeaseRow, TicketRow } from './lock-rows.ts';
import type { LeasePolicy } from './lease-policy.ts';
import { LockTable } from './lock-table.ts';
import type { Broken, LockBreak } from './lock-view.ts';
import { memoryLockRows } from './memory-lock-rows.ts';
import { type AskedLock, ServerLocks } from './server-locks.ts';

/**
 * A topology in this process's memory, for worlds that are thrown away. Several worlds of one
 * VirtualMachine may share one: open a connection per world on the same store.
 */
export class MemoryTopoStore {
  readonly nodes = new Map<string, Map<string, Node>>();
  /** What lies below directories, by cell and directory, until a node is made or goes. */
  readonly #listings = new Map<string, DirEntry[]>();
  readonly tickets: TicketRow[] = [];
  readonly leases = new Map<number, LeaseRow>();
  readonly fences = new Map<string, number>();
  readonly lockEvents: LockEvent[] = [];
  revision = 0;
  /** Grows with every transaction. */
  changes = 0;
  #undo: (() => void)[] | undefined;

  /** Forgets everything. */
  clear(): void {
    this.nodes.clear();
    this.#listings.clear();
    this.tickets.length = 0;
    this.leases.clear();
    this.fences.clear();
    this.lockEvents.length = 0;
    this.revision = 0;
    this.changes++;
  }

  /** A store with the same contents, which goes its own way. */
  fork(): MemoryTopoStore {
    const other = new MemoryTopoStore();
    this.#copyTo(other)();
    return other;
  }

  /** Remembers everything; the function goes back to there, as often as it is called. */
  mark(): () => void {
    return this.#copyTo(this);
  }

  #copyTo(other: MemoryTopoStore): () => void {
    const nodes = [...this.nodes].map(([cell, entries]) => [cell, new Map(entries)] as const);
    const tickets = this.tickets.map((ticket) => ({ ...ticket }));
    const leases = [...this.leases].map(([id, lease]) => [id, { ...lease }] as const);
    const fences = [...this.fences];
    const events = [...this.lockEvents];
    const { revision } = this;
    return () => {
      other.clear();
      for (const [cell, entries] of nodes) other.nodes.set(cell, new Map(entries));
      other.tickets.push(...tickets.map((ticket) => ({ ...ticket })));
      for (const [id, lease] of leases) other.leases.set(id, { ...lease });
      for (const [resource, token] of fences) other.fences.set(resource, token);
      other.lockEvents.push(...events);
      other.revision = revision;
    };
  }

  cell(name: string): Map<string, Node> {
    let nodes = this.nodes.get(name);
    if (nodes === undefined) {
      nodes = new Map();
      this.nodes.set(name, nodes);
    }
    return nodes;
  }

  put(cell: string, path: string, contents: string): Version {
    const nodes = this.cell(cell);
    const before = nodes.get(path);
    this.#undo?.push(() => (before === undefined ? this.#forget(nodes, path) : nodes.set(path, before)));
    if (before === undefined) this.#listings.clear();
    const version = ++this.revision;
    nodes.set(path, { contents, version, kept: true });
    return version;
  }

  remove(cell: string, path: string): void {
    const nodes = this.cell(cell);
    const before = nodes.get(path);
    if (before === undefined) return;
    this.#undo?.push(() => {
      this.#listings.clear();
      nodes.set(path, before);
    });
    this.#forget(nodes, path);
  }

  #forget(nodes: Map<string, Node>, path: string): void {
    this.#listings.clear();
    nodes.delete(path);
  }

  /** The entries right below a directory, by name. Not to be changed. */
  entries(cell: string, dir: string): readonly DirEntry[] {
    const key = `${cell}:${dir}`;
    let found = this.#listings.get(key);
    if (found === undefined) {
      found = entriesBelow(dir, this.cell(cell).keys());
      this.#listings.set(key, found);
    }
    return found;
  }

  /** All or nothing, as a database's transaction is. Nodes only: lock rows are edited in single calls. */
  transact<T>(fn: () => T): T {
    if (this.#undo !== undefined) return fn();
    const undo: (() => void)[] = [];
    this.#undo = undo;
    this.changes++;
    try {
      return fn();
    } catch (error) {
      for (const revert of undo.reverse()) revert();
      throw error;
    } finally {
      this.#undo = undefined;
    }
  }
}

/** A connection of one world to a topology in memory. */
export function openMemoryConn(store: MemoryTopoStore, world: World, policy: LeasePolicy): Conn {
  const retry = async <T>(fn: () => T): Promise<T> => store.transact(fn);
  const rows = memoryLockRows(store);
  const locks = new LockTable(rows, world.clock, world.processes, policy, retry);
  const server = new ServerLocks({ locks, rows, policy, clock: world.clock, retry });
  return new MemoryConn(store, locks, server, policy, 'global');
}

class MemoryConn implements Conn {
  readonly cell: string;
  readonly #store: MemoryTopoStore;
  readonly #locks: LockTable;
  readonly #server: ServerLocks;
  readonly policy: LeasePolicy;

  constructor(store: MemoryTopoStore, locks: LockTable, server: ServerLocks, policy: LeasePolicy, cell: string) {
    this.#store = store;
    this.#locks = locks;
    this.#server = server;
    this.policy = policy;
    this.cell = cell;
  }

  get #names(): NodeNames {
    return this.policy.names;
  }

  forCell(cell: string): Conn {
    return cell === this.cell ? this : new MemoryConn(this.#store, this.#locks, this.#server, this.policy, cell);
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
    return [...this.#store.entries(this.cell, clean)];
  }

  async get(ctx: Context, path: string): Promise<Node> {
    const node = this.#find(ctx, path);
    if (node === undefined) throw new TopoError('NoNode', this.#names.node(this.cell, cleanPath(path)));
    return node;
  }

  async find(ctx: Context, path: string): Promise<Node | undefined> {
    return this.#find(ctx, path);
  }

  has(path: string): boolean {
    return this.#store.cell(this.cell).has(cleanPath(path));
  }

  #find(ctx: Context, path: string): Node | undefined {
    const clean = cleanPath(path);
    checkCall(ctx, () => this.#names.node(this.cell, clean));
    return this.#store.cell(this.cell).get(clean);
  }

  async list(ctx: Context, prefix: string): Promise<(Node & { path: string })[]> {
    checkContext(ctx);
    const rows = this.#list(this.cell, cleanPath(prefix));
    if (rows.length === 0) throw new TopoError('NoNode', this.#names.node(this.cell, cleanPath(prefix)));
    return rows;
  }

  async create(ctx: Context, path: string, contents: string, options: WriteOptions = {}): Promise<Version> {
    const clean = cleanPath(path);
    checkCall(ctx, () => this.#names.node(this.cell, clean));
    return this.#write(options, () => {
      if (this.#store.cell(this.cell).has(clean)) throw new TopoError('NodeExists', this.#names.node(this.cell, clean));
      return this.#store.put(this.cell, clean, contents);
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
    return this.#write(options, () => {
      if (version !== null && this.#store.cell(this.cell).get(clean)?.version !== version) {
        throw new TopoError('BadVersion', this.#names.node(this.cell, clean));
      }
      return this.#store.put(this.cell, clean, contents);
    });
  }

  async delete(ctx: Context, path: string, version: Version | null, options: WriteOptions = {}): Promise<void> {
    const clean = cleanPath(path);
    checkCall(ctx, () => this.#names.node(this.cell, clean));
    this.#write(options, () => {
      const found = this.#store.cell(this.cell).get(clean);
      if (found === undefined) throw new TopoError('NoNode', this.#names.node(this.cell, clean));
      if (version !== null && found.version !== version) throw new TopoError('BadVersion', this.#names.node(this.cell, clean));
      this.#store.remove(this.cell, clean);
    });
  }

  async atomically<T>(ctx: Context, options: WriteOptions, fn: (writer: Writer) => T): Promise<T> {
    checkContext(ctx);
    const store = this.#store;
    return this.#write(options, () =>
      fn({
        get: (cell, path) => store.cell(cell).get(cleanPath(path)),
        put: (cell, path, contents) => void store.put(cell, cleanPath(path), contents),
        remove: (cell, path) => store.remove(cell, cleanPath(path)),
        list: (cell, prefix) => this.#list(cell, cleanPath(prefix)),
      }),
    );
  }

  lock(ctx: Context, request: AskedLock): Promise<LockDescriptor> {
    return this.#server.acquire(ctx, request);
  }

  borrow(ctx: Context, lock: LockDescriptor): Promise<LockDescriptor> {
    return this.#server.borrow(ctx, lock);
  }

  locks(): LockView[] {
    return this.#locks.views();
  }

  lockEvents(most: number): LockEvent[] {
    return this.#locks.events(most);
  }

  breakLock(order: LockBreak): Promise<Broken> {
    return this.#locks.break(order);
  }

  close(): void {}

  #write<T>(options: WriteOptions, fn: () => T): T {
    return this.#store.transact(() => {
      if (options.guards !== undefined) this.#locks.verify(options.guards);
      return fn();
    });
  }

  #list(cell: string, prefix: string): (Node & { path: string })[] {
    const found: (Node & { path: string })[] = [];
    for (const [path, { contents, version }] of this.#store.cell(cell)) {
      if (path.startsWith(prefix)) found.push({ path, contents, version });
    }
    return found.sort((a, b) => (a.path < b.path ? -1 : 1));
  }
}
