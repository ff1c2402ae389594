import { wrapError } from '../../lib/errors.ts';
import { type Context, withoutCancel } from '../../runtime/context.ts';
import type { Cluster } from '../../tablet/cluster.ts';
import { cellNames, connForCell } from '../../topo/cells.ts';
import { withKeyspaceLock } from '../../topo/locks.ts';
import { checkPartitions } from '../../topo/partitions.ts';
import { paths } from '../../topo/paths.ts';
import type { SrvKeyspace } from '../../topo/proto/types.ts';
import { orderPartitions } from '../../topo/served-types.ts';
import { readRecord } from '../../topo/server.ts';
import { forAll } from '../fan-out.ts';
import { workflowStatus, type WorkflowStatus } from '../status.ts';
import { refuseInterrupted } from '../switch/intent.ts';
import { copySchemaShard } from './copy-schema.ts';
import { buildResharder, within } from './reshard-checks.ts';
import { checkLateFailures } from './reshard-early.ts';
import type { Resharder, ReshardRequest } from './reshard-request.ts';
import { createReshardStreams, startReshardStreams } from './reshard-streams.ts';
import { MadeSoFar } from './undo-made.ts';

/**
 * Creates a Reshard workflow. A release takes no lock and leaves what it made when it fails (K35); `hardened` holds the keyspace's
 * lock, refuses first what would fail late, and takes everything back.
 * Vitess: go/vt/vtctl/workflow/server.go ReshardCreate.
 */
export async function createReshard(ctx: Context, cluster: Cluster, request: ReshardRequest): Promise<WorkflowStatus> {
  const { keyspace } = request;
  const made = new MadeSoFar();
  await refuseInterrupted(ctx, cluster, [keyspace]);
  await validateServing(ctx, cluster, request);
  const resharder = await buildResharder(ctx, cluster, request);
  await checkLateFailures(ctx, cluster, resharder);
  if (!cluster.release.behaviours.rollbackRestoresAll) return make(ctx, cluster, resharder, made);
  try {
    return await withKeyspaceLock(ctx, cluster.topo, keyspace, ACTION, async (locked) => {
      // Somebody may have been quicker.
      const checked = await buildResharder(locked, cluster, request);
      await checkLateFailures(locked, cluster, checked);
      return make(locked, cluster, checked, made);
    });
  } catch (error) {
    await made.takeBack(withoutCancel(ctx), cluster, keyspace, ACTION);
    throw error;
  }
}

const ACTION = 'ReshardCreate';

async function make(ctx: Context, cluster: Cluster, resharder: Resharder, made: MadeSoFar): Promise<WorkflowStatus> {
  const { request, sources, targets } = resharder;
  if (!request.skipSchemaCopy) {
    await within('copySchema', () => forAll(targets, (target) => copySchemaShard(ctx, cluster, sources[0]!, target, made)));
  }
  await within('createStreams', () => createReshardStreams(ctx, cluster, resharder, made));
  if (request.autoStart) await within('startStreams', () => startReshardStreams(ctx, cluster, resharder));
  else cluster.world.events.log('warning', 'Streams will not be started since --auto-start is set to false');
  return workflowStatus(ctx, cluster, request.keyspace, request.workflow, request.targetShards);
}

/** Throws unless the keyspace's serving record covers every keyspace id once in each of the cells (all, if none is named). */
async function validateServing(ctx: Context, { topo, world }: Cluster, { keyspace, cells }: ReshardRequest): Promise<void> {
  try {
    for (const cell of cells.length > 0 ? cells.toSorted() : await cellNames(ctx, topo)) {
      const conn = await connForCell(ctx, topo, cell);
      const record = structuredClone((await readRecord<SrvKeyspace>(ctx, conn, paths.srvKeyspace(keyspace))).record);
      orderPartitions(record);
      checkPartitions(cell, record.partitions ?? []);
    }
  } catch (error) {
    world.events.log('error', wrapError(error, `SrvKeyspace for keyspace ${keyspace} is corrupt for cell(s) [${cells.join(' ')}]`).message);
    throw error;
  }
}
