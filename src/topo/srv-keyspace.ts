import { isTopoError, vtError } from '../lib/errors.ts';
import type { Context } from '../runtime/context.ts';
import { cellNames } from './cells.ts';
import { findAllShards, getKeyspace, type ShardInfo } from './keyspaces.ts';
import { lockKeyspace } from './locks.ts';
import { paths } from './paths.ts';
import { keyRangeFromProto } from './proto/key-range.ts';
import type { KeyspacePartition, ShardReference, SrvKeyspace } from './proto/types.ts';
import { encodeRecord, findRecord, type TopoServer } from './server.ts';

const SERVED_TYPES = ['PRIMARY', 'REPLICA', 'RDONLY'] as const;

/** The serving record of a keyspace in a cell, if there is one. */
export async function getSrvKeyspace(
  ctx: Context,
  topo: TopoServer,
  cell: string,
  keyspace: string,
): Promise<SrvKeyspace | undefined> {
  return (await findRecord<SrvKeyspace>(ctx, topo.conn.forCell(cell), paths.srvKeyspace(keyspace)))?.record;
}

/**
 * Writes each cell's serving record anew from the shards that serve. Takes the keyspace lock.
 * Throws while a query service is disabled. Vitess: go/vt/topotools/rebuild_keyspace.go.
 */
export async function rebuildKeyspaceGraph(
  ctx: Context,
  topo: TopoServer,
  keyspace: string,
  cells: readonly string[] = [],
): Promise<void> {
  const locked = await lockKeyspace(ctx, topo, keyspace, 'RebuildKeyspace');
  let failure: unknown;
  try {
    await rebuildLocked(locked.ctx, topo, keyspace, cells);
  } catch (error) {
    failure = error;
    throw error;
  } finally {
    await locked.unlock(failure);
  }
}

async function rebuildLocked(ctx: Context, topo: TopoServer, keyspace: string, cells: readonly string[]): Promise<void> {
  const wanted = cells.length > 0 ? cells : await cellNames(ctx, topo);
  for (const cell of wanted) {
    const current = await getSrvKeyspace(ctx, topo, cell, keyspace);
    const disabled = current?.partitions?.find((partition) =>
      (partition.shard_tablet_controls ?? []).some((control) => control.query_service_disabled === true),
    );
    if (disabled !== undefined) throw await migrationOnGoing(disabled);
  }
  const record = servingRecord(await findAllShards(ctx, topo, keyspace));
  const { throttler_config: throttler } = await getKeyspace(ctx, topo, keyspace);
  if (throttler !== undefined) record.throttler_config = throttler;
  for (const cell of wanted) {
    await topo.conn.forCell(cell).update(ctx, paths.srvKeyspace(keyspace), encodeRecord(record), null);
  }
}

async function migrationOnGoing(partition: KeyspacePartition): Promise<Error> {
  // Loaded here: nothing else on this path needs the tables of the messages.
  const [{ prototext }, messages] = await Promise.all([import('./proto/prototext.ts'), import('./proto/messages-topodata.ts')]);
  const text = prototext(messages.KeyspacePartition, partition);
  return vtError(
    'INTERNAL',
    `can't rebuild serving keyspace while a migration is on going. TabletControls is set for partition ${text}`,
  );
}

/** The serving record of a keyspace, or undefined while it does not exist there (a first vttablet makes it). */
function servingRecord(shards: readonly ShardInfo[]): SrvKeyspace {
  const serving = shards.filter((shard) => shard.record.is_primary_serving === true);
  if (serving.length === 0) return {};
  const references = serving.toSorted(byRange).map(reference);
  return { partitions: SERVED_TYPES.map((type) => ({ served_type: type, shard_references: references })) };
}

function byRange(a: ShardInfo, b: ShardInfo): number {
  const start = (shard: ShardInfo): string => keyRangeFromProto(shard.record.key_range)?.start ?? '';
  return start(a) < start(b) ? -1 : 1;
}

function reference(shard: ShardInfo): ShardReference {
  const { key_range: range } = shard.record;
  return range === undefined ? { name: shard.name } : { name: shard.name, key_range: range };
}

/** The partition that serves a tablet type. */
export function partitionOf(record: SrvKeyspace | undefined, tabletType: string): KeyspacePartition | undefined {
  return record?.partitions?.find((partition) => partition.served_type === tabletType);
}

/** True if the error says that a record is missing. */
export function isMissing(error: unknown): boolean {
  return isTopoError(error, 'NoNode');
}
