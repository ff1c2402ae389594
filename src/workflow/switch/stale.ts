import { errorText } from '../../lib/errors.ts';
import { readJournal } from '../../tablet/vreplication/streams.ts';
import { takeOver } from '../intent/record.ts';
import { intentsAbout, isAtWork } from '../intent/stand-back.ts';
import { getWorkflowState, stateText, type WorkflowWithState } from '../state.ts';
import type { SwitchRun } from './run.ts';

/** The workflow changed between being read and being locked: the switch has to begin anew. */
export class StaleRead extends Error {
  constructor() {
    super('the workflow changed while its lock was waited for');
    this.name = 'StaleRead';
  }
}

/**
 * Reads the workflow again now that it is locked, and makes what an interrupted switch left of it this run's own. Vitess works
 * from what it read before the lock (K18), so that a switch that waited for another undoes what that one did. Throws StaleRead
 * on `hardened`.
 */
export async function refuseStale(run: SwitchRun): Promise<void> {
  if (run.cluster.release.vitess) return;
  const { sw, startState: state } = run;
  let now: string;
  try {
    now = digest(await getWorkflowState(run.ctx, run.cluster, sw.targetKeyspace, sw.workflow));
  } catch (error) {
    now = errorText(error);
  }
  if (now !== digest({ sw, state }) || isJournaledNow(run) !== run.path.resume) throw new StaleRead();
  if (run.intent === undefined ? await isHalfDone(run) : !(await takeOver(run.ctx, run.cluster, run.intent))) throw new StaleRead();
}

/**
 * The same once a keyspace is locked: whoever held it before may have died in the middle. Throws StaleRead on `hardened`.
 */
export async function refuseLeftIntent(run: SwitchRun): Promise<void> {
  if (!run.cluster.release.vitess && (await isHalfDone(run))) throw new StaleRead();
}

/** True if somebody else who is gone has left something half done in these keyspaces. */
async function isHalfDone({ ctx, cluster, sw, intent: own }: SwitchRun): Promise<boolean> {
  const about = await intentsAbout(ctx, cluster, [sw.sourceKeyspace, sw.targetKeyspace], own);
  return about.some((intent) => !isAtWork(ctx, cluster, intent));
}

function isJournaledNow({ sw }: SwitchRun): boolean {
  return sw.sources.some((source) => readJournal(source.db, sw.id) !== undefined);
}

/** What a switch decides by: which streams there are, whether they are frozen, where traffic goes, who is primary. */
function digest({ sw, state }: WorkflowWithState): string {
  const primaries = [...sw.sources, ...sw.targets].map((member) => member.primary.alias);
  return JSON.stringify([sw.id, sw.frozen, stateText(state), primaries]);
}

/** True if this is why a switch ended. */
export function isStale(error: unknown): boolean {
  for (let at = error; at instanceof Error; at = at.cause) if (at instanceof StaleRead) return true;
  return false;
}
