import { isTopoError, plainError } from '../lib/errors.ts';
import { validateKeyspaceName, validateShardName } from '../lib/names.ts';
import type { Context } from '../runtime/context.ts';
import { addCell, cellNames } from '../topo/cells.ts';
import { createShard, ensureKeyspace, getShard } from '../topo/keyspaces.ts';
import { PartitionError } from '../topo/partitions.ts';
import { paths } from '../topo/paths.ts';
import { keyRangeToProto } from '../topo/proto/key-range.ts';
import type { Shard, Tablet, TabletAlias, TabletType } from '../topo/proto/types.ts';
import { findRecord } from '../topo/server.ts';
import { getSrvKeyspace, rebuildKeyspaceGraph } from '../topo/srv-keyspace.ts';
import { aliasText, allTablets, createTablet, setShardPrimary } from '../topo/tablets.ts';
import { getSrvVSchema, rebuildSrvVSchema } from '../topo/vschema.ts';
import type { Cluster } from './cluster.ts';
import { makeEmpty } from './empty-shard.ts';
import { readView, refreshView } from './view.ts';

/** A tablet to start. */
export interface NewTablet {
  alias: TabletAlias;
  keyspace: string;
  shard: string;
  type: TabletType;
}

const FIRST_HTTP_PORT = 15_000;
const FIRST_GRPC_PORT = 16_000;
const FIRST_MYSQL_PORT = 17_000;

/**
 * Does what a vttablet does when it first starts: makes keyspace and shard where they are missing, its record and,
 * if it is the first primary, its place in the shard record; builds the serving records its cell lacks.
 * Throws NodeExists for an alias that is taken. Vitess: go/vt/vttablet/tabletmanager/tm_init.go.
 */
export async function startTablet(ctx: Context, cluster: Cluster, wanted: NewTablet): Promise<Tablet> {
  const { topo, world } = cluster;
  const { alias, keyspace, type } = wanted;
  validateKeyspaceName(keyspace, 'CreateKeyspace');
  const { name: shard, keyRange } = validateShardName(wanted.shard);
  if ((await findRecord(ctx, topo.conn.forCell(alias.cell), paths.tablet(aliasText(alias)))) !== undefined) {
    throw plainError(`tablet ${aliasText(alias)} already exists`);
  }
  const primary = type === 'PRIMARY';
  if (primary) await refuseSecondPrimary(ctx, cluster, keyspace, shard);
  if (!(await cellNames(ctx, topo)).includes(alias.cell)) await addCell(ctx, topo, alias.cell);
  await ensureKeyspace(ctx, topo, keyspace);
  await ensureShard(ctx, cluster, keyspace, shard);
  const info = await getShard(ctx, topo, keyspace, shard);
  const tablet: Tablet = {
    alias,
    hostname: 'localhost',
    port_map: { grpc: FIRST_GRPC_PORT + alias.uid, vt: FIRST_HTTP_PORT + alias.uid },
    keyspace,
    shard,
    type,
    mysql_hostname: 'localhost',
    mysql_port: FIRST_MYSQL_PORT + alias.uid,
  };
  if (keyRange !== undefined) tablet.key_range = keyRangeToProto(keyRange);
  if (primary) tablet.primary_term_start_time = { seconds: String(Math.floor(world.clock.now() / 1000)) };
  cluster.shards.create(keyspace, shard);
  await createTablet(ctx, topo, tablet);
  if (primary) await setShardPrimary(ctx, topo, info, tablet);
  await buildServing(ctx, cluster, tablet);
  return tablet;
}

/** Comes before anything is made: a refused tablet leaves no cell behind. */
async function refuseSecondPrimary(ctx: Context, cluster: Cluster, keyspace: string, shard: string): Promise<void> {
  const found = await findRecord<Shard>(ctx, cluster.topo.conn, paths.shard(keyspace, shard));
  const there = found?.record.primary_alias;
  if (there !== undefined) throw plainError(`shard ${keyspace}/${shard} has a primary already: ${aliasText(there)}`);
}

/** As long as shards are missing the rebuild fails; the tablet that brings the last of them makes it succeed. */
async function rebuildWhenWhole(ctx: Context, cluster: Cluster, cell: string, keyspace: string): Promise<void> {
  try {
    await rebuildKeyspaceGraph(ctx, cluster.topo, keyspace, [cell]);
  } catch (error) {
    if (!(error instanceof PartitionError)) throw error;
  }
}

async function ensureShard(ctx: Context, cluster: Cluster, keyspace: string, shard: string): Promise<void> {
  if ((await findRecord(ctx, cluster.topo.conn, paths.shard(keyspace, shard))) !== undefined) return;
  await makeEmpty(cluster, keyspace, shard);
  try {
    await createShard(ctx, cluster.topo, keyspace, shard);
  } catch (error) {
    if (!isTopoError(error, 'NodeExists')) throw error;
  }
}

async function buildServing(ctx: Context, cluster: Cluster, started: Tablet): Promise<void> {
  const { topo } = cluster;
  const { keyspace } = started;
  const cell = started.alias.cell;
  const serving = await getSrvKeyspace(ctx, topo, cell, keyspace);
  // A record without partitions was written before any shard served.
  if ((serving?.partitions ?? []).length === 0) await rebuildWhenWhole(ctx, cluster, cell, keyspace);
  const vschema = await getSrvVSchema(ctx, topo, cell);
  if (vschema?.keyspaces?.[keyspace] === undefined) await rebuildSrvVSchema(ctx, topo, [cell]);
  if ((await getSrvKeyspace(ctx, topo, cell, keyspace)) === undefined) return;
  // Tablets that had to wait for the serving record see it now.
  for (const tablet of await allTablets(ctx, topo, [cell])) {
    if (tablet.keyspace !== keyspace) continue;
    const waits = readView(cluster.shards.open(keyspace, tablet.shard), aliasText(tablet.alias)) === undefined;
    if (waits) await refreshView(ctx, cluster, tablet);
  }
}
