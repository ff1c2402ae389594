import { BEHAVIOURS, type BehaviourName } from '../../lib/behaviours.ts';
import type { Value } from '../../lib/behaviours/row.ts';
import { UserError } from '../../lib/errors.ts';
import { EVERY_RELEASE, findRelease } from '../../lib/releases.ts';
import { type BehaviourFacts, behaviourFacts, releaseFacts, renderBehaviours, renderDifference, renderRelease } from '../../report/versions.ts';
import { printFacts } from '../facts-output.ts';
import { colorLevel, createPaint } from '../paint.ts';
import type { Invocation } from '../spec.ts';

/** Shows what releases do differently. Works without a cluster. */
export async function run(inv: Invocation): Promise<number> {
  if (inv.flags.str('vitess-version') !== '') {
    throw new UserError('--vitess-version says how to behave; versions takes the releases as arguments', {
      next: `switchtraffic versions ${inv.flags.str('vitess-version')}`,
      exit: 2,
    });
  }
  const releases = inv.args.map((name) => findRelease(name).name);
  const [from, to] = releases;
  const one = releaseFacts(BEHAVIOURS, releases, read, to !== undefined);
  if (inv.flags.str('format') === 'json') {
    const facts = from === undefined ? { releases: [...EVERY_RELEASE, 'hardened'], behaviours: behaviourTable() } : { releases, behaviours: one };
    printFacts(inv, facts);
    return 0;
  }
  const paint = await createPaint(colorLevel(inv.io.stdout, inv.flags, inv.io.env));
  const lines =
    from === undefined
      ? renderBehaviours(behaviourTable(), paint)
      : to === undefined
        ? renderRelease(one, from, paint)
        : renderDifference(one, from, to, paint);
  inv.io.stdout.write(lines.map((line) => `${line}\n`).join(''));
  return 0;
}

/** Every behaviour with its values and the releases that have them. */
export function behaviourTable(): BehaviourFacts[] {
  return behaviourFacts(BEHAVIOURS, EVERY_RELEASE, read);
}

/** What a release does, by the row's name. */
function read(name: string, release: string): Value {
  return findRelease(release).behaviours[name as BehaviourName];
}
