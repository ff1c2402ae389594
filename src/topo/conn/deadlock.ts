import { VtError } from '../../lib/errors.ts';
import { lockText } from '../lock-names.ts';
import type { LeaseRow, LockRows } from './lock-rows.ts';
import { actionOf, ownerText } from './lock-words.ts';

/** A ticket that counts, in the order of arrival: its owner lives as far as anybody knows. */
export interface QueuedTicket {
  revision: number;
  resource: string;
  /** What one call has locked and waits for shares a chain. */
  chain: number;
  granted: boolean;
  /** `user@host pid N`. */
  owner: string;
  command: string;
  contents: string;
}

/** Every ticket but those whose lease is gone. */
export function queuedTickets(rows: LockRows, isGone: (lease: LeaseRow) => boolean): QueuedTicket[] {
  return rows.allTickets().flatMap(({ revision, resource, token, contents, leaseId }) => {
    const lease = rows.lease(leaseId);
    if (lease === undefined || isGone(lease)) return [];
    const { chain, command } = lease;
    return [{ revision, resource, chain, granted: token !== undefined, owner: ownerText(lease.owner), command, contents }];
  });
}

/** One of those who stand still: waits for a resource that the next one holds, or is in line for before it. */
export interface StandStill {
  chain: number;
  waitsFor: string;
  /** What stands in its way there. */
  behind: QueuedTicket;
}

/**
 * Those who would wait for each other for ever if this chain asked for the resource now; undefined if somebody can go on. A waiter
 * waits for the holder and for all who came before it. A ticket only ever waits for older ones, so a circle can close with a new
 * ticket alone: whoever looks when it asks has looked often enough, and is the youngest of the circle.
 */
export function findDeadlock(tickets: readonly QueuedTicket[], asked: { chain: number; resource: string }): StandStill[] | undefined {
  const seen = new Set<number>([asked.chain]);
  const visit = (chain: number, resource: string, before: number): StandStill[] | undefined => {
    for (const behind of tickets) {
      if (behind.resource !== resource || (behind.revision >= before && !behind.granted)) continue;
      const step: StandStill = { chain, waitsFor: resource, behind };
      if (behind.chain === asked.chain) return [step];
      if (seen.has(behind.chain)) continue;
      seen.add(behind.chain);
      for (const waiting of tickets) {
        if (waiting.chain !== behind.chain || waiting.granted) continue;
        const rest = visit(waiting.chain, waiting.resource, waiting.revision);
        if (rest !== undefined) return [step, ...rest];
      }
    }
    return undefined;
  };
  return visit(asked.chain, asked.resource, Infinity);
}

/**
 * Several commands wait for each other's locks. Thrown at once to the one that asked last; the others go on. Vitess has no such
 * error: there all of them wait until `--lock-timeout` is over (K45).
 */
export class DeadlockError extends VtError {
  /** `circle` begins with what this command waits for, and ends with what somebody waits for that is its own. */
  constructor(circle: readonly StandStill[], own: { command: string; contents: string }) {
    const last = circle.length - 1;
    const parts = circle.map(({ waitsFor, behind }, index) => {
      const before = circle[index - 1]?.behind;
      const who = before === undefined ? `this command (${wordsOf(own)})` : before.owner;
      const whose = index === last ? 'this command' : `${behind.owner} (${wordsOf(behind)})`;
      return `${who} waits for ${lockText(waitsFor)}, which ${whose} ${behind.granted ? 'holds' : 'is in line for before it'}`;
    });
    super(`deadlock: ${parts.join('; ')}`, {
      code: 'ABORTED',
      next: 'run it again when the other has ended; who holds what: switchtraffic lock show',
    });
    this.name = 'DeadlockError';
  }
}

function wordsOf({ command, contents }: { command: string; contents: string }): string {
  return command === '' ? actionOf(contents) : command;
}
