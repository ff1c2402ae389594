import { errorText, plainError, VtError, vtError, wrapError } from '../../lib/errors.ts';
import { migrationId } from '../../lib/fnv.ts';
import { type Context, withoutCancel } from '../../runtime/context.ts';
import type { Cluster } from '../../tablet/cluster.ts';
import { deleteWorkflowStreams, readJournal } from '../../tablet/vreplication/streams.ts';
import type { VSchemaKeyspace } from '../../topo/proto/types.ts';
import { lockKeyspace, type Locked, lockName } from '../../topo/locks.ts';
import { aliasText } from '../../topo/tablets.ts';
import { rebuildSrvVSchema, saveVSchema } from '../../topo/vschema.ts';
import { denyTables } from '../denied.ts';
import { deleteRules } from '../ending.ts';
import { refuseInterrupted } from '../intent/stand-back.ts';
import { workflowStatus, type WorkflowStatus } from '../status.ts';
import { buildTrafficSwitcher, type TrafficSwitcher } from '../switcher.ts';
import { startWorkflow } from '../update.ts';
import { checkGlobalKeyspace, replaceAutoIncrement, stripsAutoIncrement } from './auto-increment.ts';
import { rulesBefore, setInitialRules } from './initial-rules.ts';
import { chooseShards, createStreams, refuseTakenName, refuseUnknownTables } from './materialize.ts';
import { refuseMisfits, validateTenant } from './partial-and-tenant.ts';
import { kindAsked, type MoveTablesRequest, subTypeAsked } from './request.ts';
import { refuseUnknownTimeZone } from './time-zone.ts';
import { CreateUndo } from './undo-create.ts';
import { chooseTables, copySchema, extendVSchema, refuseFilledTables } from './tables.ts';

/**
 * Creates a MoveTables workflow. Until the locks are taken a failure leaves what was made; after that it is cleaned
 * up as Vitess does. Vitess: go/vt/vtctl/workflow/server.go moveTablesCreate.
 */
export async function createMoveTables(ctx: Context, cluster: Cluster, request: MoveTablesRequest): Promise<WorkflowStatus> {
  const { sourceKeyspace, targetKeyspace, workflow } = request;
  if (sourceKeyspace === targetKeyspace && cluster.release.behaviours.sameKeyspace === 'refused') {
    throw vtError('INVALID_ARGUMENT', 'source and target keyspace must be different for MoveTables workflows');
  }
  await checkGlobalKeyspace(ctx, cluster, request.globalKeyspace);
  await refuseInterrupted(ctx, cluster, [sourceKeyspace, targetKeyspace]);
  await validateTenant(ctx, cluster, request);
  await refuseEarly(ctx, cluster, request);
  // Until v19 the VSchema is saved late, and streams that are in the way leave nothing behind.
  if (!cluster.release.behaviours.createBesideFrozen) await refuseTakenName(ctx, cluster, targetKeyspace, workflow);
  const tables = await chooseTables(ctx, cluster, request);
  const undo = new CreateUndo(cluster, request, tables, await rulesBefore(ctx, cluster, request, tables));
  try {
    const vschema = await extendVSchema(ctx, cluster, request, tables);
    undo.vschema = vschema.before;
    await refuseTakenName(ctx, cluster, targetKeyspace, workflow);
    refuseUnknownTables(vschema.now, targetKeyspace, tables);
    const members = await chooseShards(ctx, cluster, request);
    if (request.tenantId === '') await refuseFilledTables(members.targets, targetKeyspace, tables);
    const stripAutoIncrement = stripsAutoIncrement(cluster, request, vschema.now);
    undo.made = await copySchema(ctx, cluster, members.sources[0]!, members.targets, tables, { stripAutoIncrement });
    undo.targets = members.targets;
    if (stripAutoIncrement) await replaceAutoIncrement(ctx, cluster, request, members.sources[0]!, undo.made);
    await createStreams(ctx, cluster, request, vschema.now, members, tables);
    const sw = await buildTrafficSwitcher(ctx, cluster, targetKeyspace, workflow);
    return await createUnderLocks(ctx, cluster, request, sw, vschema.before);
  } catch (error) {
    // A release leaves what was made before the locks, and cleans up some of it after (K32, K33).
    if (cluster.release.behaviours.rollbackRestoresAll) await undo.run(withoutCancel(ctx));
    throw error;
  }
}

