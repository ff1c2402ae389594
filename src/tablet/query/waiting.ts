import { ContextError, type Context, withTimeout } from '../../runtime/context.ts';
import type { World } from '../../runtime/world.ts';
import { lockWaitTimeout } from '../table-locks.ts';
import { WaitForLock } from './query-errors.ts';

/** How long a statement waits for locks when its context does not end before: MySQL's innodb_lock_wait_timeout. */
const LOCK_WAIT_MS = 50_000;
const POLL_MS = 10;
const LONGEST_POLL_MS = 50;

/**
 * Runs something that waits for locks on a context that ends with the lock wait. A wait that ran out is MySQL's
 * 1205; a canceled context stays what it is.
 */
export async function withinLockWait<T>(ctx: Context, world: World, fn: (limited: Context) => Promise<T>): Promise<T> {
  const limited = withTimeout(ctx, world.clock, LOCK_WAIT_MS);
  try {
    return await fn(limited.ctx);
  } catch (error) {
    throw error instanceof ContextError && error.reason === 'deadline' ? lockWaitTimeout() : error;
  } finally {
    limited.end();
  }
}

/** Tries again, more and more slowly, while somebody else's lock is in the way. Throws 1205, or why the context ended. */
export function untilFree<T>(ctx: Context, world: World, attempt: () => Promise<T>): Promise<T> {
  return withinLockWait(ctx, world, async (limited) => {
    for (let wait = POLL_MS; ; wait = Math.min(wait * 2, LONGEST_POLL_MS)) {
      const ended = limited.err();
      if (ended !== undefined) throw ended;
      try {
        return await attempt();
      } catch (error) {
        if (!(error instanceof WaitForLock)) throw error;
      }
      await world.clock.sleep(wait, limited);
    }
  });
}
