import type { Behaviours } from '../../lib/behaviours.ts';
import type { FaultPoint } from '../../runtime/failpoints.ts';
import { CATALOGUE, type StepName } from './catalogue.ts';
import { FULL_PATH, type SwitchPath } from './path.ts';
import { planRollback, planSteps } from './plan.ts';

/** What changes the list of steps, and how it is then said; the usual switch first. */
export const PATHS: readonly { path: SwitchPath; when: string | undefined }[] = [
  { path: FULL_PATH, when: undefined },
  { path: { ...FULL_PATH, writes: false }, when: 'without the primary type' },
  { path: { ...FULL_PATH, resume: true }, when: 'when it completes a switch past its journal' },
  { path: { ...FULL_PATH, readsMirrored: true, writesMirrored: true }, when: 'when traffic is mirrored' },
];

/** Every place where a fault can be put, for a release: each step and how often it occurs at most. */
export function faultPoints(behaviours: Behaviours): FaultPoint[] {
  let points = known.get(behaviours);
  if (points === undefined) {
    points = findPoints(behaviours);
    known.set(behaviours, points);
  }
  return points;
}

/** A release's behaviours are one record, and every command with a fault asks. */
const known = new WeakMap<Behaviours, FaultPoint[]>();

function findPoints(behaviours: Behaviours): FaultPoint[] {
  const most = new Map<string, number>();
  for (const { path } of PATHS) {
    for (const step of planSteps(path, behaviours)) most.set(step.name, Math.max(most.get(step.name) ?? 0, step.occurrence));
  }
  for (const name of planRollback(behaviours)) most.set(name, 1);
  return (Object.keys(CATALOGUE) as StepName[]).flatMap((name) => {
    const occurrences = most.get(name);
    return occurrences === undefined ? [] : [{ name, occurrences }];
  });
}
