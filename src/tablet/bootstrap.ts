import { parseTabletAlias } from '../lib/names.ts';
import type { Context } from '../runtime/context.ts';
import { addCell } from '../topo/cells.ts';
import { createShard, ensureKeyspace, findAllShards, updateShardFields } from '../topo/keyspaces.ts';
import { withKeyspaceLock } from '../topo/locks.ts';
import type {
  Keyspace,
  KeyspaceRoutingRules,
  MirrorRules,
  RoutingRules,
  ShardRoutingRules,
  TabletControl,
  TabletType,
  VSchemaKeyspace,
} from '../topo/proto/types.ts';
import { saveKeyspaceRoutingRules, saveMirrorRules, saveRoutingRules, saveShardRoutingRules } from '../topo/rules.ts';
import { rebuildKeyspaceGraph } from '../topo/srv-keyspace.ts';
import { rebuildSrvVSchema, saveVSchema } from '../topo/vschema.ts';
import type { Cluster } from './cluster.ts';
import { loadDump } from './dump/load-dump.ts';
import type { SqlSource } from './dump/source.ts';
import { startTablet } from './start-tablet.ts';

export type { SqlSource };

/** A cluster to make, complete: nothing is filled in any more. */
export interface ClusterSpec {
  cells: string[];
  keyspaces: KeyspaceSpec[];
  routingRules?: RoutingRules;
  shardRoutingRules?: ShardRoutingRules;
  keyspaceRoutingRules?: KeyspaceRoutingRules;
  mirrorRules?: MirrorRules;
}

export interface KeyspaceSpec {
  name: string;
  record: Keyspace;
  shards: ShardSpec[];
  vschema: VSchemaKeyspace;
  /** CREATE statements, run on every shard that serves. */
  schema: SqlSource[];
  /** INSERT statements, run after `schema`. */
  rows: SqlSource[];
}

export interface ShardSpec {
  name: string;
  tablets: TabletSpec[];
  /** Whether it serves; left out, as Vitess decides for a new shard. */
  serving?: boolean;
  controls?: TabletControl[];
}

export interface TabletSpec {
  alias: string;
  type: TabletType;
}

/** What was loaded into a new cluster. */
export interface MadeCluster {
  keyspaces: { name: string; tables: number; rows: number }[];
  /** What the loader could not represent or did otherwise, each with its place. */
  notes: string[];
}

/** Makes a cluster in an empty state. Throws UserError with the line of SQL that cannot be loaded. */
export async function createCluster(ctx: Context, cluster: Cluster, spec: ClusterSpec): Promise<MadeCluster> {
  const made: MadeCluster = { keyspaces: [], notes: [] };
  for (const cell of spec.cells) await addCell(ctx, cluster.topo, cell);
  for (const keyspace of spec.keyspaces) await createKeyspace(ctx, cluster, keyspace, spec.cells);
  await saveRules(ctx, cluster, spec);
  await rebuildSrvVSchema(ctx, cluster.topo);
  for (const keyspace of spec.keyspaces) await loadKeyspace(ctx, cluster, keyspace, made);
  return made;
}

async function createKeyspace(ctx: Context, cluster: Cluster, spec: KeyspaceSpec, cells: readonly string[]): Promise<void> {
  const { topo } = cluster;
  await ensureKeyspace(ctx, topo, spec.name, spec.record);
  for (const shard of spec.shards) {
    await createShard(ctx, topo, spec.name, shard.name);
    // Before its tablets start, so that the first thing they read is what holds.
    await setShardFields(ctx, cluster, spec.name, shard);
  }
  for (const shard of spec.shards) {
    for (const { alias, type } of shard.tablets) {
      await startTablet(ctx, cluster, { alias: parseTabletAlias(alias), keyspace: spec.name, shard: shard.name, type });
    }
  }
  // A cell without a tablet of the keyspace has its gates too.
  if (cells.length > 1) await rebuildKeyspaceGraph(ctx, topo, spec.name, cells);
  await saveVSchema(ctx, topo, spec.name, spec.vschema, null);
}

async function setShardFields(ctx: Context, { topo }: Cluster, keyspace: string, { name, serving, controls }: ShardSpec): Promise<void> {
  if (serving === undefined && controls === undefined) return;
  await withKeyspaceLock(ctx, topo, keyspace, 'init', (locked) =>
    updateShardFields(locked, topo, keyspace, name, (record) => {
      if (serving !== undefined) record.is_primary_serving = serving;
      if (controls !== undefined) record.tablet_controls = controls;
      return true;
    }),
  );
}

async function saveRules(ctx: Context, { topo }: Cluster, spec: ClusterSpec): Promise<void> {
  if (spec.routingRules !== undefined) await saveRoutingRules(ctx, topo, spec.routingRules);
  if (spec.shardRoutingRules !== undefined) await saveShardRoutingRules(ctx, topo, spec.shardRoutingRules);
  if (spec.keyspaceRoutingRules !== undefined) await saveKeyspaceRoutingRules(ctx, topo, spec.keyspaceRoutingRules);
  if (spec.mirrorRules !== undefined) await saveMirrorRules(ctx, topo, spec.mirrorRules);
}

async function loadKeyspace(ctx: Context, cluster: Cluster, spec: KeyspaceSpec, made: MadeCluster): Promise<void> {
  // The others are empty, as shards are that a Reshard is to fill.
  const serving = (await findAllShards(ctx, cluster.topo, spec.name)).filter(({ record }) => record.is_primary_serving === true).map(({ name }) => name);
  const shards = spec.shards.map((shard) => shard.name).filter((shard) => serving.includes(shard));
  const total = { name: spec.name, tables: 0, rows: 0 };
  for (const source of [...spec.schema, ...spec.rows]) {
    const { tables, rows, notes } = await loadDump(ctx, cluster, spec.name, shards, source, { vschema: spec.vschema });
    total.tables += tables.length;
    total.rows += rows;
    made.notes.push(...notes);
  }
  made.keyspaces.push(total);
}
