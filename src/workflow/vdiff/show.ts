/** What is known of the diffs of a workflow. Vitess: go/vt/vtctl/workflow/vdiff.go VDiffShow. */
import { plainError } from '../../lib/errors.ts';
import type { Context } from '../../runtime/context.ts';
import type { Cluster } from '../../tablet/cluster.ts';
import { callTablet } from '../../tablet/manager.ts';
import { findVDiff, recentVDiffs, summaryRows, type VDiffRow, type VDiffSummaryRow } from '../../tablet/vdiff/records.ts';
import { aliasText } from '../../topo/tablets.ts';
import { forAll } from '../fan-out.ts';
import type { MigrationTarget, TrafficSwitcher } from '../switcher.ts';

/** By target shard, in their order. */
export type ByShard<T> = ReadonlyMap<string, T>;

/** The newest diffs of a workflow on each shard, the newest first. */
export async function listVDiffs(ctx: Context, cluster: Cluster, sw: TrafficSwitcher): Promise<ByShard<readonly VDiffRow[]>> {
  return onEach(ctx, cluster, sw, ({ db }) => recentVDiffs(db, sw.targetKeyspace, sw.workflow));
}

/** The UUID of the last diff of a workflow; undefined if it has none. */
export function lastVDiff(sw: TrafficSwitcher): string | undefined {
  for (const { db } of sw.targets) {
    const [last] = recentVDiffs(db, sw.targetKeyspace, sw.workflow, 1);
    if (last !== undefined) return last.vdiff_uuid;
  }
  return undefined;
}

/**
 * One diff as its shards have it, for `buildSummary`. With `last`, a shard may lack it.
 * Throws of a tablet `no vdiff found for UUID U keyspace K and workflow W on tablet T`.
 */
export async function showVDiff(
  ctx: Context,
  cluster: Cluster,
  sw: TrafficSwitcher,
  uuid: string,
  options: { last?: boolean } = {},
): Promise<ByShard<readonly VDiffSummaryRow[]>> {
  const { targetKeyspace: keyspace, workflow } = sw;
  const rows = await onEach(ctx, cluster, sw, ({ db, primary }) => {
    const found = findVDiff(db, uuid);
    if (found?.keyspace === keyspace && found.workflow === workflow) return summaryRows(db, found.id);
    if (options.last === true) return [];
    throw plainError(`no vdiff found for UUID ${uuid} keyspace ${keyspace} and workflow ${workflow} on tablet ${aliasText(primary.alias)}`);
  });
  return new Map([...rows].filter(([, some]) => some.length > 0));
}

async function onEach<T>(ctx: Context, cluster: Cluster, sw: TrafficSwitcher, read: (target: MigrationTarget) => T): Promise<Map<string, T>> {
  const found = new Map<string, T>();
  await forAll(sw.targets, async (target) => {
    found.set(target.info.name, await callTablet(ctx, cluster, target.primary, 'VDiff', () => read(target)));
  });
  return found;
}

