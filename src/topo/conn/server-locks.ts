import { isTopoError, plainError, TopoError, vtError, wrapError } from '../../lib/errors.ts';
import type { Clock } from '../../runtime/clock.ts';
import { type Context, withCancel, withoutCancel } from '../../runtime/context.ts';
import type { LockDescriptor } from './conn.ts';
import type { NodeNames } from './directory.ts';
import { checkCall } from './ended.ts';
import { leaseMs, type LockRules } from './lock-rules.ts';
import type { LockRows } from './lock-rows.ts';
import type { LockRequest } from './lease-book.ts';
import type { LeasePolicy } from './lease-policy.ts';
import type { LockTable } from './lock-table.ts';

/** A lock as it is asked for: without a life, the server's own. In milliseconds. */
export interface AskedLock extends Omit<LockRequest, 'ttlMs'> {
  ttlMs?: number | undefined;
}

interface Parts {
  locks: LockTable;
  rows: LockRows;
  policy: LeasePolicy;
  clock: Clock;
  /** As the lock table's. */
  retry: <T>(fn: () => T) => Promise<T>;
}

/** The life of a lease where no rules say how long. */
const PLAIN_MS = 30_000;

/**
 * The locks of a topology server, made of those of the lock table: how long their leases live, what a check and a release tell
 * of a lock that is gone, when a waiter gives up, and what nodes are called. The rules are data: implementations.ts.
 */
export class ServerLocks {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Waits for a lock. Throws what the topology server's client answers when it cannot be had. */
  async acquire(ctx: Context, asked: AskedLock): Promise<LockDescriptor> {
    const { locks, policy } = this.#parts;
    const { rules, names } = policy;
    if (rules === undefined) return locks.acquire(ctx, { ...asked, ttlMs: asked.ttlMs ?? PLAIN_MS });
    const mustExist = rules.needDirectory === 'all' || (asked.mustExist && rules.needDirectory !== 'none');
    this.#checkStart(ctx, rules, asked.dir, mustExist);
    const ttlMs = leaseMs(rules, asked.ttlMs);
    // Consul's client has an error for it, of which Vitess makes a deadline that it says has passed.
    if (ttlMs === undefined) throw new TopoError('Timeout', names.lock(asked.dir));
    const number = rules.numbered ? await this.#number(asked.dir) : 0;
    const patience = this.#patience(ctx, rules);
    try {
      return this.#descriptor(await locks.acquire(patience.ctx, { ...asked, ttlMs, mustExist }), rules, names.lock(asked.dir, number));
    } catch (error) {
      throw translate(error, rules, names, asked.dir, number);
    } finally {
      patience.end();
    }
  }

  /** A lock of another connection of this process. Throws NoNode `lease` where it was lost, which some servers never notice. */
  async borrow(ctx: Context, lock: LockDescriptor): Promise<LockDescriptor> {
    const { locks, policy: { rules, names } } = this.#parts;
    const borrowed = locks.borrow(lock);
    await borrowed.check(ctx);
    return rules === undefined ? borrowed : this.#descriptor(borrowed, rules, names.lock(lock.resource));
  }

