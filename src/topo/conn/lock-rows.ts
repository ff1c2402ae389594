import type { ProcessIdentity } from '../../runtime/processes.ts';
import type { LeaseTimes } from './lease-clock.ts';
import type { LockEvent } from './lock-events.ts';

export interface LeaseRow extends LeaseTimes {
  id: number;
  owner: ProcessIdentity;
  ttlMs: number;
  step: string;
  command: string;
  /** What one call has locked and waits for shares a chain: the id of its first lease. */
  chain: number;
}

export interface TicketRow {
  /** Its place in the queue. */
  revision: number;
  resource: string;
  leaseId: number;
  contents: string;
  /** Set once granted. */
  token: number | undefined;
}

/** What a store keeps for locks. Every call happens inside `transact`, or `read` where nothing is changed. */
export interface LockRows {
  transact<T>(fn: () => T): T;
  /** One consistent view, without waiting for writers. */
  read<T>(fn: () => T): T;
  nextRevision(): number;
  exists(dir: string): boolean;
  tickets(resource: string): TicketRow[];
  allTickets(): TicketRow[];
  ticketOfLease(leaseId: number): TicketRow | undefined;
  addTicket(ticket: TicketRow): void;
  grant(revision: number, token: number): void;
  removeTicket(revision: number): void;
  lease(id: number): LeaseRow | undefined;
  putLease(lease: LeaseRow): void;
  removeLease(id: number): void;
  fence(resource: string): number;
  setFence(resource: string, token: number): void;
  /** Differs once anybody, this connection too, has changed anything. Takes no lock and costs next to nothing. */
  changes(): string | number;
  /** Keeps the newest MOST_EVENTS, and some more. */
  addEvent(event: LockEvent): void;
  /** The newest, oldest first. */
  events(most: number): LockEvent[];
}
