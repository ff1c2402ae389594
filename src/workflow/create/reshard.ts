import { wrapError } from '../../lib/errors.ts';
import type { Context } from '../../runtime/context.ts';
import type { Cluster } from '../../tablet/cluster.ts';
import { cellNames, connForCell } from '../../topo/cells.ts';
import { shardText } from '../../topo/keyspaces.ts';
import { checkPartitions } from '../../topo/partitions.ts';
import { paths } from '../../topo/paths.ts';
import type { SrvKeyspace } from '../../topo/proto/types.ts';
import { orderPartitions } from '../../topo/served-types.ts';
import { readRecord } from '../../topo/server.ts';
import { forAll } from '../fan-out.ts';
import { workflowStatus, type WorkflowStatus } from '../status.ts';
import { refuseInterrupted } from '../intent/stand-back.ts';
import { copySchemaShard } from './copy-schema.ts';
import { finishLeftCreate } from './finish.ts';
import type { CreateSubject } from './intent.ts';
import { buildResharder, within } from './reshard-checks.ts';
import { checkLateFailures } from './reshard-early.ts';
import type { Resharder, ReshardRequest } from './reshard-request.ts';
import { createReshardStreams, startReshardStreams } from './reshard-streams.ts';
import { type CreateRun, createStep, runCreate } from './run.ts';
import { type CreatePath, planCreate } from './steps.ts';

/**
 * Creates a Reshard workflow. A release takes no lock and leaves what it made when it fails (K35); `hardened` holds the keyspace's
 * lock, refuses first what would fail late, and takes everything back.
 * Vitess: go/vt/vtctl/workflow/server.go ReshardCreate.
 */
export async function createReshard(ctx: Context, cluster: Cluster, request: ReshardRequest): Promise<WorkflowStatus> {
  const { keyspace, workflow } = request;
  const status = (): Promise<WorkflowStatus> => workflowStatus(ctx, cluster, keyspace, workflow, request.targetShards);
  if ((await finishLeftCreate(ctx, cluster, { type: 'Reshard', targetKeyspace: keyspace, workflow, request })) === 'done') return status();
  await refuseInterrupted(ctx, cluster, [keyspace]);
  await validateServing(ctx, cluster, request);
  let resharder = await buildResharder(ctx, cluster, request);
  await checkLateFailures(ctx, cluster, resharder);
  await runCreate(
    ctx,
    cluster,
    { workflow, sourceKeyspace: keyspace, targetKeyspace: keyspace, action: 'ReshardCreate' },
    async (locked) => {
      // Somebody may have been quicker.
      resharder = await buildResharder(locked, cluster, request);
      await checkLateFailures(locked, cluster, resharder);
      return subjectOf(cluster, resharder);
    },
    (locked, run) => make(locked, run, resharder),
  );
  return status();
}

/** What is to be created, under the locks of `hardened`. */
function subjectOf(cluster: Cluster, { request, sources, targets }: Resharder): CreateSubject {
  const { keyspace, workflow, sourceShards, targetShards, autoStart, skipSchemaCopy } = request;
  const tables = skipSchemaCopy ? [] : sources[0]!.db.tableNames();
  const path: CreatePath = { type: 'Reshard', kind: 'shards', autoStart, copySchema: !skipSchemaCopy, replacesAutoIncrement: false };
  return {
    type: 'Reshard',
    kind: 'shards',
    workflow,
    sourceKeyspace: keyspace,
    targetKeyspace: keyspace,
    request,
    tables,
    tenantId: '',
    targets: targets.map((member) => ({ member, makes: tables.filter((table) => member.db.findTable(table) === undefined) })),
    line: `Reshard --workflow ${workflow} --target-keyspace ${keyspace} create --source-shards=${sourceShards.join(',')} --target-shards=${targetShards.join(',')}`,
    plan: planCreate(path, cluster.release.behaviours),
  };
}

async function make(ctx: Context, run: CreateRun, resharder: Resharder): Promise<void> {
  const { cluster } = run;
  const { request, sources, targets } = resharder;
  if (!request.skipSchemaCopy) {
    await within('copySchema', () =>
      createStep(ctx, run, 'create/copySchema', targets, (scope) =>
        forAll(targets, (target) => scope.onTarget(shardText(target.info), () => copySchemaShard(ctx, cluster, sources[0]!, target))),
      ),
    );
  }
  await within('createStreams', () => createStep(ctx, run, 'create/createStreams', targets, (scope) => createReshardStreams(ctx, cluster, resharder, scope)));
  if (request.autoStart) await within('startStreams', () => createStep(ctx, run, 'create/startStreams', targets, (scope) => startReshardStreams(ctx, cluster, resharder, scope)));
  else cluster.world.events.log('warning', 'Streams will not be started since --auto-start is set to false');
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
