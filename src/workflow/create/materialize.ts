import { plainError } from '../../lib/errors.ts';
import { formatKeyRange, intersects, keyRangesEqual } from '../../lib/key-range.ts';
import type { Context } from '../../runtime/context.ts';
import type { StepScope } from '../../runtime/step.ts';
import type { Expr } from '../../sql/ast.ts';
import { formatName } from '../../sql/format-expr.ts';
import { type Cluster, epochSeconds } from '../../tablet/cluster.ts';
import { callTablet, writeTablet } from '../../tablet/manager.ts';
import { checkConfig } from '../../tablet/vreplication/config.ts';
import { FROZEN, insertStream, type NewStream, readStreams } from '../../tablet/vreplication/streams.ts';
import { findAllShards, servingShards, shardText } from '../../topo/keyspaces.ts';
import { bestColumnVindex } from '../../topo/primary-vindex.ts';
import { keyRangeFromProto } from '../../topo/proto/key-range.ts';
import type { BinlogSource as Source, Rule } from '../../topo/proto/types-workflow.ts';
import type { VSchemaKeyspace } from '../../topo/proto/types.ts';
import { aliasText } from '../../topo/tablets.ts';
import { getVSchema } from '../../topo/vschema.ts';
import { primaryOf, WORKFLOW_SUB_TYPES } from '../switcher.ts';
import { addTenantFilter, tenantPredicate } from '../tenant.ts';
import { type Member, type MoveTablesRequest, subTypeAsked } from './request.ts';
import { newStreamRow } from './stream-row.ts';
import { primaryVindexesDiffer } from './vindexes.ts';

/** Throws if a workflow of this name is on any primary of the keyspace; until v19, also if a frozen one is. */
export async function refuseTakenName(ctx: Context, cluster: Cluster, keyspace: string, workflow: string): Promise<void> {
  const taken: string[] = [];
  for (const info of await findAllShards(ctx, cluster.topo, keyspace)) {
    const { db, primary } = await primaryOf(ctx, cluster, info, (shard) => plainError(`shard has no primary: ${shard.name}`));
    const streams = await callTablet(ctx, cluster, primary, 'ReadVReplicationWorkflows', () => readStreams(db));
    // Shard by shard, those that are done stay beside those to come.
    const frozen = streams.some((row) => row.message === FROZEN && WORKFLOW_SUB_TYPES[row.workflow_sub_type] !== 'Partial');
    if (!cluster.release.behaviours.createBesideFrozen && frozen) {
      const { cell, uid } = primary.alias ?? { cell: '', uid: 0 };
      taken.push(
        `validateWorkflowName.VReplicationExec: found previous frozen workflow on tablet cell:"${cell}" uid:${uid}, please review and delete it first before creating a new workflow`,
      );
    }
    if (streams.some((row) => row.workflow === workflow)) {
      taken.push(`workflow ${workflow} already exists in keyspace ${keyspace} on tablet ${aliasText(primary.alias)}`);
    }
  }
  if (taken.length > 0) throw plainError(taken.toSorted().join('\n'));
}

/** Source and target shards of the new workflow. */
export async function chooseShards(
  ctx: Context,
  cluster: Cluster,
  request: MoveTablesRequest,
): Promise<{ sources: Member[]; targets: Member[] }> {
  const members = async (keyspace: string): Promise<Member[]> => {
    const shards = await servingShards(ctx, cluster.topo, keyspace);
    return Promise.all(
      shards.map((info) => primaryOf(ctx, cluster, info, (shard) => plainError(`shard has no primary: ${shard.name}`))),
    );
  };
  const sources = (await members(request.sourceKeyspace)).filter(named(request.sourceShards));
  // A tenant's shards follow from the vindex: the rest would get streams without rows. Shard by shard both sides have the same names.
  const targets = (await members(request.targetKeyspace)).filter(named(request.tenantId === '' ? request.sourceShards : request.shards));
  if (sources.length === 0) throw plainError(`no source shards specified for workflow ${request.workflow} `);
  if (targets.length === 0) throw plainError(`no target shards specified for workflow ${request.workflow} `);
  return { sources, targets };
}

const named =
  (names: readonly string[]) =>
  ({ info }: Member): boolean =>
    names.length === 0 || names.includes(info.name);

