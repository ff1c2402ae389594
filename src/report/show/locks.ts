import { formatTable } from '../../lib/table.ts';
import { WALL_ALLOWANCE_MS } from '../../topo/conn/lease-clock.ts';
import { lockText } from '../../topo/lock-names.ts';
import type { LockClientFacts, LockFacts } from '../../workflow/facts/locks.ts';
import type { Paint } from '../paint.ts';
import type { ShowOptions } from './options.ts';
import { ago } from './text.ts';

const NOBODY = 'nobody holds a lock';
const COLUMNS = ['RESOURCE', 'HOLDER', 'LIVENESS', 'HELD', 'EXPIRES', 'TOKEN', 'STEP', 'WAITING'];

/** Every lock in a line: who holds it, whether that process lives, how long still, where it is, who waits. */
export function renderLocks(locks: readonly LockFacts[], { paint }: ShowOptions): string[] {
  if (locks.length === 0) return [NOBODY];
  const table = formatTable(locks.map((lock) => row(lock, paint)), { header: COLUMNS });
  return [...table.split('\n'), ...locks.filter(({ holder }) => holder?.clock === 'wall').map((lock) => `~ ${lockText(lock.resource)}: ${BY_TIME_OF_DAY}`)];
}

/** One lock with all that is known of it; `lock` is undefined where nobody holds it or waits. */
export function renderOneLock(resource: string, lock: LockFacts | undefined, { paint }: ShowOptions): string[] {
  if (lock === undefined) return [`nobody holds ${lockText(resource)}`];
  return [paint.bold(lockText(resource)), ...lockLines(lock, paint).map((line) => `  ${line}`)];
}

const BY_TIME_OF_DAY = `its holder reads another clock since boot, so its lease is measured by the time of day, with ${ago(WALL_ALLOWANCE_MS)} allowed for a difference`;

function row({ resource, holder, waiters }: LockFacts, paint: Paint): string[] {
  const waiting = waiters.length === 0 ? '0' : `${waiters.length} (${waiters.map(({ owner, waitedMs }) => `${owner}, ${ago(waitedMs ?? 0)}`).join('; ')})`;
  const name = lockText(resource);
  if (holder === undefined) return [name, 'free: the next in line is about to get it', '', '', '', '', '', waiting];
  const by = holder.clock === 'wall' ? '~' : '';
  const left = holder.expiresMs > 0 ? `${by}${ago(holder.expiresMs)}` : paint.yellow(ended(holder));
  return [name, holder.owner, liveness(holder, paint), ago(holder.heldMs ?? 0), left, String(holder.token ?? ''), holder.step, waiting];
}

function liveness({ alive }: LockClientFacts, paint: Paint): string {
  if (alive === 'dead') return paint.red('DEAD');
  return alive === 'unknown' ? paint.yellow(alive) : alive;
}

/** One lock: its holder, then the queue. */
export function lockLines(lock: LockFacts, paint: Paint): string[] {
  const { holder, waiters } = lock;
  return [
    ...(holder === undefined ? ['free; the first in line is about to get it'] : holderLines(holder, paint)),
    ...waiters.flatMap((waiter, index) => [
      `${index + 1}. waits: ${waiter.owner} (${life(waiter, paint)}), ${waiter.action}, for ${ago(waiter.waitedMs ?? 0)}, since ${waiter.since}`,
      ...(waiter.command === '' ? [] : [paint.dim(`   ${waiter.command}`)]),
    ]),
  ];
}

function holderLines(holder: LockClientFacts, paint: Paint): string[] {
  const held = holder.heldMs === undefined ? '' : `, for ${ago(holder.heldMs)}`;
  const lines = [`held by ${holder.owner} (${life(holder, paint)})${held}, ${expiry(holder, paint)}, token ${holder.token ?? 0}`];
  if (holder.action !== '') lines.push(paint.dim(`for ${holder.action}, asked for at ${holder.since}`));
  if (holder.command !== '') lines.push(paint.dim(holder.command));
  if (holder.step !== '') lines.push(`at step ${holder.step}`);
  if (holder.clock === 'wall') lines.push(paint.yellow(BY_TIME_OF_DAY));
  return lines;
}

function life({ alive }: LockClientFacts, paint: Paint): string {
  if (alive === 'dead') return paint.red('dead');
  return alive === 'unknown' ? paint.yellow('on another machine or in a container: alive or not is not known') : 'alive';
}

function expiry(holder: LockClientFacts, paint: Paint): string {
  if (holder.expiresMs > 0) return `lease ends in ${ago(holder.expiresMs)}`;
  return paint.yellow(`lease ${ended(holder)}: the next to ask gets it`);
}

function ended({ expiresMs, clock }: LockClientFacts): string {
  return clock === 'stopped' ? 'ended with the machine' : `ended ${ago(-expiresMs)} ago`;
}
