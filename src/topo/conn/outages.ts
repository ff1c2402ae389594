import { isTopoError, plainError, TopoError } from '../../lib/errors.ts';
import { type Context, checkContext } from '../../runtime/context.ts';
import type { Clock } from '../../runtime/clock.ts';
import { paths } from '../paths.ts';
import type { Conn, DirEntry, LockDescriptor, Node, Version, WriteOptions, Writer } from './conn.ts';
import { cleanPath, type NodeNames } from './directory.ts';
import { checkCall } from './ended.ts';
import { PassingConn } from './passing-conn.ts';
import type { AskedLock } from './server-locks.ts';

/** How long a call to a cell's topology server is tried that does not answer: etcd's dial timeout. */
const DIAL_MS = 5000;

/**
 * A topology of which cells can be stopped (`stopCell`): a call to one of those fails with `deadline exceeded: PATH` after
 * five seconds, or when its context ends. The global topology is never stopped.
 */
export function withOutages(conn: Conn, clock: Clock): Conn {
  return new OutageConn(conn, clock);
}

class OutageConn extends PassingConn implements Conn {
  /** Where it stands which cells are stopped; undefined for the global topology itself, which never is. */
  readonly #global: Conn | undefined;
  /** The node there that says so of this cell. */
  readonly #stopped: string;
  readonly #clock: Clock;

  constructor(inner: Conn, clock: Clock) {
    super(inner);
    this.#global = inner.cell === 'global' ? undefined : inner.forCell('global');
    this.#stopped = paths.stoppedCell(inner.cell);
    this.#clock = clock;
  }

  get #names(): NodeNames {
    return this.inner.policy.names;
  }

  forCell(cell: string): Conn {
    return cell === this.cell ? this : new OutageConn(this.inner.forCell(cell), this.#clock);
  }

  watched(): Conn {
    return this.inner;
  }

  listDir(ctx: Context, dir: string): Promise<DirEntry[]> {
    return this.#onceReached(ctx, () => this.#names.directory(this.cell, cleanPath(dir)), () => this.inner.listDir(ctx, dir));
  }

  entries(ctx: Context, dir: string): Promise<DirEntry[]> {
    return this.#onceReached(ctx, () => this.#names.directory(this.cell, cleanPath(dir)), () => this.inner.entries(ctx, dir));
  }

  async create(ctx: Context, path: string, contents: string, options?: WriteOptions): Promise<Version> {
    await this.#reachNode(ctx, path);
    return this.inner.create(ctx, path, contents, options);
  }

  async update(ctx: Context, path: string, contents: string, version: Version | null, options?: WriteOptions): Promise<Version> {
    await this.#reachNode(ctx, path);
    return this.inner.update(ctx, path, contents, version, options);
  }

  get(ctx: Context, path: string): Promise<Node> {
    return this.#onceReached(ctx, () => this.#names.node(this.cell, cleanPath(path)), () => this.inner.get(ctx, path));
  }

  find(ctx: Context, path: string): Promise<Node | undefined> {
    return this.#onceReached(ctx, () => this.#names.node(this.cell, cleanPath(path)), () => this.inner.find(ctx, path));
  }

  async list(ctx: Context, prefix: string): Promise<(Node & { path: string })[]> {
    checkContext(ctx);
    try {
      await this.#reachNode(ctx, prefix);
    } catch (error) {
      // As on etcd, where `list` gives its client's own error.
      throw isTopoError(error, 'Timeout') ? plainError('context deadline exceeded') : error;
    }
    return this.inner.list(ctx, prefix);
  }

  async delete(ctx: Context, path: string, version: Version | null, options?: WriteOptions): Promise<void> {
    await this.#reachNode(ctx, path);
    await this.inner.delete(ctx, path, version, options);
  }

  async atomically<T>(ctx: Context, options: WriteOptions, fn: (writer: Writer) => T): Promise<T> {
    let unreachable: TopoError | undefined;
    try {
      return await this.inner.atomically(ctx, options, (writer) => {
        const reach = (cell: string, path: string): void => {
          if (cell === 'global' || writer.get('global', paths.stoppedCell(cell)) === undefined) return;
          unreachable = new TopoError('Timeout', this.#names.node(cell, cleanPath(path)));
          throw unreachable;
        };
        return fn({
          get: (cell, path) => (reach(cell, path), writer.get(cell, path)),
          put: (cell, path, contents) => (reach(cell, path), writer.put(cell, path, contents)),
          remove: (cell, path) => (reach(cell, path), writer.remove(cell, path)),
          list: (cell, prefix) => (reach(cell, prefix), writer.list(cell, prefix)),
        });
      });
    } catch (error) {
      if (error === unreachable) await this.#clock.sleep(DIAL_MS, ctx);
      throw error;
    }
  }

  lock(ctx: Context, request: AskedLock): Promise<LockDescriptor> {
    return this.inner.lock(ctx, request);
  }

  /** Reads of the global topology and of cells that answer, which are nearly all, go straight on. */
  #onceReached<T>(ctx: Context, node: () => string, read: () => Promise<T>): Promise<T> {
    return this.#isStopped() ? this.#reach(ctx, node).then(read) : read();
  }

  #isStopped(): boolean {
    return this.#global?.has(this.#stopped) ?? false;
  }

  #reachNode(ctx: Context, path: string): Promise<void> {
    return this.#reach(ctx, () => this.#names.node(this.cell, cleanPath(path)));
  }

  /** Throws Timeout, or Interrupted for a caller who has gone, if the cell is stopped. */
  async #reach(ctx: Context, node: () => string): Promise<void> {
    if (this.#global === undefined) return;
    checkCall(ctx, node);
    if (!this.#isStopped()) return;
    await this.#clock.sleep(DIAL_MS, ctx);
    checkCall(ctx, node);
    throw new TopoError('Timeout', node());
  }
}
