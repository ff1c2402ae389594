import { isTopoError, TopoError } from '../../lib/errors.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Context } from '../../runtime/context.ts';
import type { Processes } from '../../runtime/processes.ts';
import type { LockDescriptor, LockView } from './conn.ts';
import { DeadlockError } from './deadlock.ts';
import { checkCall, endedError } from './ended.ts';
import { LeaseBook, type LockRequest } from './lease-book.ts';
import type { LeasePolicy } from './lease-policy.ts';
import { type Leased, makeDescriptor } from './lock-descriptor.ts';
import type { LockEvent } from './lock-events.ts';
import type { LockRows } from './lock-rows.ts';
import type { Broken, LockBreak } from './lock-view.ts';
import { ownerText } from './lock-words.ts';
import { isUp, type Place, pollDelayMs, PROBE_MS } from './queue-place.ts';

/**
 * Locks as leases with fencing tokens, the same for every store: a store only keeps the rows.
 *
 * Tickets are served in order of arrival. A grant's token is the revision at which it was granted, so tokens
 * only grow, and the fence of a resource remembers the highest. Vitess's etcd locks have the same shape
 * (create revision as queue, lease as life) but no fence: go/vt/topo/etcd2topo/lock.go.
 */
export class LockTable {
  readonly #rows: LockRows;
  readonly #clock: Clock;
  readonly #processes: Processes;
  readonly #policy: LeasePolicy;
  readonly #book: LeaseBook;
  readonly #retry: <T>(fn: () => T) => Promise<T>;

  /** `retry` runs a transaction of the store, waiting for other processes without blocking the loop. */
  constructor(
    rows: LockRows,
    clock: Clock,
    processes: Processes,
    policy: LeasePolicy,
    retry: <T>(fn: () => T) => Promise<T>,
  ) {
    this.#rows = rows;
    this.#clock = clock;
    this.#processes = processes;
    this.#policy = policy;
    this.#book = new LeaseBook(rows, clock, processes, policy);
    this.#retry = retry;
  }

  /**
   * Waits in line. Throws NoNode for a missing directory, Timeout or Interrupted when the context ends first,
   * NoNode `lease` if its own lease ran out meanwhile, DeadlockError if it would wait for ever; the ticket is gone then.
   */
  async acquire(ctx: Context, request: LockRequest): Promise<LockDescriptor> {
    const node = this.#policy.names.lock(request.dir);
    checkCall(ctx, () => request.mustExist ? this.#policy.names.directory('global', request.dir) : node);
    // A lock that is free costs one commit, not two: it is asked for and granted in the same transaction.
    const asked = await this.#retry(() => {
      const circle = this.#book.circle(request);
      if (circle !== undefined) return { circle };
      const lease = this.#book.enqueue(request);
      return { lease, place: this.#book.tryGrant(lease.id) };
    });
    // Thrown outside of the transaction, which may have buried somebody.
    if (asked.lease === undefined) throw new DeadlockError(asked.circle, { command: request.command ?? '', contents: request.contents });
    const { lease } = asked;
    const token = await this.#wait(ctx, lease.id, asked.place, node);
    return this.#descriptor({ resource: request.dir, revision: lease.id, token, chain: lease.chain, ttlMs: request.ttlMs });
  }

  /** Throws NoNode `lease` unless every lock is still held, its token the newest. For use inside a transaction. */
  verify(guards: readonly LockDescriptor[]): void {
    for (const guard of guards) this.#book.verify(guard.resource, guard.token);
  }

  /** A lock that another connection of this process took: it is asked after and noted here, kept alive and released there. */
  borrow(lock: LockDescriptor): LockDescriptor {
    const ticket = this.#rows.read(() => this.#rows.tickets(lock.resource).find(({ token }) => token === lock.token));
    const { check, note } = this.#descriptor({ ...lock, revision: ticket?.revision ?? 0, ttlMs: 0 }, false);
    // One that was lost is an error, as for whoever releases it.
    return { ...lock, check, note, unlock: check };
  }

  views(): LockView[] {
    return this.#rows.read(() => this.#rows.allTickets().map((ticket) => this.#book.view(ticket)));
  }

