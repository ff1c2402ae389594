import { errorText, plainError, UserError, vtError } from '../../lib/errors.ts';
import { shellQuote } from '../../lib/shell-quote.ts';
import { keyRangesEqual } from '../../lib/key-range.ts';
import type { Context } from '../../runtime/context.ts';
import { formatName } from '../../sql/format-expr.ts';
import { type Cluster, epochSeconds } from '../../tablet/cluster.ts';
import { callTablet, writeTablet } from '../../tablet/manager.ts';
import { planRule } from '../../tablet/vreplication/rule-plan.ts';
import { insertStream, type NewStream } from '../../tablet/vreplication/streams.ts';
import { servingShards, shardText } from '../../topo/keyspaces.ts';
import type { Rule } from '../../topo/proto/types-workflow.ts';
import type { VSchemaKeyspace } from '../../topo/proto/types.ts';
import { getVSchema } from '../../topo/vschema.ts';
import { forAll } from '../fan-out.ts';
import { refuseInterrupted } from '../intent/stand-back.ts';
import { primaryOf } from '../switcher.ts';
import { startWorkflow } from '../update.ts';
import { finishLeftCreate } from './finish.ts';
import type { CreateSubject } from './intent.ts';
import { refuseTakenName, refuseUnknownTables } from './materialize.ts';
import type { MaterializeRequest, TableSettings } from './materialize-request.ts';
import { materializeRule } from './materialize-rules.ts';
import { createMaterialized, tablesToMake } from './materialize-tables.ts';
import type { Member } from './request.ts';
import { rangeOf } from './reshard-checks.ts';
import { type CreateRun, createStep, runCreate } from './run.ts';
import { type CreatePath, planCreate } from './steps.ts';
import { newStreamRow } from './stream-row.ts';
import { refuseFilledTables } from './tables.ts';

/**
 * Creates and starts a Materialize workflow: on each serving target shard a stream from every serving source shard, also within
 * one keyspace. A release takes no lock and leaves what it made when it fails; `hardened` takes it back.
 * Vitess: go/vt/vtctl/workflow/server.go Materialize.
 */
export async function createMaterialize(ctx: Context, cluster: Cluster, asked: MaterializeRequest): Promise<void> {
  const request = { ...asked, settings: settingsOf(asked) };
  const { workflow, sourceKeyspace, targetKeyspace } = request;
  if ((await finishLeftCreate(ctx, cluster, { type: 'Materialize', targetKeyspace, workflow, request })) === 'done') return;
  await refuseInterrupted(ctx, cluster, [sourceKeyspace, targetKeyspace]);
  if (cluster.release.behaviours.rollbackRestoresAll) refuseBadSelects(request.settings);
  let materializer: Materializer | undefined;
  await runCreate(
    ctx,
    cluster,
    { workflow, sourceKeyspace, targetKeyspace, action: 'MaterializeCreate' },
    async (locked) => {
      materializer = await check(locked, cluster, request);
      return subjectOf(cluster, materializer);
    },
    async (locked, run) => make(locked, run, materializer ?? (await check(locked, cluster, request))),
  );
}

/** What is to be created, under the locks of `hardened`. */
function subjectOf(cluster: Cluster, { request, targets }: Materializer): CreateSubject {
  const { workflow, sourceKeyspace, targetKeyspace, settings, referenceTables } = request;
  const path: CreatePath = { type: 'Materialize', kind: 'tables', autoStart: true, copySchema: true, replacesAutoIncrement: false };
  const what = referenceTables.length > 0 ? `--reference-tables ${referenceTables.join(',')}` : `--table-settings ${shellQuote(JSON.stringify(settings))}`;
  return {
    type: 'Materialize',
    kind: 'tables',
    workflow,
    sourceKeyspace,
    targetKeyspace,
    request,
    tables: settings.map(({ target_table: table }) => table),
    tenantId: '',
    targets: targets.map((member) => ({ member, makes: tablesToMake(member, settings) })),
    line: `Materialize --workflow ${workflow} --target-keyspace ${targetKeyspace} create --source-keyspace ${sourceKeyspace} ${what}`,
    plan: planCreate(path, cluster.release.behaviours),
  };
}

