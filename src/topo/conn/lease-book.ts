import { TopoError } from '../../lib/errors.ts';
import type { Clock } from '../../runtime/clock.ts';
import { haveSameClock, type Processes } from '../../runtime/processes.ts';
import type { LockView } from './conn.ts';
import { findDeadlock, queuedTickets, type StandStill } from './deadlock.ts';
import type { LeasePolicy } from './lease-policy.ts';
import { type LeaseTimes, type Remaining, remainingOf } from './lease-clock.ts';
import type { Leased } from './lock-descriptor.ts';
import type { LockEventKind } from './lock-events.ts';
import type { LeaseRow, LockRows, TicketRow } from './lock-rows.ts';
import { viewOf } from './lock-view.ts';
import { ownerText } from './lock-words.ts';
import type { Place } from './queue-place.ts';

/** A lock that is asked for. */
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

/** How long a thief that was put there by a fault keeps the lock, in milliseconds. */
const THIEF_MS = 2_000;

/** A place, and the rows that it was read from. */
interface Standing extends Place {
  lease: LeaseRow;
  ticket: TicketRow;
  /** Those before it that count no more. */
  gone: { ticket: TicketRow; lease: LeaseRow | undefined }[];
}

/**
 * What is written of locks, and what follows from it: who is next, who counts no more, who may write. Everything here happens inside a
 * transaction of the store; what waits is in lock-table.ts.
 */
export class LeaseBook {
  readonly #rows: LockRows;
  readonly #clock: Clock;
  readonly #processes: Processes;
  readonly #policy: LeasePolicy;

  constructor(rows: LockRows, clock: Clock, processes: Processes, policy: LeasePolicy) {
    this.#rows = rows;
    this.#clock = clock;
    this.#processes = processes;
    this.#policy = policy;
  }

  /** A ticket as people see it. */
  view(ticket: TicketRow): LockView {
    return viewOf(ticket, this.#rows.lease(ticket.leaseId), this.#processes, this.#clock);
  }

  /** Leases outlive processes, so they are measured on a clock that all processes of one boot share: see lease-clock.ts. */
  now(): number {
    return this.#clock.monotonic();
  }

  #remaining(lease: LeaseRow): Remaining {
    return remainingOf(lease, this.#processes.self, this.#clock);
  }

  /** Who would wait for each other for ever if this were waited for. Who holds nothing is in nobody's way. */
  circle(request: LockRequest): StandStill[] | undefined {
    if (!this.#policy.reapDead || request.chain === undefined || this.#rows.tickets(request.dir).length === 0) return undefined;
    return findDeadlock(queuedTickets(this.#rows, (lease) => this.#isGone(lease)), { chain: request.chain, resource: request.dir });
  }

  /** A ticket at the end of the queue, with a lease. Throws NoNode for a missing directory. */
  enqueue(request: LockRequest): LeaseRow {
    if (request.mustExist && !this.#rows.exists(request.dir)) {
      throw new TopoError('NoNode', this.#policy.names.directory('global', request.dir));
    }
    const revision = this.#rows.nextRevision();
    const lease: LeaseRow = {
      id: revision,
      owner: this.#processes.self,
      ttlMs: request.ttlMs,
      asked: this.now(),
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
    return { expires: this.now() + ttlMs, expiresWall: this.#clock.now() + ttlMs };
  }

  /** Where a ticket stands, without changing anything. Undefined if its lease has run out, or it is gone. */
  look(revision: number): Standing | undefined {
    const lease = this.#rows.lease(revision);
    const ticket = this.#rows.ticketOfLease(revision);
    if (lease === undefined || ticket === undefined) return undefined;
    const left = this.#remaining(lease).ms;
    if (left <= 0) return undefined;
    const now = this.now();
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
  tryGrant(revision: number): Place | undefined {
    const place = this.look(revision);
    if (place === undefined) {
      this.#forget(revision);
      return undefined;
    }
    for (const { ticket, lease } of place.gone) {
      if (lease !== undefined) this.record(this.#isDead(lease) ? 'reaped' : 'expired', ticket, lease, lease.step);
      this.#forget(ticket.revision);
    }
    const { lease, ticket } = place;
    if (place.token !== undefined) return place;
    if (place.ahead.length === 0) return { ...place, token: this.#grant(ticket, lease) };
    // A waiter keeps its own lease alive, in time but not at each look: every write is one to the disk.
    if (place.renewAt <= this.now()) this.#rows.putLease({ ...lease, ...this.#until(lease.ttlMs) });
    return place;
  }

  #grant(ticket: TicketRow, lease: LeaseRow): number {
    const token = this.#rows.nextRevision();
    const granted = { ...lease, ...this.#until(lease.ttlMs), granted: this.now() };
    this.#rows.grant(ticket.revision, token);
    this.#rows.setFence(ticket.resource, token);
    this.#rows.putLease(granted);
    this.record('granted', { ...ticket, token }, granted, lease.command);
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
  leave(revision: number): void {
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
  record(kind: LockEventKind, { resource, token }: TicketRow, lease: LeaseRow, detail: string): void {
    if (token === undefined) return;
    this.#rows.addEvent({ at: this.#clock.now(), kind, resource, token, owner: ownerText(lease.owner), detail });
  }

  #forget(revision: number): void {
    this.#rows.removeTicket(revision);
    this.#rows.removeLease(revision);
  }

  /** The lease of a grant. Throws NoNode `lease` unless it runs and its token is the newest. */
  verify(resource: string, token: number): LeaseRow {
    const ticket = this.#rows.tickets(resource).find((candidate) => candidate.token === token);
    const lease = ticket === undefined ? undefined : this.#rows.lease(ticket.leaseId);
    if (lease === undefined || this.#remaining(lease).ms <= 0 || this.#rows.fence(resource) !== token) {
      throw new TopoError('NoNode', 'lease');
    }
    return lease;
  }

  /** Gives a lease its whole life again. Throws as `verify`. */
  renew(resource: string, token: number): void {
    const lease = this.verify(resource, token);
    this.#rows.putLease({ ...lease, ...this.#until(lease.ttlMs) });
  }

  /** Ends a grant from outside, as a fault does. */
  take(kind: 'expired' | 'stolen', { revision }: Leased): void {
    const ticket = this.#rows.ticketOfLease(revision);
    const lease = this.#rows.lease(revision);
    if (ticket !== undefined && lease !== undefined) this.record(kind, ticket, lease, lease.step);
    this.#forget(revision);
  }

  /** Another owner, of whom nothing is known, takes the lock, changes nothing, and lets it run out. */
  steal(leased: Leased): void {
    this.take('stolen', leased);
    const { resource } = leased;
    const token = this.#rows.nextRevision();
    const now = this.now();
    // On the same machine, where nobody can see it: a container.
    const owner = { ...this.#processes.self, host: 'elsewhere', pidNamespace: 'elsewhere', pid: 1, start: '0', user: 'thief' };
    const lease: LeaseRow = { id: token, owner, ttlMs: THIEF_MS, ...this.#until(THIEF_MS), asked: now, granted: now, step: '', command: '', chain: token };
    const ticket: TicketRow = { revision: token, resource, leaseId: token, contents: '{}', token };
    this.#rows.putLease(lease);
    this.#rows.addTicket(ticket);
    this.#rows.setFence(resource, token);
    this.record('granted', ticket, lease, '');
  }
}