/** Throws if a sharded target does not know a table. */
export function refuseUnknownTables(vschema: VSchemaKeyspace, keyspace: string, tables: readonly string[]): void {
  if (vschema.sharded !== true) return;
  const unknown = tables.find((table) => vschema.tables?.[table] === undefined);
  if (unknown !== undefined) throw plainError(`table ${unknown} not found in vschema for keyspace ${keyspace}`);
}

/** Inserts a stopped stream on each target for each source whose rows it may get. */
export async function createStreams(
  ctx: Context,
  cluster: Cluster,
  request: MoveTablesRequest,
  vschema: VSchemaKeyspace,
  members: { sources: Member[]; targets: Member[] },
  tables: readonly string[],
  scope: StepScope,
): Promise<void> {
  // Before they copy, which is when they take their positions.
  for (const source of members.sources) await source.db.expectReader(cluster.world.clock);
  const { record: from } = await getVSchema(ctx, cluster.topo, request.sourceKeyspace);
  const anywhere = primaryVindexesDiffer(from, vschema, tables);
  const tenant = request.tenantId === '' ? undefined : tenantPredicate(request.tenantId, vschema, !cluster.release.vitess);
  for (const target of members.targets) {
    const sources = members.sources.filter((source) => anywhere || intersects(rangeOf(source), rangeOf(target)));
    const whole = vschema.sharded !== true || (sources.length === 1 && keyRangesEqual(rangeOf(sources[0]!), rangeOf(target)));
    const rules = tables.toSorted().map((table) => withTenant(tableRule(request, vschema, table, target, whole), tenant));
    const rows = sources.map((source) => streamRow(cluster, request, source, target, rules));
    await scope.onTarget(shardText(target.info), () =>
      callTablet(ctx, cluster, target.primary, 'CreateVReplicationWorkflow', () =>
        writeTablet(ctx, cluster, target.db, () => {
          checkConfig(request.config);
          for (const row of rows) insertStream(target.db, row, epochSeconds(cluster));
        }),
      ),
    );
  }
}

const rangeOf = (member: Member): ReturnType<typeof keyRangeFromProto> => keyRangeFromProto(member.info.record.key_range);

function withTenant(rule: Rule, tenant: Expr | undefined): Rule {
  return tenant === undefined ? rule : { ...rule, filter: addTenantFilter(rule.filter ?? '', tenant) };
}

function streamRow(cluster: Cluster, request: MoveTablesRequest, source: Member, target: Member, rules: Rule[]): NewStream {
  const binlog: Source = { keyspace: request.sourceKeyspace, shard: source.info.name, filter: { rules } };
  if (request.onDdl !== 'IGNORE') binlog.on_ddl = request.onDdl;
  if (request.sourceTimeZone !== '') Object.assign(binlog, { source_time_zone: request.sourceTimeZone, target_time_zone: 'UTC' });
  return {
    ...newStreamRow(cluster, request, 'MoveTables', binlog, target),
    workflow_sub_type: WORKFLOW_SUB_TYPES.indexOf(subTypeAsked(request)),
    defer_secondary_keys: request.deferSecondaryKeys ? 1 : 0,
    options: JSON.stringify({
      ...(request.tenantId !== '' && { tenant_id: request.tenantId }),
      sharded_auto_increment_handling: request.shardedAutoIncrement,
      ...(request.shards.length > 0 && { shards: request.shards }),
      ...(Object.keys(request.config).length > 0 && { config: request.config }),
      ...(request.globalKeyspace === '' ? {} : { global_keyspace: request.globalKeyspace }),
    }),
  };
}

function tableRule(request: MoveTablesRequest, vschema: VSchemaKeyspace, table: string, target: Member, whole: boolean): Rule {
  const definition = vschema.tables?.[table];
  const all = `select * from ${formatName(table)}`;
  if (whole || definition?.type === 'reference') return { match: table, filter: all };
  const { name, columns } = bestColumnVindex(vschema, table, definition ?? {});
  const range = formatKeyRange(rangeOf(target));
  const where = `in_keyrange(${columns.map(formatName).join(', ')}, '${request.targetKeyspace}.${name}', '${range}')`;
  return { match: table, filter: `${all} where ${where}` };
}
