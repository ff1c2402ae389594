import type { Behaviours } from '../../lib/behaviours.ts';
import { formatDuration } from '../../lib/duration.ts';
import type { Repair } from '../../report/doctor/diagnosis.ts';
import { TOPO_IMPLEMENTATIONS } from '../../topo/conn/implementations.ts';
import type { LockClientFacts, LockFacts } from '../../workflow/facts/locks.ts';
import type { Finding } from '../finding.ts';
import type { DoctorPicture } from '../picture.ts';

/** A lease this long ends by itself too late to wait for it. */
const TOO_LONG_MS = 5 * 60_000;

/** Locks that nobody uses any more, and that keep others out. What a dead process holds for a short while, `dead-lock-holder` says. */
export function lockProblems(picture: DoctorPicture, behaviours: Behaviours): Finding[] {
  return picture.locks.flatMap((lock): Finding[] => {
    const { holder, waiters } = lock;
    if (holder === undefined) return [];
    if (holder.expiresMs <= 0) return waiters.length > 0 ? [] : [found(lock, 'lease-run-out', `the lease of ${holder.owner} on ${lock.name} ran out ${formatDuration(-holder.expiresMs)} ago`)];
    // On `hardened` whoever wants the lock takes it from the dead at once.
    if (holder.alive !== 'dead' || behaviours.leases === 'renewed') return [];
    const left = formatDuration(Math.ceil(holder.expiresMs / 1000) * 1000);
    const repairs = [release(picture, lock, holder)];
    if (lock.kind === 'workflow' && holder.expiresMs > TOO_LONG_MS) {
      return [{ ...found(lock, 'named-lock-of-dead', `${holder.owner}, which is dead, holds the lock of ${lock.name} for another ${left}`), repairs }];
    }
    if (waiters.length === 0) return [];
    const text = `${waiters.map(({ owner }) => owner).join(', ')} ${waiters.length === 1 ? 'waits' : 'wait'} for ${lock.name}, which ${holder.owner} holds, and is dead, for another ${left}`;
    return [{ ...found(lock, 'waiting-behind-dead', text), repairs }];
  });
}

/** The holder is dead, so that nobody is robbed; the token says whose grant is meant. */
function release({ implementation }: DoctorPicture, lock: LockFacts, holder: LockClientFacts): Repair {
  const { title, cure } = TOPO_IMPLEMENTATIONS[implementation];
  return {
    title: 'release the lock',
    consequence: 'the next in line gets it; its holder is dead and cannot come back to it',
    commands: [`lock release ${lockWords(lock)} --token ${holder.token}`],
    undo: [],
    elsewhere: { on: title, commands: [cure(lock.resource)] },
  };
}

/** A lock as `lock release` wants it named. */
function lockWords({ kind, name, resource }: LockFacts): string {
  if (kind === 'workflow') return `named:${name}`;
  return kind === 'keyspace' || kind === 'shard' ? `${kind}:${name}` : resource;
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
