import type { Writer } from '../../topo/conn/conn.ts';
import { paths } from '../../topo/paths.ts';
import type { KeyRange, KeyspacePartition, SrvKeyspace } from '../../topo/proto/types.ts';
import { orderPartitions, sameRange } from '../../topo/served-types.ts';
import { encodeRecord } from '../../topo/server.ts';
import type { SwitchIntent } from './intent.ts';
import { read, readShard } from './intent-images.ts';

/** A shard, or what a partition says of one. */
export interface Ranged {
  key_range?: KeyRange;
}

/**
 * Puts the shards of a Reshard back into the partitions that they were in, with the tablet controls that they had. What the record
 * says of other shards, and of anything else, stays.
 */
export function restoreServing(writer: Writer, cell: string, intent: SwitchIntent, before: SrvKeyspace): void {
  const now = read<SrvKeyspace>(writer, cell, paths.srvKeyspace(intent.targetKeyspace));
  if (now === undefined) return;
  const own = [...intent.sources, ...intent.targets].map(({ keyspace, shard }): Ranged => readShard(writer, keyspace, shard) ?? {});
  writer.put(cell, paths.srvKeyspace(intent.targetKeyspace), encodeRecord(restoredServing(now, before, own)));
}

/** A serving record in which these shards are as they were. */
export function restoredServing(now: SrvKeyspace, before: SrvKeyspace, own: readonly Ranged[]): SrvKeyspace {
  const isOwn = (entry: Ranged): boolean => own.some((shard) => sameRange(entry, shard));
  const restored: SrvKeyspace = { ...now, partitions: (now.partitions ?? []).map((partition) => restorePartition(partition, before, isOwn)) };
  orderPartitions(restored);
  return restored;
}

function restorePartition(partition: KeyspacePartition, before: SrvKeyspace, isOwn: (entry: Ranged) => boolean): KeyspacePartition {
  const was = before.partitions?.find((candidate) => candidate.served_type === partition.served_type);
  const merge = <T extends Ranged>(now: readonly T[] | undefined, then: readonly T[] | undefined): T[] => [
    ...(now ?? []).filter((entry) => !isOwn(entry)),
    ...(then ?? []).filter(isOwn),
  ];
  const references = merge(partition.shard_references, was?.shard_references);
  const controls = merge(partition.shard_tablet_controls, was?.shard_tablet_controls);
  const { shard_references: _references, shard_tablet_controls: _controls, ...rest } = partition;
  return { ...rest, ...(references.length > 0 && { shard_references: references }), ...(controls.length > 0 && { shard_tablet_controls: controls }) };
}
