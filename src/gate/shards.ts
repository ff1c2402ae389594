import { vtError, wrapError } from '../lib/errors.ts';
import {
  compareEnds,
  compareKeyRanges,
  compareStarts,
  containsId,
  formatKeyRange,
  intersects,
  type KeyRange,
} from '../lib/key-range.ts';
import type { TabletType } from '../lib/names.ts';
import type { Context } from '../runtime/context.ts';
import type { Cluster } from '../tablet/cluster.ts';
import { paths } from '../topo/paths.ts';
import { keyRangeFromProto } from '../topo/proto/key-range.ts';
import type { ShardReference, SrvKeyspace } from '../topo/proto/types.ts';
import { readRecord } from '../topo/server.ts';
import { partitionOf } from '../topo/srv-keyspace.ts';
import type { Destination } from './target.ts';

/** One shard of the partition that serves a tablet type. */
export interface ServingShard {
  name: string;
  /** Undefined for a shard without a range. */
  range: KeyRange | undefined;
}

/**
 * The shards of a keyspace that serve a tablet type in a cell, in the order of the record. Throws
 * `keyspace K fetch error: …` and `No partition found for tabletType T in keyspace K`.
 * Vitess: go/vt/srvtopo/resolver.go GetKeyspaceShards.
 */
export async function servingShardsOf(
  ctx: Context,
  cluster: Cluster,
  cell: string,
  keyspace: string,
  type: TabletType,
): Promise<ServingShard[]> {
  let record: SrvKeyspace;
  try {
    ({ record } = await readRecord<SrvKeyspace>(ctx, cluster.topo.conn.forCell(cell), paths.srvKeyspace(keyspace)));
  } catch (error) {
    throw wrapError(error, `keyspace ${keyspace} fetch error`);
  }
  const partition = partitionOf(record, type);
  if (partition === undefined) {
    const text = `No partition found for tabletType ${type.toLowerCase()} in keyspace ${keyspace}`;
    throw vtError('INVALID_ARGUMENT', text);
  }
  return (partition.shard_references ?? []).map(servingShard);
}

function servingShard(reference: ShardReference): ServingShard {
  const range = reference.key_range;
  return { name: reference.name, range: range === undefined ? undefined : keyRangeFromProto(range) };
}

/** The shard that holds a keyspace id (hexadecimal): the first that contains it. Vitess: go/vt/key/destination.go. */
export function shardOfId(shards: readonly ServingShard[], id: string): string {
  if (shards.length === 0) throw vtError('UNAVAILABLE', 'no shard in keyspace');
  const found = shards.find((shard) => containsId(shard.range, id));
  if (found !== undefined) return found.name;
  const all = shards.map((shard) => shard.name).join(' ');
  throw vtError('INVALID_ARGUMENT', `KeyspaceId ${id} didn't match any shards [${all}]`);
}

/** Any one shard; always the first here, so that a run can be repeated. */
export function anyShard(shards: readonly ServingShard[]): string {
  const [first] = shards;
  if (first === undefined) throw vtError('UNAVAILABLE', 'no shard in keyspace');
  return first.name;
}

/** The shards that a named part of a keyspace means. A named shard is not looked for here: its tablet will be missing. */
export function destinationShards(shards: readonly ServingShard[], destination: Destination): string[] {
  if (destination.kind === 'shard') return [destination.shard];
  if (destination.kind === 'id') return [shardOfId(shards, destination.id)];
  return exactRange(shards, destination.range);
}

function exactRange(shards: readonly ServingShard[], range: KeyRange): string[] {
  const sorted = shards.toSorted((a, b) => compareKeyRanges(a.range, b.range));
  const start = sorted.findIndex((shard) => compareStarts(shard.range, range) === 0);
  const found: string[] = [];
  for (const shard of start < 0 ? [] : sorted.slice(start)) {
    if (!intersects(range, shard.range)) break;
    found.push(shard.name);
    if (compareEnds(range, shard.range) === 0) return found;
  }
  throw vtError('INVALID_ARGUMENT', `keyrange ${formatKeyRange(range)} does not exactly match shards`);
}
