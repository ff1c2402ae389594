import { errorText, plainError, UserError, vtError } from '../../lib/errors.ts';
import { keyRangesEqual } from '../../lib/key-range.ts';
import { type Context, withoutCancel } from '../../runtime/context.ts';
import { formatName } from '../../sql/format-expr.ts';
import { type Cluster, epochSeconds } from '../../tablet/cluster.ts';
import { callTablet, writeTablet } from '../../tablet/manager.ts';
import { planRule } from '../../tablet/vreplication/rule-plan.ts';
import { insertStream, type NewStream } from '../../tablet/vreplication/streams.ts';
import { servingShards } from '../../topo/keyspaces.ts';
import { withKeyspaceLock } from '../../topo/locks.ts';
import type { Rule } from '../../topo/proto/types-workflow.ts';
import type { VSchemaKeyspace } from '../../topo/proto/types.ts';
import { getVSchema } from '../../topo/vschema.ts';
import { forAll } from '../fan-out.ts';
import { refuseInterrupted } from '../intent/stand-back.ts';
import { primaryOf } from '../switcher.ts';
import { startWorkflow } from '../update.ts';
import { refuseTakenName, refuseUnknownTables } from './materialize.ts';
import type { MaterializeRequest, TableSettings } from './materialize-request.ts';
import { materializeRule } from './materialize-rules.ts';
import { createMaterialized } from './materialize-tables.ts';
import type { Member } from './request.ts';
import { rangeOf } from './reshard-checks.ts';
import { newStreamRow } from './stream-row.ts';
import { refuseFilledTables } from './tables.ts';
import { MadeSoFar } from './undo-made.ts';

const ACTION = 'MaterializeCreate';

/**
 * Creates and starts a Materialize workflow: on each serving target shard a stream from every serving source shard, also within
 * one keyspace. A release takes no lock and leaves what it made when it fails; `hardened` takes it back.
 * Vitess: go/vt/vtctl/workflow/server.go Materialize.
 */
export async function createMaterialize(ctx: Context, cluster: Cluster, asked: MaterializeRequest): Promise<void> {
  const request = { ...asked, settings: settingsOf(asked) };
  await refuseInterrupted(ctx, cluster, [request.sourceKeyspace, request.targetKeyspace]);
  const made = new MadeSoFar();
  if (!cluster.release.behaviours.rollbackRestoresAll) return make(ctx, cluster, request, made);
  refuseBadSelects(request.settings);
  try {
    await withKeyspaceLock(ctx, cluster.topo, request.targetKeyspace, ACTION, (locked) => make(locked, cluster, request, made));
  } catch (error) {
    await made.takeBack(withoutCancel(ctx), cluster, request.targetKeyspace, ACTION);
    throw error;
  }
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

async function make(ctx: Context, cluster: Cluster, request: MaterializeRequest, made: MadeSoFar): Promise<void> {
  const { targetKeyspace, workflow, settings } = request;
  await refuseTakenName(ctx, cluster, targetKeyspace, workflow);
  const materializer = await buildMaterializer(ctx, cluster, request);
  const { sources, targets } = materializer;
  await refuseFilledTables(targets, targetKeyspace, settings.map((table) => table.target_table));
  refuseMissingSources(cluster, materializer);
  await createMaterialized(ctx, cluster, sources[0]!, targets, settings, made);
  // Before they copy, which is when they take their positions.
  for (const source of sources) await source.db.expectReader(cluster.world.clock);
  await forAll(targets, async (target) => {
    const rows = sources.map((source) => streamRow(cluster, materializer, source, target));
    const ids = await callTablet(ctx, cluster, target.primary, 'CreateVReplicationWorkflow', () =>
      writeTablet(ctx, cluster, target.db, () => rows.map((row) => insertStream(target.db, row, epochSeconds(cluster)))),
    );
    made.on(target).streams.push(...ids);
  });
  await startWorkflow(ctx, cluster, { workflow, targets });
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
