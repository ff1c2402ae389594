/**
 * What only partial and multi-tenant moves have to fit. Vitess checks the tenant's id; the rest it lets pass, and rows are lost or
 * cannot be reached later: refused on `hardened`.
 */
import { UserError, vtError } from '../../lib/errors.ts';
import { containsId, idToHex } from '../../lib/key-range.ts';
import type { Context } from '../../runtime/context.ts';
import type { Expr } from '../../sql/ast.ts';
import { evaluate } from '../../sql/evaluate.ts';
import { findColumn } from '../../sql/schema.ts';
import type { Cluster } from '../../tablet/cluster.ts';
import { mysqlTime } from '../../tablet/query/mysql-time.ts';
import { anyRow } from '../../tablet/where-rows.ts';
import { readStreams } from '../../tablet/vreplication/streams.ts';
import { servingShards } from '../../topo/keyspaces.ts';
import { buildPrimaryVindex } from '../../topo/primary-vindex.ts';
import { keyRangeFromProto } from '../../topo/proto/key-range.ts';
import { BinlogSource } from '../../topo/proto/messages-binlogdata.ts';
import { parsePrototext } from '../../topo/proto/prototext-parse.ts';
import type { BinlogSource as Source, WorkflowOptions } from '../../topo/proto/types-workflow.ts';
import type { VSchemaKeyspace } from '../../topo/proto/types.ts';
import { getShardRoutingRules, shardRoutingMap } from '../../topo/rules.ts';
import { getVSchema } from '../../topo/vschema.ts';
import { tenantPredicate, validateTenantId } from '../tenant.ts';
import { refuseRuleFlags } from './initial-rules.ts';
import { kindAsked, type Member, type MoveTablesRequest } from './request.ts';
import { primaryVindexesDiffer } from './vindexes.ts';

/** Throws unless the target takes tenants, and this one's id is of its type. Vitess: go/vt/vtctl/workflow/server.go moveTablesCreate. */
export async function validateTenant(ctx: Context, cluster: Cluster, { tenantId, targetKeyspace }: MoveTablesRequest): Promise<void> {
  if (tenantId === '') return;
  const { record } = await getVSchema(ctx, cluster.topo, targetKeyspace);
  const spec = record.multi_tenant_spec;
  if (spec === undefined) throw vtError('FAILED_PRECONDITION', `multi-tenant spec not found for target keyspace ${targetKeyspace}`);
  validateTenantId(spec, tenantId);
}

/** Throws for a move that could be made, and would lose rows or leave some that nobody can reach. */
export async function refuseMisfits(
  ctx: Context,
  cluster: Cluster,
  request: MoveTablesRequest,
  tables: readonly string[],
  members: { sources: readonly Member[]; targets: readonly Member[] },
): Promise<void> {
  refuseRuleFlags(request);
  if (kindAsked(request) === 'partial') await refusePartial(ctx, cluster, request, tables, members);
  if (kindAsked(request) === 'multi-tenant') await refuseTenant(ctx, cluster, request, tables, members);
}

async function refusePartial(
  ctx: Context,
  cluster: Cluster,
  { sourceKeyspace, targetKeyspace, sourceShards }: MoveTablesRequest,
  tables: readonly string[],
  { sources, targets }: { sources: readonly Member[]; targets: readonly Member[] },
): Promise<void> {
  const lonely = sources.find(({ info }) => !targets.some((target) => target.info.name === info.name));
  if (lonely !== undefined) {
    throw new UserError(`shard ${lonely.info.name} of ${sourceKeyspace} has no counterpart in ${targetKeyspace}`, {
      next: 'shard by shard both keyspaces need shards of the same names',
    });
  }
  const all = (await servingShards(ctx, cluster.topo, sourceKeyspace)).map((info) => info.name);
  if (all.every((name) => sourceShards.includes(name))) {
    throw new UserError(`--source-shards names every shard of ${sourceKeyspace}: that is no partial move`, { next: 'leave --source-shards out' });
  }
  const left = sources[0]!.db.tableNames().filter((table) => !tables.includes(table));
  if (left.length > 0) {
    throw new UserError(
      `a partial move switches all tables of a shard: ${left.join(', ')} of ${sourceKeyspace} would be looked for in ${targetKeyspace}, which does not get them`,
      { next: 'move every table: --all-tables' },
    );
  }
  const [from, to] = await Promise.all([sourceKeyspace, targetKeyspace].map(async (keyspace) => (await getVSchema(ctx, cluster.topo, keyspace)).record));
  if (primaryVindexesDiffer(from!, to!, tables)) {
    throw new UserError(`rows of ${sourceKeyspace} and ${targetKeyspace} are shared out differently: what is in one shard of the one is in several of the other`, {
      next: 'give the tables the same primary vindexes in both VSchemas, or move all shards at once',
    });
  }
  const rules = shardRoutingMap(await getShardRoutingRules(ctx, cluster.topo));
  const gone = sources.find(({ info }) => (rules.get(`${sourceKeyspace}.${info.name}`) ?? sourceKeyspace) !== sourceKeyspace);
  if (gone === undefined) return;
  throw new UserError(`traffic of shard ${gone.info.name} of ${sourceKeyspace} goes to ${rules.get(`${sourceKeyspace}.${gone.info.name}`)} already`, {
    next: 'look at the rules: switchtraffic GetShardRoutingRules',
  });
}

