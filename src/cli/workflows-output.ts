import type { Context } from '../runtime/context.ts';
import type { Cluster } from '../tablet/cluster.ts';
import { GetWorkflowsResponse } from '../topo/proto/messages-vtctldata-workflow.ts';
import { getWorkflows, type WorkflowsQuery } from '../workflow/status.ts';
import type { Invocation } from './spec.ts';
import { printRecord } from './vtctl-output.ts';

/** Prints workflows as `show` does. */
export async function printWorkflows(inv: Invocation, ctx: Context, cluster: Cluster, query: WorkflowsQuery): Promise<number> {
  printRecord(inv, GetWorkflowsResponse, { workflows: await getWorkflows(ctx, cluster, query) });
  return 0;
}