async function createUnderLocks(
  ctx: Context,
  cluster: Cluster,
  request: MoveTablesRequest,
  sw: TrafficSwitcher,
  vschemaBefore: VSchemaKeyspace,
): Promise<WorkflowStatus> {
  const { topo } = cluster;
  const name = `${sw.targetKeyspace}/${sw.workflow}`;
  const locks: Locked[] = [];
  let failure: unknown;
  try {
    if (cluster.release.behaviours.namedLock !== 'none') {
      try {
        locks.push(await lockName(ctx, topo, name, 'MoveTablesCreate'));
      } catch (error) {
        throw wrapError(error, `failed to lock the ${name} workflow`);
      }
    }
    const locked = await lockKeyspace(locks.at(-1)?.ctx ?? ctx, topo, sw.targetKeyspace, 'MoveTablesCreate');
    locks.push(locked);
    return await finishCreate(locked.ctx, cluster, request, sw, vschemaBefore);
  } catch (error) {
    failure = error;
    throw error;
  } finally {
    for (const lock of locks.reverse()) await lock.unlock(failure);
  }
}

/** On `hardened` what would fail late, with things half made, is refused first. */
async function refuseEarly(ctx: Context, cluster: Cluster, request: MoveTablesRequest): Promise<void> {
  if (!cluster.release.behaviours.rollbackRestoresAll) return;
  subTypeAsked(request);
  await refuseTakenName(ctx, cluster, request.targetKeyspace, request.workflow);
  const tables = await chooseTables(ctx, cluster, request);
  const members = await chooseShards(ctx, cluster, request);
  await refuseMisfits(ctx, cluster, request, tables, members);
  if (request.tenantId === '') await refuseFilledTables(members.targets, request.targetKeyspace, tables);
  await refuseUnknownTimeZone(members.targets, request.sourceTimeZone);
}

async function finishCreate(
  ctx: Context,
  cluster: Cluster,
  request: MoveTablesRequest,
  sw: TrafficSwitcher,
  vschemaBefore: VSchemaKeyspace,
): Promise<WorkflowStatus> {
  const { topo } = cluster;
  try {
    await setInitialRules(ctx, cluster, request, sw.tables);
    // Other tenants use the tables, and shard by shard the target is not asked yet.
    if (cluster.release.behaviours.deniedTablesOnTargetAtCreate && kindAsked(request) === 'tables') {
      try {
        await denyTables(ctx, cluster, sw, 'target', false);
      } catch (error) {
        throw wrapError(error, 'failed to put initial denied tables entries in place on the target shards');
      }
    }
    await rebuildSrvVSchema(ctx, topo);
    await refuseUnknownTimeZone(sw.targets, request.sourceTimeZone);
    refuseOldJournal(sw);
    if (request.autoStart) await startWorkflow(ctx, cluster, sw);
    return await workflowStatus(ctx, cluster, sw.targetKeyspace, sw.workflow);
  } catch (error) {
    if (cluster.release.behaviours.rollbackRestoresAll) throw error;
    throw await cleanUp(ctx, cluster, sw, { vschema: vschemaBefore, standard: kindAsked(request) === 'tables' }, error);
  }
}

function refuseOldJournal(sw: TrafficSwitcher): void {
  const id = String(migrationId(sw.targetKeyspace, sw.targets.flatMap((target) => target.streams.map(({ row }) => `${target.info.name}:${row.id}`))));
  const found = sw.sources.filter((source) => readJournal(source.db, id) !== undefined);
  if (found.length === 0) return;
  const aliases = found.map((source) => aliasText(source.primary.alias)).join(',');
  throw plainError(
    `found an entry from a previous run for migration id ${id} in _vt.resharding_journal on tablets ${aliases}, please review and delete it before proceeding and then start the workflow using: MoveTables --workflow ${sw.workflow} --target-keyspace ${sw.targetKeyspace} start`,
  );
}

/** Takes the new workflow down again. Like Vitess it leaves the created tables; each failure adds to the text. */
async function cleanUp(
  ctx: Context,
  cluster: Cluster,
  sw: TrafficSwitcher,
  { vschema: vschemaBefore, standard }: { vschema: VSchemaKeyspace; standard: boolean },
  cause: unknown,
): Promise<unknown> {
  let error = cause;
  const attempt = async (what: string, effect: () => Promise<void>): Promise<void> => {
    try {
      await effect();
    } catch (failure) {
      error = new VtError(`${errorText(error)}: ${what}: ${errorText(failure)}`, { code: 'UNKNOWN', coded: false });
    }
  };
  if (standard) await attempt('failed to cleanup denied table entries', () => denyTables(ctx, cluster, sw, 'target', true));
  await attempt('failed to cleanup workflow artifacts', async () => {
    for (const target of sw.targets) {
      await target.db.db.write(cluster.world.clock, () => void deleteWorkflowStreams(target.db, sw.workflow));
    }
    await deleteRules(ctx, cluster, sw);
  });
  if (vschemaBefore.sharded !== true) {
    await attempt('failed to restore original target vschema', () =>
      saveVSchema(ctx, cluster.topo, sw.targetKeyspace, vschemaBefore, null),
    );
  }
  return error;
}
