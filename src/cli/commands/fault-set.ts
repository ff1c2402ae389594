import { UserError } from '../../lib/errors.ts';
import { background } from '../../runtime/context.ts';
import { Failpoints, placeMatcher } from '../../runtime/failpoints.ts';
import { formatFault, formatPoint, placeOf } from '../../runtime/fault-grammar.ts';
import { changeFaults, releasePauses } from '../../topo/kept-faults.ts';
import { everyPoint } from '../../workflow/points.ts';
import { hostOf } from '../cluster.ts';
import { checkTarget, targetsFor } from '../faults.ts';
import { lookAtCluster } from '../look.ts';
import { releaseAsked } from '../planned-commands.ts';
import type { Invocation } from '../spec.ts';

/**
 * Keeps faults for the cluster, until they are cleared: every command that opens it has them, and one that is paused gets them when it
 * goes on. One of the same name is replaced, its counts begin anew, and who waits at it goes on. Throws UserError.
 */
export async function run(inv: Invocation): Promise<number> {
  if (!hostOf(inv).exists()) throw hostOf(inv).noCluster();
  const release = await releaseAsked(inv);
  const points = everyPoint(release.behaviours);
  const faults = new Failpoints();
  const specs = inv.args.flatMap((text) => faults.arm(text, points));
  if (specs.length === 0) throw new UserError('fault set needs a fault: POINT=TERMS', { next: 'switchtraffic fault list --help', exit: 2 });
  const records = specs.map((spec) => ({ name: formatPoint(spec), text: formatFault(spec), evaluated: 0, fired: 0, taken: [] }));
  const twice = records.find(({ name }, index) => records.findIndex((other) => other.name === name) !== index);
  if (twice !== undefined) throw new UserError(`${twice.name} is given twice; one fault has several terms: ${twice.name}=A->B`, { exit: 2 });
  await lookAtCluster(inv, async ({ conn, world }) => {
    const topo = { conn, release, world, lockTimeoutMs: 0, held: new Set<never>() };
    const there = await targetsFor(background(), { topo }, inv.args);
    for (const spec of specs) checkTarget(spec, there);
    const names = records.map(({ name }) => name);
    await changeFaults(conn, (old) => [...old.filter(({ name }) => !names.includes(name)), ...records]);
    for (const spec of specs) {
      const accepts = placeMatcher(placeOf(spec));
      await releasePauses(conn, (owner) => world.processes.liveness(owner), accepts);
      world.faults.pauses.release(accepts);
    }
  });
  inv.io.stdout.write(records.map(({ text }) => `set ${text}\n`).join(''));
  return 0;
}
