import { errorText, plainError, VtError, vtError, wrapError } from '../../lib/errors.ts';
import { migrationId } from '../../lib/fnv.ts';
import { ExitFault } from '../../lib/exit-fault.ts';
import type { Context } from '../../runtime/context.ts';
import type { Cluster } from '../../tablet/cluster.ts';
import { writeTablet } from '../../tablet/manager.ts';
import { deleteWorkflowStreams, readJournal } from '../../tablet/vreplication/streams.ts';
import type { VSchemaKeyspace } from '../../topo/proto/types.ts';
import { lockKeyspace, type Locked, lockName } from '../../topo/locks.ts';
import { aliasText } from '../../topo/tablets.ts';
import { getVSchema, rebuildSrvVSchema, saveVSchema } from '../../topo/vschema.ts';
import { denyTables } from '../denied.ts';
import { deleteRules } from '../ending.ts';
import { refuseInterrupted } from '../intent/stand-back.ts';
import { workflowStatus, type WorkflowStatus } from '../status.ts';
import { buildTrafficSwitcher, type TrafficSwitcher } from '../switcher.ts';
import { startWorkflow } from '../update.ts';
import { AUTO_INCREMENT_HANDLING, checkGlobalKeyspace, replaceAutoIncrement, stripsAutoIncrement } from './auto-increment.ts';
import { rulesBefore, setInitialRules } from './initial-rules.ts';
import { chooseShards, createStreams, refuseTakenName, refuseUnknownTables } from './materialize.ts';
import { refuseMisfits, validateTenant } from './partial-and-tenant.ts';
import { finishLeftCreate } from './finish.ts';
import type { CreateSubject } from './intent.ts';
import { kindAsked, type MoveTablesRequest, subTypeAsked } from './request.ts';
import { type CreateRun, createStep, runCreate } from './run.ts';
import { type CreatePath, planCreate } from './steps.ts';
import { refuseUnknownTimeZone } from './time-zone.ts';
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
  if ((await finishLeftCreate(ctx, cluster, { type: 'MoveTables', targetKeyspace, workflow, request })) === 'done') {
    return workflowStatus(ctx, cluster, targetKeyspace, workflow);
  }
  await refuseInterrupted(ctx, cluster, [sourceKeyspace, targetKeyspace]);
  await validateTenant(ctx, cluster, request);
  await refuseEarly(ctx, cluster, request);
  // Until v19 the VSchema is saved late, and streams that are in the way leave nothing behind.
  if (!cluster.release.behaviours.createBesideFrozen) await refuseTakenName(ctx, cluster, targetKeyspace, workflow);
  await runCreate(
    ctx,
    cluster,
    { workflow, sourceKeyspace, targetKeyspace, action: 'MoveTablesCreate' },
    async (locked) => {
      await refuseEarly(locked, cluster, request);
      return subjectOf(locked, cluster, request);
    },
    (locked, run) => make(locked, run, request),
  );
  return workflowStatus(ctx, cluster, targetKeyspace, workflow);
}

/** What is to be created, under the locks of `hardened`. */
async function subjectOf(ctx: Context, cluster: Cluster, request: MoveTablesRequest): Promise<CreateSubject> {
  const { sourceKeyspace, targetKeyspace, workflow, tenantId, autoStart, shardedAutoIncrement } = request;
  const kind = kindAsked(request);
  const tables = await chooseTables(ctx, cluster, request);
  const { targets } = await chooseShards(ctx, cluster, request);
  const path: CreatePath = { type: 'MoveTables', kind, autoStart, copySchema: true, replacesAutoIncrement: await replaces(ctx, cluster, request) };
  return {
    type: 'MoveTables',
    kind,
    workflow,
    sourceKeyspace,
    targetKeyspace,
    request,
    tables,
    tenantId,
    targets: targets.map((member) => ({ member, makes: tables.filter((table) => member.db.findTable(table) === undefined) })),
    line: `MoveTables --workflow ${workflow} --target-keyspace ${targetKeyspace} create --source-keyspace ${sourceKeyspace} --tables ${tables.join(',')}`,
    rules: await rulesBefore(ctx, cluster, request, tables),
    plan: planCreate(path, cluster.release.behaviours),
  };

  async function replaces(inner: Context, where: Cluster, asked: MoveTablesRequest): Promise<boolean> {
    if (AUTO_INCREMENT_HANDLING[shardedAutoIncrement] !== 'REPLACE') return false;
    return stripsAutoIncrement(where, asked, (await getVSchema(inner, where.topo, targetKeyspace)).record);
  }
}