function settingsOf({ settings, referenceTables }: MaterializeRequest): TableSettings[] {
  if (settings.length === 0 && referenceTables.length === 0) {
    throw vtError('FAILED_PRECONDITION', 'either --table-settings or --reference-tables must be specified');
  }
  if (settings.length > 0 && referenceTables.length > 0) {
    throw vtError('FAILED_PRECONDITION', 'cannot specify both --table-settings and --reference-tables');
  }
  const references = referenceTables.map((table) => ({
    target_table: table,
    source_expression: `select * from ${formatName(table)}`,
    create_ddl: 'copy:drop_foreign_keys',
  }));
  return [...settings, ...references];
}

/** A release finds out when the stream starts. */
function refuseBadSelects(settings: readonly TableSettings[]): void {
  for (const { target_table: table, source_expression: expression } of settings) {
    try {
      planRule(expression);
    } catch (error) {
      throw new UserError(`no stream can fill ${table}: ${errorText(error)}`, {
        next: 'a stream takes columns and expressions of one table, count(*) and sum(column) with group by, and conditions on columns joined by and',
      });
    }
  }
}

interface Materializer {
  request: MaterializeRequest;
  vschema: VSchemaKeyspace;
  sources: Member[];
  targets: Member[];
}

async function check(ctx: Context, cluster: Cluster, request: MaterializeRequest): Promise<Materializer> {
  const { targetKeyspace, workflow, settings } = request;
  await refuseTakenName(ctx, cluster, targetKeyspace, workflow);
  const materializer = await buildMaterializer(ctx, cluster, request);
  await refuseFilledTables(materializer.targets, targetKeyspace, settings.map((table) => table.target_table));
  refuseMissingSources(cluster, materializer);
  return materializer;
}

async function make(ctx: Context, run: CreateRun, materializer: Materializer): Promise<void> {
  const { cluster } = run;
  const { request, sources, targets } = materializer;
  await createStep(ctx, run, 'create/copySchema', targets, (scope) => createMaterialized(ctx, cluster, sources[0]!, targets, request.settings, scope));
  await createStep(ctx, run, 'create/createStreams', targets, async (scope) => {
    // Before they copy, which is when they take their positions.
    for (const source of sources) await source.db.expectReader(cluster.world.clock);
    await forAll(targets, (target) => {
      const rows = sources.map((source) => streamRow(cluster, materializer, source, target));
      return scope.onTarget(shardText(target.info), () =>
        callTablet(ctx, cluster, target.primary, 'CreateVReplicationWorkflow', () =>
          writeTablet(ctx, cluster, target.db, () => rows.forEach((row) => insertStream(target.db, row, epochSeconds(cluster)))),
        ),
      );
    });
  });
  await createStep(ctx, run, 'create/startStreams', targets, (scope) => startWorkflow(ctx, cluster, { workflow: request.workflow, targets }, scope));
}

async function buildMaterializer(ctx: Context, cluster: Cluster, request: MaterializeRequest): Promise<Materializer> {
  const { record: vschema } = await getVSchema(ctx, cluster.topo, request.targetKeyspace);
  refuseUnknownTables(vschema, request.targetKeyspace, request.settings.map((table) => table.target_table));
  const members = async (keyspace: string, missing: string): Promise<Member[]> => {
    const shards = await servingShards(ctx, cluster.topo, keyspace);
    return Promise.all(shards.map((info) => primaryOf(ctx, cluster, info, (shard) => plainError(`${missing}: ${shard.name}`))));
  };
  const sources = await members(request.sourceKeyspace, 'source shard must have a primary for copying schema');
  return { request, vschema, sources, targets: await members(request.targetKeyspace, 'shard has no primary') };
}

/** A release makes streams that find nothing to replicate. */
function refuseMissingSources(cluster: Cluster, { request, sources }: Materializer): void {
  if (!cluster.release.behaviours.rollbackRestoresAll) return;
  const missing = request.settings.map(({ source_expression: expression }) => planRule(expression).from).filter((table) => sources[0]!.db.findTable(table) === undefined);
  if (missing.length > 0) throw plainError(`table(s) not found in source keyspace ${request.sourceKeyspace}: ${missing.join(',')}`);
}

function streamRow(cluster: Cluster, { request, vschema, sources }: Materializer, source: Member, target: Member): NewStream {
  const whole = sources.length === 1 && keyRangesEqual(rangeOf(source), rangeOf(target));
  const shard = { keyspace: request.targetKeyspace, vschema, member: target, whole };
  const rules = request.settings.map((settings): Rule => materializeRule(settings, shard)).toSorted((a, b) => (a.match < b.match ? -1 : 1));
  return newStreamRow(cluster, request, 'Materialize', { keyspace: request.sourceKeyspace, shard: source.info.name, filter: { rules } }, target);
}
