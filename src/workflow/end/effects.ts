import { plainError, wrapError } from '../../lib/errors.ts';
import { type Context, withTimeout } from '../../runtime/context.ts';
import { NO_FAULTS, type StepScope } from '../../runtime/step.ts';
import { epochSeconds } from '../../tablet/cluster.ts';
import { callTablet, writeTablet } from '../../tablet/manager.ts';
import { deleteWorkflowStreams, updateStream } from '../../tablet/vreplication/streams.ts';
import { findAllShards, shardText } from '../../topo/keyspaces.ts';
import { changeRoutingRules } from '../../topo/rules.ts';
import { aliasText } from '../../topo/tablets.ts';
import { getVSchema, rebuildSrvVSchema } from '../../topo/vschema.ts';
import { deleteTenantData } from '../delete-tenant.ts';
import { denyTables } from '../denied.ts';
import { deleteRules, deleteStreams, forgetTables, removeTables } from '../ending.ts';
import { dropSourceShards, dropTargetShards, emptyTargetShards } from '../end-shards.ts';
import { MIRRORED_TYPES, mirrorTables } from '../mirror-tables.ts';
import { switchReadRules } from '../switch/effects-reads.ts';
import { primaryOf } from '../switcher.ts';
import { isPartOfMove } from './checks.ts';
import type { EndMember, EndRun } from './run.ts';
import type { EndStepName } from './steps.ts';

type Effect = (run: EndRun, scope: StepScope) => Promise<void>;

/** What `run.ts` does itself. */
type Bracket = Extract<EndStepName, `${string}/lock${string}` | `${string}/unlock${string}` | `${string}/check` | `${string}/validate`>;

/** How long deleting the streams may take. Vitess: 2 * topo.RemoteOperationTimeout. */
const DELETE_MS = 30_000;

/** Tables are only freed: no tablet that does not answer has to be waited for. */
const PASSING = { passOver: true };

const freeSource: Effect = ({ ctx, cluster, found }, scope) => denyTables(ctx, cluster, found.sw, 'source', true, { ...PASSING, scope });
const freeTarget: Effect = ({ ctx, cluster, found }, scope) => denyTables(ctx, cluster, found.sw, 'target', true, { ...PASSING, scope });
const rebuild: Effect = ({ ctx, cluster }) => rebuildSrvVSchema(ctx, cluster.topo);

/** What each step of an ending does. */
export const END_EFFECTS: Readonly<Record<Exclude<EndStepName, Bracket>, Effect>> = {
  'complete/removeSourceTables': removeSourceTables,
  'complete/dropSourceDeniedTables': freeSource,
  'complete/dropTargetDeniedTables': freeTarget,
  'complete/dropSourceShards': ({ ctx, cluster, found }) => dropSourceShards(ctx, cluster, found.sw),
  'complete/dropSourceReverseVReplicationStreams': deleteReverse,
  'complete/dropTargetVReplicationStreams': async ({ ctx, cluster, found: { sw } }, scope) => void (await deleteStreams(ctx, cluster, sw.targets, sw.workflow, scope)),
  'complete/mirrorOff': endMirrors,
  'complete/deleteRoutingRules': endRules,
  'complete/rebuildSrvVSchema': rebuild,
  'cancel/readsBack': readsBack,
  'cancel/mirrorOff': endMirrors,
  'cancel/stopStreams': stopStreams,
  'cancel/deleteTenantData': async (run) => {
    if (run.cluster.release.vitess) await stopStreams(run, NO_FAULTS);
    await deleteTenantData(run.ctx, run.cluster, run.found.sw, run.batch);
  },
  'cancel/removeTargetTables': removeTargetTables,
  'cancel/dropTargetShards': ({ ctx, cluster, found }) => dropTargetShards(ctx, cluster, found.sw),
  'cancel/dropSourceDeniedTables': freeSource,
  'cancel/dropTargetDeniedTables': freeTarget,
  'cancel/dropSourceReverseVReplicationStreams': deleteReverse,
  'cancel/deleteRoutingRules': endRules,
  'cancel/rebuildSrvVSchema': rebuild,
  'cancel/deleteStreams': deleteOwnStreams,
};

async function removeSourceTables({ ctx, cluster, found: { sw }, renameTables }: EndRun, scope: StepScope): Promise<void> {
  await removeTables(ctx, cluster, sw.sources, sw.tables, renameTables ? 'rename' : 'drop', scope);
  if (!(await isPartOfMove(ctx, cluster, sw))) await forgetTables(ctx, cluster, sw.sourceKeyspace, sw.tables);
}

