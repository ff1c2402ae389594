import { errorText, isTopoError, plainError, TopoError, vtError } from '../lib/errors.ts';
import { keyRangesEqual } from '../lib/key-range.ts';
import type { Context } from '../runtime/context.ts';
import { cellNames } from './cells.ts';
import { findAllShards, getKeyspace, type ShardInfo, shardText } from './keyspaces.ts';
import { checkKeyspaceLocked, guarded, withKeyspaceLock } from './locks.ts';
import { checkPartitions } from './partitions.ts';
import { paths } from './paths.ts';
import { keyRangeFromProto } from './proto/key-range.ts';
import type { KeyspacePartition, ShardReference, ShardTabletControl, SrvKeyspace } from './proto/types.ts';
import { encodeRecord, findRecord, findShared, type TopoServer } from './server.ts';
import { loading } from '../lib/loading.ts';

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

/** The same for those who only look, which tablets do at every refresh: an object that nobody can write to. */
export function lookAtSrvKeyspace(ctx: Context, topo: TopoServer, cell: string, keyspace: string): Promise<SrvKeyspace | undefined> {
  return findShared<SrvKeyspace>(ctx, topo.conn.forCell(cell), paths.srvKeyspace(keyspace));
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
  if ((await findRecord(ctx, topo.conn, paths.keyspace(keyspace))) === undefined) await removeOrphans(ctx, topo, keyspace, cells);
  await withKeyspaceLock(ctx, topo, keyspace, 'RebuildKeyspace', (locked) => rebuildLocked(locked, topo, keyspace, cells));
}

