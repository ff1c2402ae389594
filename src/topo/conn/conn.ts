import type { Context } from '../../runtime/context.ts';
import type { LeaseClock } from './lease-clock.ts';
import type { LockEvent } from './lock-events.ts';
import type { LeasePolicy } from './lease-policy.ts';
import type { Broken, LockBreak } from './lock-view.ts';
import type { AskedLock } from './server-locks.ts';

/**
 * Where the topology's bytes are kept, with the semantics of Vitess's Conn.
 * Vitess: go/vt/topo/conn.go. Contents are text: JSON that a person can query.
 *
 * Errors are `TopoError`s: NoNode, NodeExists, BadVersion; Timeout and Interrupted once the context has ended. Only
 * `list` (as on etcd) and `atomically` (which names no node) give the context's own error then.
 */
export interface Conn {
  /** The cell this connection is for; `global` is the main one. */
  readonly cell: string;
  /** How its locks live, and its nodes are named. */
  readonly policy: LeasePolicy;
  /** A connection to another cell of the same topology. */
  forCell(cell: string): Conn;
  /** The same topology as those have it who watch it: a cell that cannot be reached is as it was last. */
  watched(): Conn;
  /** The entries right below a directory, by name. Throws NoNode if nothing lies below it. */
  listDir(ctx: Context, dir: string): Promise<DirEntry[]>;
  create(ctx: Context, path: string, contents: string, options?: WriteOptions): Promise<Version>;
  /** Without a version: create or overwrite. With one: BadVersion unless it is the current one (also when missing). */
  update(ctx: Context, path: string, contents: string, version: Version | null, options?: WriteOptions): Promise<Version>;
  get(ctx: Context, path: string): Promise<Node>;
  /** As `get`; undefined where there is no node, which is an everyday answer and cheap to give. */
  find(ctx: Context, path: string): Promise<Node | undefined>;
  /** True if there is a node, at once and whatever became of a context: for what a connection asks on behalf of another's call. */
  has(path: string): boolean;
  /** As `listDir`; empty where nothing lies below. */
  entries(ctx: Context, dir: string): Promise<DirEntry[]>;
  /** Every node whose path begins with the prefix (as text). Throws NoNode if there is none. */
  list(ctx: Context, prefix: string): Promise<(Node & { path: string })[]>;
  delete(ctx: Context, path: string, version: Version | null, options?: WriteOptions): Promise<void>;
  /**
   * Several reads and writes of any cell as one. `fn` must not await: with SQLite it is one transaction,
   * and it is where a guarded write checks its lock. What `fn` throws undoes everything.
   */
  atomically<T>(ctx: Context, options: WriteOptions, fn: (writer: Writer) => T): Promise<T>;
  /** Waits for a lock on a directory, in order of arrival, as its topology server does. */
  lock(ctx: Context, request: AskedLock): Promise<LockDescriptor>;
  /**
   * A lock that this process holds by another connection, for a call by this one: it stays locked when it is unlocked here.
   * Throws NoNode `lease` where it was lost, whatever the topology server would notice.
   */
  borrow(ctx: Context, lock: LockDescriptor): Promise<LockDescriptor>;
  /** Who holds and who waits, for people. */
  locks(): LockView[];
  /** What became of locks: the newest events, oldest first. */
  lockEvents(most: number): LockEvent[];
  /** Ends somebody's grant (`lock release`). */
  breakLock(order: LockBreak): Promise<Broken>;
  close(): void;
}

/** Opaque, compared for equality only; grows over the whole store. */
export type Version = number;

export interface Node {
  contents: string;
  version: Version;
  /** The store gives the same object until the node is written: what is made of it can be kept beside it. */
  kept?: true;
}

export interface DirEntry {
  name: string;
  type: 'directory' | 'file';
  ephemeral: boolean;
}

export interface WriteOptions {
  /** Locks that must still be held when the write commits. Checked in the same transaction. */
  guards?: readonly LockDescriptor[];
  /** What is written lies in another file, that of a shard; here only the guards are checked. */
  elsewhere?: true;
}

/** The synchronous half of a connection, inside `atomically`. */
export interface Writer {
  get(cell: string, path: string): Node | undefined;
  put(cell: string, path: string, contents: string): void;
  remove(cell: string, path: string): void;
  list(cell: string, prefix: string): (Node & { path: string })[];
}

/** A held lock. */
export interface LockDescriptor {
  readonly resource: string;
  /** Grows with every grant: a write that carries an older one is late. */
  readonly token: number;
  /** Shared by all that one call has locked: a request that names it says what stays held meanwhile. */
  readonly chain: number;
  /** Fails if the lease is gone, where the server tells (`LockRules.check`); on etcd this is also what renews it: NoNode `lease`. */
  check(ctx: Context): Promise<void>;
  /** If it was lost before, as `LockRules.unlockLost` says: NoNode `lease` on etcd. */
  unlock(ctx: Context): Promise<void>;
  /** For faults: ends the lease now; `steal` also lets somebody else take the lock. */
  expire(): void;
  steal(): void;
  /** For faults: it is not renewed for so many milliseconds. Nothing is lost where it is not renewed anyway. */
  stall(ms: number): void;
  /** The step its holder is in, shown to those who wait. */
  note(step: string): void;
}

/** A lock or a waiter, as `lock show` prints it. */
export interface LockView {
  resource: string;
  token: number | undefined;
  contents: string;
  owner: string;
  alive: 'alive' | 'dead' | 'unknown';
  heldMs: number | undefined;
  /** Of one who waits. */
  waitedMs: number | undefined;
  expiresMs: number;
  /** What these times are measured on: see lease-clock.ts. */
  clock: LeaseClock;
  step: string;
  /** The command line that took it; `''` where nobody said. */
  command: string;
}
