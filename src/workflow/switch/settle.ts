import { type Context, withoutCancel } from '../../runtime/context.ts';
import { formatDuration } from '../../lib/duration.ts';
import type { Cluster } from '../../tablet/cluster.ts';
import { pumpAll } from '../../tablet/vreplication/pump-all.ts';
import { findIntent, findProgress, type IntentHead, isSameIntent } from '../intent/record.ts';
import { intentsAbout, interrupted, isAtWork, underIntentLocks, waitForWorker } from '../intent/stand-back.ts';
import { getWorkflowState, type WorkflowWithState } from '../state.ts';
import { readTraffic } from '../traffic.ts';
import { requestOf, type SwitchIntent } from './intent.ts';
import { prepareRun } from './prepare-run.ts';
import type { SwitchRequest, SwitchRun } from './run.ts';
import { runSwitch } from './runner.ts';
import { SwitchFailed } from './switch-failed.ts';
import { isJournaled, undoIntent } from './undo.ts';

/** The intent that a command has waited for already: whoever has its lock now has waited as well, or finishes it. */
export interface Awaited {
  intent?: IntentHead;
}

/** What became of an intent: taken back, carried out, or carried out by somebody else meanwhile. */
export type Finished = 'back' | 'forward' | 'gone';

/**
 * What a switch finds that an earlier one left: the intent of either direction that is past its journal, to be carried out.
 * One before it is taken back to the state before. One that is at work is waited for once, as long as a lock is; those who wait
 * would else wait for each other for ever. Throws UserError where something else is half done in these keyspaces.
 */
export async function settleIntent(
  ctx: Context,
  cluster: Cluster,
  { sw }: WorkflowWithState,
  { dryRun }: Pick<SwitchRequest, 'dryRun'>,
  awaited: Awaited,
): Promise<SwitchIntent | 'settled' | undefined> {
  if (!cluster.release.behaviours.rollbackRestoresAll) return undefined;
  const own = await findIntent(ctx, cluster, sw.targetKeyspace, sw.workflow);
  const found = own ?? (await findIntent(ctx, cluster, sw.sourceKeyspace, sw.reverseWorkflow));
  await refuseOthers(ctx, cluster, [sw.sourceKeyspace, sw.targetKeyspace], found);
  if (found === undefined) return undefined;
  if (isToBeAwaited(ctx, cluster, found, awaited)) {
    await waitForWorker(ctx, cluster, found);
    awaited.intent = found;
    return 'settled';
  }
  if (dryRun || !isSwitch(found)) throw interrupted(found);
  if (isJournaled(cluster, found)) return found;
  await finishSwitch(ctx, cluster, found);
  return 'settled';
}

function isToBeAwaited(ctx: Context, cluster: Cluster, intent: IntentHead, { intent: before }: Awaited): boolean {
  return isAtWork(ctx, cluster, intent) && (before === undefined || !isSameIntent(before, intent));
}

const isSwitch = (intent: IntentHead): intent is SwitchIntent => intent.verb === 'switch';

/** Refuses to switch what another kind of command has left half done, of which there may be too little left to be read. Throws UserError. */
export async function refuseOtherCommand(ctx: Context, cluster: Cluster, { keyspace, workflow }: Pick<SwitchRequest, 'keyspace' | 'workflow'>, awaited: Awaited): Promise<void> {
  if (!cluster.release.behaviours.rollbackRestoresAll) return;
  const intent = await findIntent(ctx, cluster, keyspace, workflow);
  if (intent !== undefined && !isSwitch(intent) && !isToBeAwaited(ctx, cluster, intent, awaited)) throw interrupted(intent);
}

/** What is at work on other workflows of the keyspaces is waited for by their locks; what has died there has to be finished first. */
async function refuseOthers(ctx: Context, cluster: Cluster, keyspaces: readonly string[], own: IntentHead | undefined): Promise<void> {
  for (const intent of await intentsAbout(ctx, cluster, keyspaces, own)) if (!isAtWork(ctx, cluster, intent)) throw interrupted(intent);
}

/**
 * Finishes what a switch that is gone has begun: back to the state before it, or forward where a source has its journal. The
 * locks that it needs are taken, or inherited from the context. Throws what stands in the way; SwitchFailed forward.
 */
export async function finishSwitch(ctx: Context, cluster: Cluster, intent: SwitchIntent): Promise<Finished> {
  const how = await underIntentLocks(ctx, cluster, intent, (locked) =>
    isJournaled(cluster, intent) ? goForward(locked, cluster, intent) : goBack(locked, cluster, intent),
  );
  return how ?? 'gone';
}

async function goBack(ctx: Context, cluster: Cluster, intent: SwitchIntent): Promise<Finished> {
  const { events, clock } = cluster.world;
  events.emit({ kind: 'warning', text: `${intent.command} was interrupted before its journal; going back to the state before it first` });
  const { writesStopped, writesServed } = await findProgress(ctx, cluster, intent);
  const refused = writesStopped === undefined ? [] : await refusedTables(ctx, cluster, intent);
  let served = writesServed;
  await undoIntent(withoutCancel(ctx), cluster, intent, () => (served ??= clock.now()));
  if (writesStopped !== undefined && served !== undefined && refused.length > 0) {
    const text = `writes to ${refused.join(', ')} were refused for ${formatDuration(Math.round(served - writesStopped))}, until ${intent.command} was taken back`;
    events.emit({ kind: 'outage', text });
    events.emit({ kind: 'warning', text });
  }
  // Streams that it started again have not applied anything since, and the lag of the time between is not theirs.
  await pumpAll(ctx, cluster);
  return 'back';
}

/** The tables, or shards, whose writes nobody serves now. */
async function refusedTables(ctx: Context, cluster: Cluster, intent: SwitchIntent): Promise<string[]> {
  const { sw } = await getWorkflowState(ctx, cluster, intent.keyspace, intent.workflow);
  return (await readTraffic(ctx, cluster, sw)).flatMap(({ table, writes }) => (writes.servedBy === undefined ? [table] : []));
}

async function goForward(ctx: Context, cluster: Cluster, intent: SwitchIntent): Promise<Finished> {
  cluster.world.events.emit({ kind: 'warning', text: `${intent.command} was interrupted past its journal; it is completed` });
  const found = await getWorkflowState(ctx, cluster, intent.keyspace, intent.workflow);
  const run = prepareRun(ctx, cluster, requestOf(intent), { found, direction: 'forward', writesAlreadySwitched: false }, intent);
  await continueOutage(run, intent);
  const end = await runSwitch(run);
  if (end.error !== undefined) throw new SwitchFailed(end, run);
  return 'forward';
}

/**
 * Counts the outage of a run that completes an interrupted switch from where that one stopped the writes. Where they have been
 * served again since, it ended there: in the step that was begun last, if no other says when.
 */
export async function continueOutage(run: SwitchRun, intent: SwitchIntent): Promise<void> {
  const { writesStopped, refusedBefore = 0, writesServed, now } = await findProgress(run.ctx, run.cluster, intent);
  if (writesStopped === undefined) return;
  run.writesStopped = writesStopped;
  run.refusedBefore = refusedBefore;
  const served = (await readTraffic(run.ctx, run.cluster, run.sw)).every(({ writes }) => writes.servedBy !== undefined);
  run.writesServed = writesServed ?? (served ? now?.since : undefined);
}
