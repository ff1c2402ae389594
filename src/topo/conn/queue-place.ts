import type { ProcessIdentity } from '../../runtime/processes.ts';

/** Where a ticket stands in its queue. */
export interface Place {
  /** Set once granted. */
  token: number | undefined;
  /** Those who have to go first, and count as alive. */
  ahead: ProcessIdentity[];
  /** When it has to renew its own lease, in milliseconds of the clock since boot. */
  renewAt: number;
  /** When it has to look again though nobody has changed anything: a lease ends then, or its own has to be renewed. */
  due: number;
}

/** How often those ahead are looked at: a death changes nothing in the store. Each costs some microseconds. */
export const PROBE_MS = 8;

/** The next in line looks this often at first: a lock is mostly held for a short time or a long one. */
const QUICK_LOOKS = 100;
const SLOWEST_NEXT_MS = 10;
const SLOWEST_MS = 20;

/**
 * How long a waiter sleeps between two looks. The next in line looks often, the rest seldom: they cannot be served before it, and
 * whoever looks takes time from those who work.
 */
export function pollDelayMs(ahead: number, looks: number): number {
  if (ahead > 1) return Math.min(2 * (ahead - 1), SLOWEST_MS);
  return Math.min(1 + Math.max(0, looks - QUICK_LOOKS) / 8, SLOWEST_NEXT_MS);
}

/** True if something has to be written now: it is this one's turn, its lease is to be renewed, or it is gone. */
export function isUp(place: Place | undefined, now: number): boolean {
  return place === undefined || place.ahead.length === 0 || place.renewAt <= now;
}
