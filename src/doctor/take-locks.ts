import { formatDuration } from '../lib/duration.ts';
import { isTopoError, UserError } from '../lib/errors.ts';
import type { Context } from '../runtime/context.ts';
import { DeadlockError } from '../topo/conn/deadlock.ts';
import { lockText } from '../topo/lock-names.ts';
import { lockDirs } from '../topo/paths.ts';
import { type Locked, lockKeyspace, lockName } from '../topo/locks.ts';
import type { TopoServer } from '../topo/server.ts';

/** The locks of a repair. */
export interface WantedLocks {
  /** `keyspace/workflow`. */
  workflows: readonly string[];
  keyspaces: readonly string[];
}

/** Locks that are held together, and the context that holds them. */
export interface HeldTogether {
  ctx: Context;
  /** What was locked, for people: `named customer/c2c`, `keyspace commerce`. */
  names: readonly string[];
  /** Releases every one. A lock that was lost is an error unless there is a `failure` already. */
  unlock(failure: unknown): Promise<void>;
}

/** A lock that somebody kept for longer than was to be waited. `next` says what to do. */
export class LockBusy extends UserError {
  /** `keyspaces/commerce`. */
  readonly resource: string;

  constructor(resource: string, holder: string | undefined, waitedMs: number) {
    const whose = holder === undefined ? '' : `, which ${holder} holds`;
    super(`waited ${formatDuration(waitedMs)} for the lock on ${lockText(resource)}${whose}`, { next: 'try again when it has ended; who it is: switchtraffic lock show', exit: 75 });
    this.resource = resource;
  }
}

/** How long one lock is waited for while others are held. */
const PATIENCE_MS = 5;

/**
 * Takes every lock of a repair, the workflows' before the keyspaces', and waits for them as long as `--lock-timeout` says.
 * Whoever is late is waited for with nothing in hand: commands lock their keyspaces in an order of their own (a reversal in the
 * opposite one), and neither they nor this may wait for each other. A keyspace that is gone is left out. Throws LockBusy.
 */
export async function takeLocks(ctx: Context, topo: TopoServer, wanted: WantedLocks, action: string): Promise<HeldTogether> {
  const orders = [...wanted.workflows.toSorted().map(ofWorkflow(action)), ...wanted.keyspaces.toSorted().map(ofKeyspace(action))];
  const { clock } = topo.world;
  const started = clock.now();
  for (let first = orders[0]; ; ) {
    const left = topo.lockTimeoutMs - (clock.now() - started);
    const queue = first === undefined ? [] : [first, ...orders.filter((order) => order !== first)];
    const tried = await tryLocks(ctx, topo, queue, Math.max(left, 0));
    if (!('busy' in tried)) return tried;
    if (tried.busy === first || clock.now() - started >= topo.lockTimeoutMs) {
      throw new LockBusy(tried.busy.resource, holderOf(topo, tried.busy.resource), clock.now() - started);
    }
    first = tried.busy;
  }
}

interface Order {
  resource: string;
  lock(ctx: Context, topo: TopoServer): Promise<Locked>;
}

function ofWorkflow(action: string): (name: string) => Order {
  return (name) => ({
    resource: lockDirs.named(name),
    lock: (ctx, topo) => lockName(ctx, topo, name, action),
  });
}

function ofKeyspace(action: string): (name: string) => Order {
  return (name) => ({
    resource: lockDirs.keyspace(name),
    lock: (ctx, topo) => lockKeyspace(ctx, topo, name, action),
  });
}

/** All of them, the first waited for; or the one that is not to be had, and none. */
async function tryLocks(ctx: Context, topo: TopoServer, orders: readonly Order[], waitMs: number): Promise<HeldTogether | { busy: Order }> {
  const held: { order: Order; locked: Locked }[] = [];
  const unlock = async (failure: unknown): Promise<void> => {
    let first = failure;
    for (const { locked } of held.splice(0).reverse()) {
      try {
        await locked.unlock(first);
      } catch (error) {
        first = error;
      }
    }
    if (first !== failure) throw first;
  };
  for (const [index, order] of orders.entries()) {
    const lockTimeoutMs = index === 0 ? waitMs : Math.min(PATIENCE_MS, waitMs);
    try {
      held.push({ order, locked: await order.lock(held.at(-1)?.locked.ctx ?? ctx, { ...topo, lockTimeoutMs }) });
    } catch (error) {
      if (isGone(error)) continue;
      await unlock(error);
      if (isTopoError(error, 'Timeout') || error instanceof DeadlockError) return { busy: order };
      throw error;
    }
  }
  return { ctx: held.at(-1)?.locked.ctx ?? ctx, names: held.map(({ order }) => lockText(order.resource)), unlock };
}

/** The keyspace is not there; a lease that ran out in the queue is told by the same kind of error. */
function isGone(error: unknown): boolean {
  return isTopoError(error, 'NoNode') && error.node !== 'lease';
}

function holderOf({ conn }: TopoServer, resource: string): string | undefined {
  return conn.locks().find((view) => view.resource === resource && view.token !== undefined)?.owner;
}
