import type { Release } from '../lib/releases.ts';
import type { PointFacts, PointList } from '../report/fault-list.ts';
import type { StepFacts, StepList } from '../report/steps.ts';
import { edgesOf } from '../runtime/edges.ts';
import type { Failpoints } from '../runtime/failpoints.ts';
import { END_STEPS, endingsOf, type EndStep, type EndVerb, endZoneOf, type PlannedEnd, planEnding } from '../workflow/end/steps.ts';
import type { PlannedCommand } from './planned-commands.ts';

/** A step of an ending, in the first of the endings that has it, and which that is where it is not the usual one. */
interface Listed {
  step: PlannedEnd;
  when: string | undefined;
  zones: { before: string; after: string };
}

/** The usual ending's steps as it runs them, then those of others. */
function listed({ kind }: PlannedCommand, verb: EndVerb, { behaviours }: Release): Listed[] {
  const found: Listed[] = [];
  for (const { ending, when } of endingsOf(verb, kind)) {
    for (const step of planEnding(ending, behaviours)) {
      if (found.some(({ step: known }) => known.name === step.name && known.occurrence === step.occurrence)) continue;
      const zone = (edge: 'before' | 'after'): string => endZoneOf(behaviours, ending, { ...step, edge }) ?? '';
      found.push({ step, when, zones: { before: zone('before'), after: zone('after') } });
    }
  }
  return found;
}

/** `steps complete` and `steps cancel`. */
export function endingSteps(command: PlannedCommand, verb: EndVerb, release: Release): StepList {
  const all = listed(command, verb, release);
  const usual = all.filter(({ when }) => when === undefined);
  const steps = usual.map(({ step, zones }, index): StepFacts => {
    const occurrences = usual.filter((other) => other.step.name === step.name).length;
    const { about } = END_STEPS[step.name];
    return { number: index + 1, ...step, occurrences, about, leadsTo: zones.before, undoneBy: '', pointOfNoReturn: false };
  });
  const others = all.filter(({ when }) => when !== undefined);
  return {
    command: command.title,
    vitessVersion: release.name,
    note: command.note,
    steps,
    elsewhere: others.map(({ step: { name }, when = '' }) => ({ name, about: END_STEPS[name].about, when })),
    rollback: [],
  };
}

/** `fault list complete` and `fault list cancel`. */
export function endingFaults(
  command: PlannedCommand,
  verb: EndVerb,
  release: Release,
  workflows: PointList['workflows'],
  faults: Failpoints,
): PointList {
  const all = listed(command, verb, release);
  const names = [...new Set(all.map(({ step }) => step.name))];
  const points = names.map((name): PointFacts => {
    const here = all.filter(({ step }) => step.name === name);
    const { about, side }: EndStep = END_STEPS[name];
    const sides = side === undefined ? (['source', 'target'] as const) : [side];
    return {
      name,
      about,
      edges: edgesOf(END_STEPS[name]),
      sides,
      targets: [...new Set(workflows.flatMap((workflow) => sides.flatMap((each) => workflow[each])))],
      when: here[0]?.when,
      zones: here.map(({ step: { occurrence }, zones }) => ({ occurrence, ...zones })),
      armed: faults.armedAt(name),
    };
  });
  return { command: command.title, vitessVersion: release.name, note: command.note, workflows, points, rollback: [] };
}
