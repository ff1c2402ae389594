import type { Behaviours } from '../../lib/behaviours.ts';
import { lockName } from '../../workflow/facts/stranded/found.ts';
import type { Finding } from '../finding.ts';
import type { DoctorPicture } from '../picture.ts';
import { controlNotes, controlsLeftOver } from './controls.ts';
import { dataGone } from './data-gone.ts';
import { deniedLeftOver, denialMissing } from './denied.ts';
import { bothDirections } from './directions.ts';
import { frozenNotServed } from './frozen.ts';
import { halfCancelled } from './half-cancelled.ts';
import { halfCreated, halfEnded } from './halves.ts';
import { lockProblems, withRelease } from './locks.ts';
import { mirrorRulesLeftOver, mirrorRulesLost } from './mirror.ts';
import { originalGone } from './original-gone.ts';
import { orphanRules } from './orphan-rules.ts';
import { noPrimary } from './primaries.ts';
import { incompleteRules } from './rule-sets.ts';
import { sequencesBehind } from './sequences.ts';
import { withGraphFirst } from './serve-first.ts';
import { rowsDiffer } from './rows-differ.ts';
import { servingGraph } from './serving-graph.ts';
import { streamErrors, workflowNotes } from './streams.ts';
import { turnedOnItself } from './turned.ts';
import { withTwin } from './twin-shards.ts';
import { twoWriters } from './two-writers.ts';
import { unreadable } from './unreadable.ts';
import { withBothWays } from './unpublished.ts';

/** Looks at the picture for one kind of problem, or a few that are much alike. Pure. */
type Detector = (picture: DoctorPicture, behaviours: Behaviours) => Finding[];

/** What a doctor looks for besides what `show` says. */
export const DETECTORS: readonly Detector[] = [
  dataGone,
  noPrimary,
  frozenNotServed,
  twoWriters,
  incompleteRules,
  denialMissing,
  turnedOnItself,
  originalGone,
  servingGraph,
  halfCreated,
  halfEnded,
  halfCancelled,
  bothDirections,
  streamErrors,
  sequencesBehind,
  rowsDiffer,
  unreadable,
  orphanRules,
  deniedLeftOver,
  controlsLeftOver,
  mirrorRulesLeftOver,
  mirrorRulesLost,
  lockProblems,
];

/** What a doctor knows of what `show` says, beyond its one way: another, or what has to come first. */
export const KNOWING_MORE: readonly ((finding: Finding, picture: DoctorPicture, behaviours: Behaviours) => Finding)[] = [withBothWays, withGraphFirst, withRelease, withTwin];

/** What is worth knowing and no problem; of a workflow with a problem that says all. */
export function notesOf(picture: DoctorPicture, problems: readonly { workflows: readonly string[] }[]): string[] {
  const told = new Set(problems.flatMap(({ workflows }) => workflows));
  const workflows = picture.workflows.filter((workflow) => !told.has(lockName(workflow)));
  return [...workflowNotes({ ...picture, workflows }), ...controlNotes(picture)];
}
