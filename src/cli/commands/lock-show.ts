import { UserError } from '../../lib/errors.ts';
import { renderLockHistory } from '../../report/show/lock-history.ts';
import { renderLocks, renderOneLock } from '../../report/show/locks.ts';
import type { ShowOptions } from '../../report/show/options.ts';
import type { LockEvent } from '../../topo/conn/lock-events.ts';
import type { TopoServer } from '../../topo/server.ts';
import { gatherLocks } from '../../workflow/facts/locks.ts';
import { withCluster } from '../cluster.ts';
import { printFacts } from '../facts-output.ts';
import { lockArgument } from '../lock-argument.ts';
import { colorLevel, createPaint } from '../paint.ts';
import { programOf } from '../program-words.ts';
import type { Invocation } from '../spec.ts';

/** Throws UserError for flags that do not go together. */
export function validate({ flags }: Invocation): void {
  if (flags.given('last') && !flags.bool('history')) throw new UserError('--last is for --history', { next: 'switchtraffic lock show --history --last 50', exit: 2 });
  if (flags.int('last') < 1) throw new UserError(`--last ${flags.int('last')} is not a number of entries`, { next: 'switchtraffic lock show --history --last 50', exit: 2 });
}

/** How much of its history is shown with one lock. */
const LATELY = 5;

/** Shows the locks, or what became of them. Takes none. */
export function run(inv: Invocation): Promise<number> {
  return withCluster(inv, {}, async ({ cluster }) => {
    const all = gatherLocks(cluster);
    const wanted = inv.args.length === 0 ? undefined : lockArgument(inv.args, all.map((lock) => lock.resource));
    const paint = await createPaint(colorLevel(inv.io.stdout, inv.flags, inv.io.env));
    const options: ShowOptions = { paint, program: programOf(inv.flags), now: cluster.world.clock.now() };
    if (inv.flags.bool('history')) {
      const events = eventsOf(cluster.topo, wanted, inv.flags.int('last'));
      return print(inv, { events }, () => renderLockHistory(events, options));
    }
    if (wanted === undefined) return print(inv, { locks: all }, () => renderLocks(all, options));
    const lock = all.find(({ resource }) => resource === wanted);
    const lately = eventsOf(cluster.topo, wanted, LATELY);
    return print(inv, { locks: lock === undefined ? [] : [lock] }, () => [...renderOneLock(wanted, lock, options), ...(lately.length === 0 ? [] : ['lately', ...renderLockHistory(lately, options).map((line) => `  ${line}`)])]);
  });
}

function eventsOf(topo: TopoServer, resource: string | undefined, most: number): LockEvent[] {
  if (resource === undefined) return topo.conn.lockEvents(most);
  return topo.conn.lockEvents(Number.MAX_SAFE_INTEGER).filter((event) => event.resource === resource).slice(-most);
}

function print(inv: Invocation, facts: object, render: () => string[]): number {
  if (inv.flags.str('format') === 'json') printFacts(inv, facts);
  else inv.io.stdout.write(render().map((line) => `${line.trimEnd()}\n`).join(''));
  return 0;
}
