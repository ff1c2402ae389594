import { parseTabletAlias } from '../lib/names.ts';
import type { Context } from '../runtime/context.ts';
import { addCell } from '../topo/cells.ts';
import { ensureKeyspace } from '../topo/keyspaces.ts';
import type { TabletType, VSchemaKeyspace } from '../topo/proto/types.ts';
import { rebuildSrvVSchema, saveVSchema } from '../topo/vschema.ts';
import type { Cluster } from './cluster.ts';
import { loadDump } from './dump/load-dump.ts';
import { type SqlSource, textSource } from './dump/source.ts';
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
  /** Statements that make tables, run on every shard. */
  schema?: string;
  /** INSERT statements, each row for the shard that the vschema says. */
  rows?: string;
  /** Files of either, dumps included, loaded in this order behind the texts above. */
  dumps?: readonly SqlSource[];
}

/**
 * Makes a cluster in an empty state. Returns what of its SQL could not be kept and does no harm, as `loadDump` does.
 * Throws UserError with file and line for SQL that cannot be loaded.
 */
export async function createCluster(ctx: Context, cluster: Cluster, spec: ClusterSpec): Promise<string[]> {
  const notes: string[] = [];
  for (const cell of spec.cells) await addCell(ctx, cluster.topo, cell);
  for (const keyspace of spec.keyspaces) notes.push(...(await createKeyspace(ctx, cluster, keyspace)));
  await rebuildSrvVSchema(ctx, cluster.topo);
  return notes;
}

async function createKeyspace(ctx: Context, cluster: Cluster, spec: KeyspaceSpec): Promise<string[]> {
  await ensureKeyspace(ctx, cluster.topo, spec.name);
  for (const shard of spec.shards) {
    for (const { alias, type } of shard.tablets) {
      await startTablet(ctx, cluster, { alias: parseTabletAlias(alias), keyspace: spec.name, shard: shard.name, type });
    }
  }
  await saveVSchema(ctx, cluster.topo, spec.name, spec.vschema, null);
  const notes: string[] = [];
  const shards = spec.shards.map((shard) => shard.name);
  for (const source of sourcesOf(spec)) {
    notes.push(...(await loadDump(ctx, cluster, spec.name, shards, source, { vschema: spec.vschema })).notes);
  }
  return notes;
}

function sourcesOf({ name, schema, rows, dumps = [] }: KeyspaceSpec): SqlSource[] {
  const texts = [
    ...(schema === undefined ? [] : [textSource(`schema of ${name}`, schema)]),
    ...(rows === undefined ? [] : [textSource(`rows of ${name}`, rows)]),
  ];
  return [...texts, ...dumps];
}
