import type { Behaviours } from '../../lib/behaviours.ts';
import { formatDuration } from '../../lib/duration.ts';
import type { Repair } from '../../report/doctor/diagnosis.ts';
import { TOPO_IMPLEMENTATIONS } from '../../topo/conn/implementations.ts';
import type { LockFacts } from '../../workflow/facts/locks.ts';
import type { Finding } from '../finding.ts';
import type { DoctorPicture } from '../picture.ts';

/** A lease this long ends by itself too late to wait for it. */
const TOO_LONG_MS = 5 * 60_000;

/** Locks that nobody uses any more, and that keep others out. What a dead process holds for a short while, `dead-lock-holder` says. */
export function lockProblems(picture: DoctorPicture, behaviours: Behaviours): Finding[] {
  return picture.locks.flatMap((lock): Finding[] => {
    const { holder, waiters } = lock;
    if (holder === undefined) return [];
    // On a release's topology server nothing is left of a lease that has run out.
    if (holder.expiresMs <= 0) return waiters.length > 0 || behaviours.leases !== 'renewed' ? [] : [found(lock, 'lease-run-out', `the lease of ${holder.owner} on ${lock.name} ran out ${formatDuration(-holder.expiresMs)} ago`)];
    // On `hardened` whoever wants the lock takes it from the dead at once.
    if (holder.alive !== 'dead' || behaviours.leases === 'renewed') return [];
    const left = formatDuration(Math.ceil(holder.expiresMs / 1000) * 1000);
    const repairs = [release(picture, [lock])];
    if (lock.kind === 'workflow' && holder.expiresMs > TOO_LONG_MS) {
      return [{ ...found(lock, 'named-lock-of-dead', `${holder.owner}, which is dead, holds the lock of ${lock.name} for another ${left}`), repairs }];
    }
    if (waiters.length === 0) return [];
    const text = `${waiters.map(({ owner }) => owner).join(', ')} ${waiters.length === 1 ? 'waits' : 'wait'} for ${lock.name}, which ${holder.owner} holds, and is dead, for another ${left}`;
    return [{ ...found(lock, 'waiting-behind-dead', text), repairs }];
  });
}

/** What a dead process holds for a short while: who cannot wait for the end of the leases brings it about. */
export function withRelease(finding: Finding, picture: DoctorPicture, { leases }: Behaviours): Finding {
  if (finding.kind !== 'dead-lock-holder' || leases === 'renewed') return finding;
  const names = finding.object.replace(/^locks? on /, '').split(', ');
  const held = picture.locks.filter(({ name, holder }) => names.includes(name) && holder?.alive === 'dead' && holder.expiresMs > 0);
  return held.length === 0 ? finding : { ...finding, repairs: [release(picture, held)], note: 'or wait until the leases have ended' };
}

/** The holder is dead, so that nobody is robbed; the token says whose grant is meant. */
function release({ implementation }: DoctorPicture, locks: readonly LockFacts[]): Repair {
  const { title, cure } = TOPO_IMPLEMENTATIONS[implementation];
  return {
    title: locks.length === 1 ? 'release the lock' : 'release the locks',
    consequence: 'the next in line gets it; its holder is dead and cannot come back to it',
    commands: locks.map((lock) => `lock release ${lockWords(lock)} --token ${lock.holder?.token}`),
    undo: [],
    elsewhere: { on: title, commands: locks.map(({ resource }) => cure(resource)) },
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