  /** The newest events, oldest first. */
  events(most: number): LockEvent[] {
    return this.#rows.events(most);
  }

  /** Ends a grant from outside. Its holder finds out at its next write. A holder that may live is spared unless forced. */
  async break({ resource, token, force }: LockBreak): Promise<Broken> {
    return this.#retry(() => {
      const ticket = this.#rows.tickets(resource).find((one) => one.token !== undefined);
      if (ticket === undefined) return { outcome: 'free', holder: undefined };
      const holder = this.#book.view(ticket);
      if (ticket.token !== token) return { outcome: 'other token', holder };
      if (!force && holder.expiresMs > 0 && holder.alive !== 'dead') return { outcome: 'held', holder };
      const lease = this.#rows.lease(ticket.leaseId);
      if (lease !== undefined) this.#book.record('released', ticket, lease, `by ${ownerText(this.#processes.self)}${force ? ', forced' : ''}`);
      this.#book.leave(ticket.revision);
      return { outcome: 'released', holder };
    });
  }

  /** The token, once it is this ticket's turn. Throws as `acquire`. */
  async #wait(ctx: Context, revision: number, first: Place | undefined, node: string): Promise<number> {
    let place = first;
    let seen: string | number | undefined;
    let probed = this.#book.now();
    for (let looks = 0; ; looks++) {
      if (place === undefined) throw new TopoError('NoNode', 'lease');
      const ended = ctx.err();
      // Whoever had to wait for nothing but a slow disk has the lock.
      if (place.token !== undefined && (ended === undefined || looks === 0)) return place.token;
      if (ended !== undefined) {
        await this.#retry(() => this.#book.leave(revision));
        throw endedError(ended, node);
      }
      await this.#clock.sleep(pollDelayMs(place.ahead.length, looks), ctx);
      // Nearly every look ends here, with neither a transaction nor a lock: nobody has changed anything, and none died.
      const now = this.#book.now();
      const probe = this.#policy.reapDead && now - probed >= PROBE_MS;
      if (probe) probed = now;
      const died = probe && place.ahead.some((owner) => this.#processes.liveness(owner) === 'dead');
      if (!died && now < place.due && this.#rows.changes() === seen) continue;
      seen = this.#rows.changes();
      try {
        // To look takes no lock that others wait for.
        place = this.#rows.read(() => this.#book.look(revision));
      } catch {
        // For an instant a file cannot even be read: when whoever closed it last writes it back. Any other error comes again here.
        place = await this.#retry(() => this.#book.tryGrant(revision));
      }
      if (place?.token === undefined && isUp(place, this.#book.now())) place = await this.#retry(() => this.#book.tryGrant(revision));
    }
  }

  #descriptor(leased: Leased, renewed = this.#policy.renewed): LockDescriptor {
    const { resource, revision, token } = leased;
    return makeDescriptor(leased, this.#clock, renewed, {
      renew: (ctx) => {
        checkCall(ctx, () => 'lease');
        return this.#retry(() => this.#book.renew(resource, token));
      },
      // A lease that is gone is found out by the next guarded write. A store that is busy is tried again next time.
      renewQuietly: () =>
        this.#processes.liveness(this.#processes.self) === 'dead' ? 'gone' : this.#quietly(() => this.#book.renew(resource, token)),
      release: () =>
        this.#retry(() => {
          this.#book.verify(resource, token);
          this.#book.leave(revision);
        }),
      expire: () => this.#rows.transact(() => this.#book.take('expired', leased)),
      steal: () => this.#rows.transact(() => this.#book.steal(leased)),
      note: (step) => {
        this.#quietly(() => {
          const lease = this.#rows.lease(revision);
          if (lease !== undefined) this.#rows.putLease({ ...lease, step });
        });
      },
    });
  }

  #quietly(fn: () => void): 'renewed' | 'busy' | 'gone' {
    try {
      this.#rows.transact(fn);
      return 'renewed';
    } catch (error) {
      return isTopoError(error, 'NoNode') ? 'gone' : 'busy';
    }
  }
}
