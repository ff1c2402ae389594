import type { Behaviours } from '../../lib/behaviours.ts';
import { edgesOf } from '../../runtime/edges.ts';
import type { FaultPoint } from '../../runtime/failpoints.ts';
import { MIGRATION_KINDS, type MigrationKind } from '../switcher.ts';
import { CATALOGUE, type StepName } from './catalogue.ts';
import { FULL_PATH, type SwitchPath } from './path.ts';
import { planRollback, planSteps } from './plan.ts';

/** What changes the list of steps, and how it is then said; the usual switch of tables first. */
const PATHS: readonly { path: SwitchPath; when: string }[] = [
  { path: FULL_PATH, when: 'of MoveTables' },
  { path: { ...FULL_PATH, writes: false }, when: 'without the primary type' },
  { path: { ...FULL_PATH, resume: true }, when: 'when it completes a switch past its journal' },
  { path: { ...FULL_PATH, readsMirrored: true, writesMirrored: true }, when: 'when traffic is mirrored' },
  { path: { ...FULL_PATH, sequences: true }, when: 'with --initialize-target-sequences' },
  { path: { ...FULL_PATH, kind: 'shards' }, when: 'of Reshard' },
  { path: { ...FULL_PATH, kind: 'shards', writes: false }, when: 'of Reshard, without the primary type' },
  { path: { ...FULL_PATH, kind: 'shards', resume: true }, when: 'of Reshard, when it completes a switch past its journal' },
  { path: { ...FULL_PATH, kind: 'partial' }, when: 'of a partial move' },
  { path: { ...FULL_PATH, kind: 'multi-tenant' }, when: 'of a multi-tenant move' },
];

/** The paths with those of one kind first, and of these the usual one, of which nothing has to be said. */
export function pathsFrom(kind: MigrationKind): { path: SwitchPath; when: string | undefined }[] {
  const own = PATHS.filter(({ path }) => path.kind === kind);
  const others = PATHS.filter(({ path }) => path.kind !== kind);
  return [...own, ...others].map((entry, index) => (index === 0 ? { ...entry, when: undefined } : entry));
}

/** Every place of a switch where a fault can be put, for a release: each step and how often it occurs at most. */
export function faultPoints(behaviours: Behaviours): FaultPoint[] {
  const most = new Map<string, number>();
  for (const { path } of PATHS) {
    for (const step of planSteps(path, behaviours)) most.set(step.name, Math.max(most.get(step.name) ?? 0, step.occurrence));
  }
  for (const kind of MIGRATION_KINDS) for (const name of planRollback(kind, behaviours)) most.set(name, 1);
  return (Object.keys(CATALOGUE) as StepName[]).flatMap((name) => {
    const occurrences = most.get(name);
    return occurrences === undefined ? [] : [{ name, occurrences, edges: edgesOf(CATALOGUE[name]) }];
  });
}
