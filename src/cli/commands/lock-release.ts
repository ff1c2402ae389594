import { UserError } from '../../lib/errors.ts';
import { ago } from '../../report/show/text.ts';
import type { LockView } from '../../topo/conn/conn.ts';
import { lockText } from '../../topo/lock-names.ts';
import { withCluster } from '../cluster.ts';
import { commandAgain } from '../command-again.ts';
import { lockArgument } from '../lock-argument.ts';
import { programOf } from '../program-words.ts';
import type { Invocation } from '../spec.ts';

/** Lock busy. */
const BUSY = 75;

/**
 * Ends a lock from outside: one whose token was looked up, and whose holder is dead unless forced. An unknown holder counts as alive
 * until its lease has ended. Throws UserError, with 75 for a holder that is spared.
 */
export function run(inv: Invocation): Promise<number> {
  const { flags, io } = inv;
  const program = programOf(flags);
  return withCluster(inv, { history: true }, async ({ cluster }) => {
    const { conn, release } = cluster.topo;
    const resource = lockArgument(inv.args, conn.locks().map((view) => view.resource));
    const name = lockText(resource);
    const look = `switchtraffic lock show ${name}`;
    if (!flags.given('token')) throw new UserError(`lock release needs --token, the token of the lock on ${name} that you mean`, { next: `see who holds it, and its token: ${look}`, exit: 2 });
    const token = flags.int('token');
    const { outcome, holder } = await conn.breakLock({ resource, token, force: flags.bool('force') });
    if (outcome === 'free' || holder === undefined) throw new UserError(`nobody holds ${name}: there is nothing to release`, { next: 'see what is held: switchtraffic lock show' });
    if (outcome === 'other token') {
      throw new UserError(`${token} is not the token of the lock on ${name}, nothing was released: it may have a new holder`, { next: `see who holds it now: ${look}` });
    }
    if (outcome === 'held') throw new UserError(`${name} is held by ${holder.owner}, ${why(holder)}; nothing was released`, { next: `wait for it, or end that process; or take the lock from it all the same: switchtraffic ${commandAgain(inv)} --force`, exit: BUSY });
    if (isForced(holder)) {
      const then = release.behaviours.fencedWrites ? 'its next write will be refused' : `${release.name} does not check its writes: it may go on changing the same records as the next holder`;
      io.stderr.write(`FORCED: ${name} was taken from ${holder.owner}, ${why(holder)}\n        ${then}\n`);
    }
    io.stdout.write(`${isForced(holder) ? '' : `${whyFree(holder)} `}Released ${name}, token ${token}. Run \`${program} doctor\` before retrying.\n`);
    return 0;
  });
}

/** True if the holder may have gone on. */
function isForced({ alive, expiresMs }: LockView): boolean {
  return alive !== 'dead' && expiresMs > 0;
}

function why({ alive, heldMs, step, expiresMs }: LockView): string {
  const at = step === '' ? '' : `, at step ${step}`;
  const since = heldMs === undefined ? '' : ` (held for ${ago(heldMs)}${at})`;
  if (alive === 'alive') return `which is alive${since}`;
  return `of which nothing is known${since}; its lease ends in ${ago(expiresMs)}`;
}

function whyFree({ alive, owner, expiresMs }: LockView): string {
  if (alive === 'dead') return `Holder is dead (${owner}: no such process).`;
  return `The lease of ${owner} ended ${ago(-expiresMs)} ago.`;
}
