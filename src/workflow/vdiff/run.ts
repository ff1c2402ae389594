/** Goes on with the diffs of a workflow that are not at their end. */
import type { Context } from '../../runtime/context.ts';
import type { Cluster } from '../../tablet/cluster.ts';
import { readVDiff, recentVDiffs, retryVDiff } from '../../tablet/vdiff/records.ts';
import { isDueAgain } from '../../tablet/vdiff/retry.ts';
import { runVDiff, type VDiffProgress } from '../../tablet/vdiff/run.ts';
import type { MigrationTarget, TrafficSwitcher } from '../switcher.ts';

/** How far a diff is over all shards. */
export interface VDiffAdvance extends VDiffProgress {
  /** Which target shard it is at, from 0, and how many there are. */
  place: number;
  shards: number;
}

/** What to go on with. */
export interface AdvanceOptions {
  /** One diff; all of the workflow when undefined. */
  uuid?: string | undefined;
  onProgress?: ((progress: VDiffAdvance) => void) | undefined;
}

/**
 * Runs every diff of the workflow that is pending or started and that no living process works on, and those that would have been
 * tried again by now; one shard after another. In Vitess the tablets do that by themselves: here it is done by the command that
 * creates or resumes a diff, and by whoever asks for it later if that one died. Returns what diffs still wait for.
 * Throws the context's error; how diffs end is in their records.
 */
export async function advanceVDiffs(ctx: Context, cluster: Cluster, sw: TrafficSwitcher, options: AdvanceOptions = {}): Promise<string[]> {
  const waiting: string[] = [];
  for (const [place, target] of sw.targets.entries()) {
    const report = (progress: VDiffProgress): void => options.onProgress?.({ ...progress, place, shards: sw.targets.length });
    for (const id of await runnable(cluster, sw, target, options.uuid)) {
      const outcome = await runVDiff({ ctx, cluster, shard: target.db, tablet: target.primary, id, onProgress: report });
      if (outcome.kind === 'waiting') waiting.push(outcome.what);
    }
  }
  return waiting;
}

async function runnable(cluster: Cluster, sw: TrafficSwitcher, { db }: MigrationTarget, uuid: string | undefined): Promise<number[]> {
  const { clock } = cluster.world;
  const all = recentVDiffs(db, sw.targetKeyspace, sw.workflow).filter((vdiff) => uuid === undefined || vdiff.vdiff_uuid === uuid);
  const due = all.filter((vdiff) => isDueAgain(db, vdiff, clock.now()));
  for (const { id, vdiff_uuid, last_error } of due) {
    cluster.world.events.log('info', `Retrying vdiff ${vdiff_uuid} that had an ephemeral error of '${last_error ?? ''}'`);
    await db.db.write(clock, () => retryVDiff(db, id));
  }
  const open = all.filter(({ id }) => ['pending', 'started'].includes(readVDiff(db, id)?.state ?? ''));
  // The oldest first.
  return open.map(({ id }) => id).toReversed();
}
