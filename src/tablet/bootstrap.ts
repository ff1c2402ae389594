import { UserError } from '../lib/errors.ts';
import { parseTabletAlias } from '../lib/names.ts';
import type { Context } from '../runtime/context.ts';
import { parseStatement } from '../sql/parser.ts';
import { tableDef } from '../sql/schema-build.ts';
import { splitStatements } from '../sql/tokenizer.ts';
import { addCell } from '../topo/cells.ts';
import { ensureKeyspace } from '../topo/keyspaces.ts';
import type { TabletType, VSchemaKeyspace } from '../topo/proto/types.ts';
import { rebuildSrvVSchema, saveVSchema } from '../topo/vschema.ts';
import type { Cluster } from './cluster.ts';
import { createTable } from './create-table.ts';
import { loadRows } from './load-rows.ts';
import { startTablet } from './start-tablet.ts';

/** A cluster to make: cells, keyspaces, shards, tablets, schema and rows. SQL is text, already read. */
export interface ClusterSpec {
  cells: string[];
  keyspaces: KeyspaceSpec[];
}

export interface KeyspaceSpec {
  name: string;
  shards: { name: string; tablets: { alias: string; type: TabletType }[] }[];
  vschema: VSchemaKeyspace;
  /** CREATE TABLE statements, run on every shard. */
  schema?: string;
  /** INSERT statements, run on the only shard. */
  rows?: string;
}

/** Makes a cluster in an empty state. */
export async function createCluster(ctx: Context, cluster: Cluster, spec: ClusterSpec): Promise<void> {
  for (const cell of spec.cells) await addCell(ctx, cluster.topo, cell);
  for (const keyspace of spec.keyspaces) await createKeyspace(ctx, cluster, keyspace);
  await rebuildSrvVSchema(ctx, cluster.topo);
}

async function createKeyspace(ctx: Context, cluster: Cluster, spec: KeyspaceSpec): Promise<void> {
  await ensureKeyspace(ctx, cluster.topo, spec.name);
  for (const shard of spec.shards) {
    for (const { alias, type } of shard.tablets) {
      await startTablet(ctx, cluster, { alias: parseTabletAlias(alias), keyspace: spec.name, shard: shard.name, type });
    }
    await createTables(cluster, spec, shard.name);
  }
  await saveVSchema(ctx, cluster.topo, spec.name, spec.vschema, null);
  if (spec.rows === undefined) return;
  const [only, ...more] = spec.shards;
  if (only === undefined || more.length > 0) throw new UserError(`rows of keyspace ${spec.name} need exactly one shard`);
  await loadRows(cluster, cluster.shards.open(spec.name, only.name), spec.rows);
}

async function createTables(cluster: Cluster, spec: KeyspaceSpec, name: string): Promise<void> {
  if (spec.schema === undefined) return;
  const shard = cluster.shards.open(spec.name, name);
  const tables = splitStatements(spec.schema).map((sql) => {
    const statement = parseStatement(sql);
    if (statement.kind !== 'create-table') throw new UserError(`the schema of ${spec.name} holds a statement that is not CREATE TABLE: ${sql}`);
    return tableDef(statement);
  });
  await shard.db.write(cluster.world.clock, () => {
    for (const table of tables) createTable(shard, table);
    shard.skip();
  });
}
