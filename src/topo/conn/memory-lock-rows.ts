import { type LockEvent, MOST_EVENTS, PRUNED_EVERY } from './lock-events.ts';
import type { LeaseRow, LockRows, TicketRow } from './lock-rows.ts';

/** What of a topology in memory has to do with locks. */
interface MemoryLocks {
  readonly tickets: TicketRow[];
  readonly leases: Map<number, LeaseRow>;
  readonly fences: Map<string, number>;
  readonly lockEvents: LockEvent[];
  readonly changes: number;
  revision: number;
  cell(name: string): ReadonlyMap<string, unknown>;
  transact<T>(fn: () => T): T;
}

/** The rows that a topology in memory keeps for locks. */
export function memoryLockRows(store: MemoryLocks): LockRows {
  const removeWhere = (match: (ticket: TicketRow) => boolean): void => {
    const index = store.tickets.findIndex(match);
    if (index >= 0) store.tickets.splice(index, 1);
  };
  return {
    transact: (fn) => store.transact(fn),
    read: (fn) => fn(),
    nextRevision: () => ++store.revision,
    exists: (dir) => {
      for (const path of store.cell('global').keys()) if (path.startsWith(`${dir}/`)) return true;
      return false;
    },
    // Tickets are appended with growing revisions, so the list is in order.
    tickets: (resource) => store.tickets.filter((ticket) => ticket.resource === resource),
    allTickets: () => store.tickets.toSorted((a, b) => (a.resource < b.resource ? -1 : a.resource > b.resource ? 1 : a.revision - b.revision)),
    ticketOfLease: (id) => store.tickets.find((ticket) => ticket.leaseId === id),
    addTicket: (ticket) => void store.tickets.push({ ...ticket }),
    grant: (revision, token) => {
      const ticket = store.tickets.find((candidate) => candidate.revision === revision);
      if (ticket !== undefined) ticket.token = token;
    },
    removeTicket: (revision) => removeWhere((ticket) => ticket.revision === revision),
    lease: (id) => store.leases.get(id),
    putLease: (lease) => void store.leases.set(lease.id, lease),
    removeLease: (id) => void store.leases.delete(id),
    fence: (resource) => store.fences.get(resource) ?? 0,
    setFence: (resource, token) => void store.fences.set(resource, token),
    changes: () => store.changes,
    addEvent: (event) => {
      const events = store.lockEvents;
      events.push(event);
      if (events.length >= MOST_EVENTS + PRUNED_EVERY) events.splice(0, events.length - MOST_EVENTS);
    },
    events: (most) => store.lockEvents.slice(-most),
  };
}
