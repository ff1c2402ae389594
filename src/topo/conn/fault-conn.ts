import { isTopoError, TopoError } from '../../lib/errors.ts';
import { type Context, checkContext } from '../../runtime/context.ts';
import type { FaultPoint } from '../../runtime/failpoints.ts';
import { atCommit, MetCall } from '../../runtime/offer-fault.ts';
import { type FailAs, injectedError } from '../../runtime/perform-fault.ts';
import type { World } from '../../runtime/world.ts';
import type { Conn, DirEntry, LockDescriptor, Node, Version, WriteOptions, Writer } from './conn.ts';
import { cleanPath } from './directory.ts';
import { PassingConn } from './passing-conn.ts';
import type { AskedLock } from './server-locks.ts';

/** What a call to the topology server does. */
const OPS = ['get', 'list', 'listDir', 'create', 'update', 'delete', 'lock'] as const;
type Op = (typeof OPS)[number];

/** Where faults meet calls to the topology server: `topo/update:after@RoutingRules`; a path of a cell has its name before it. */
export const TOPO_POINTS: readonly FaultPoint[] = OPS.map((op) => ({ name: `topo/${op}`, occurrences: Infinity, call: 'topo' }));

/**
 * A topology whose calls meet the faults of a world, and whose writes strike at the edge `commit` of the step that is under way.
 * For a command with faults; others have none of it to pass through.
 */
export function withFaults(conn: Conn, world: World): Conn {
  return new FaultConn(conn, world);
}

class FaultConn extends PassingConn implements Conn {
  readonly #world: World;

  constructor(inner: Conn, world: World) {
    super(inner);
    this.#world = world;
  }

  forCell(cell: string): Conn {
    return cell === this.cell ? this : new FaultConn(this.inner.forCell(cell), this.#world);
  }

  watched(): Conn {
    return this.inner.watched();
  }

  listDir(ctx: Context, dir: string): Promise<DirEntry[]> {
    return this.#meet(ctx, 'listDir', dir, () => this.inner.listDir(ctx, dir));
  }

  entries(ctx: Context, dir: string): Promise<DirEntry[]> {
    return this.#meet(ctx, 'listDir', dir, () => this.inner.entries(ctx, dir));
  }

  get(ctx: Context, path: string): Promise<Node> {
    return this.#meet(ctx, 'get', path, () => this.inner.get(ctx, path));
  }

  async find(ctx: Context, path: string): Promise<Node | undefined> {
    try {
      return await this.#meet(ctx, 'get', path, () => this.inner.find(ctx, path));
    } catch (error) {
      if (isTopoError(error, 'NoNode')) return undefined;
      throw error;
    }
  }

  list(ctx: Context, prefix: string): Promise<(Node & { path: string })[]> {
    return this.#meet(ctx, 'list', prefix, () => this.inner.list(ctx, prefix));
  }

  create(ctx: Context, path: string, contents: string, options?: WriteOptions): Promise<Version> {
    const write = { put: contents, version: undefined, plain: () => this.inner.create(ctx, path, contents, options) };
    return this.#meet(ctx, 'create', path, () => this.#commit(ctx, path, options, write));
  }

  update(ctx: Context, path: string, contents: string, version: Version | null, options?: WriteOptions): Promise<Version> {
    const write = { put: contents, version, plain: () => this.inner.update(ctx, path, contents, version, options) };
    return this.#meet(ctx, 'update', path, () => this.#commit(ctx, path, options, write));
  }

  delete(ctx: Context, path: string, version: Version | null, options?: WriteOptions): Promise<void> {
    const write = { put: undefined, version, plain: () => this.inner.delete(ctx, path, version, options) };
    return this.#meet(ctx, 'delete', path, () => this.#commit(ctx, path, options, write));
  }

  /**
   * What a transaction writes is known when it has run. Where faults may meet it, it is run and rolled back first; then they are
   * offered what it writes, outside of any transaction, since some wait.
   */
  async atomically<T>(ctx: Context, options: WriteOptions, fn: (writer: Writer) => T): Promise<T> {
    const { faults } = this.#world;
    const plain = options.elsewhere === true || !(this.#isAwaitedAtCommit() || faults.concerns('topo/update') || faults.concerns('topo/delete'));
    if (plain) return this.inner.atomically(ctx, options, fn);
    const written = await this.#rehearse(ctx, options, fn);
    const met = written.filter(({ op }) => faults.concerns(`topo/${op}`)).map(({ op, target }) => this.#call(ctx, op, target));
    for (const call of met) await call.meet('before');
    const places = [...new Set(written.flatMap(({ target }) => placesOf(target)))];
    // A transaction that writes nothing only looks.
    const result = await (written.length === 0
      ? this.inner.atomically(ctx, options, fn)
      : atCommit(ctx, this.#world, places, {
          plain: () => this.inner.atomically(ctx, options, fn),
          struck: (strike) =>
            this.inner.atomically(ctx, options, (writer) => {
              fn(writer);
              return strike();
            }),
        }));
    for (const call of met) await call.meet('after');
    return result;
  }

  async #rehearse<T>(ctx: Context, options: WriteOptions, fn: (writer: Writer) => T): Promise<{ op: Op; target: string }[]> {
    const written: { op: Op; target: string }[] = [];
    const note = (op: Op, cell: string, path: string): void => {
      const target = targetOf(cell, path);
      if (!written.some((one) => one.op === op && one.target === target)) written.push({ op, target });
    };
    const over = new Error('rehearsed');
    try {
      await this.inner.atomically(ctx, options, (writer) => {
        fn({
          get: (cell, path) => writer.get(cell, path),
          put: (cell, path, contents) => (note('update', cell, path), writer.put(cell, path, contents)),
          remove: (cell, path) => (note('delete', cell, path), writer.remove(cell, path)),
          list: (cell, prefix) => writer.list(cell, prefix),
        });
        throw over;
      });
    } catch (error) {
      if (error !== over) throw error;
    }
    return written;
  }

  lock(ctx: Context, request: AskedLock): Promise<LockDescriptor> {
    return this.#meet(ctx, 'lock', request.dir, () => this.inner.lock(ctx, request));
  }

  async #meet<T>(ctx: Context, op: Op, path: string, call: () => Promise<T>): Promise<T> {
    if (!this.#world.faults.concerns(`topo/${op}`)) return call();
    const met = this.#call(ctx, op, targetOf(this.cell, path));
    await met.meet('before');
    const result = await call();
    await met.meet('after');
    return result;
  }

  #call(ctx: Context, op: Op, target: string): MetCall {
    return new MetCall(ctx, this.#world, { name: `topo/${op}`, target, fail: this.#failAs(target) });
  }

  /** As the client of a topology server gives its errors. Vitess: go/vt/topo/etcd2topo/error.go. */
  #failAs(target: string): FailAs {
    const { names } = this.policy;
    const node = names.node(this.cell, this.cell === 'global' ? target : target.slice(this.cell.length + 1));
    return (action, point) => {
      if (action.message === undefined) {
        if (action.code === 'DEADLINE_EXCEEDED') return new TopoError('Timeout', node);
        if (action.code === 'CANCELED') return new TopoError('Interrupted', node);
        if (action.code === 'NOT_FOUND') return new TopoError('NoNode', node);
        if (action.code === 'ALREADY_EXISTS') return new TopoError('NodeExists', node);
      }
      return injectedError(action, point);
    };
  }

