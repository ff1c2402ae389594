import { errorText } from '../../lib/errors.ts';
import { FROZEN, readJournal, readStreams, STOPPED_FOR_CUTOVER } from '../../tablet/vreplication/streams.ts';
import { shardText } from '../../topo/keyspaces.ts';
import { aliasText } from '../../topo/tablets.ts';
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
 * Reads the workflow again now that it is locked. Vitess works from what it read before the lock (K18), so that a switch
 * that waited for another undoes what that one did. Throws StaleRead on `hardened`.
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
}

/**
 * Why the journal that is found is not this switch's: its id is made of keyspace, shards and ids of streams, and those come again
 * where a `_vt` was made anew (K29). A switch that got as far as its journal has made the reverse workflow and stopped its streams.
 * Vitess goes on from there, and leaves out whatever keeps a switch safe; `hardened` refuses.
 */
export function oldJournal({ cluster, sw, path, intent }: SwitchRun): string | undefined {
  if (cluster.release.vitess || !path.resume || intent !== undefined) return undefined;
  const stopped = sw.targets.some((target) => target.streams.some(({ row }) => row.state === 'Stopped' && (row.message === STOPPED_FOR_CUTOVER || row.message === FROZEN)));
  if (stopped || sw.sources.some((source) => readStreams(source.db, sw.reverseWorkflow).length > 0)) return undefined;
  const on = sw.sources.filter((source) => readJournal(source.db, sw.id) !== undefined);
  const removals = on.map((source) => `ExecuteFetchAsDBA ${aliasText(source.primary.alias)} "delete from _vt.resharding_journal where id = ${sw.id}"`);
  return `${on.map((source) => shardText(source.info)).join(', ')} has the journal of an earlier switch whose streams had the same ids; delete it: ${removals.join('; ')}`;
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