async function removeTargetTables({ ctx, cluster, found: { sw } }: EndRun, scope: StepScope): Promise<void> {
  if (sw.kind === 'shards') {
    await emptyTargetShards(ctx, cluster, sw, scope);
    return;
  }
  await removeTables(ctx, cluster, sw.targets, sw.tables, 'drop', scope);
  const { record } = await getVSchema(ctx, cluster.topo, sw.targetKeyspace);
  if (record.sharded !== true) await forgetTables(ctx, cluster, sw.targetKeyspace, sw.tables);
}

async function deleteReverse({ ctx, cluster, found: { sw } }: EndRun, scope: StepScope): Promise<void> {
  await deleteStreams(ctx, cluster, sw.sources, sw.reverseWorkflow, scope);
}

async function endRules({ ctx, cluster, found: { sw } }: EndRun): Promise<void> {
  if (sw.kind !== 'shards') await deleteRules(ctx, cluster, sw);
}

/** Nobody reads what is mirrored any more; a release leaves the rules, and its gates mirror to tables that are gone. */
async function endMirrors({ ctx, cluster, found: { sw, state } }: EndRun): Promise<void> {
  if (state.readsMirrored || state.writesMirrored) await mirrorTables(ctx, cluster, sw, MIRRORED_TYPES, 0, PASSING);
}

/** While the target's tables go, the cells are to read from the source. A release lets them fail until its rules are gone, or for ever where it keeps them. */
async function readsBack({ ctx, cluster, found: { sw, state } }: EndRun): Promise<void> {
  if (state.replicaSwitched.length === 0 && state.rdonlySwitched.length === 0) return;
  await changeRoutingRules(ctx, cluster.topo, sw.sources.length === 0 ? [sw.targetKeyspace] : [sw.sourceKeyspace, sw.targetKeyspace], (rules) =>
    switchReadRules(rules, sw, ['REPLICA', 'RDONLY'], true),
  );
  await rebuildSrvVSchema(ctx, cluster.topo);
}

/** Vitess's stop request carries no cells and tablet types, which blanks both (K44). */
async function stopStreams({ ctx, cluster, found: { sw } }: EndRun, scope: StepScope): Promise<void> {
  const change = cluster.release.vitess ? { cell: '', tablet_types: '' } : {};
  for (const target of sw.targets) {
    const stop = (): Promise<void> =>
      callTablet(ctx, cluster, target.primary, 'UpdateVReplicationWorkflow', () =>
        writeTablet(ctx, cluster, target.db, () => {
          for (const { row } of target.streams) updateStream(target.db, row.id, { state: 'Stopped', ...change }, epochSeconds(cluster));
        }),
      );
    try {
      await scope.onTarget(shardText(target.info), stop);
    } catch (error) {
      throw wrapError(error, `failed to stop workflow ${sw.workflow} on shard ${shardText(target.info)}`);
    }
  }
}

/** Every primary of the keyspace is asked, or those of the shards that were named. */
async function deleteOwnStreams(run: EndRun, scope: StepScope): Promise<void> {
  const { cluster, found: { sw } } = run;
  const limited = withTimeout(run.ctx, cluster.world.clock, DELETE_MS);
  try {
    for (const member of await membersOf(limited.ctx, run)) {
      const count = await scope.onTarget(shardText(member.info), () =>
        callTablet(limited.ctx, cluster, member.primary, 'DeleteVReplicationWorkflow', () =>
          writeTablet(limited.ctx, cluster, member.db, () => deleteWorkflowStreams(member.db, sw.workflow)),
        ),
      );
      run.deleted.push({ member, had: count > 0 });
    }
  } finally {
    limited.end();
  }
}

async function membersOf(ctx: Context, { cluster, found: { sw }, shards }: EndRun): Promise<EndMember[]> {
  const infos = (await findAllShards(ctx, cluster.topo, sw.targetKeyspace)).filter(({ name }) => shards.length === 0 || shards.includes(name));
  const members = await Promise.all(infos.map((info) => primaryOf(ctx, cluster, info, (shard) => plainError(`no primary found for shard ${shardText(shard)}`))));
  return members.toSorted((a, b) => (aliasText(a.primary.alias) < aliasText(b.primary.alias) ? -1 : 1));
}
