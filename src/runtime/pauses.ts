import { UserError } from '../lib/errors.ts';
import type { Clock } from './clock.ts';
import { type Context, withCancel } from './context.ts';

const LONG_MS = 24 * 3_600_000;

/** How often it is looked whether somebody else lets a command go on. */
const LOOK_MS = 100;

/** Where other processes see that a command waits, and can let it go on. */
export interface PauseDesk {
  /** Says that somebody waits at a point; resolves to how to ask whether it was let go, and how to take that back. */
  wait(point: string): Promise<{ released(): boolean; end(): Promise<void> }>;
}

interface Waiter {
  point: string;
  end(): void;
  /** It ends since nobody is there any more who could let it go on. */
  abandoned: boolean;
}

/**
 * Where commands wait at a `pause`. The commands of one virtual machine share a place, so that one can be released by
 * whoever runs another.
 */
export class Pauses {
  readonly #waiting = new Set<Waiter>();
  /** Somebody is there to release a pause. Where nobody is, a pause is an error and not an endless wait. */
  expected: boolean;
  /** Undefined where all who could release a pause are in this process. */
  desk: PauseDesk | undefined;

  constructor(expected: boolean) {
    this.expected = expected;
  }

  /** The points where commands wait now, in the order in which they came. */
  get waiting(): string[] {
    return [...this.#waiting].map((waiter) => waiter.point);
  }

  /**
   * Waits until released, or until the context ends, which is no error here; `waits` is called once it does, with nothing of any store
   * in hand. Throws UserError where nobody could release it.
   */
  async wait(ctx: Context, clock: Clock, point: string, waits: () => void): Promise<void> {
    if (!this.expected) throw nobody(point);
    const node = withCancel(ctx);
    const waiter: Waiter = { point, end: () => node.end(), abandoned: false };
    this.#waiting.add(waiter);
    const seen = clock.virtual ? undefined : await this.desk?.wait(point);
    waits();
    try {
      // A wait of the real clock keeps the process alive; virtual time must not pass because somebody waits.
      while (!clock.virtual && node.ctx.err() === undefined) {
        await clock.sleep(seen === undefined ? LONG_MS : LOOK_MS, node.ctx);
        if (seen?.released() === true) node.end();
      }
      await new Promise<void>((resolve) => void node.ctx.onDone(() => resolve()));
    } finally {
      this.#waiting.delete(waiter);
      node.end();
      if (seen !== undefined) await seen.end();
    }
    if (waiter.abandoned) throw nobody(point);
  }

  /** Lets those go on whose point is accepted. Returns which. */
  release(accepts: (point: string) => boolean): string[] {
    const released = [...this.#waiting].filter((waiter) => accepts(waiter.point));
    for (const waiter of released) {
      this.#waiting.delete(waiter);
      waiter.end();
    }
    return released.map((waiter) => waiter.point);
  }

  /** Nobody will release anything any more: those who wait fail. */
  abandon(): void {
    this.expected = false;
    for (const waiter of this.#waiting) waiter.abandoned = true;
    this.release(() => true);
  }
}

function nobody(point: string): UserError {
  return new UserError(`paused at ${point}, and nobody is there to let it go on`, { next: 'use sleep(DURATION) instead of pause' });
}
