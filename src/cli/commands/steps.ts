import type { Release } from '../../lib/releases.ts';
import { renderSteps, type StepFacts, type StepList } from '../../report/steps.ts';
import { CATALOGUE } from '../../workflow/switch/catalogue.ts';
import { FULL_PATH } from '../../workflow/switch/path.ts';
import { planRollback, type PlannedStep, planSteps } from '../../workflow/switch/plan.ts';
import { pathsFrom } from '../../workflow/switch/points.ts';
import { printFacts } from '../facts-output.ts';
import { colorLevel, createPaint } from '../paint.ts';
import { createList } from '../create-lists.ts';
import { endingSteps } from '../ending-lists.ts';
import { type PlannedCommand, plannedCommand, releaseAsked } from '../planned-commands.ts';
import type { Invocation } from '../spec.ts';

/** Lists the steps of a command, from the same plan that the command runs. Works without a cluster. */
export async function run(inv: Invocation): Promise<number> {
  const command = plannedCommand('list of steps for', inv.args[0] ?? 'switchtraffic');
  const list = listSteps(command, await releaseAsked(inv));
  if (inv.flags.str('format') === 'json') {
    printFacts(inv, list);
    return 0;
  }
  const paint = await createPaint(colorLevel(inv.io.stdout, inv.flags, inv.io.env));
  inv.io.stdout.write(renderSteps(list, paint).map((line) => `${line}\n`).join(''));
  return 0;
}

function listSteps(command: PlannedCommand, release: Release): StepList {
  const { behaviours } = release;
  if (command.verb === 'create') return createList(command, release);
  if (command.verb === 'complete' || command.verb === 'cancel') return endingSteps(command, command.verb, release);
  const planned = command.verb === 'rollback' ? [] : planSteps({ ...FULL_PATH, kind: command.kind }, behaviours);
  const steps = planned.map(({ name, occurrence, entry, leadsTo, pointOfNoReturn }, index): StepFacts => {
    const occurrences = planned.filter((other) => other.name === name).length;
    return { number: index + 1, name, occurrence, occurrences, about: entry.about, leadsTo, undoneBy: undoneBy(release, entry, leadsTo), pointOfNoReturn };
  });
  const rollback = planRollback(command.kind, behaviours).map(
    (name, index): StepFacts => ({
      number: index + 1,
      name,
      occurrence: 1,
      occurrences: 1,
      about: CATALOGUE[name].about,
      leadsTo: undefined,
      undoneBy: '',
      pointOfNoReturn: false,
    }),
  );
  const elsewhere = command.verb === 'rollback' ? [] : otherPaths(command, release, planned);
  return { command: command.title, vitessVersion: release.name, note: command.note, steps, elsewhere, rollback };
}

/** A release leaves reads and mirror rules as they are, whatever rolls back. */
function undoneBy(release: Release, { undoneBy: how }: PlannedStep['entry'], leadsTo: PlannedStep['leadsTo']): string {
  return release.vitess && leadsTo === 'left as is' && how.startsWith('restoring') ? 'never' : how;
}

/** Steps that the usual switch does not have. */
function otherPaths({ kind }: PlannedCommand, { behaviours }: Release, usual: readonly PlannedStep[]): StepList['elsewhere'] {
  const known = new Set<string>(usual.map((step) => step.name));
  return pathsFrom(kind).flatMap(({ path, when = '' }) => {
    const steps = planSteps(path, behaviours);
    const extra = [...new Set(steps.map((step) => step.name))].filter((name) => !known.has(name));
    for (const name of extra) known.add(name);
    return extra.map((name) => ({ name, about: CATALOGUE[name].about, when }));
  });
}
