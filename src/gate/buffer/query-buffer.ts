import { errorText, type VtError } from '../../lib/errors.ts';
import { background, type Cancellable, type Context, withCancel } from '../../runtime/context.ts';
import type { Cluster } from '../../tablet/cluster.ts';
import { type BufferWindow, removeGateRecord, writeGateRecord } from '../../topo/gate-records.ts';
import type { BufferConfig } from './config.ts';
import { shardMissing } from './failover.ts';
import { Places, type Released, ShardBuffer } from './shard-buffer.ts';
import { lookAt } from './watcher.ts';

/** How often the watcher looks while statements are held: often enough that nobody notices, and four reads each time. */
const LOOK_MS = 20;
/** How often the count of held statements is left for others while it grows. */
const TELL_MS = 100;
/** Windows that a gate's record keeps. */
const KEPT_WINDOWS = 16;

/** A refusal that a statement met on its way to a shard. */
export interface Refusal {
  error: VtError;
  /** The version of the SrvVSchema that the statement was planned with. */
  vschema: number;
}

/**
 * Holds the statements for shards that are failing over, in one gate. Nothing of it runs while none is held. What it
 * held is left in the topology, where a switch finds it. Vitess: go/vt/vtgate/buffer, go/vt/vtgate/tabletgateway.go.
 */
export class QueryBuffer {
  readonly config: BufferConfig;
  readonly #cluster: Cluster;
  readonly #cell: string;
  readonly #places: Places;
  readonly #shards = new Map<string, ShardBuffer>();
  /** What was last seen of each keyspace that is watched. */
  readonly #marks = new Map<string, string>();
  readonly #windows: BufferWindow[] = [];
  readonly #life: Cancellable = withCancel(background());
  readonly #name: string;
  #watching = false;
  #told = '';
  #toldAt = Number.NEGATIVE_INFINITY;

  constructor(cluster: Cluster, cell: string, config: BufferConfig) {
    this.#cluster = cluster;
    this.#cell = cell;
    this.config = config;
    this.#places = new Places(config.size);
    const { processes, clock } = cluster.world;
    this.#name = `${processes.self.pid}-${Math.round(clock.now())}`;
  }

  /** Every window so far, oldest first. */
  get windows(): readonly BufferWindow[] {
    return this.#windows;
  }

  /**
   * Holds a statement for a shard while the shard is failing over; `refusal` is what the statement met there, and may
   * start it. Resolves to undefined at once where there is nothing to wait for. Throws why it could not be held.
   */
  async wait(ctx: Context, keyspace: string, shard: string, refusal?: Refusal): Promise<Released | undefined> {
    const buffer = this.#bufferOf(keyspace, shard);
    if (!buffer.buffering) {
      if (refusal === undefined || !buffer.mayStart(this.#now())) return undefined;
      const started = await this.#start(buffer, refusal);
      if (started !== undefined) return started === 'not' ? undefined : started;
    }
    return buffer.hold(ctx, () => this.#now());
  }

  /** Ends the watch and takes the record back. Statements still held have been told by their own contexts. */
  async close(): Promise<void> {
    this.#life.end();
    if (this.#told === '') return;
    await removeGateRecord(background(), this.#cluster.topo.conn, this.#name).catch(() => {});
  }

  #now(): number {
    return this.#cluster.world.clock.now();
  }

  #bufferOf(keyspace: string, shard: string): ShardBuffer {
    const key = `${keyspace}/${shard}`;
    let buffer = this.#shards.get(key);
    if (buffer === undefined) {
      buffer = new ShardBuffer(keyspace, shard, this.config, this.#places);
      this.#shards.set(key, buffer);
    }
    return buffer;
  }

  /** Starts a window. `'not'`: the refusal is no reason for one; Released: the failover is over already. */
  async #start(buffer: ShardBuffer, refusal: Refusal): Promise<Released | 'not' | undefined> {
    const sight = await lookAt(background(), this.#cluster, this.#cell, buffer.keyspace);
    if (buffer.buffering) return undefined;
    if (!buffer.mayStart(this.#now())) return 'not';
    const late = !this.#cluster.release.behaviours.doubleBufferingWindow;
    // The statement was planned before the switch ended: it only has to be planned anew.
    if (late && sight.vschema !== refusal.vschema) return 'not';
    if (late && sight.consistent) return { drained: true, done: () => {} };
    this.#marks.set(buffer.keyspace, sight.mark);
    this.#windows.push(buffer.start(this.#now()));
    void this.#watch();
    return undefined;
  }

  /** Runs while a shard buffers: windows that run out, and the end of the failover. */
  async #watch(): Promise<void> {
    if (this.#watching) return;
    this.#watching = true;
    const { clock, events } = this.#cluster.world;
    for (;;) {
      const open = [...this.#shards.values()].filter((buffer) => buffer.buffering);
      if (this.#life.ctx.err() !== undefined) break;
      await this.#tell(open.length === 0);
      if (open.length === 0) break;
      const next = Math.min(...open.map((buffer) => buffer.nextDeadline()));
      await clock.sleep(Math.min(LOOK_MS, Math.max(0, next - this.#now())), this.#life.ctx);
      for (const buffer of open) buffer.expire(this.#now());
      for (const keyspace of new Set(open.filter((buffer) => buffer.buffering).map((buffer) => buffer.keyspace))) {
        try {
          await this.#look(keyspace);
        } catch (error) {
          events.log('warning', `error while watching keyspace "${keyspace}": ${errorText(error)}`);
        }
      }
    }
    this.#watching = false;
    // A window may have been opened while this one was told of.
    if (this.#life.ctx.err() === undefined && [...this.#shards.values()].some((buffer) => buffer.buffering)) void this.#watch();
  }

  /** Drains the buffers of a keyspace that has become consistent. Only a change can tell: nothing else is an event. */
  async #look(keyspace: string): Promise<void> {
    const sight = await lookAt(this.#life.ctx, this.#cluster, this.#cell, keyspace);
    if (sight.mark === this.#marks.get(keyspace)) return;
    this.#marks.set(keyspace, sight.mark);
    if (!sight.consistent) return;
    for (const buffer of this.#shards.values()) {
      if (buffer.keyspace !== keyspace) continue;
      buffer.stop(this.#now(), true, sight.serving.has(buffer.shard) ? undefined : shardMissing());
    }
  }

  async #tell(atOnce: boolean): Promise<void> {
    const windows = this.#windows.slice(-KEPT_WINDOWS);
    const text = JSON.stringify(windows);
    if (text === this.#told || (!atOnce && this.#now() - this.#toldAt < TELL_MS)) return;
    this.#told = text;
    this.#toldAt = this.#now();
    const record = { process: this.#cluster.world.processes.self, windows };
    // Held statements matter more than what is told of them.
    await writeGateRecord(background(), this.#cluster.topo.conn, this.#name, record).catch(() => {});
  }
}
