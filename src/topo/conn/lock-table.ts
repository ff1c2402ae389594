import { isTopoError, TopoError } from '../../lib/errors.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Context } from '../../runtime/context.ts';
import { haveSameClock, type Processes } from '../../runtime/processes.ts';
import type { LockDescriptor, LockView } from './conn.ts';
import { DeadlockError, findDeadlock, queuedTickets, type StandStill } from './deadlock.ts';
import type { NodeNames } from './directory.ts';
import { checkCall, endedError } from './ended.ts';
import { type LeaseTimes, type Remaining, remainingOf } from './lease-clock.ts';
import { type Leased, makeDescriptor } from './lock-descriptor.ts';
import type { LockEvent, LockEventKind } from './lock-events.ts';
import type { LeaseRow, LockRows, TicketRow } from './lock-rows.ts';
import { type Broken, type LockBreak, viewOf } from './lock-view.ts';
import { ownerText } from './lock-words.ts';
import { isUp, type Place, pollDelayMs, PROBE_MS } from './queue-place.ts';
import type { LockRules } from './lock-rules.ts';

/**
 * Locks as leases with fencing tokens, the same for every store: a store only keeps the rows.
 *
 * Tickets are served in order of arrival. A grant's token is the revision at which it was granted, so tokens
 * only grow, and the fence of a resource remembers the highest. Vitess's etcd locks have the same shape
 * (create revision as queue, lease as life) but no fence: go/vt/topo/etcd2topo/lock.go.
 */
export interface LockRequest {
  /** The directory locked, which is also the resource's name here: `keyspaces/commerce`. */
  dir: string;
  /** The JSON that Vitess writes: action, host, user, time. */
  contents: string;
  ttlMs: number;
  /** Named locks need no directory; the others fail with NoNode without one. */
  mustExist: boolean;
  /** The command line that wants it, for people; `''` where there is none. */
  command?: string;
  /** The chain of the locks that stay held while this one is waited for; absent where there are none. */
  chain?: number;
}

/** How leases live, and how errors name nodes. May be changed until the first lock is taken. */
export interface LeasePolicy {
  names: NodeNames;
  /** True: renewed by the holder while it lives. False: only by `check`, as on etcd (K4, #20340). */
  renewed: boolean;
  /**
   * True: processes are looked at: a holder proved dead is removed at once, and who would wait for ever is told so at once.
   * False: only expiry ends a lease, and waiters of each other wait until they give up, as on etcd (K45).
   */
  reapDead: boolean;
  /** Which it is, as `--topo-implementation` names it; undefined on `hardened`, which has locks of its own. */
  implementation?: string;
  /** What the topology server does besides; without them as on etcd, for as long as is asked. */
  rules?: LockRules;
}

/** How long a thief that was put there by a fault keeps the lock, in milliseconds. */
const THIEF_MS = 2_000;

/** A place, and the rows that it was read from. */
interface Standing extends Place {
  lease: LeaseRow;
  ticket: TicketRow;
  /** Those before it that count no more. */
  gone: { ticket: TicketRow; lease: LeaseRow | undefined }[];
}

