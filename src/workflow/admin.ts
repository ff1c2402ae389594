import type { Context } from '../runtime/context.ts';
import type { Cluster } from '../tablet/cluster.ts';
import { cellNames } from '../topo/cells.ts';
import { updateDeniedTables } from '../topo/denied-tables.ts';
import { getShard, type ShardInfo, shardText, updateShardFields } from '../topo/keyspaces.ts';
import { withKeyspaceLock } from '../topo/locks.ts';
import { checkQueryServiceChange, getSrvKeyspace, partitionOf, updateDisableQueryService } from '../topo/srv-keyspace.ts';
import { validateObjectName, validateShardName } from '../lib/names.ts';
import type { TopoServer } from '../topo/server.ts';

/** What SetShardTabletControl is asked for. */
export interface TabletControlRequest {
  keyspace: string;
  shard: string;
  tabletType: string;
  cells: readonly string[];
  deniedTables: readonly string[];
  remove: boolean;
  /** Counts only when tables are neither denied nor freed. */
  disableQueryService: boolean;
}

/** Something about a request that Vitess takes without a word. */
export interface AdminMistake {
  kind: 'unknown-cell' | 'deny-unknown-table' | 'deny-frees-more' | 'disable-unserved';
  text: string;
}

/**
 * Denies tables on a shard, frees them, or turns its query service off or on, under the keyspace lock. Tablets are
 * not told. `onMistake` is called before anything is written; what it throws refuses the request.
 * Vitess: go/vt/vtctl/grpcvtctldserver/server.go SetShardTabletControl.
 */
export async function setShardTabletControl(
  ctx: Context,
  cluster: Cluster,
  request: TabletControlRequest,
  onMistake: (mistake: AdminMistake) => void,
): Promise<ShardInfo> {
  return withKeyspaceLock(ctx, cluster.topo, request.keyspace, 'SetShardTabletControl', (locked) =>
    setLocked(locked, cluster, request, onMistake),
  );
}

async function setLocked(
  ctx: Context,
  cluster: Cluster,
  request: TabletControlRequest,
  onMistake: (mistake: AdminMistake) => void,
): Promise<ShardInfo> {
  const { topo } = cluster;
  const { keyspace, shard, tabletType, cells, deniedTables: tables, remove, disableQueryService: disable } = request;
  const before = await readShard(ctx, topo, keyspace, shard);
  for (const mistake of await findMistakes(ctx, cluster, request, before)) onMistake(mistake);
  const aboutTables = remove || tables.length > 0;
  const info = await updateShardFields(ctx, topo, keyspace, shard, async (record) => {
    const change = { tabletType, tables, cells, remove, allowCreate: true };
    await updateDeniedTables(ctx, topo, { keyspace, name: shard }, record, change);
    // A release finds out only after this write, which has reset the control's allow_reads then.
    if (!topo.release.vitess && !aboutTables) {
      await checkQueryServiceChange({ keyspace, shards: [{ ...before, record }], tabletType, disable });
    }
    return true;
  });
  if (!aboutTables) await updateDisableQueryService(ctx, topo, { keyspace, shards: [info], tabletType, cells, disable });
  return info;
}

/** A shard by names that are checked first, as Vitess does. Throws NoNode and the errors of the names. */
export async function readShard(ctx: Context, topo: TopoServer, keyspace: string, shard: string): Promise<ShardInfo> {
  validateObjectName(keyspace);
  validateShardName(shard);
  return getShard(ctx, topo, keyspace, shard);
}

/** Says of the first of these cells that does not exist that it does not; undefined when all of them do. */
export async function unknownCell(ctx: Context, topo: TopoServer, cells: readonly string[]): Promise<AdminMistake | undefined> {
  if (cells.length === 0) return undefined;
  const known = await cellNames(ctx, topo);
  const missing = cells.find((cell) => !known.includes(cell));
  if (missing === undefined) return undefined;
  return { kind: 'unknown-cell', text: `there is no cell '${missing}'; the cells are: ${known.join(', ')}` };
}

async function findMistakes(
  ctx: Context,
  cluster: Cluster,
  request: TabletControlRequest,
  shard: ShardInfo,
): Promise<AdminMistake[]> {
  const { tabletType, cells, remove, deniedTables } = request;
  // Vitess's own refusal; it comes when the record is edited.
  if (tabletType === 'PRIMARY' && cells.length > 0) return [];
  const found = [await unknownCell(ctx, cluster.topo, cells)];
  if (remove) found.push(freesMore(request, shard));
  else if (deniedTables.length > 0) found.push(unknownTable(cluster, request));
  else if (request.disableQueryService) found.push(await unserved(ctx, cluster.topo, request));
  return found.filter((mistake) => mistake !== undefined);
}

function unknownTable(cluster: Cluster, { keyspace, shard, deniedTables }: TabletControlRequest): AdminMistake | undefined {
  const there = cluster.shards.open(keyspace, shard).tableNames();
  const missing = deniedTables.filter((table) => !there.includes(table));
  if (missing.length === 0) return undefined;
  const tables = missing.map((table) => `'${table}'`).join(', ');
  const has = there.length === 0 ? 'it has no tables' : `its tables are: ${there.join(', ')}`;
  return { kind: 'deny-unknown-table', text: `shard ${keyspace}/${shard} has no table ${tables} to refuse; ${has}` };
}

/** Of other types than the primary, cells are freed and not tables: whatever tables are named, all go. */
function freesMore({ tabletType, deniedTables }: TabletControlRequest, shard: ShardInfo): AdminMistake | undefined {
  if (tabletType === 'PRIMARY' || deniedTables.length === 0) return undefined;
  const control = shard.record.tablet_controls?.find((candidate) => candidate.tablet_type === tabletType);
  const more = (control?.denied_tables ?? []).filter((table) => !deniedTables.includes(table));
  if (more.length === 0) return undefined;
  const text = `--remove frees every table of ${tabletType}, also ${more.join(', ')}: only the primary's can be freed one by one`;
  return { kind: 'deny-frees-more', text };
}

async function unserved(ctx: Context, topo: TopoServer, request: TabletControlRequest): Promise<AdminMistake | undefined> {
  const { keyspace, shard, tabletType, cells } = request;
  for (const cell of cells.length > 0 ? cells : await cellNames(ctx, topo)) {
    const serving = await getSrvKeyspace(ctx, topo, cell, keyspace);
    if (partitionOf(serving, tabletType) !== undefined) return undefined;
  }
  const where = shardText({ keyspace, name: shard });
  return { kind: 'disable-unserved', text: `nothing would be refused: no cell serves ${tabletType} of ${where}` };
}
