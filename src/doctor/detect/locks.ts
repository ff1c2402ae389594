import { formatDuration } from '../../lib/duration.ts';
import type { LockFacts } from '../../workflow/facts/locks.ts';
import type { Finding } from '../finding.ts';
import type { DoctorPicture } from '../picture.ts';

/** A lease this long ends by itself too late to wait for it. */
const TOO_LONG_MS = 5 * 60_000;

/** Locks that nobody uses any more, and keep others waiting. What a dead process holds for a short while, `dead-lock-holder` says. */
export function lockProblems({ locks }: DoctorPicture): Finding[] {
  return locks.flatMap((lock): Finding[] => {
    const { holder, waiters } = lock;
    if (holder === undefined) return [];
    if (holder.expiresMs <= 0) return waiters.length > 0 ? [] : [found(lock, 'lease-run-out', `the lease of ${holder.owner} on ${lock.name} ran out ${formatDuration(-holder.expiresMs)} ago`)];
    if (holder.alive !== 'dead') return [];
    const left = formatDuration(Math.ceil(holder.expiresMs / 1000) * 1000);
    if (lock.kind === 'workflow' && holder.expiresMs > TOO_LONG_MS) return [found(lock, 'named-lock-of-dead', `${holder.owner}, which is dead, holds the lock of ${lock.name} for another ${left}`)];
    if (waiters.length === 0) return [];
    return [found(lock, 'waiting-behind-dead', `${waiters.map(({ owner }) => owner).join(', ')} wait for ${lock.name}, which ${holder.owner} holds and is dead, for another ${left}`)];
  });
}

function found(lock: LockFacts, kind: Finding['kind'], text: string): Finding {
  return {
    kind,
    object: `lock on ${lock.name}`,
    keyspaces: lock.name.includes('/') || lock.kind === 'keyspace' ? [lock.name.split('/')[0]!] : [],
    workflows: lock.kind === 'workflow' ? [lock.name] : [],
    text,
    next: [],
  };
}
