import { WorkflowDeleteResponse } from '../../topo/proto/messages-vtctldata-workflow.ts';
import { deleteWorkflow } from '../../workflow/delete.ts';
import { withCluster } from '../cluster.ts';
import { refuseLaterFlag } from '../later-flags.ts';
import { refuseUnknownShards } from '../places.ts';
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
    refuseLaterFlag(inv, 'delete-batch-size', cluster.release.behaviours.tenantCancel === 'deletes rows');
    refuseLaterFlag(inv, 'ignore-source-keyspace', cluster.release.behaviours.ignoreSourceKeyspace);
    await refuseUnknownShards(ctx, cluster, keyspace, flags.strings('shards'));
    const response = await deleteWorkflow(ctx, cluster, {
      keyspace,
      workflow: flags.str('workflow'),
      keepData: flags.bool('keep-data'),
      keepRoutingRules: flags.bool('keep-routing-rules'),
      ignoreSource: flags.bool('ignore-source-keyspace'),
      shards: flags.strings('shards'),
      deleteBatchSize: flags.int('delete-batch-size'),
    });
    if (format === 'json') printRecord(inv, WorkflowDeleteResponse, response);
    else inv.io.stdout.write(`${response.summary}\n\n`);
    return 0;
  });
}
