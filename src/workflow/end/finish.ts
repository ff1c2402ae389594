import type { Context } from '../../runtime/context.ts';
import type { Cluster } from '../../tablet/cluster.ts';
import { findIntent, findProgress } from '../intent/record.ts';
import { interrupted, isAtWork, underIntentLocks, waitForWorker } from '../intent/stand-back.ts';
import { type EndAsked, type EndIntent, isSameEnding, workflowThen } from './intent.ts';
import { type EndRun, newEndRun, runEnding } from './run.ts';

/**
 * What an ending that is asked for finds left of one that was interrupted: where it is the same, it is done now, and its run is
 * the answer. One that is at work is waited for, as its locks are. Throws UserError with the line that finishes it where
 * something else was asked for, or a dry run; EndFailed.
 */
export async function finishLeftEnding(ctx: Context, cluster: Cluster, keyspace: string, workflow: string, asked: EndAsked, dryRun = false): Promise<EndRun | undefined> {
  if (!cluster.release.behaviours.rollbackRestoresAll) return undefined;
  let intent = await findIntent(ctx, cluster, keyspace, workflow);
  if (intent !== undefined && isAtWork(ctx, cluster, intent)) {
    await waitForWorker(ctx, cluster, intent);
    intent = await findIntent(ctx, cluster, keyspace, workflow);
  }
  if (intent === undefined) return undefined;
  if (dryRun || !isSameEnding(intent, asked)) throw interrupted(intent);
  return finishEnding(ctx, cluster, intent);
}

/**
 * Does what is left of an ending that is gone, from its beginning: all of it can be done again. The locks that it needs are
 * taken, or inherited from the context. Undefined where somebody else was quicker. Throws EndFailed, with the intent standing.
 */
export async function finishEnding(ctx: Context, cluster: Cluster, intent: EndIntent): Promise<EndRun | undefined> {
  const { ending, renameTables, shards, batch } = intent.asked;
  const keyspaces = [...(ending.ignoreSource ? [] : [intent.sourceKeyspace]), intent.targetKeyspace];
  const { now } = await findProgress(ctx, cluster, intent);
  const finish = async (locked: Context): Promise<EndRun> => {
    const at = now === undefined ? '' : ` at ${now.step}`;
    cluster.world.events.emit({ kind: 'warning', text: `${intent.command} was interrupted${at}; what is left of it is done first` });
    const read = (inner: Context): ReturnType<typeof workflowThen> => workflowThen(inner, cluster, intent);
    const found = await read(locked);
    const run: EndRun = { ...newEndRun({ cluster, ending, found, read, check: async () => {}, renameTables, shards, batch, ctx: locked }), intent, resumes: true };
    await runEnding(run);
    return run;
  };
  return underIntentLocks(ctx, cluster, intent, finish, keyspaces);
}
