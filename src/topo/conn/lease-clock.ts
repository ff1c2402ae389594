import type { Clock } from '../../runtime/clock.ts';
import { haveSameClock, isOfEarlierBoot, type ProcessIdentity } from '../../runtime/processes.ts';

/**
 * How long leases last, for whoever looks at one.
 *
 * A lease is measured on the clock that counts since the boot (Linux's CLOCK_MONOTONIC): nobody can set it, so no jump of the time of
 * day frees a lock or holds it. It stands still while the machine is suspended, and so does the lease: its holder is suspended as
 * well, and wakes with what it had left; were the time asleep counted, each closed lid would cost every lock, with nobody there who
 * could have made use of it. A process that is stopped on a machine that runs (SIGSTOP) is another matter: its lease runs out.
 *
 * Only the same boot and time namespace read the same figures from that clock. Everybody else goes by the time of day, which stands
 * beside it, and gives the holder an allowance for clocks that differ; `lock show` says so.
 */
export interface LeaseTimes {
  /** Milliseconds of the owner's clock since boot. */
  expires: number;
  /** Undefined for one who waits. */
  granted: number | undefined;
  /** When the lock was asked for. */
  asked: number;
  /** `expires` in the time of day, epoch milliseconds. */
  expiresWall: number;
}

/** Clocks of machines that are kept in step differ by a few milliseconds; those that are not, by less than this more often than not. */
export const WALL_ALLOWANCE_MS = 1_000;

/** What a lease is measured on. `stopped`: a clock that no longer runs, of an earlier boot. */
export type LeaseClock = 'boot' | 'wall' | 'stopped';

export interface Remaining {
  /** Milliseconds until it ends; not above zero once it has. */
  ms: number;
  clock: LeaseClock;
}

/** How long a lease has still to go, as `self` can tell. */
export function remainingOf(
  lease: LeaseTimes & { owner: ProcessIdentity; ttlMs: number },
  self: ProcessIdentity,
  clock: Clock,
): Remaining {
  if (isOfEarlierBoot(self, lease.owner)) return { ms: 0, clock: 'stopped' };
  if (haveSameClock(self, lease.owner)) {
    const ms = lease.expires - clock.monotonic();
    // More than it was given: the clock began anew, and the system has no name for its boots that would have told.
    if (ms <= lease.ttlMs) return { ms, clock: 'boot' };
  }
  return { ms: lease.expiresWall + WALL_ALLOWANCE_MS - clock.now(), clock: 'wall' };
}

/** How long ago something was that the owner measured: its grant, or when it asked. */
export function sinceOf(at: number, lease: LeaseTimes, clock: Clock, by: LeaseClock): number {
  if (by === 'boot') return clock.monotonic() - at;
  return Math.max(0, clock.now() - (lease.expiresWall - (lease.expires - at)));
}