  #isAwaitedAtCommit(): boolean {
    const { current } = this.#world.faults;
    return current !== undefined && this.#world.faults.awaits(current.name, 'commit');
  }

  /** One write, with what is armed at the commit of the step that makes it. What it would be refused for is told first. */
  async #commit<T>(
    ctx: Context,
    path: string,
    options: WriteOptions | undefined,
    write: { put: string | undefined; version: Version | null | undefined; plain: () => Promise<T> },
  ): Promise<T> {
    if (!this.#isAwaitedAtCommit()) return write.plain();
    checkContext(ctx);
    const found = await this.inner.find(ctx, path);
    const refused = write.version === undefined ? found !== undefined : write.version !== null && found?.version !== write.version;
    if (refused || (write.put === undefined && found === undefined)) return write.plain();
    return atCommit(ctx, this.#world, placesOf(targetOf(this.cell, path)), {
      plain: write.plain,
      struck: (strike) =>
        this.inner.atomically(ctx, options ?? {}, (writer) => {
          if (write.put === undefined) writer.remove(this.cell, path);
          else writer.put(this.cell, path, write.put);
          return strike();
        }),
    });
  }
}

/** A path as faults name it: one of a cell has its name before it. */
function targetOf(cell: string, path: string): string {
  const clean = cleanPath(path);
  return cell === 'global' ? clean : `${cell}/${clean}`;
}

/** The keyspace or shard whose record a path is, as targets of a step. */
function placesOf(target: string): string[] {
  const match = /^(?:[^/]+\/)?keyspaces\/([^/]+)(?:\/shards\/([^/]+))?\//.exec(`${target}/`);
  if (match === null) return [];
  return [match[2] === undefined ? match[1]! : `${match[1]}/${match[2]}`];
}
