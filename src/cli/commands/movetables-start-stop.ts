import { WorkflowUpdateResponse } from '../../topo/proto/messages-vtctldata-workflow.ts';
import { updateWorkflow } from '../../workflow/update.ts';
import { withCluster } from '../cluster.ts';
import { sentShards } from '../sent-shards.ts';
import type { Invocation } from '../spec.ts';
import { printRecord } from '../vtctl-output.ts';

/** Starts or stops a workflow's streams. Always JSON. */
export function run(inv: Invocation): Promise<number> {
  return startOrStop(inv, inv.flags.str('target-keyspace'));
}

/** The same for `Workflow --keyspace K start|stop`. */
export function startOrStop(inv: Invocation, keyspace: string): Promise<number> {
  const { flags, path } = inv;
  return withCluster(inv, { history: true }, async ({ ctx, cluster }) => {
    const { moveTablesShards, workflowShards } = cluster.release.behaviours;
    const response = await updateWorkflow(ctx, cluster, {
      keyspace,
      workflow: flags.str('workflow'),
      state: path.at(-1) === 'start' ? 'Running' : 'Stopped',
      shards: sentShards(inv, cluster, path[0] === 'Workflow' ? workflowShards : moveTablesShards),
    });
    printRecord(inv, WorkflowUpdateResponse, response);
    return 0;
  });
}
