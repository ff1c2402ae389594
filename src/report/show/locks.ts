import type { LockClientFacts, LockFacts } from '../../workflow/facts/locks.ts';
import type { Paint } from '../paint.ts';
import type { ShowOptions } from './options.ts';
import { ago } from './text.ts';

/** Every lock: who holds it, why, for how long, and who waits. */
export function renderLocks(locks: readonly LockFacts[], { paint }: ShowOptions): string[] {
  if (locks.length === 0) return ['nobody holds a lock'];
  return locks.flatMap((lock) => [paint.bold(lock.resource), ...lockLines(lock, paint).map((line) => `  ${line}`)]);
}

/** One lock: its holder, then the queue. */
export function lockLines(lock: LockFacts, paint: Paint): string[] {
  const { holder, waiters } = lock;
  return [
    ...(holder === undefined ? ['free; the first in line is about to get it'] : holderLines(holder, paint)),
    ...waiters.flatMap((waiter, index) => [
      `${index + 1}. waits: ${waiter.owner} (${life(waiter, paint)}), ${waiter.action}, since ${waiter.since}`,
    ]),
  ];
}

function holderLines(holder: LockClientFacts, paint: Paint): string[] {
  const held = holder.heldMs === undefined ? '' : `, for ${ago(holder.heldMs)}`;
  const lines = [`held by ${holder.owner} (${life(holder, paint)})${held}, ${expiry(holder, paint)}`];
  if (holder.action !== '') lines.push(paint.dim(`for ${holder.action}, asked for at ${holder.since}`));
  if (holder.step !== '') lines.push(`at step ${holder.step}`);
  return lines;
}

function life({ alive }: LockClientFacts, paint: Paint): string {
  if (alive === 'dead') return paint.red('dead');
  return alive === 'unknown' ? paint.yellow('on another machine: alive or not is not known') : 'alive';
}

function expiry({ expiresMs }: LockClientFacts, paint: Paint): string {
  if (expiresMs > 0) return `lease ends in ${ago(expiresMs)}`;
  return paint.yellow(`lease ended ${ago(-expiresMs)} ago: the next to ask gets it`);
}