export class LockTable {
  readonly #rows: LockRows;
  readonly #clock: Clock;
  readonly #processes: Processes;
  readonly #policy: LeasePolicy;
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
      const circle = this.#circle(request);
      if (circle !== undefined) return { circle };
      const lease = this.#enqueue(request);
      return { lease, place: this.#tryGrant(lease.id) };
    });
    // Thrown outside of the transaction, which may have buried somebody.
    if (asked.lease === undefined) throw new DeadlockError(asked.circle, { command: request.command ?? '', contents: request.contents });
    const { lease } = asked;
    const token = await this.#wait(ctx, lease.id, asked.place, node);
    return this.#descriptor({ resource: request.dir, revision: lease.id, token, chain: lease.chain, ttlMs: request.ttlMs });
  }

  /** Throws NoNode `lease` unless every lock is still held, its token the newest. For use inside a transaction. */
  verify(guards: readonly LockDescriptor[]): void {
    for (const guard of guards) this.#verify(guard.resource, guard.token);
  }

  /** A lock that another connection of this process took: it is asked after and noted here, kept alive and released there. */
  borrow(lock: LockDescriptor): LockDescriptor {
    const ticket = this.#rows.read(() => this.#rows.tickets(lock.resource).find(({ token }) => token === lock.token));
    const { check, note } = this.#descriptor({ ...lock, revision: ticket?.revision ?? 0, ttlMs: 0 }, false);
    // One that was lost is an error, as for whoever releases it.
    return { ...lock, check, note, unlock: check };
  }

  views(): LockView[] {
    return this.#rows.read(() => this.#rows.allTickets().map((ticket) => this.#view(ticket)));
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
      const holder = this.#view(ticket);
      if (ticket.token !== token) return { outcome: 'other token', holder };
      if (!force && holder.expiresMs > 0 && holder.alive !== 'dead') return { outcome: 'held', holder };
      const lease = this.#rows.lease(ticket.leaseId);
      if (lease !== undefined) this.#record('released', ticket, lease, `by ${ownerText(this.#processes.self)}${force ? ', forced' : ''}`);
      this.#leave(ticket.revision);
      return { outcome: 'released', holder };
    });
  }

  #view(ticket: TicketRow): LockView {
    return viewOf(ticket, this.#rows.lease(ticket.leaseId), this.#processes, this.#clock);
  }

  /** Leases outlive processes, so they are measured on a clock that all processes of one boot share: see lease-clock.ts. */
  #now(): number {
    return this.#clock.monotonic();
  }

  #remaining(lease: LeaseRow): Remaining {
    return remainingOf(lease, this.#processes.self, this.#clock);
  }

  /** Who would wait for each other for ever if this were waited for. Who holds nothing is in nobody's way. */
  #circle(request: LockRequest): StandStill[] | undefined {
    if (!this.#policy.reapDead || request.chain === undefined || this.#rows.tickets(request.dir).length === 0) return undefined;
    return findDeadlock(queuedTickets(this.#rows, (lease) => this.#isGone(lease)), { chain: request.chain, resource: request.dir });
  }

  #enqueue(request: LockRequest): LeaseRow {
    if (request.mustExist && !this.#rows.exists(request.dir)) {
      throw new TopoError('NoNode', this.#policy.names.directory('global', request.dir));
    }
    const revision = this.#rows.nextRevision();
    const lease: LeaseRow = {
      id: revision,
      owner: this.#processes.self,
      ttlMs: request.ttlMs,
      asked: this.#now(),
      ...this.#until(request.ttlMs),
      granted: undefined,
      step: '',
      command: request.command ?? '',
      chain: request.chain ?? revision,
    };
    this.#rows.putLease(lease);
    this.#rows.addTicket({
      revision,
      resource: request.dir,
      leaseId: revision,
      contents: request.contents,
      token: undefined,
    });
    return lease;
  }

  #until(ttlMs: number): Pick<LeaseTimes, 'expires' | 'expiresWall'> {
    return { expires: this.#now() + ttlMs, expiresWall: this.#clock.now() + ttlMs };
  }

  /** The token, once it is this ticket's turn. Throws as `acquire`. */
  async #wait(ctx: Context, revision: number, first: Place | undefined, node: string): Promise<number> {
    let place = first;
    let seen: string | number | undefined;
    let probed = this.#now();
    for (let looks = 0; ; looks++) {
      if (place === undefined) throw new TopoError('NoNode', 'lease');
      const ended = ctx.err();
      // Whoever had to wait for nothing but a slow disk has the lock.
      if (place.token !== undefined && (ended === undefined || looks === 0)) return place.token;
      if (ended !== undefined) {
        await this.#retry(() => this.#leave(revision));
        throw endedError(ended, node);
      }
      await this.#clock.sleep(pollDelayMs(place.ahead.length, looks), ctx);
      // Nearly every look ends here, with neither a transaction nor a lock: nobody has changed anything, and none died.
      const now = this.#now();
      const probe = this.#policy.reapDead && now - probed >= PROBE_MS;
      if (probe) probed = now;
      const died = probe && place.ahead.some((owner) => this.#processes.liveness(owner) === 'dead');
      if (!died && now < place.due && this.#rows.changes() === seen) continue;
      seen = this.#rows.changes();
      try {
        // To look takes no lock that others wait for.
        place = this.#rows.read(() => this.#look(revision));
      } catch {
        // For an instant a file cannot even be read: when whoever closed it last writes it back. Any other error comes again here.
        place = await this.#retry(() => this.#tryGrant(revision));
      }
      if (place?.token === undefined && isUp(place, this.#now())) place = await this.#retry(() => this.#tryGrant(revision));
    }
  }

  /** Where a ticket stands, without changing anything. Undefined if its lease has run out, or it is gone. */
  #look(revision: number): Standing | undefined {
    const lease = this.#rows.lease(revision);
    const ticket = this.#rows.ticketOfLease(revision);
    if (lease === undefined || ticket === undefined) return undefined;
    const left = this.#remaining(lease).ms;
    if (left <= 0) return undefined;
    const now = this.#now();
    const place: Standing = { token: ticket.token, ahead: [], renewAt: now + left - lease.ttlMs / 2, due: now + left - lease.ttlMs / 2, lease, ticket, gone: [] };
    for (const other of this.#rows.tickets(ticket.resource)) {
      // A holder counts wherever it stands: one that stole the lock came later than those who wait.
      if (other.revision === revision || (other.revision > revision && other.token === undefined)) continue;
      const theirs = this.#rows.lease(other.leaseId);
      if (theirs === undefined || this.#isGone(theirs)) {
        place.gone.push({ ticket: other, lease: theirs });
        continue;
      }
      place.ahead.push(theirs.owner);
      place.due = Math.min(place.due, now + this.#countsMs(theirs));
    }
    return place;
  }

  /**
   * Grants if it is this ticket's turn, and removes those before it that have expired or are proved dead. Undefined if the waiter's
   * own lease has run out: it is granted nothing then (etcd#11456).
   */
  #tryGrant(revision: number): Place | undefined {
    const place = this.#look(revision);
    if (place === undefined) {
      this.#forget(revision);
      return undefined;
    }
    for (const { ticket, lease } of place.gone) {
      if (lease !== undefined) this.#record(this.#isDead(lease) ? 'reaped' : 'expired', ticket, lease, lease.step);
      this.#forget(ticket.revision);
    }
    const { lease, ticket } = place;
    if (place.token !== undefined) return place;
    if (place.ahead.length === 0) return { ...place, token: this.#grant(ticket, lease) };
    // A waiter keeps its own lease alive, in time but not at each look: every write is one to the disk.
    if (place.renewAt <= this.#now()) this.#rows.putLease({ ...lease, ...this.#until(lease.ttlMs) });
    return place;
  }

  #grant(ticket: TicketRow, lease: LeaseRow): number {
    const token = this.#rows.nextRevision();
    const granted = { ...lease, ...this.#until(lease.ttlMs), granted: this.#now() };
    this.#rows.grant(ticket.revision, token);
    this.#rows.setFence(ticket.resource, token);
    this.#rows.putLease(granted);
    this.#record('granted', { ...ticket, token }, granted, lease.command);
    return token;
  }

  /**
   * Gives what has become free to the next in line, who then need not write to get it: half the commits of a hand-over, and none
   * that has to wait for one of somebody who has just come. One who reads another clock helps itself.
   */
  #handOver(resource: string): void {
    for (const ticket of this.#rows.tickets(resource)) {
      const lease = this.#rows.lease(ticket.leaseId);
      if (lease === undefined || this.#isGone(lease)) continue;
      if (ticket.token === undefined && haveSameClock(this.#processes.self, lease.owner)) this.#grant(ticket, lease);
      return;
    }
  }

  /** Takes a ticket away whose owner wants it no more; it may just have been granted. */
  #leave(revision: number): void {
    const ticket = this.#rows.ticketOfLease(revision);
    this.#forget(revision);
    if (ticket?.token !== undefined) this.#handOver(ticket.resource);
  }

  #isGone(lease: LeaseRow): boolean {
    return this.#countsMs(lease) <= 0 || this.#isDead(lease);
  }

  /** How long a lease stands in the way of others: on Consul nobody gets a lock for some time after its lease has run out. */
  #countsMs(lease: LeaseRow): number {
    const { ms, clock } = this.#remaining(lease);
    return lease.granted === undefined || clock === 'stopped' ? ms : ms + (this.#policy.rules?.delayMs ?? 0);
  }

  #isDead(lease: LeaseRow): boolean {
    return this.#policy.reapDead && this.#processes.liveness(lease.owner) === 'dead';
  }

  /** Of a holder: those who wait have nothing to lose. */
  #record(kind: LockEventKind, { resource, token }: TicketRow, lease: LeaseRow, detail: string): void {
    if (token === undefined) return;
    this.#rows.addEvent({ at: this.#clock.now(), kind, resource, token, owner: ownerText(lease.owner), detail });
  }

  #forget(revision: number): void {
    this.#rows.removeTicket(revision);
    this.#rows.removeLease(revision);
  }

  #verify(resource: string, token: number): LeaseRow {
    const ticket = this.#rows.tickets(resource).find((candidate) => candidate.token === token);
    const lease = ticket === undefined ? undefined : this.#rows.lease(ticket.leaseId);
    if (lease === undefined || this.#remaining(lease).ms <= 0 || this.#rows.fence(resource) !== token) {
      throw new TopoError('NoNode', 'lease');
    }
    return lease;
  }

  #renew(resource: string, token: number): void {
    const lease = this.#verify(resource, token);
    this.#rows.putLease({ ...lease, ...this.#until(lease.ttlMs) });
  }

  #descriptor(leased: Leased, renewed = this.#policy.renewed): LockDescriptor {
    const { resource, revision, token } = leased;
    return makeDescriptor(leased, this.#clock, renewed, {
      renew: (ctx) => {
        checkCall(ctx, () => 'lease');
        return this.#retry(() => this.#renew(resource, token));
      },
      // A lease that is gone is found out by the next guarded write. A store that is busy is tried again next time.
      renewQuietly: () =>
        this.#processes.liveness(this.#processes.self) === 'dead' ? 'gone' : this.#quietly(() => this.#renew(resource, token)),
      release: () =>
        this.#retry(() => {
          this.#verify(resource, token);
          this.#leave(revision);
        }),
      expire: () => this.#rows.transact(() => this.#take('expired', leased)),
      steal: () => this.#rows.transact(() => this.#steal(leased)),
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

  #take(kind: 'expired' | 'stolen', { revision }: Leased): void {
    const ticket = this.#rows.ticketOfLease(revision);
    const lease = this.#rows.lease(revision);
    if (ticket !== undefined && lease !== undefined) this.#record(kind, ticket, lease, lease.step);
    this.#forget(revision);
  }

  /** Another owner, of whom nothing is known, takes the lock, changes nothing, and lets it run out. */
  #steal(leased: Leased): void {
    this.#take('stolen', leased);
    const { resource } = leased;
    const token = this.#rows.nextRevision();
    const now = this.#now();
    // On the same machine, where nobody can see it: a container.
    const owner = { ...this.#processes.self, host: 'elsewhere', pidNamespace: 'elsewhere', pid: 1, start: '0', user: 'thief' };
    const lease: LeaseRow = { id: token, owner, ttlMs: THIEF_MS, ...this.#until(THIEF_MS), asked: now, granted: now, step: '', command: '', chain: token };
    const ticket: TicketRow = { revision: token, resource, leaseId: token, contents: '{}', token };
    this.#rows.putLease(lease);
    this.#rows.addTicket(ticket);
    this.#rows.setFence(resource, token);
    this.#record('granted', ticket, lease, '');
  }
}
