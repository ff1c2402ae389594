import { WorkflowDeleteResponse } from '../../topo/proto/messages-vtctldata-workflow.ts';
import { deleteWorkflow } from '../../workflow/delete.ts';
import { withCluster } from '../cluster.ts';
import { withEndingNotes } from '../ending-report.ts';
import { boolOf, hasFlag } from '../flags.ts';
import { refuseLaterFlag } from '../later-flags.ts';
import { refuseUnknownShards } from '../places.ts';
import { sentShards } from '../sent-shards.ts';
import type { Invocation } from '../spec.ts';
import { printRecord } from '../vtctl-output.ts';

/** Deletes a workflow, with all that belongs to it. Always JSON. */
export function run(inv: Invocation): Promise<number> {
  return deleteAndPrint(inv, inv.flags.str('keyspace'), 'json');
}

/** `cancel` and `delete` are one operation. */
export async function deleteAndPrint(inv: Invocation, keyspace: string, format: string): Promise<number> {
  const { flags } = inv;
  return withCluster(inv, { history: true }, async ({ ctx, cluster }) => {
    if (hasFlag(inv, 'delete-batch-size')) refuseLaterFlag(inv, 'delete-batch-size', cluster.release.behaviours.tenantCancel === 'deletes rows');
    if (hasFlag(inv, 'ignore-source-keyspace')) refuseLaterFlag(inv, 'ignore-source-keyspace', cluster.release.behaviours.ignoreSourceKeyspace);
    if (inv.path[0] === 'Reshard') refuseLaterFlag(inv, 'keep-data', cluster.release.behaviours.reshardCancel === 'drops tables');
    const shards = sentShards(inv, cluster, cluster.release.behaviours.workflowShards === 'unknown' ? 'unknown' : 'obeyed');
    await refuseUnknownShards(ctx, cluster, keyspace, shards);
    const request = {
      keyspace,
      workflow: flags.str('workflow'),
      keepData: boolOf(inv, 'keep-data'),
      keepRoutingRules: boolOf(inv, 'keep-routing-rules'),
      ignoreSource: boolOf(inv, 'ignore-source-keyspace'),
      shards,
      deleteBatchSize: hasFlag(inv, 'delete-batch-size') ? flags.int('delete-batch-size') : 0,
    };
    const response = await withEndingNotes(inv, () => deleteWorkflow(ctx, cluster, request));
    if (format === 'json') printRecord(inv, WorkflowDeleteResponse, response);
    else inv.io.stdout.write(`${response.summary}\n\n`);
    return 0;
  });
}
