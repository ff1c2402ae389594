/** Cancelling the move of one tenant: of tables that others use too, only its rows go. */
import { vtError, wrapError } from '../lib/errors.ts';
import type { Context } from '../runtime/context.ts';
import type { Cluster } from '../tablet/cluster.ts';
import { type TrafficSwitcher, WORKFLOW_TYPES } from './switcher.ts';
import { deleteTenantRows } from './tenant-rows.ts';

/** Deletes the rows; when it ends early the same command goes on. Vitess: go/vt/vtctl/workflow/server.go deleteTenantData. */
export async function deleteTenantData(ctx: Context, cluster: Cluster, sw: TrafficSwitcher, batch: number): Promise<void> {
  const type = WORKFLOW_TYPES[sw.workflowType];
  if (type !== 'MoveTables') throw vtError('FAILED_PRECONDITION', `unsupported workflow type "${type}" for multi-tenant migration`);
  const tenantId = sw.options.tenant_id ?? '';
  try {
    await deleteTenantRows(ctx, cluster, { targetKeyspace: sw.targetKeyspace, tenantId }, sw.targets, sw.tables, batch);
  } catch (error) {
    throw wrapError(error, `failed to fully delete all migrated data for tenant ${tenantId}, please retry the operation`);
  }
}