  /** A call on a context that has ended, or for a directory that has to be there. */
  #checkStart(ctx: Context, rules: LockRules, dir: string, mustExist: boolean): void {
    const { rows, policy: { names } } = this.#parts;
    if (rules.goneCaller === 'deadline exceeded') {
      if (mustExist && !rows.read(() => rows.exists(dir))) throw new TopoError('NoNode', names.lockDirectory(dir));
      if (ctx.err() !== undefined) throw new TopoError('Timeout', names.lock(dir));
      return;
    }
    checkCall(ctx, () => (mustExist || rules.numbered ? names.lockDirectory(dir) : names.lock(dir)));
  }

  /** The context for waiting: where the client looks at its caller only now and then, it outlives the caller's. */
  #patience(ctx: Context, { noticesEveryMs: every }: LockRules): { ctx: Context; end: () => void } {
    if (every === 0) return { ctx, end: () => {} };
    const { clock } = this.#parts;
    const began = clock.now();
    const own = withCancel(withoutCancel(ctx));
    let stop = (): void => {};
    const release = ctx.onDone(() => {
      // Who has left does not wait for the answer.
      if (ctx.err()?.reason !== 'deadline') return own.end();
      const late = began + Math.ceil((clock.now() - began) / every) * every;
      if (late <= clock.now()) own.end();
      else stop = clock.at(late, () => own.end());
    });
    return { ctx: own.ctx, end: () => (release(), stop(), own.end()) };
  }

  /** The number of the next node in a queue. It starts at 0 again once the queue's directory, being empty, was deleted. */
  async #number(dir: string): Promise<number> {
    const { rows, retry } = this.#parts;
    return retry(() => {
      const made = rows.fence(queueOf(dir));
      rows.setFence(queueOf(dir), made + 1);
      return made;
    });
  }

  #descriptor(inner: LockDescriptor, rules: LockRules, node: string): LockDescriptor {
    const { locks, rows, retry } = this.#parts;
    const { resource } = inner;
    const isLost = (): boolean => rows.read(() => !isHeld(() => locks.verify([inner])));
    return {
      ...inner,
      check: async (ctx) => {
        if (rules.check === 'asks the server') return inner.check(ctx);
        if (rules.check === 'was told' && isLost()) throw vtError('INTERNAL', 'lost channel closed');
      },
      unlock: async (ctx) => {
        try {
          await inner.unlock(ctx);
          if (!rules.numbered) return;
          await retry(() => {
            if (rows.tickets(resource).length === 0) rows.setFence(queueOf(resource), 0);
          });
        } catch (error) {
          if (!isTopoError(error, 'NoNode')) throw error;
          if (rules.unlockLost === 'NoNode lease') throw error;
          if (rules.unlockLost === 'NoNode of its node') throw new TopoError('NoNode', node);
          if (rules.unlockLost === 'not locked') throw plainError(`node ${resource} is not locked`);
        }
      },
      expire: () => {
        if (rules.delayMs === 0) return inner.expire();
        rows.transact(() => {
          const ticket = rows.tickets(resource).find(({ token }) => token === inner.token);
          const lease = ticket === undefined ? undefined : rows.lease(ticket.leaseId);
          if (lease === undefined) return;
          const left = this.#leftOf(inner);
          rows.putLease({ ...lease, expires: lease.expires - left, expiresWall: lease.expiresWall - left });
        });
      },
    };
  }

  /** Milliseconds left of a held lock's lease. */
  #leftOf({ token }: LockDescriptor): number {
    return Math.max(0, this.#parts.locks.views().find((view) => view.token === token)?.expiresMs ?? 0);
  }
}

/** What the table says of a lock that cannot be had, as the server's client puts it. */
function translate(error: unknown, rules: LockRules, names: NodeNames, dir: string, number: number): unknown {
  const node = names.lock(dir, number);
  if (isTopoError(error, 'Timeout')) return new TopoError('Timeout', node);
  if (isTopoError(error, 'Interrupted')) return new TopoError(rules.goneCaller === 'interrupted' ? 'Interrupted' : 'Timeout', node);
  if (!isTopoError(error, 'NoNode')) return error;
  if (error.node !== 'lease') return new TopoError('NoNode', names.lockDirectory(dir));
  if (rules.waiterLost === 'deadline exceeded') return new TopoError('Timeout', node);
  if (rules.waiterLost === 'NoNode lease') return error;
  return wrapError(plainError(`obtainQueueLock: no previous queue node found: ${node}`), `failed to obtain lock: ${node}`);
}

/** Under which name the nodes of a queue are counted, beside the fences. */
function queueOf(dir: string): string {
  return `${dir}/locks`;
}

function isHeld(verify: () => void): boolean {
  try {
    verify();
    return true;
  } catch (error) {
    if (isTopoError(error, 'NoNode')) return false;
    throw error;
  }
}
