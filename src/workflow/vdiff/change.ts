/** Resumes, stops and deletes diffs. Vitess: go/vt/vtctl/workflow/vdiff.go, go/vt/vttablet/tabletmanager/vdiff/action.go. */
import { plainError, vtError } from '../../lib/errors.ts';
import { checkContext, type Context } from '../../runtime/context.ts';
import type { Cluster } from '../../tablet/cluster.ts';
import { callTablet } from '../../tablet/manager.ts';
import { isWorkedOn } from '../../tablet/vdiff/claim.ts';
import { ALL, deleteVDiff, findVDiff, recentVDiffs, resumeVDiff, stopVDiff, type VDiffRow } from '../../tablet/vdiff/records.ts';
import { aliasText } from '../../topo/tablets.ts';
import { forAll } from '../fan-out.ts';
import { refuseInterrupted } from '../intent/stand-back.ts';
import type { MigrationTarget, TrafficSwitcher } from '../switcher.ts';
import { limitTargets, readWorkflow, type VDiffTarget } from './members.ts';

/** One diff, on some target shards or on all. */
export interface VDiffChange extends VDiffTarget {
  uuid: string;
  shards: readonly string[];
}

/** How often a stop looks whether the process that works on the diff has noticed. */
const LOOK_MS = 20;

/**
 * Makes a diff that has ended, or was stopped, pending: `advanceVDiffs` then goes on where it stands. Returns the workflow.
 * Throws of a tablet `vdiff with UUID U not found on tablet T`, `no completed or stopped vdiff found for UUID U on tablet T`.
 */
export async function resumeVDiffs(ctx: Context, cluster: Cluster, change: VDiffChange): Promise<TrafficSwitcher> {
  const sw = await readWorkflow(ctx, cluster, change);
  await refuseInterrupted(ctx, cluster, [sw.sourceKeyspace, sw.targetKeyspace]);
  await forAll(limitTargets(sw, change.shards), (target) =>
    onTablet(ctx, cluster, target, ({ db }) => {
      const alias = aliasText(target.primary.alias);
      const found = findVDiff(db, change.uuid);
      if (found === undefined) throw plainError(`vdiff with UUID ${change.uuid} not found on tablet ${alias}`);
      if (!resumeVDiff(db, found)) throw plainError(`no completed or stopped vdiff found for UUID ${change.uuid} on tablet ${alias}`);
    }),
  );
  return sw;
}

/**
 * Stops a diff, and waits until nobody works on it any more. One that is completed is passed over, and so is one that is not there,
 * after `onAbsent` was called.
 */
export async function stopVDiffs(ctx: Context, cluster: Cluster, change: VDiffChange, onAbsent: (problem: string) => void): Promise<void> {
  const sw = await readWorkflow(ctx, cluster, change);
  const targets = limitTargets(sw, change.shards);
  if (targets.every(({ db }) => findVDiff(db, change.uuid) === undefined)) {
    onAbsent(`workflow ${change.keyspace}.${change.workflow} has no VDiff ${change.uuid}: nothing is stopped`);
  }
  await forAll(targets, async (target) => {
    const found = findVDiff(target.db, change.uuid);
    if (found !== undefined) await stopOne(ctx, cluster, target, found);
  });
}

async function stopOne(ctx: Context, cluster: Cluster, target: MigrationTarget, vdiff: VDiffRow): Promise<void> {
  const { clock } = cluster.world;
  await onTablet(ctx, cluster, target, ({ db }) => stopVDiff(db, findVDiff(db, vdiff.vdiff_uuid) ?? vdiff, clock.now()));
  while (isWorkedOn(target.db, cluster.world, vdiff.id)) {
    checkContext(ctx);
    await clock.sleep(LOOK_MS, ctx);
  }
}

/**
 * Deletes one diff, or all of the workflow (`uuid` is undefined), with what was found. One that runs is stopped first.
 * Throws of a tablet `no vdiff found for UUID U on tablet T`.
 */
export async function deleteVDiffs(ctx: Context, cluster: Cluster, target: VDiffTarget, uuid: string | undefined): Promise<void> {
  const sw = await readWorkflow(ctx, cluster, target);
  await forAll(sw.targets, async (member) => {
    const all = uuid === undefined ? recentVDiffs(member.db, target.keyspace, target.workflow, ALL) : [findVDiff(member.db, uuid)];
    for (const vdiff of all) {
      if (vdiff !== undefined) await stopOne(ctx, cluster, member, vdiff);
      await onTablet(ctx, cluster, member, ({ db }) => {
        if (vdiff === undefined) throw vtError('FAILED_PRECONDITION', `no vdiff found for UUID ${uuid} on tablet ${aliasText(member.primary.alias)}`);
        deleteVDiff(db, vdiff.id);
      });
    }
  });
}

function onTablet(ctx: Context, cluster: Cluster, target: MigrationTarget, act: (target: MigrationTarget) => void): Promise<void> {
  return callTablet(ctx, cluster, target.primary, 'VDiff', () => target.db.db.write(cluster.world.clock, () => act(target)));
}
