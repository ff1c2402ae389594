import { VtError } from '../lib/errors.ts';
import { keyRangeFromProto } from './proto/key-range.ts';
import type { KeyspacePartition, ShardReference } from './proto/types.ts';

/** A serving partition that does not cover the key space once, end to end. */
export class PartitionError extends VtError {
  constructor(text: string) {
    super(text, { code: 'UNKNOWN', coded: false });
    this.name = 'PartitionError';
  }
}

/**
 * Checks that each partition, its shards in order of range, covers every keyspace id once.
 * Throws PartitionError. Vitess: go/vt/topo/srv_keyspace.go OrderAndCheckPartitions.
 */
export function checkPartitions(cell: string, partitions: readonly KeyspacePartition[]): void {
  for (const partition of partitions) checkPartition(cell, partition);
}

function checkPartition(cell: string, partition: KeyspacePartition): void {
  const type = partition.served_type;
  const references = partition.shard_references ?? [];
  const where = `keyspace partition for ${type} in cell ${cell}`;
  const [first] = references;
  const last = references.at(-1);
  if (first === undefined || last === undefined) throw new PartitionError(`${where} has no shards`);
  if (range(first).start !== '') throw new PartitionError(`${where} does not start with min key`);
  if (range(last).end !== '') throw new PartitionError(`${where} does not end with max key`);
  for (let i = 0; i + 1 < references.length; i++) {
    const [here, next] = [references[i]!, references[i + 1]!];
    if ((here.key_range === undefined) !== (next.key_range === undefined)) {
      throw new PartitionError(`shards with inconsistent KeyRanges for ${type} in cell ${cell}. shards: ${here.name}, ${next.name}`);
    }
    if (here.key_range === undefined || range(here).end === range(next).start) continue;
    const ends = `${range(here).end} != ${range(next).start}`;
    throw new PartitionError(`non-contiguous KeyRange values for ${type} in cell ${cell} at shard ${i} to ${i + 1}: ${ends}`);
  }
}

function range(reference: ShardReference): { start: string; end: string } {
  return keyRangeFromProto(reference.key_range);
}

