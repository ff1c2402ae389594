import { UserError } from '../../lib/errors.ts';
import { suggest } from '../../lib/suggest.ts';
import { placeMatcher } from '../../runtime/failpoints.ts';
import { formatPoint, parsePoint, placeOf } from '../../runtime/fault-grammar.ts';
import { changeFaults, type FaultRecord, releasePauses } from '../../topo/kept-faults.ts';
import { hostOf } from '../cluster.ts';
import { lookAtCluster } from '../look.ts';
import type { Invocation } from '../spec.ts';

/** Takes away a fault that is kept for the cluster, or all of them; who waits at one goes on. Throws UserError for one that is not set. */
export async function run(inv: Invocation): Promise<number> {
  if (!hostOf(inv).exists()) throw hostOf(inv).noCluster();
  const [typed] = inv.args;
  const name = typed === undefined ? undefined : formatPoint(parsePoint(typed, typed));
  const gone = await lookAtCluster(inv, async ({ conn, world }) => {
    let cleared: FaultRecord[] = [];
    let left: FaultRecord[] = [];
    await changeFaults(conn, (faults) => {
      cleared = faults.filter((fault) => name === undefined || fault.name === name);
      left = faults.filter((fault) => !cleared.includes(fault));
      return cleared.length === 0 ? undefined : left;
    });
    if (name !== undefined && cleared.length === 0) throw notSet(name, left.map((fault) => fault.name));
    for (const fault of cleared) {
      const accepts = placeMatcher(placeOf(parsePoint(fault.name, fault.name)));
      await releasePauses(conn, (owner) => world.processes.liveness(owner), accepts);
      world.faults.pauses.release(accepts);
    }
    return cleared;
  });
  inv.io.stdout.write((gone ?? []).map(({ text, fired }) => `cleared ${text}, which fired ${fired === 1 ? 'once' : `${fired} times`}\n`).join(''));
  return 0;
}

function notSet(name: string, there: readonly string[]): UserError {
  const near = suggest(name, there);
  const which = there.length === 0 ? 'none is' : `there ${there.length === 1 ? 'is' : 'are'}: ${there.join(', ')}`;
  return new UserError(`no fault is set at ${name}; ${near === undefined ? which : `did you mean "${near}"?`}`, { next: 'switchtraffic fault list' });
}
