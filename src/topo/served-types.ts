import { errorText, TopoError, wrapError } from '../lib/errors.ts';
import { compareKeyRanges, keyRangesEqual } from '../lib/key-range.ts';
import type { Context } from '../runtime/context.ts';
import { cellNames } from './cells.ts';
import type { Writer } from './conn/conn.ts';
import type { ShardInfo } from './keyspaces.ts';
import { checkKeyspaceLocked, guarded } from './locks.ts';
import { checkPartitions } from './partitions.ts';
import { paths } from './paths.ts';
import { keyRangeFromProto } from './proto/key-range.ts';
import type { KeyRange, KeyspacePartition, SrvKeyspace } from './proto/types.ts';
import { encodeRecord, readRecord, type TopoServer } from './server.ts';
import { getSrvKeyspace, shardReference, withQueryService } from './srv-keyspace.ts';

/** A move of one tablet type from some shards of a keyspace to others, in the serving graph. */
export interface ServedTypeMove {
  keyspace: string;
  from: readonly ShardInfo[];
  to: readonly ShardInfo[];
  tabletType: string;
  /** None means all. Cells without a serving record are passed over. */
  cells: readonly string[];
}

/**
 * Takes shards out of the partition of a tablet type and puts others in. For PRIMARY, the last type to move, it also ends every
 * tablet control of every partition. The keyspace must be locked. A release goes cell by cell and reports those that failed as a
 * partial result; `hardened` moves all cells or none. Vitess: go/vt/topo/srv_keyspace.go MigrateServedType.
 */
export async function migrateServedType(ctx: Context, topo: TopoServer, move: ServedTypeMove): Promise<void> {
  const { keyspace } = move;
  await checkKeyspaceLocked(ctx, topo, keyspace);
  const cells = move.cells.length > 0 ? move.cells : await cellNames(ctx, topo);
  if (topo.release.behaviours.fencedWrites) {
    await editServing(ctx, topo, keyspace, cells, (record, cell) => moved(record, cell, move));
    return;
  }
  const failures: string[] = [];
  for (const cell of cells) {
    try {
      const record = await getSrvKeyspace(ctx, topo, cell, keyspace);
      if (record === undefined) continue;
      await topo.conn.forCell(cell).update(ctx, paths.srvKeyspace(keyspace), encodeRecord(moved(record, cell, move)), null);
    } catch (error) {
      failures.push(errorText(error));
    }
  }
  if (failures.length > 0) throw new TopoError('PartialResult', failures.join(';'));
}

/**
 * On `hardened`, the whole of a switch of reads between shards as one guarded transaction: for each type the shards that lose it
 * are turned off, those that get it on, and the partition moves.
 */
export async function moveServedTypes(ctx: Context, topo: TopoServer, move: Omit<ServedTypeMove, 'tabletType'>, types: readonly string[]): Promise<void> {
  const cells = move.cells.length > 0 ? move.cells : await cellNames(ctx, topo);
  await editServing(ctx, topo, move.keyspace, cells, (record, cell) =>
    types.reduce((now, tabletType) => {
      const off = withQueryService(now, { keyspace: move.keyspace, shards: move.from, tabletType, cells, disable: true });
      const on = withQueryService(off, { keyspace: move.keyspace, shards: move.to, tabletType, cells, disable: false });
      return moved(on, cell, { ...move, tabletType });
    }, record),
  );
}

/** Throws PartitionError where such a move would leave a cell without an owner of some keyspace ids, or with two. Writes nothing. */
export async function checkServedTypes(ctx: Context, topo: TopoServer, move: Omit<ServedTypeMove, 'tabletType'>, types: readonly string[]): Promise<void> {
  for (const cell of move.cells.length > 0 ? move.cells : await cellNames(ctx, topo)) {
    const record = await getSrvKeyspace(ctx, topo, cell, move.keyspace);
    if (record !== undefined) for (const tabletType of types) moved(record, cell, { ...move, tabletType });
  }
}

/** Edits the serving records of cells in one guarded transaction. */
async function editServing(
  ctx: Context,
  topo: TopoServer,
  keyspace: string,
  cells: readonly string[],
  edit: (record: SrvKeyspace, cell: string) => SrvKeyspace,
): Promise<void> {
  await guarded(ctx, topo, [keyspace], (options) =>
    topo.conn.atomically(ctx, options, (writer) => {
      for (const cell of cells) editCell(writer, cell, keyspace, edit);
    }),
  );
}

function editCell(writer: Writer, cell: string, keyspace: string, edit: (record: SrvKeyspace, cell: string) => SrvKeyspace): void {
  const path = paths.srvKeyspace(keyspace);
  const node = writer.get(cell, path);
  if (node !== undefined) writer.put(cell, path, encodeRecord(edit(JSON.parse(node.contents) as SrvKeyspace, cell)));
}

/** Throws PartitionError where the move leaves a hole. */
function moved(record: SrvKeyspace, cell: string, { from, to, tabletType }: ServedTypeMove): SrvKeyspace {
  const changed = structuredClone(record);
  for (const partition of changed.partitions ?? []) {
    if (tabletType === 'PRIMARY') delete partition.shard_tablet_controls;
    if (partition.served_type === tabletType) movePartition(partition, from, to);
  }
  orderPartitions(changed);
  checkPartitions(cell, changed.partitions ?? []);
  return changed;
}

function movePartition(partition: KeyspacePartition, from: readonly ShardInfo[], to: readonly ShardInfo[]): void {
  const kept = (partition.shard_references ?? []).filter((reference) => !from.some((shard) => sameRange(reference, shard.record)));
  const added = to.filter((shard) => !(partition.shard_references ?? []).some((reference) => sameRange(reference, shard.record)));
  partition.shard_references = [...kept, ...added.map(shardReference)];
}

/** True if two records are about the same key range. */
export function sameRange(a: { key_range?: KeyRange }, b: { key_range?: KeyRange }): boolean {
  return keyRangesEqual(keyRangeFromProto(a.key_range), keyRangeFromProto(b.key_range));
}

/** Puts the shards of each partition in the order of their ranges. */
export function orderPartitions(record: SrvKeyspace): void {
  for (const partition of record.partitions ?? []) {
    if (partition.shard_references === undefined) continue;
    partition.shard_references = partition.shard_references.toSorted((a, b) =>
      compareKeyRanges(keyRangeFromProto(a.key_range), keyRangeFromProto(b.key_range)),
    );
  }
}

/**
 * Throws unless the partitions of a keyspace cover every keyspace id once in these cells (all, if none is named); `what` goes before
 * the error. Vitess: go/vt/topo/srv_keyspace.go ValidateSrvKeyspace.
 */
export async function validateSrvKeyspace(ctx: Context, topo: TopoServer, keyspace: string, cells: readonly string[], what: string): Promise<void> {
  for (const cell of cells.length > 0 ? cells : await cellNames(ctx, topo)) {
    try {
      const { record } = await readRecord<SrvKeyspace>(ctx, topo.conn.forCell(cell), paths.srvKeyspace(keyspace));
      const ordered = structuredClone(record);
      orderPartitions(ordered);
      checkPartitions(cell, ordered.partitions ?? []);
    } catch (error) {
      throw wrapError(error, what);
    }
  }
}
