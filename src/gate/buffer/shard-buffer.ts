import type { VtError } from '../../lib/errors.ts';
import type { Context } from '../../runtime/context.ts';
import type { BufferWindow } from '../../topo/gate-records.ts';
import { bufferFull, contextEnded, evicted } from './failover.ts';
import type { BufferConfig } from './config.ts';

/** What a held statement gets when it may go on. Call `done` once it has been tried again: the next one waits for it. */
export interface Released {
  /** The failover is over; false when only the statement's window is. */
  drained: boolean;
  done: () => void;
}

/** One statement that is held. */
interface Held {
  since: number;
  /** Clock time at which its window ends. */
  deadline: number;
  release: (drained: boolean, error?: VtError) => void;
  finished: Promise<void>;
}

/** The places for held statements, shared by the buffers of all shards. */
export class Places {
  #free: number;

  constructor(size: number) {
    this.#free = size;
  }

  take(): boolean {
    if (this.#free <= 0) return false;
    this.#free--;
    return true;
  }

  give(): void {
    this.#free++;
  }
}

/**
 * The statements held for one shard: idle, buffering while a failover goes on, draining when it is over. Takes the time
 * from whoever calls. Vitess: go/vt/vtgate/buffer/shard_buffer.go.
 */
export class ShardBuffer {
  readonly keyspace: string;
  readonly shard: string;
  readonly #config: BufferConfig;
  readonly #places: Places;
  #state: 'idle' | 'buffering' | 'draining' = 'idle';
  #queue: Held[] = [];
  #lastEnd: number | undefined;
  #window: BufferWindow | undefined;

  constructor(keyspace: string, shard: string, config: BufferConfig, places: Places) {
    this.keyspace = keyspace;
    this.shard = shard;
    this.#config = config;
    this.#places = places;
  }

  get buffering(): boolean {
    return this.#state === 'buffering';
  }

  /** The window that is open, or was last. */
  get window(): BufferWindow | undefined {
    return this.#window;
  }

  /** True if a failover that was just seen should start buffering now: not while draining, not too soon after the last. */
  mayStart(now: number): boolean {
    if (this.#state !== 'idle') return false;
    return this.#lastEnd === undefined || now - this.#lastEnd >= this.#config.minBetweenMs;
  }

  start(now: number): BufferWindow {
    this.#state = 'buffering';
    this.#queue = [];
    this.#window = { keyspace: this.keyspace, shard: this.shard, from: now, statements: 0, longest_ms: 0 };
    return this.#window;
  }

  /** Holds a statement until the failover is over or its window is. Throws UNAVAILABLE: full, evicted, context ended. */
  async hold(ctx: Context, now: () => number): Promise<Released> {
    const ended = ctx.err();
    if (ended !== undefined) throw contextEnded(ended.message);
    if (!this.#places.take()) {
      const oldest = this.#queue.shift();
      if (oldest === undefined) throw bufferFull();
      // Its place goes straight to the newer statement, and another is given back when it has finished.
      oldest.release(false, evicted());
    }
    const window = this.#window;
    if (window !== undefined) window.statements++;
    return new Promise((resolve, reject) => {
      let finish = (): void => {};
      const finished = new Promise<void>((done) => (finish = done));
      const since = now();
      const stop = ctx.onDone((error) => {
        if (!this.#remove(held)) return;
        this.#places.give();
        finish();
        reject(contextEnded(error.message));
      });
      const held: Held = {
        since,
        deadline: since + this.#config.windowMs,
        finished,
        release: (drained, error) => {
          stop();
          if (window !== undefined) window.longest_ms = Math.max(window.longest_ms, now() - since);
          if (error === undefined) return resolve({ drained, done: finish });
          finish();
          reject(error);
        },
      };
      this.#queue.push(held);
    });
  }

  /** The next time at which something runs out. */
  nextDeadline(): number {
    const start = this.#window?.from ?? 0;
    return Math.min(start + this.#config.maxFailoverMs, this.#queue[0]?.deadline ?? Number.POSITIVE_INFINITY);
  }

  /** Lets go of statements whose window is over, and of all of them once the failover has lasted too long. */
  expire(now: number): void {
    while (this.#queue[0] !== undefined && this.#queue[0].deadline <= now) {
      const held = this.#queue.shift()!;
      held.release(false);
      void held.finished.then(() => this.#places.give());
    }
    if (this.buffering && now - (this.#window?.from ?? now) >= this.#config.maxFailoverMs) this.stop(now, false);
  }

  /** Ends buffering: what is held goes on one after another, or fails with `error`. */
  stop(now: number, drained: boolean, error?: VtError): void {
    if (!this.buffering) return;
    this.#state = 'draining';
    this.#lastEnd = now;
    if (this.#window !== undefined) this.#window.to = now;
    const queue = this.#queue;
    this.#queue = [];
    void this.#drain(queue, drained, error);
  }

  async #drain(queue: readonly Held[], drained: boolean, error: VtError | undefined): Promise<void> {
    for (const held of queue) {
      held.release(drained, error);
      await held.finished;
      this.#places.give();
    }
    this.#state = 'idle';
  }

  #remove(held: Held): boolean {
    const index = this.#queue.indexOf(held);
    if (index >= 0) this.#queue.splice(index, 1);
    return index >= 0;
  }
}