async function refuseTenant(
  ctx: Context,
  cluster: Cluster,
  request: MoveTablesRequest,
  tables: readonly string[],
  { sources, targets }: { sources: readonly Member[]; targets: readonly Member[] },
): Promise<void> {
  const { sourceKeyspace, targetKeyspace, tenantId } = request;
  const { record: vschema } = await getVSchema(ctx, cluster.topo, targetKeyspace);
  const predicate = tenantPredicate(tenantId, vschema, true);
  const column = vschema.multi_tenant_spec?.tenant_id_column_name ?? '';
  for (const table of tables) {
    for (const { db } of [...sources, ...targets]) {
      const def = db.findTable(table);
      if (def === undefined || findColumn(def, column) !== undefined) continue;
      throw new UserError(`table ${table} of ${db.keyspace} has no column ${column}, by which ${targetKeyspace} tells its tenants apart`);
    }
  }
  const other = otherWorkflow(targets, sourceKeyspace);
  if (other !== undefined) {
    throw new UserError(`workflow ${other.workflow} moves tenant ${other.tenant} out of ${sourceKeyspace} already, and traffic is switched by keyspace: both would be switched`, {
      next: `complete or cancel ${other.workflow} first`,
    });
  }
  await refuseRows(cluster, { kind: 'is', expr: predicate, test: 'true', not: true }, sources, tables, {
    text: (table) => `table ${table} of ${sourceKeyspace} has rows that are not tenant ${tenantId}'s, and all traffic of the keyspace would be switched`,
    next: 'give each tenant a keyspace of its own',
  });
  await refuseRows(cluster, predicate, targets, tables, {
    text: (table) => `table ${table} of ${targetKeyspace} has rows of tenant ${tenantId}: the copy would meet them`,
    next: `delete them, or leave them out of ${sourceKeyspace}`,
  });
  for (const table of tables) refuseShards(cluster, request, vschema, table, predicate, targets);
}

async function refuseRows(
  cluster: Cluster,
  where: Expr,
  members: readonly Member[],
  tables: readonly string[],
  { text, next }: { text: (table: string) => string; next: string },
): Promise<void> {
  for (const { db } of members) {
    for (const table of tables) {
      const def = db.findTable(table);
      if (def !== undefined && (await anyRow(db, def, where, cluster.world.clock))) throw new UserError(text(table), { next });
    }
  }
}

/** Another tenant's workflow from the same keyspace. */
function otherWorkflow(targets: readonly Member[], sourceKeyspace: string): { workflow: string; tenant: string } | undefined {
  for (const { db } of targets) {
    for (const row of readStreams(db)) {
      const tenant = (JSON.parse(row.options) as WorkflowOptions).tenant_id ?? '';
      const { keyspace } = parsePrototext(BinlogSource, row.source) as Source;
      if (tenant !== '' && keyspace === sourceKeyspace) return { workflow: row.workflow, tenant };
    }
  }
  return undefined;
}

/** `--shards` leaves out streams that have no rows: it has to name the shard that the tenant's rows belong to. */
function refuseShards(
  cluster: Cluster,
  request: MoveTablesRequest,
  vschema: VSchemaKeyspace,
  table: string,
  predicate: Expr,
  targets: readonly Member[],
): void {
  const { shards, tenantId, targetKeyspace } = request;
  const definition = vschema.tables?.[table];
  if (shards.length === 0 || vschema.sharded !== true || definition === undefined) return;
  const column = vschema.multi_tenant_spec?.tenant_id_column_name?.toLowerCase() ?? '';
  const primary = buildPrimaryVindex(vschema, table, definition);
  const columns = primary?.columns.map((name) => name.toLowerCase()) ?? [];
  if (!columns.includes(column)) {
    throw new UserError(`rows of tenant ${tenantId} are in every shard: ${table} is not sharded by ${column} in ${targetKeyspace}`, { next: 'leave --shards out' });
  }
  if (columns.length > 1 || primary === undefined || predicate.kind !== 'compare') return;
  const id = primary.vindex.map([evaluate(predicate.right, { now: mysqlTime(cluster.world.clock.now()), writing: false })]);
  const hex = id === undefined ? '' : idToHex(id);
  if (id !== undefined && targets.some(({ info }) => containsId(keyRangeFromProto(info.record.key_range), hex))) return;
  throw new UserError(`rows of tenant ${tenantId} belong to keyspace id ${hex}, which is in none of the shards ${shards.join(', ')} of ${targetKeyspace}`, {
    next: 'name the shard that has it, or leave --shards out',
  });
}