async function make(ctx: Context, run: CreateRun, request: MoveTablesRequest): Promise<void> {
  const { cluster } = run;
  const { targetKeyspace, workflow } = request;
  const tables = await chooseTables(ctx, cluster, request);
  const vschema = await createStep(ctx, run, 'create/extendVSchema', [], () => extendVSchema(ctx, cluster, request, tables));
  await refuseTakenName(ctx, cluster, targetKeyspace, workflow);
  refuseUnknownTables(vschema.now, targetKeyspace, tables);
  const members = await chooseShards(ctx, cluster, request);
  const { sources, targets } = members;
  if (request.tenantId === '') await refuseFilledTables(targets, targetKeyspace, tables);
  const stripAutoIncrement = stripsAutoIncrement(cluster, request, vschema.now);
  const made = await createStep(ctx, run, 'create/copySchema', targets, (scope) => copySchema(ctx, cluster, sources[0]!, targets, tables, { stripAutoIncrement, scope }));
  if (stripAutoIncrement && AUTO_INCREMENT_HANDLING[request.shardedAutoIncrement] === 'REPLACE') {
    await createStep(ctx, run, 'create/replaceAutoIncrement', [], () => replaceAutoIncrement(ctx, cluster, request, sources[0]!, made));
  }
  await createStep(ctx, run, 'create/createStreams', targets, (scope) => createStreams(ctx, cluster, request, vschema.now, members, tables, scope));
  const sw = await buildTrafficSwitcher(ctx, cluster, targetKeyspace, workflow);
  // What a release has read and written until now, it has without a lock.
  if (run.subject !== undefined) await finishCreate(ctx, run, request, sw, vschema.before);
  else await createUnderLocks(ctx, run, request, sw, vschema.before);
}

async function createUnderLocks(ctx: Context, run: CreateRun, request: MoveTablesRequest, sw: TrafficSwitcher, vschemaBefore: VSchemaKeyspace): Promise<void> {
  const { cluster } = run;
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
    await finishCreate(locked.ctx, run, request, sw, vschemaBefore);
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

async function finishCreate(ctx: Context, run: CreateRun, request: MoveTablesRequest, sw: TrafficSwitcher, vschemaBefore: VSchemaKeyspace): Promise<void> {
  const { cluster } = run;
  try {
    await createStep(ctx, run, 'create/setInitialRules', [], () => setInitialRules(ctx, cluster, request, sw.tables));
    // Other tenants use the tables, and shard by shard the target is not asked yet.
    if (cluster.release.behaviours.deniedTablesOnTargetAtCreate && kindAsked(request) === 'tables') {
      try {
        await createStep(ctx, run, 'create/denyTargetTables', sw.targets, (scope) => denyTables(ctx, cluster, sw, 'target', false, { scope }));
      } catch (error) {
        throw wrapError(error, 'failed to put initial denied tables entries in place on the target shards');
      }
    }
    await createStep(ctx, run, 'create/rebuildSrvVSchema', [], async () => {
      await rebuildSrvVSchema(ctx, cluster.topo);
      // Looked at here on `hardened` too: what is made may stay stopped, and then there is no step after this one.
      await refuseUnknownTimeZone(sw.targets, request.sourceTimeZone);
      refuseOldJournal(sw);
    });
    if (request.autoStart) await createStep(ctx, run, 'create/startStreams', sw.targets, (scope) => startWorkflow(ctx, cluster, sw, scope));
  } catch (error) {
    if (run.subject !== undefined || error instanceof ExitFault) throw error;
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
      await writeTablet(ctx, cluster, target.db, () => void deleteWorkflowStreams(target.db, sw.workflow));
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
