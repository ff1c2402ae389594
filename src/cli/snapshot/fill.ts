import { join } from 'node:path';
import { UserError } from '../../lib/errors.ts';
import { SHARD_PART, TOPOLOGY_PART } from '../../store/snapshot/archive.ts';
import type { Sink } from '../../store/snapshot/bytes.ts';
import type { MemoryShardStore } from '../../tablet/shard-db.ts';
import { placeShards, storeOf } from '../../topo/conn/contents.ts';
import type { MemoryTopoStore } from '../../topo/conn/memory-conn.ts';
import { makeFolder, SHARD_FOLDER } from '../host.ts';
import { plainFile, syncFolder } from './files.ts';

/** Where a part of a snapshot is written that becomes a cluster of files: the topology's file, or one of its folder of shards. */
export function receiveFile(part: string, topology: string, shards: string): Promise<Sink> {
  if (part === TOPOLOGY_PART) return plainFile(topology);
  makeFolder(shards);
  return plainFile(join(shards, part.slice(part.indexOf('/') + 1)));
}

/** Makes a cluster of files of the parts that are there. Throws UserError for a topology that holds none. */
export async function settleFiles(topology: string, shards: string, folder: string): Promise<void> {
  placeShards(topology, folder === SHARD_FOLDER ? undefined : folder);
  makeFolder(shards);
  await syncFolder(shards);
}

/** Puts the shards that were received into a store, and gives the topology. Throws UserError for a topology that holds no cluster. */
export function fillMemory(received: ReadonlyMap<string, Buffer>, shards: MemoryShardStore): MemoryTopoStore {
  const topology = received.get(TOPOLOGY_PART);
  if (topology === undefined) throw new UserError('the snapshot holds no topology', { exit: 2 });
  const store = storeOf(topology);
  for (const [part, contents] of received) {
    const [, keyspace, shard] = SHARD_PART.exec(part) ?? [];
    if (keyspace !== undefined && shard !== undefined) shards.put(keyspace, shard, contents);
  }
  return store;
}
