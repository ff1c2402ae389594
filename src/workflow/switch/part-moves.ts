/** What a switch has to know of moves that are not about whole tables: those of one tenant, and those made shard by shard. */
import { UserError, vtError } from '../../lib/errors.ts';
import { reverseWorkflowName } from '../../lib/names.ts';
import type { Context } from '../../runtime/context.ts';
import type { Cluster } from '../../tablet/cluster.ts';
import { areWritesSwitched, computeState, getWorkflowState, type WorkflowState, type WorkflowWithState } from '../state.ts';
import type { SwitchRequest, SwitchRun } from './run.ts';

/**
 * Refuses to reverse a tenant's traffic as far as the release does. Other tenants write to the same tables, so that writes cannot be
 * stopped there: no release has a way back for them. Vitess: go/vt/vtctl/workflow/server.go WorkflowSwitchTraffic.
 */
export async function refuseTenantReversal(ctx: Context, cluster: Cluster, { sw }: WorkflowWithState, onlyReads: boolean): Promise<void> {
  const { tenantReversal } = cluster.release.behaviours;
  if (tenantReversal === 'looked for') await getWorkflowState(ctx, cluster, sw.sourceKeyspace, reverseWorkflowName(sw.workflow));
  if (tenantReversal === 'looked for' || tenantReversal === 'refused') {
    throw vtError('INVALID_ARGUMENT', 'cannot reverse traffic for multi-tenant migrations');
  }
  if (onlyReads) return;
  const text = 'cannot reverse write traffic for multi-tenant migrations';
  if (tenantReversal !== 'works') throw vtError('INVALID_ARGUMENT', text);
  throw new UserError(`${text}: other tenants write to the same tables of ${sw.targetKeyspace}, where nothing may be stopped`, {
    next: `until writes are switched reads alone can be reversed; after that there is no way back to ${sw.sourceKeyspace} but another move`,
  });
}

/** A release says that it has switched the reads of some shards alone, and does nothing: they go with the writes. Throws UserError on `hardened`. */
export function refusePartialReads(cluster: Cluster, { sw, state }: WorkflowWithState, { tabletTypes }: SwitchRequest): void {
  if (sw.kind !== 'partial' || cluster.release.vitess || tabletTypes.includes('PRIMARY') || areWritesSwitched(cluster, state)) return;
  throw new UserError(`reads of single shards cannot be switched alone: their rules are about reads and writes alike`, {
    next: 'switch all tablet types: leave --tablet-types out',
  });
}

/** What is worth saying of a switch that finds everything done. */
export function alreadySwitched(cluster: Cluster, { sw, state }: WorkflowWithState, already: boolean): string[] {
  if (sw.kind !== 'partial' || !already || !sw.frozen || cluster.release.behaviours.partialWrites === 'never known') return [];
  const shards = (state.partial?.own.switched ?? []).join(', ');
  return [shards === '' ? `traffic of ${reverseWorkflowName(sw.workflow)} has been reversed already; nothing was done` : `traffic of shard ${shards} has been switched already; nothing was done`];
}

/** The state to report after a switch. A release that reversed a tenant's reads looks at it the wrong way round (K24). */
export function stateAfter(ctx: Context, run: SwitchRun, { sw }: WorkflowWithState): Promise<WorkflowState> {
  const { cluster, request } = run;
  const { sourceKeyspace: targetKeyspace, targetKeyspace: sourceKeyspace } = sw;
  const swapped = sw.kind === 'multi-tenant' && request.direction === 'backward' && cluster.release.behaviours.tenantReversal === 'no effect';
  return computeState(ctx, cluster, swapped ? { ...sw, sourceKeyspace, targetKeyspace } : sw);
}
