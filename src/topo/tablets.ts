import { InvariantError, isTopoError, TopoError } from '../lib/errors.ts';
import { formatTabletAlias } from '../lib/names.ts';
import type { Context } from '../runtime/context.ts';
import { cellNames, connForCell } from './cells.ts';
import { type ShardInfo, updateShardFields } from './keyspaces.ts';
import { withKeyspaceLock } from './locks.ts';
import { paths } from './paths.ts';
import type { Shard, ShardReplication, Tablet, TabletAlias, TabletType, Time } from './proto/types.ts';
import { encodeRecord, findRecord, listNames, readRecord, type TopoServer } from './server.ts';

/** An alias record as text; `<nil>` for none, as Go prints it. */
export function aliasText(alias: TabletAlias | undefined): string {
  return formatTabletAlias(alias);
}

/** The same without the zeros before its number, as people type it: `zone1-100`. */
export function shortAlias({ cell, uid }: TabletAlias): string {
  return `${cell}-${uid ?? 0}`;
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

/** Some of the tablets, where not all can be read. */
export interface ReadableTablets {
  tablets: Tablet[];
  /** PartialResult, if some cell could not be read. */
  error: TopoError | undefined;
}

/**
 * The tablets of a shard in the cells that can be read (all are asked if none is named), by alias: those of its replication
 * graph, and its primary. Vitess: go/vt/topo/tablet.go GetTabletMapForShardByCell.
 */
export async function readableTablets(
  ctx: Context,
  topo: TopoServer,
  shard: { keyspace: string; name: string },
  cells: readonly string[] = [],
): Promise<ReadableTablets> {
  const primary = (await findRecord<Shard>(ctx, topo.conn, paths.shard(shard.keyspace, shard.name)))?.record.primary_alias;
  const tablets: Tablet[] = [];
  let unread: string | undefined;
  for (const cell of cells.length > 0 ? cells : await cellNames(ctx, topo)) {
    try {
      tablets.push(...(await tabletsInCell(ctx, topo, cell, shard, primary)));
    } catch (error) {
      if (!isTopoError(error, 'Timeout') || ctx.err() !== undefined) throw error;
      // Where even the primary is missing, that is what Vitess tells.
      unread = primary?.cell === cell ? cell : (unread ?? shard.name);
    }
  }
  return {
    tablets: tablets.toSorted((a, b) => (aliasText(a.alias) < aliasText(b.alias) ? -1 : 1)),
    error: unread === undefined ? undefined : new TopoError('PartialResult', unread),
  };
}

async function tabletsInCell(
  ctx: Context,
  topo: TopoServer,
  cell: string,
  { keyspace, name }: { keyspace: string; name: string },
  primary: TabletAlias | undefined,
): Promise<Tablet[]> {
  const conn = topo.conn.forCell(cell);
  const nodes = (await findRecord<ShardReplication>(ctx, conn, paths.shardReplication(keyspace, name)))?.record.nodes ?? [];
  const aliases = new Set(nodes.map((node) => aliasText(node.tablet_alias)));
  if (primary?.cell === cell) aliases.add(aliasText(primary));
  const tablets: Tablet[] = [];
  for (const alias of aliases) {
    const found = await findRecord<Tablet>(ctx, conn, paths.tablet(alias));
    if (found !== undefined) tablets.push(found.record);
  }
  return tablets;
}

/** The tablets of a shard, by alias. Throws PartialResult where a cell cannot be read. */
export async function shardTablets(
  ctx: Context,
  topo: TopoServer,
  shard: { keyspace: string; name: string },
  cells: readonly string[] = [],
): Promise<Tablet[]> {
  const { tablets, error } = await readableTablets(ctx, topo, shard, cells);
  if (error !== undefined) throw error;
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

/** Takes a tablet out of the replication graph and deletes its record. Vitess: go/vt/topotools/tablet.go DeleteTablet. */
export async function deleteTabletRecord(ctx: Context, topo: TopoServer, { alias, keyspace, shard }: Tablet): Promise<void> {
  const conn = topo.conn.forCell(alias.cell);
  const path = paths.shardReplication(keyspace, shard);
  const found = await findRecord<ShardReplication>(ctx, conn, path);
  if (found !== undefined) {
    const nodes = (found.record.nodes ?? []).filter((node) => aliasText(node.tablet_alias) !== aliasText(alias));
    await conn.update(ctx, path, encodeRecord({ nodes }), null);
  }
  await conn.delete(ctx, paths.tablet(aliasText(alias)), null);
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

/** Edits a tablet's record as the tablet itself does, again and again until nobody wrote in between. Throws NoNode. */
export async function updateTablet(ctx: Context, topo: TopoServer, alias: TabletAlias, change: (record: Tablet) => void): Promise<Tablet> {
  const conn = topo.conn.forCell(alias.cell);
  const path = paths.tablet(aliasText(alias));
  for (;;) {
    const { record: found, version } = await readRecord<Tablet>(ctx, conn, path);
    const record = structuredClone(found);
    change(record);
    try {
      await conn.update(ctx, path, encodeRecord(record), version);
      return record;
    } catch (error) {
      if (!isTopoError(error, 'BadVersion')) throw error;
    }
  }
}

/** Gives a tablet's record another type; a primary's with the start of its term. Vitess: go/vt/topotools/tablet.go ChangeType. */
export function changeRecordType(ctx: Context, topo: TopoServer, alias: TabletAlias, type: TabletType, termStart?: Time): Promise<Tablet> {
  return updateTablet(ctx, topo, alias, (record) => {
    record.type = type;
    if (termStart === undefined) delete record.primary_term_start_time;
    else record.primary_term_start_time = termStart;
  });
}
