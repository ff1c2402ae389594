import { VtError } from '../lib/errors.ts';
import type { Clock } from './clock.ts';

/**
 * Go's context and no more: background, value, cancel, deadline, withoutCancel.
 *
 * Topology locks travel in a context value (see topo/locks.ts), so which context a clean-up runs on
 * decides whether it still holds its locks. That is the whole of vitessio/vitess#17620:
 * `background()` there forgets them, `withoutCancel(parent)` keeps them.
 */
export interface Context {
  /** The value stored under this key by this context or one above it. */
  value<T>(key: ContextKey<T>): T | undefined;
  /** Why the context has ended, or undefined while it lives. */
  err(): ContextError | undefined;
  /** The earliest deadline, in milliseconds of the world's clock. */
  deadline(): number | undefined;
  /** Calls `fn` once when the context ends (at once if it has). Returns how to stop listening. */
  onDone(fn: (error: ContextError) => void): () => void;
}

/** A typed key of a context value. */
export interface ContextKey<T> {
  readonly name: string;
  readonly type?: T;
}

/** Makes a key; two keys are the same only if they are the same object. */
export function contextKey<T>(name: string): ContextKey<T> {
  return { name };
}

/** `context canceled` or `context deadline exceeded`, as Go prints them. */
export class ContextError extends VtError {
  readonly reason: 'canceled' | 'deadline';

  constructor(reason: 'canceled' | 'deadline') {
    super(reason === 'canceled' ? 'context canceled' : 'context deadline exceeded', {
      code: reason === 'canceled' ? 'CANCELED' : 'DEADLINE_EXCEEDED',
      coded: false,
      // Every context ends with one, mostly unseen.
      traced: false,
    });
    this.name = 'ContextError';
    this.reason = reason;
  }
}

const nothing = (): void => {};

/** The root: never ends, holds nothing. */
export function background(): Context {
  return { value: () => undefined, err: () => undefined, deadline: () => undefined, onDone: () => nothing };
}

/** A context that also answers `key`. */
export function withValue<T>(parent: Context, key: ContextKey<T>, value: T): Context {
  return {
    value: <U>(wanted: ContextKey<U>): U | undefined =>
      (wanted as unknown) === key ? (value as unknown as U) : parent.value(wanted),
    err: () => parent.err(),
    deadline: () => parent.deadline(),
    onDone: (fn) => parent.onDone(fn),
  };
}

/** Keeps the parent's values (its locks among them) but neither its cancellation nor its deadline. */
export function withoutCancel(parent: Context): Context {
  return { ...background(), value: (key) => parent.value(key) };
}

/** A context and the function that ends it. Ending twice does nothing. */
export interface Cancellable {
  readonly ctx: Context;
  end(reason?: 'canceled' | 'deadline'): void;
}

/** A context that ends with its parent or when `end` is called. Call `end` to let go of the parent. */
export function withCancel(parent: Context): Cancellable {
  return cancellable(parent, undefined);
}

/** A context that also ends after `ms` milliseconds of the clock. Call `end` when done: it frees the timer. */
export function withTimeout(parent: Context, clock: Clock, ms: number): Cancellable {
  const at = clock.now() + ms;
  const node = cancellable(parent, at);
  if (ms <= 0) {
    node.end('deadline');
    return node;
  }
  const stop = clock.at(at, () => node.end('deadline'));
  node.ctx.onDone(stop);
  return node;
}

function cancellable(parent: Context, at: number | undefined): Cancellable {
  let error: ContextError | undefined;
  const listeners = new Set<(error: ContextError) => void>();
  const finish = (why: ContextError): void => {
    if (error !== undefined) return;
    error = why;
    detach();
    for (const listener of listeners) listener(why);
    listeners.clear();
  };
  let detach = nothing;
  const ctx: Context = {
    value: (key) => parent.value(key),
    err: () => error ?? parent.err(),
    deadline: () => earlier(at, parent.deadline()),
    onDone: (fn) => {
      const now = ctx.err();
      if (now !== undefined) {
        fn(now);
        return nothing;
      }
      listeners.add(fn);
      return () => listeners.delete(fn);
    },
  };
  detach = parent.onDone(finish);
  return { ctx, end: (reason = 'canceled') => finish(new ContextError(reason)) };
}

function earlier(a: number | undefined, b: number | undefined): number | undefined {
  if (a === undefined) return b;
  return b === undefined ? a : Math.min(a, b);
}

/** Throws the context's error if it has ended: what most Vitess functions do first. */
export function checkContext(ctx: Context): void {
  const error = ctx.err();
  if (error !== undefined) throw error;
}
