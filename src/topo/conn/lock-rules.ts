/** What a kind of topology server does with locks, as the lock table reads it. The servers' own rules: implementations.ts. */

export const SECOND_MS = 1000;
export const DAY_MS = 24 * 3600 * SECOND_MS;
/** Longer than anything that is looked at. */
export const NEVER_MS = 365 * DAY_MS;

/** How long the lease of a lock lives. */
export interface TtlRules {
  /** Of a lock that asks for no life of its own, in milliseconds. */
  ownMs: number;
  /** False: every lock has that. */
  asked: boolean;
  /** The shortest that can be asked for, in milliseconds, and what becomes of shorter ones. */
  leastMs: number;
  belowLeast: 'raised' | 'refused';
  /** The longest, in milliseconds: longer ones are refused. */
  mostMs: number;
  /** What is asked for is cut down to whole seconds. */
  wholeSeconds: boolean;
  /** How many times that life passes without a sign of the holder before the server ends the lease. */
  times: number;
}

/** The locks of one kind of topology server. */
export interface LockRules {
  ttl: TtlRules;
  /** Who keeps a held lock alive: its holder's process for as long as it lives, or nothing but a check of it. */
  keptAlive: 'by its process' | 'by checks';
  /** What a check of a lock that was lost says. */
  check: 'asks the server' | 'was told' | 'never knows';
  /** What the release of a lock that was lost ends with. */
  unlockLost: 'NoNode lease' | 'NoNode of its node' | 'not locked' | 'nothing';
  /** Which locks need the directory that they are taken on. */
  needDirectory: 'all but named ones' | 'all' | 'none';
  /** How long nobody gets a lock whose lease has run out, in milliseconds. */
  delayMs: number;
  /** A waiter notices only after each so many milliseconds that its time is over; 0: at once. */
  noticesEveryMs: number;
  /** What a waiter is told whose caller has gone away, and not run out of time. */
  goneCaller: 'interrupted' | 'deadline exceeded';
  /** What a waiter is told whose own lease has run out. */
  waiterLost: 'NoNode lease' | 'no previous node' | 'deadline exceeded';
  /** Each node of a queue has a number, counted from 0 for as long as its directory lasts. */
  numbered: boolean;
}

/** The life of a lease for which `askedMs` was asked, in milliseconds; undefined where the server refuses it. */
export function leaseMs({ ttl }: LockRules, askedMs: number | undefined): number | undefined {
  if (!ttl.asked || askedMs === undefined || askedMs <= 0) return ttl.ownMs * ttl.times;
  const wanted = ttl.wholeSeconds ? Math.floor(askedMs / SECOND_MS) * SECOND_MS : askedMs;
  if (wanted > ttl.mostMs || (wanted < ttl.leastMs && ttl.belowLeast === 'refused')) return undefined;
  return Math.max(wanted, ttl.leastMs) * ttl.times;
}
