import { isTopoError } from '../lib/errors.ts';
import { formatRfc822 } from '../lib/go-time.ts';
import type { Context } from '../runtime/context.ts';
import type { Cluster } from '../tablet/cluster.ts';
import { checkSwitched } from './end/checks.ts';
import { endingDryRun } from './end/dry-run.ts';
import { finishLeftEnding } from './end/finish.ts';
import type { EndAsked } from './end/intent.ts';
import { newEndRun, runEnding } from './end/run.ts';
import type { CompleteResponse } from './responses.ts';
import { refuseSomeShards } from './some-shards.ts';
import { getWorkflowState, type WorkflowWithState } from './state.ts';
import type { MigrationKind } from './switcher.ts';

/** What `MoveTables complete` was asked to do. */
export interface CompleteRequest {
  keyspace: string;
  workflow: string;
  keepData: boolean;
  keepRoutingRules: boolean;
  renameTables: boolean;
  dryRun: boolean;
  /** Leave the source keyspace alone, which may be gone. */
  ignoreSource: boolean;
  /** Has to be all shards, where any are named. */
  shards: readonly string[];
}

/**
 * Ends a workflow whose traffic is all switched: drops the source's tables and every trace of the workflow. There is no
 * way back. Vitess: go/vt/vtctl/workflow/server.go MoveTablesComplete, dropSources.
 */
export async function completeMoveTables(ctx: Context, cluster: Cluster, request: CompleteRequest): Promise<CompleteResponse> {
  const { keyspace, workflow, keepData, keepRoutingRules, renameTables, ignoreSource, shards } = request;
  const asked = (kind: MigrationKind): EndAsked => ({ ending: { verb: 'complete', kind, keepData, keepRoutingRules, ignoreSource }, renameTables, shards: [], batch: 0 });
  const done = { summary: `Successfully completed the ${workflow} workflow in the ${keyspace} keyspace`, dry_run_results: [] };
  if ((await finishLeftEnding(ctx, cluster, keyspace, workflow, asked('tables'), request.dryRun)) !== undefined) return done;
  const read = (inner: Context): Promise<WorkflowWithState> => readSwitched(inner, cluster, request);
  const found = await read(ctx);
  const run = newEndRun({
    ...asked(found.sw.kind),
    cluster,
    found,
    read,
    check: async (inner, now) => {
      refuseSomeShards(now.sw, shards);
      await checkSwitched(inner, cluster, now, keepData);
    },
    ctx,
  });
  if (request.dryRun) {
    const lines = await endingDryRun(run);
    return { summary: `Complete dry run results for workflow ${keyspace}.${workflow} at ${formatRfc822(cluster.world.clock.now())}`, dry_run_results: lines };
  }
  await runEnding(run);
  return done;
}

/** A Reshard whose source shards are gone already was interrupted: `hardened` completes it without them (F53). */
async function readSwitched(ctx: Context, cluster: Cluster, request: CompleteRequest): Promise<WorkflowWithState> {
  const { keyspace, workflow } = request;
  try {
    return await getWorkflowState(ctx, cluster, keyspace, workflow, request);
  } catch (error) {
    if (cluster.release.vitess || !isTopoError(error, 'NoNode')) throw error;
    const found = await getWorkflowState(ctx, cluster, keyspace, workflow, { ignoreSource: true });
    if (found.sw.kind !== 'shards') throw error;
    return found;
  }
}
