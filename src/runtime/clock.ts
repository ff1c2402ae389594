import type { Context } from './context.ts';
import { isLoading } from '../lib/loading.ts';

/**
 * The world's clock. `now` is what people read (epoch milliseconds); `monotonic` is what leases are measured
 * on: it cannot jump, and every process of one boot reads the same (Linux's CLOCK_MONOTONIC).
 */
export interface Clock {
  readonly virtual: boolean;
  now(): number;
  monotonic(): number;
  /** Waits; ends early (without an error) when the context ends. */
  sleep(ms: number, ctx?: Context): Promise<void>;
  /** Runs `fn` when `now` reaches `at`. Never keeps a process alive, and never makes virtual time pass. */
  at(at: number, fn: () => void): () => void;
  /** Lets other work run: signals, renewals, cancellation. */
  turn(): Promise<void>;
  /** True once `turn` was not called for some milliseconds: whoever did a piece of work then calls it. Never on a virtual clock. */
  due(): boolean;
}

/** setTimeout's limit, almost 25 days; a longer one would fire at once. */
const LONGEST_TIMER_MS = 0x7fffffff;

/** How long work that is cut into pieces may go on without a turn of the loop. */
const TURN_DUE_MS = 8;

/** The machine's clock. */
export function realClock(): Clock {
  let turned = performance.now();
  return {
    virtual: false,
    now: () => Date.now(),
    monotonic: () => Number(process.hrtime.bigint()) / 1e6,
    sleep: (ms, ctx) =>
      new Promise((resolve) => {
        let release = (): void => {};
        const timer = setTimeout(() => {
          release();
          resolve();
        }, Math.min(Math.max(0, ms), LONGEST_TIMER_MS));
        release =
          ctx?.onDone(() => {
            clearTimeout(timer);
            resolve();
          }) ?? release;
      }),
    at: (at, fn) => {
      const timer = setTimeout(fn, Math.min(Math.max(0, at - Date.now()), LONGEST_TIMER_MS));
      timer.unref();
      return () => clearTimeout(timer);
    },
    turn: () =>
      new Promise((resolve) => {
        setImmediate(() => {
          turned = performance.now();
          resolve();
        });
      }),
    due: () => performance.now() - turned >= TURN_DUE_MS,
  };
}

interface Timer {
  at: number;
  order: number;
  fn: () => void;
}

/**
 * A clock on which waiting is free: time jumps to the next sleeper once nothing else can run.
 * Deadlines and renewals (`at`) fire in order on the way, but nobody waits for them alone.
 */
export class VirtualClock implements Clock {
  readonly virtual = true;
  #now: number;
  #order = 0;
  #sleepers: Timer[] = [];
  #alarms: Timer[] = [];
  #scheduled = false;

  constructor(start: number) {
    this.#now = start;
  }

  now(): number {
    return this.#now;
  }

  monotonic(): number {
    return this.#now;
  }

  sleep(ms: number, ctx?: Context): Promise<void> {
    return new Promise((resolve) => {
      let release = (): void => {};
      const timer = this.#insert(this.#sleepers, this.#now + Math.max(0, ms), () => {
        release();
        resolve();
      });
      release =
        ctx?.onDone(() => {
          remove(this.#sleepers, timer);
          resolve();
        }) ?? release;
      this.#schedule();
    });
  }

  at(at: number, fn: () => void): () => void {
    const timer = this.#insert(this.#alarms, at, fn);
    return () => remove(this.#alarms, timer);
  }

  async turn(): Promise<void> {
    await Promise.resolve();
  }

  due(): boolean {
    return false;
  }

  /** Moves time forward by hand, firing what lies on the way. For tests and for time that passes between commands. */
  advance(ms: number): void {
    this.#jump(this.#now + ms);
  }

  /** Remembers the time; the function goes back to it, and whoever still waits then never wakes. */
  mark(): () => void {
    const now = this.#now;
    return () => {
      this.#now = now;
      this.#sleepers = [];
      this.#alarms = [];
    };
  }

  #insert(list: Timer[], at: number, fn: () => void): Timer {
    const timer = { at, order: this.#order++, fn };
    let index = list.length;
    while (index > 0 && list[index - 1]!.at > at) index--;
    list.splice(index, 0, timer);
    return timer;
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    if (isLoading()) {
      setTimeout(() => this.#again(), 1);
      return;
    }
    // setImmediate runs after every microtask: when it fires, every task of this world is waiting.
    setImmediate(() => {
      this.#scheduled = false;
      const next = this.#sleepers[0];
      if (next === undefined) return;
      if (isLoading()) return this.#schedule();
      // To an alarm first, if one comes earlier: what it wakes must run before time goes on.
      this.#jump(Math.min(next.at, this.#alarms[0]?.at ?? next.at));
      if (this.#sleepers.length > 0) this.#schedule();
    });
  }

  #again(): void {
    this.#scheduled = false;
    this.#schedule();
  }

  #jump(to: number): void {
    for (;;) {
      const alarm = this.#alarms[0];
      if (alarm === undefined || alarm.at > to) break;
      this.#alarms.shift();
      this.#now = Math.max(this.#now, alarm.at);
      alarm.fn();
    }
    this.#now = Math.max(this.#now, to);
    while (this.#sleepers[0] !== undefined && this.#sleepers[0].at <= this.#now) this.#sleepers.shift()!.fn();
  }
}

function remove(list: Timer[], timer: Timer): void {
  const index = list.indexOf(timer);
  if (index >= 0) list.splice(index, 1);
}
