import type { Behaviours } from '../../lib/behaviours.ts';
import { formatDuration } from '../../lib/duration.ts';
import type { Repair } from '../../report/doctor/diagnosis.ts';
import type { LockFacts } from '../../workflow/facts/locks.ts';
import type { Finding } from '../finding.ts';
import type { DoctorPicture } from '../picture.ts';

/** A lease this long ends by itself too late to wait for it. */
const TOO_LONG_MS = 5 * 60_000;

/** Locks that nobody uses any more, and keep others waiting. What a dead process holds for a short while, `dead-lock-holder` says. */
export function lockProblems({ locks }: DoctorPicture, { leases }: Behaviours): Finding[] {
  return locks.flatMap((lock): Finding[] => {
    const { holder, waiters } = lock;
    if (holder === undefined) return [];
    // On etcd nothing is left of a lease that has run out.
    if (holder.expiresMs <= 0) return waiters.length > 0 || leases !== 'renewed' ? [] : [found(lock, 'lease-run-out', `the lease of ${holder.owner} on ${lock.name} ran out ${formatDuration(-holder.expiresMs)} ago`)];
    if (holder.alive !== 'dead') return [];
    const left = formatDuration(Math.ceil(holder.expiresMs / 1000) * 1000);
    if (lock.kind === 'workflow' && holder.expiresMs > TOO_LONG_MS) return [found(lock, 'named-lock-of-dead', `${holder.owner}, which is dead, holds the lock of ${lock.name} for another ${left}`)];
    if (waiters.length === 0) return [];
    return [found(lock, 'waiting-behind-dead', `${waiters.map(({ owner }) => owner).join(', ')} wait for ${lock.name}, which ${holder.owner} holds and is dead, for another ${left}`)];
  });
}

/** What a dead process holds for a short while: its end is waited for, or brought about. */
export function withRelease(finding: Finding, { locks }: DoctorPicture, { leases }: Behaviours): Finding {
  if (finding.kind !== 'dead-lock-holder' || leases === 'renewed') return finding;
  const names = finding.object.replace(/^locks? on /, '').split(', ');
  const held = locks.filter(({ name, holder }) => names.includes(name) && holder?.alive === 'dead' && holder.expiresMs > 0);
  return held.length === 0 ? finding : { ...finding, repairs: [release(held)], note: 'or wait until the leases have ended' };
}

/** Vitess has no command that takes a lock away. */
function release(locks: readonly LockFacts[]): Repair {
  const one = locks.length === 1;
  return {
    title: `release the lock${one ? '' : 's'}`,
    consequence: `whoever waits for ${one ? 'it' : 'them'} gets ${one ? 'it' : 'them'}; what the process had changed stays as it left it`,
    commands: locks.flatMap((lock) => (lock.holder?.token === undefined ? [] : [`lock release ${typed(lock)} --token ${lock.holder.token}`])),
    undo: [],
    elsewhere: locks.map(({ resource }) => `etcdctl del --prefix /vitess/global/${resource}/locks/`),
  };
}

/** A lock as `lock release` takes it, in one word. */
function typed({ kind, name }: LockFacts): string {
  return kind === 'workflow' ? `named:${name}` : kind === 'keyspace' || kind === 'shard' ? `${kind}:${name}` : name;
}

function found(lock: LockFacts, kind: Finding['kind'], text: string): Finding {
  return {
    kind,
    object: `lock on ${lock.name}`,
    keyspaces: lock.name.includes('/') || lock.kind === 'keyspace' ? [lock.name.split('/')[0]!] : [],
    workflows: lock.kind === 'workflow' ? [lock.name] : [],
    text,
    next: [],
    repairs: kind === 'lease-run-out' ? [] : [release([lock])],
  };
}
