import { isTopoError, wrapError } from '../lib/errors.ts';
import type { Context } from '../runtime/context.ts';
import type { Cluster } from '../tablet/cluster.ts';
import { checkUnswitched } from './end/checks.ts';
import { finishLeftEnding } from './end/finish.ts';
import type { EndAsked } from './end/intent.ts';
import { EndFailed, type EndRun, newEndRun, runEnding } from './end/run.ts';
import type { DeleteResponse } from './responses.ts';
import { refuseSomeShards } from './some-shards.ts';
import { getWorkflowState, type WorkflowWithState } from './state.ts';
import type { MigrationKind } from './switcher.ts';

/** What `MoveTables cancel` and `Workflow delete` were asked to do. */
export interface DeleteRequest {
  keyspace: string;
  workflow: string;
  keepData: boolean;
  keepRoutingRules: boolean;
  shards: readonly string[];
  /** Rows of a tenant that are deleted at a time; below 1 as many as usual. */
  deleteBatchSize: number;
  /** Leave the source keyspace alone, which may be gone. */
  ignoreSource: boolean;
}

/**
 * Gives a workflow up before its writes are switched: drops what was copied and every trace of it.
 * Vitess: go/vt/vtctl/workflow/server.go WorkflowDelete, dropTargets.
 */
export async function deleteWorkflow(ctx: Context, cluster: Cluster, request: DeleteRequest): Promise<DeleteResponse> {
  const { keyspace, workflow, keepData, keepRoutingRules, shards, ignoreSource } = request;
  const asked = (kind: MigrationKind): EndAsked => ({
    ending: { verb: 'cancel', kind, keepData, keepRoutingRules, ignoreSource },
    renameTables: false,
    shards,
    batch: request.deleteBatchSize,
  });
  const left = await finishLeftEnding(ctx, cluster, keyspace, workflow, asked('tables'));
  if (left !== undefined) return answer(left, request);
  const read = (inner: Context): Promise<WorkflowWithState> => getWorkflowState(inner, cluster, keyspace, workflow, request);
  const found = await read(ctx);
  const run = newEndRun({
    ...asked(found.sw.kind),
    cluster,
    found,
    read,
    check: async (_inner, now) => {
      if (!cluster.release.vitess) refuseSomeShards(now.sw, shards);
      checkUnswitched(cluster, now, keepData);
    },
    ctx,
  });
  try {
    await runEnding(run);
  } catch (error) {
    if (!(error instanceof EndFailed) || !isTopoError(error.cause, 'NoNode')) throw error;
    throw new EndFailed(wrapError(error.cause, `${keyspace} keyspace does not exist`), error.left, error.repeatable);
  }
  return answer(run, request);
}

function answer(run: EndRun, { keyspace, workflow }: DeleteRequest): DeleteResponse {
  return {
    summary: `Successfully cancelled the ${workflow} workflow in the ${keyspace} keyspace`,
    details: run.deleted.map(({ member, had }) => ({ tablet: member.primary.alias!, deleted: had })),
  };
}
