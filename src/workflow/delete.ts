import { plainError, UserError } from '../lib/errors.ts';
import type { Context } from '../runtime/context.ts';
import { type Cluster, epochSeconds } from '../tablet/cluster.ts';
import { callTablet, writeTablet } from '../tablet/manager.ts';
import { BEING_CANCELLED, updateStream } from '../tablet/vreplication/streams.ts';
import { getVSchema, rebuildSrvVSchema } from '../topo/vschema.ts';
import { denyTables } from './denied.ts';
import { deletesRows, deleteTenantData } from './delete-tenant.ts';
import { deleteRules, deleteStreams, type EndingLocks, forgetTables, removeTables, underLocks } from './ending.ts';
import { refuseSwitchedShards } from './ending-checks.ts';
import { dropTargetShards } from './end-shards.ts';
import type { DeleteResponse } from './responses.ts';
import { getWorkflowState, type WorkflowState } from './state.ts';
import type { TrafficSwitcher } from './switcher.ts';

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
  const { sw, state } = await getWorkflowState(ctx, cluster, request.keyspace, request.workflow, request);
  refuseOldReleases(cluster, state);
  if (state.writesSwitched) throw plainError('cannot delete workflow because you have already switched write traffic');
  refuseSwitchedShards(cluster, sw, state);
  refuseReverse(cluster, request, sw);
  const targets = sw.targets.filter((target) => request.shards.length === 0 || request.shards.includes(target.info.name));
  const { cancelOrder } = cluster.release.behaviours;
  const early = cancelOrder === 'stream-first' ? await deleteStreams(ctx, cluster, targets, sw.workflow) : undefined;
  const locks: EndingLocks = { workflow: 'WorkflowDelete', keyspaces: 'DropTargets', ignoreSource: request.ignoreSource, ...rowsOfTenant(cluster, sw, request) };
  await underLocks(ctx, cluster, sw, locks, (inner) => dropTargets(inner, cluster, sw, request));
  const deleted = early ?? (await deleteStreams(ctx, cluster, targets, sw.workflow));
  return {
    summary: `Successfully cancelled the ${request.workflow} workflow in the ${request.keyspace} keyspace`,
    details: targets.map((target) => ({ tablet: target.primary.alias!, deleted: deleted.includes(target) })),
  };
}

/** A tenant's rows: a release deletes them while reads may still go there; on `hardened` the rules lead back to the source first. */
function rowsOfTenant(cluster: Cluster, sw: TrafficSwitcher, request: DeleteRequest): Pick<EndingLocks, 'before' | 'after'> {
  if (request.keepData || !deletesRows(cluster, sw)) return {};
  if (!cluster.release.vitess) return { after: (ctx) => deleteTenantData(ctx, cluster, sw, request.deleteBatchSize) };
  return {
    before: async (ctx) => {
      await stopStreams(ctx, cluster, sw);
      await deleteTenantData(ctx, cluster, sw, request.deleteBatchSize);
    },
  };
}

/** Until v21 any switched traffic blocks a cancel, reads alone too, with one text for all (#17128). */
function refuseOldReleases(cluster: Cluster, state: WorkflowState): void {
  if (cluster.release.behaviours.cancelAfterReads) return;
  if (state.writesSwitched || state.replicaSwitched.length > 0 || state.rdonlySwitched.length > 0) {
    throw plainError('cannot cancel workflow because you have already switched some or all read and write traffic');
  }
}

/** Cancelling a reverse workflow drops the live tables of its target, the original source (K31, #19903). */
function refuseReverse(cluster: Cluster, request: DeleteRequest, sw: TrafficSwitcher): void {
  if (cluster.release.behaviours.reverseCancel === 'drops' || request.keepData || !request.workflow.endsWith('_reverse')) return;
  throw new UserError(
    `cancelling ${request.workflow} would drop ${sw.tables.join(', ')} in ${request.keyspace}, which serves them`,
    { next: `cancel the workflow ${sw.reverseWorkflow} in ${sw.sourceKeyspace} instead, or add --keep-data` },
  );
}

async function dropTargets(ctx: Context, cluster: Cluster, sw: TrafficSwitcher, request: DeleteRequest): Promise<void> {
  const rows = deletesRows(cluster, sw);
  if (cluster.release.behaviours.cancelOrder === 'stopped') await stopStreams(ctx, cluster, sw, rows && !request.keepData);
  if (sw.kind === 'shards') {
    if (!request.keepData) await dropTargetShards(ctx, cluster, sw);
  } else {
    await dropTargetTables(ctx, cluster, sw, request, rows);
  }
  await deleteStreams(ctx, cluster, sw.sources, sw.reverseWorkflow);
  if (!request.keepRoutingRules && sw.kind !== 'shards') await deleteRules(ctx, cluster, sw);
  await rebuildSrvVSchema(ctx, cluster.topo);
}

async function dropTargetTables(ctx: Context, cluster: Cluster, sw: TrafficSwitcher, request: DeleteRequest, rows: boolean): Promise<void> {
  if (!request.keepData && !rows) {
    await removeTables(ctx, cluster, sw.targets, sw.tables, 'drop');
    const { record } = await getVSchema(ctx, cluster.topo, sw.targetKeyspace);
    if (record.sharded !== true) await forgetTables(ctx, cluster, sw.targetKeyspace, sw.tables);
  }
  // A release keeps the denials with the data, so that the kept tables cannot be read (K43).
  if (!request.keepData || cluster.release.behaviours.rollbackRestoresAll) {
    await denyTables(ctx, cluster, sw, 'source', true);
    await denyTables(ctx, cluster, sw, 'target', true);
  }
}

/** Vitess's stop request carries no cells and tablet types, which blanks both (K44). */
async function stopStreams(ctx: Context, cluster: Cluster, sw: TrafficSwitcher, rows = false): Promise<void> {
  const marked = rows ? { message: BEING_CANCELLED } : {};
  const blank = cluster.release.behaviours.rollbackRestoresAll ? marked : { cell: '', tablet_types: '' };
  for (const target of sw.targets) {
    await callTablet(ctx, target.primary, 'UpdateVReplicationWorkflow', () =>
      writeTablet(ctx, cluster, target.db, () => {
        for (const { row } of target.streams) updateStream(target.db, row.id, { state: 'Stopped', ...blank }, epochSeconds(cluster));
      }),
    );
  }
}
