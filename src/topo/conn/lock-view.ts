import type { Clock } from '../../runtime/clock.ts';
import type { Processes } from '../../runtime/processes.ts';
import type { LockView } from './conn.ts';
import { remainingOf, sinceOf } from './lease-clock.ts';
import type { LeaseRow, TicketRow } from './lock-rows.ts';
import { ownerText } from './lock-words.ts';

/** What `lock release` asks for. */
export interface LockBreak {
  resource: string;
  /** The token of the grant that is meant, so that nobody ends another one by mistake. */
  token: number;
  /** Also of a holder that may live. */
  force: boolean;
}

/** What came of it. `holder`: who has, or had, the lock; undefined where nobody does. */
export interface Broken {
  outcome: 'released' | 'free' | 'other token' | 'held';
  holder: LockView | undefined;
}

/** A lock or a waiter for people, as the process that looks can tell. */
export function viewOf({ resource, token, contents }: TicketRow, lease: LeaseRow | undefined, processes: Processes, clock: Clock): LockView {
  const shared = { resource, token, contents };
  if (lease === undefined) {
    return { ...shared, owner: 'unknown', alive: 'unknown', heldMs: undefined, waitedMs: undefined, expiresMs: 0, clock: 'stopped', step: '', command: '' };
  }
  const { ms, clock: by } = remainingOf(lease, processes.self, clock);
  const since = (at: number): number => sinceOf(at, lease, clock, by);
  return {
    ...shared,
    owner: ownerText(lease.owner),
    alive: processes.liveness(lease.owner),
    heldMs: lease.granted === undefined ? undefined : since(lease.granted),
    waitedMs: token === undefined ? since(lease.asked) : undefined,
    expiresMs: ms,
    clock: by,
    step: lease.step,
    command: lease.command,
  };
}
