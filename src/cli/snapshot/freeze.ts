import { existsSync, readdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../runtime/clock.ts';
import { cutFiles } from '../../store/cut.ts';
import { checkKind } from '../../store/place.ts';
import { SHARD_PART, type SnapshotPart, TOPOLOGY_PART } from '../../store/snapshot/archive.ts';
import { bytesInMemory } from '../../store/snapshot/bytes.ts';
import { type MemoryShardStore, rowsGone } from '../../tablet/shard-db.ts';
import { SHARD_MIGRATIONS } from '../../tablet/shard-schema.ts';
import type { ClusterRecord } from '../../topo/cluster-record.ts';
import { contentsOf, settleCopy, shardFolderIn, shardsIn } from '../../topo/conn/contents.ts';
import type { MemoryTopoStore } from '../../topo/conn/memory-conn.ts';
import { TOPO_MIGRATIONS } from '../../topo/conn/sqlite-schema.ts';
import { removeDatabase, SHARD_FOLDER, TOPOLOGY_FILE } from '../host.ts';
import { fileBytes } from './files.ts';

/** A cluster as it was at one instant. */
export interface Frozen {
  record: ClusterRecord;
  /** Its databases, one after another: each has to be closed before the next is asked for. */
  parts(): AsyncIterable<SnapshotPart>;
  close(): void;
}

/**
 * The cluster of a folder. `scratch` is a file that does not exist, where each database is copied to before it is read. Throws UserError
 * where one is missing or damaged, and, exit 75, where somebody keeps one locked.
 */
export async function freezeFiles(state: string, clock: Clock, scratch: string): Promise<Frozen> {
  const topology = join(state, TOPOLOGY_FILE);
  let folder = SHARD_FOLDER;
  const cut = await cutFiles(clock, topology, (ask) => {
    checkKind(topology, TOPO_MIGRATIONS, ask);
    folder = shardFolderIn(ask) ?? SHARD_FOLDER;
    return shardFiles(join(state, folder));
  });
  const close = (): void => {
    cut.close();
    removeDatabase(scratch);
  };
  try {
    await cut.copy(topology, scratch);
    const record = settleCopy(scratch);
    const files = cut.paths.slice(1);
    const missing = shardsIn(scratch).find((shard) => !files.some((file) => file.endsWith(fileOf(shard))));
    if (missing !== undefined) throw rowsGone(missing, join(state, folder, fileOf(missing)));
    return { record, parts: () => partsOf([topology, ...files]), close };
  } catch (error) {
    close();
    throw error;
  }

  async function* partsOf(paths: readonly string[]): AsyncGenerator<SnapshotPart> {
    for (const path of paths) {
      // The topology has been copied already.
      if (path !== topology) {
        checkKind(path, SHARD_MIGRATIONS, (sql, ...params) => cut.ask(path, sql, ...params));
        await cut.copy(path, scratch);
      }
      yield { name: path === topology ? TOPOLOGY_PART : `shards/${path.slice(path.lastIndexOf('/') + 1)}`, bytes: fileBytes(scratch, scratch) };
      // A large file takes a while to go.
      await rm(scratch, { force: true });
    }
  }
}

/** Each way `fileShards` names them. */
function fileOf(shard: string): string {
  return `/${shard.replace('/', '.')}.db`;
}

function shardFiles(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder).filter((name) => SHARD_PART.test(`shards/${name}`)).toSorted().map((name) => `${folder}/${name}`);
}

/** The cluster of a host in memory, where nothing happens meanwhile. Throws UserError where there is none. */
export function freezeMemory(store: MemoryTopoStore, shards: MemoryShardStore): Frozen {
  const { record, contents } = contentsOf(store);
  const all = shards.all().map(({ keyspace, shard, db }) => ({ name: `shards/${keyspace}.${shard}.db`, contents: db.contents() }));
  return { record, parts, close: () => {} };

  async function* parts(): AsyncGenerator<SnapshotPart> {
    for (const part of [{ name: TOPOLOGY_PART, contents }, ...all]) yield { name: part.name, bytes: bytesInMemory(part.contents) };
  }
}
