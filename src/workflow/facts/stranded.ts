import type { Behaviours } from '../../lib/behaviours.ts';
import type { ProblemKind } from '../../lib/problems.ts';
import { isAbout, isAtWork, type LockClientFacts, type LockFacts } from './locks.ts';
import type { Found, Picture, Stranded } from './stranded/found.ts';
import { leftIntent } from './stranded/intent.ts';
import { deadHolders, stoppedCells, tabletsThatDiffer, tabletsThatFail } from './stranded/places.ts';
import { refused } from './stranded/refused.ts';
import { unpublished } from './stranded/rules.ts';
import { ofWorkflow } from './stranded/workflow.ts';

/** What of the cluster's state no finished command would have left, the worst first. */
export function findStranded(picture: Picture, behaviours: Behaviours): Stranded[] {
  return withWorkers(picture.locks, [
    ...picture.keyspaces.flatMap((keyspace) => refused(picture, keyspace, behaviours)),
    ...picture.intents.flatMap((intent) => leftIntent(intent)),
    ...picture.workflows.flatMap((workflow) => ofWorkflow(picture, workflow, behaviours)),
    ...unpublished(picture),
    ...picture.shards.flatMap((shard) => tabletsThatDiffer(shard, picture)),
    ...picture.shards.flatMap(tabletsThatFail),
    ...stoppedCells(picture),
    ...deadHolders(picture.locks, behaviours),
  ]);
}

/** What is found stays, whoever is at work: a dead process mends nothing, and another one's work is about something else. */
const LASTING: readonly ProblemKind[] = ['intent', 'dead-lock-holder'];

/** Says of each who is at work on it. */
export function withWorkers<F extends Found>(locks: readonly LockFacts[], found: readonly F[]): (F & Stranded)[] {
  return found.map((entry) => ({ ...entry, atWork: LASTING.includes(entry.kind) ? undefined : workerAt(locks, entry.keyspaces) }));
}

/** The command that is at work on one of these keyspaces. */
export function workerAt(locks: readonly LockFacts[], keyspaces: readonly string[]): LockClientFacts | undefined {
  const lock = locks.find(({ holder, ...rest }) => isAtWork(holder) && keyspaces.some((keyspace) => isAbout({ holder, ...rest }, keyspace)));
  return lock?.holder;
}
