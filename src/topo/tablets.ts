import { InvariantError, isTopoError } from '../lib/errors.ts';
import { formatTabletAlias } from '../lib/names.ts';
import type { Context } from '../runtime/context.ts';
import { cellNames, connForCell } from './cells.ts';
import { type ShardInfo, updateShardFields } from './keyspaces.ts';
import { withKeyspaceLock } from './locks.ts';
import { paths } from './paths.ts';
import type { ShardReplication, Tablet, TabletAlias } from './proto/types.ts';
import { encodeRecord, findRecord, listNames, readRecord, type TopoServer } from './server.ts';

/** An alias record as text; `<nil>` for none, as Go prints it. */
export function aliasText(alias: TabletAlias | undefined): string {
  return formatTabletAlias(alias);
}

/** Throws NoNode for an unknown tablet, and for one in an unknown cell that of the cell. */
export async function getTablet(ctx: Context, topo: TopoServer, alias: TabletAlias): Promise<Tablet> {
  const conn = topo.conn.forCell(alias.cell);
  try {
    return (await readRecord<Tablet>(ctx, conn, paths.tablet(aliasText(alias)))).record;
  } catch (error) {
    // Vitess looks for the cell first; looking afterwards saves a read where the tablet is there.
    if (isTopoError(error, 'NoNode')) await connForCell(ctx, topo, alias.cell);
    throw error;
  }
}

/** Every tablet of these cells (all of them if none is named), by alias. */
export async function allTablets(ctx: Context, topo: TopoServer, cells: readonly string[] = []): Promise<Tablet[]> {
  const tablets: Tablet[] = [];
  for (const cell of cells.length > 0 ? cells : await cellNames(ctx, topo)) {
    const conn = topo.conn.forCell(cell);
    for (const alias of await listNames(ctx, conn, 'tablets')) {
      tablets.push((await readRecord<Tablet>(ctx, conn, paths.tablet(alias))).record);
    }
  }
  return tablets;
}

/** The tablets of a shard, by cell and alias. They are found by the cells' replication graphs: other shards' are not read. */
export async function shardTablets(
  ctx: Context,
  topo: TopoServer,
  shard: { keyspace: string; name: string },
  cells: readonly string[] = [],
): Promise<Tablet[]> {
  const path = paths.shardReplication(shard.keyspace, shard.name);
  const tablets: Tablet[] = [];
  for (const cell of cells.length > 0 ? cells : await cellNames(ctx, topo)) {
    const conn = topo.conn.forCell(cell);
    const nodes = (await findRecord<ShardReplication>(ctx, conn, path))?.record.nodes ?? [];
    for (const alias of nodes.map((node) => aliasText(node.tablet_alias)).toSorted()) {
      const found = await findRecord<Tablet>(ctx, conn, paths.tablet(alias));
      // The graph may still name a tablet that is gone.
      if (found?.record.keyspace === shard.keyspace && found.record.shard === shard.name) tablets.push(found.record);
    }
  }
  return tablets;
}

/** Writes a new tablet's record and its place in the replication graph. Throws NodeExists. */
export async function createTablet(ctx: Context, topo: TopoServer, tablet: Tablet): Promise<void> {
  const { alias, keyspace = '', shard = '' } = tablet;
  if (alias === undefined) throw new InvariantError('a tablet record without an alias');
  const conn = topo.conn.forCell(alias.cell);
  await conn.create(ctx, paths.tablet(aliasText(alias)), encodeRecord(tablet));
  const path = paths.shardReplication(keyspace, shard);
  const nodes = (await findRecord<ShardReplication>(ctx, conn, path))?.record.nodes ?? [];
  const record: ShardReplication = { nodes: [...nodes, { tablet_alias: alias }] };
  await conn.update(ctx, path, encodeRecord(record), null);
}

/** Makes a tablet its shard's primary in the shard record, under the keyspace lock. */
export async function setShardPrimary(ctx: Context, topo: TopoServer, shard: ShardInfo, tablet: Tablet): Promise<void> {
  const action = `InitShardPrimary(${aliasText(tablet.alias)})`;
  await withKeyspaceLock(ctx, topo, shard.keyspace, action, (locked) =>
    updateShardFields(locked, topo, shard.keyspace, shard.name, (record) => {
      if (tablet.alias !== undefined) record.primary_alias = tablet.alias;
      if (tablet.primary_term_start_time !== undefined) {
        record.primary_term_start_time = tablet.primary_term_start_time;
      }
      return true;
    }),
  );
}
