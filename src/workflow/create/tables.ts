import { plainError, wrapError } from '../../lib/errors.ts';
import { isInternalTable } from '../../lib/names.ts';
import type { Context } from '../../runtime/context.ts';
import type { StepScope } from '../../runtime/step.ts';
import type { TableDef } from '../../sql/schema.ts';
import type { Cluster } from '../../tablet/cluster.ts';
import { createTable } from '../../tablet/create-table.ts';
import { callTablet, writeTablet } from '../../tablet/manager.ts';
import { sqliteName } from '../../sql/storage.ts';
import { servingShards, shardText } from '../../topo/keyspaces.ts';
import { guarded } from '../../topo/locks.ts';
import type { Table, VSchemaKeyspace } from '../../topo/proto/types.ts';
import { getVSchema, saveVSchema } from '../../topo/vschema.ts';
import { primaryOf } from '../switcher.ts';
import type { Member, MoveTablesRequest } from './request.ts';

/** Which tables to move. Throws for those that the source does not have, and when none is left. */
export async function chooseTables(ctx: Context, cluster: Cluster, request: MoveTablesRequest): Promise<string[]> {
  const serving = await servingShards(ctx, cluster.topo, request.sourceKeyspace);
  // Shard by shard, the first one's tables may have moved and been dropped already; a release looks there all the same.
  const named = cluster.release.vitess ? undefined : serving.find((shard) => request.sourceShards.includes(shard.name));
  const first = named ?? serving[0]!;
  const { db, primary } = await primaryOf(ctx, cluster, first, (shard) => plainError(`shard does not have a primary: ${shard.name}`));
  const there = await callTablet(ctx, cluster, primary, 'GetSchema', () => db.tableNames());
  let tables = request.tables.length > 0 ? [...request.tables] : request.allTables ? there : [];
  refuseMissing(tables, there, request.sourceKeyspace);
  refuseMissing(request.excludeTables, there, request.sourceKeyspace);
  tables = tables.filter((table) => !request.excludeTables.includes(table));
  if (tables.length === 0) throw plainError('no tables to move');
  return tables;
}

function refuseMissing(tables: readonly string[], there: readonly string[], keyspace: string): void {
  // A table of Vitess's own may be gone by the time it is looked for.
  const missing = tables.filter((table) => !there.includes(table) && !isInternalTable(table));
  if (missing.length > 0) throw plainError(`table(s) not found in source keyspace ${keyspace}: ${missing.join(',')}`);
}

/**
 * Gives an unsharded target's vschema the tables it lacks, with the source's definitions. Saved at once; returns
 * what it was, for a create that fails later. A sharded target is left alone.
 */
export async function extendVSchema(
  ctx: Context,
  cluster: Cluster,
  request: MoveTablesRequest,
  tables: readonly string[],
): Promise<{ before: VSchemaKeyspace; now: VSchemaKeyspace }> {
  const { record: before, version } = await getVSchema(ctx, cluster.topo, request.targetKeyspace);
  if (before.sharded === true) return { before, now: before };
  let source: VSchemaKeyspace;
  try {
    source = (await getVSchema(ctx, cluster.topo, request.sourceKeyspace)).record;
  } catch (error) {
    throw wrapError(error, `failed to get vschema for source keyspace ${request.sourceKeyspace}`);
  }
  const merged: Record<string, Table> = { ...before.tables };
  for (const table of tables) {
    if (merged[table] !== undefined) continue;
    const definition = { ...source.tables?.[table] };
    if (source.sharded === true) delete definition.column_vindexes;
    merged[table] = definition;
  }
  const now = { ...before, tables: merged };
  await guarded(ctx, cluster.topo, [request.targetKeyspace], (options) => saveVSchema(ctx, cluster.topo, request.targetKeyspace, now, version, options));
  return { before, now };
}

/** Throws if a table holds rows on the target already. A table that is not there is fine. */
export async function refuseFilledTables(
  targets: readonly Member[],
  keyspace: string,
  tables: readonly string[],
): Promise<void> {
  const filled = tables.filter((table) =>
    targets.some(
      ({ db }) => db.findTable(table) !== undefined && db.db.get(`SELECT 1 FROM ${sqliteName(table)} LIMIT 1`) !== undefined,
    ),
  );
  if (filled.length === 0) return;
  throw wrapError(
    plainError(`non-empty tables found in target keyspace(${keyspace}): ${filled.toSorted().join(', ')}`),
    'failed to validate that all target tables are empty',
  );
}

/** The tables that a create made, on which target. */
export type CreatedTables = { target: Member; tables: string[] }[];

/** Creates the tables that a target lacks, as the first source shard has them. Returns what it made, target by target. */
export async function copySchema(
  ctx: Context,
  cluster: Cluster,
  source: Member,
  targets: readonly Member[],
  tables: readonly string[],
  options: { stripAutoIncrement: boolean; scope: StepScope },
): Promise<CreatedTables> {
  const made: CreatedTables = [];
  for (const target of targets) {
    const missing = tables.filter((table) => target.db.findTable(table) === undefined);
    const definitions = missing.map((table) => adapt(source.db.findTable(table), table, options.stripAutoIncrement));
    if (definitions.length === 0) continue;
    await options.scope.onTarget(shardText(target.info), () =>
      callTablet(ctx, cluster, target.primary, 'ApplySchema', () =>
        writeTablet(ctx, cluster, target.db, () => {
          for (const definition of definitions) {
            if (target.db.findTable(definition.name) === undefined) createTable(target.db, definition);
          }
        }),
      ),
    );
    made.push({ target, tables: missing });
  }
  return made;
}

function adapt(definition: TableDef | undefined, table: string, stripAutoIncrement: boolean): TableDef {
  if (definition === undefined) throw plainError(`source table ${table} does not exist`);
  if (!stripAutoIncrement) return definition;
  return { ...definition, columns: definition.columns.map((column) => ({ ...column, autoIncrement: false })) };
}
