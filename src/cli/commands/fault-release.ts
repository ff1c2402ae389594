import { UserError } from '../../lib/errors.ts';
import { placeMatcher } from '../../runtime/failpoints.ts';
import { readPauses, releasePauses } from '../../topo/kept-faults.ts';
import { hostOf } from '../cluster.ts';
import { lookAtCluster } from '../look.ts';
import type { Invocation } from '../spec.ts';

/** Lets commands go on that wait at a `pause`, in whatever process. Throws UserError where none does. */
export async function run(inv: Invocation): Promise<number> {
  const host = hostOf(inv);
  if (!host.exists()) throw host.noCluster();
  const name = inv.args[0]!;
  const accepts = placeMatcher(name);
  const lines = await lookAtCluster(inv, async ({ conn, world }) => {
    const liveness = (owner: typeof world.processes.self): ReturnType<typeof world.processes.liveness> => world.processes.liveness(owner);
    const others = await releasePauses(conn, liveness, accepts);
    const here = world.faults.pauses.release(accepts);
    const released = [...others.map(({ point, owner }) => `${point} (${owner.user}@${owner.host} pid ${owner.pid})`), ...here];
    if (released.length > 0) return released;
    const waiting = [...(await readPauses(conn, liveness)).map(({ point }) => point), ...world.faults.pauses.waiting];
    const who = waiting.length === 0 ? 'no command is paused' : `paused: ${waiting.join(', ')}`;
    throw new UserError(`nothing waits at ${name}; ${who}`, { next: 'switchtraffic fault list' });
  });
  inv.io.stdout.write((lines ?? []).map((line) => `released ${line}\n`).join(''));
  return 0;
}