/** What cells still hold of a keyspace that is gone; the lock that is tried next says that it is. */
async function removeOrphans(ctx: Context, topo: TopoServer, keyspace: string, cells: readonly string[]): Promise<void> {
  for (const cell of cells) {
    const conn = topo.conn.forCell(cell);
    const prefix = `keyspaces/${keyspace}/`;
    try {
      for (const { path } of await conn.list(ctx, prefix)) if (path.startsWith(prefix)) await conn.delete(ctx, path, null);
    } catch (error) {
      if (!isTopoError(error, 'NoNode')) throw error;
    }
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
  for (const cell of wanted) checkPartitions(cell, record.partitions ?? []);
  const failures: string[] = [];
  for (const cell of wanted) {
    try {
      await topo.conn.forCell(cell).update(ctx, paths.srvKeyspace(keyspace), encodeRecord(record), null);
    } catch (error) {
      failures.push(`writing serving data failed: ${errorText(error)}`);
    }
  }
  if (failures.length > 0) throw plainError(failures.join(';'));
}

async function migrationOnGoing(partition: KeyspacePartition): Promise<Error> {
  // Loaded here: nothing else on this path needs the tables of the messages.
  const [{ prototext }, messages] = await Promise.all([loading(import('./proto/prototext.ts')), loading(import('./proto/messages-topodata.ts'))]);
  const text = prototext(messages.KeyspacePartition, partition);
  return vtError(
    'INTERNAL',
    `can't rebuild serving keyspace while a migration is on going. TabletControls is set for partition ${text}`,
  );
}

/** Which shards stop, or start again, to serve queries of one tablet type. */
export interface QueryServiceChange {
  keyspace: string;
  shards: readonly ShardInfo[];
  tabletType: string;
  /** None means all. Cells without a serving record are passed over. */
  cells: readonly string[];
  disable: boolean;
}

/**
 * Turns the query service of shards off or on, in the partitions of one tablet type. Where no partition has that type
 * nothing is recorded. The keyspace must be locked; tablets notice at their next refresh. A release writes cell by
 * cell and reports those that failed as a partial result; `hardened` writes all cells or none.
 * Vitess: go/vt/topo/srv_keyspace.go UpdateDisableQueryService.
 */
export async function updateDisableQueryService(ctx: Context, topo: TopoServer, change: QueryServiceChange): Promise<void> {
  const { keyspace } = change;
  await checkKeyspaceLocked(ctx, topo, keyspace);
  const cells = change.cells.length > 0 ? change.cells : await cellNames(ctx, topo);
  await checkQueryServiceChange(change);
  const path = paths.srvKeyspace(keyspace);
  if (topo.release.behaviours.fencedWrites) {
    await guarded(ctx, topo, [keyspace], (options) =>
      topo.conn.atomically(ctx, options, (writer) => {
        for (const cell of cells) {
          const node = writer.get(cell, path);
          if (node === undefined) continue;
          writer.put(cell, path, encodeRecord(withQueryService(JSON.parse(node.contents) as SrvKeyspace, change)));
        }
      }),
    );
    return;
  }
  const failures: string[] = [];
  for (const cell of cells) {
    try {
      const record = await getSrvKeyspace(ctx, topo, cell, keyspace);
      if (record === undefined) continue;
      await topo.conn.forCell(cell).update(ctx, path, encodeRecord(withQueryService(record, change)), null);
    } catch (error) {
      failures.push(errorText(error));
    }
  }
  if (failures.length > 0) throw new TopoError('PartialResult', failures.join(';'));
}

/** Throws when denied tables, or a control frozen past the point of no return, forbid the change. */
export async function checkQueryServiceChange(change: Omit<QueryServiceChange, 'cells'>): Promise<void> {
  const { shards, tabletType, disable } = change;
  for (const { record } of shards) {
    if (!(record.tablet_controls ?? []).some((control) => (control.denied_tables ?? []).length > 0)) continue;
    const [{ prototext }, messages] = await Promise.all([loading(import('./proto/prototext.ts')), loading(import('./proto/messages-topodata.ts'))]);
    const text = prototext(messages.Shard, record);
    throw plainError(`cannot safely alter DisableQueryService as DeniedTables is set for shard ${text}`);
  }
  if (disable) return;
  for (const shard of shards) {
    const control = shard.record.tablet_controls?.find((candidate) => candidate.tablet_type === tabletType);
    if (control?.frozen !== true) continue;
    throw plainError(`migrate has gone past the point of no return, cannot re-enable serving for ${shardText(shard)}`);
  }
}

/** A serving record with the query service of shards off or on in the partitions of one type; the record given is not changed. */
export function withQueryService(record: SrvKeyspace, { shards, tabletType, disable }: QueryServiceChange): SrvKeyspace {
  const changed = structuredClone(record);
  for (const partition of changed.partitions ?? []) {
    if (partition.served_type !== tabletType) continue;
    for (const shard of shards) setQueryService(partition, shard, disable);
  }
  return changed;
}

function setQueryService(partition: KeyspacePartition, shard: ShardInfo, disable: boolean): void {
  const { key_range: range } = shard.record;
  const controls = (partition.shard_tablet_controls ??= []);
  const found = controls.filter((control) =>
    keyRangesEqual(keyRangeFromProto(control.key_range), keyRangeFromProto(range)),
  );
  // An entry is made also for switching on: it stays there, saying nothing.
  if (found.length === 0) {
    const made: ShardTabletControl = { ...shardReference(shard) };
    controls.push(made);
    found.push(made);
  }
  for (const control of found) {
    if (disable) control.query_service_disabled = true;
    else delete control.query_service_disabled;
  }
}

/** The serving record of a keyspace, or undefined while it does not exist there (a first vttablet makes it). */
function servingRecord(shards: readonly ShardInfo[]): SrvKeyspace {
  const serving = shards.filter((shard) => shard.record.is_primary_serving === true);
  if (serving.length === 0) return {};
  const references = serving.toSorted(byRange).map(shardReference);
  return { partitions: SERVED_TYPES.map((type) => ({ served_type: type, shard_references: references })) };
}

function byRange(a: ShardInfo, b: ShardInfo): number {
  const start = (shard: ShardInfo): string => keyRangeFromProto(shard.record.key_range)?.start ?? '';
  return start(a) < start(b) ? -1 : 1;
}

/** A shard as a partition names it. */
export function shardReference(shard: ShardInfo): ShardReference {
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
