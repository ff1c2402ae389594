import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { UserError } from '../lib/errors.ts';
import { realWorld, type VirtualMachine, type World } from '../runtime/world.ts';
import { fileShards, memoryShards, type ShardStore } from '../tablet/shard-db.ts';
import type { Conn } from '../topo/conn/conn.ts';
import type { LeasePolicy } from '../topo/conn/lock-table.ts';
import { MemoryTopoStore, openMemoryConn } from '../topo/conn/memory-conn.ts';
import { openSqliteConn } from '../topo/conn/sqlite-conn.ts';

/** Where a cluster is kept and what world its commands run in. */
export interface ClusterHost {
  /** How people name it, for texts. */
  readonly place: string;
  exists(): boolean;
  world(): World;
  /** Opens the topology; `create` makes it where it is missing. Throws UserError where it is missing and may not be made. */
  openTopology(world: World, policy: LeasePolicy, create: boolean): Conn;
  openShards(world: World): ShardStore;
  /** Removes the cluster, and nothing else that the place may hold. */
  reset(): void;
  /** Lets go after a command: files are closed, memory stays. */
  release(conn: Conn, shards: ShardStore): void;
}

const TOPOLOGY_FILE = 'topology.db';
const SHARD_FOLDER = 'shards';

/** A cluster in a folder, on the machine's own clock. */
export function fileHost(state: string, cwd: string, world?: World): ClusterHost {
  const folder = resolve(cwd, state);
  const file = join(folder, TOPOLOGY_FILE);
  return {
    place: folder,
    exists: () => existsSync(file),
    world: () => world ?? realWorld(randomSeed()),
    openTopology: (inWorld, policy, create) => {
      if (!create && !existsSync(file)) {
        throw new UserError(`there is no cluster in ${folder}`, { next: 'switchtraffic init commerce' });
      }
      if (create) mkdirSync(folder, { recursive: true });
      return openSqliteConn(file, inWorld, policy, create);
    },
    openShards: (inWorld) => {
      const shards = join(folder, SHARD_FOLDER);
      mkdirSync(shards, { recursive: true });
      return fileShards(shards, inWorld);
    },
    reset: () => {
      // Only what is ours: a mistyped --state must never cost anybody a folder.
      for (const suffix of ['', '-wal', '-shm']) rmSync(`${file}${suffix}`, { force: true });
      rmSync(join(folder, SHARD_FOLDER), { recursive: true, force: true });
    },
    release: (conn, shards) => {
      shards.close();
      conn.close();
    },
  };
}

/** A host in memory, and what it keeps: for tests and for whoever compares states. */
export interface MemoryHost extends ClusterHost {
  readonly store: MemoryTopoStore;
  readonly shards: ShardStore;
}

/** A cluster in memory, on a virtual machine whose clock its commands share. */
export function memoryHost(machine: VirtualMachine, onDeath?: () => void): MemoryHost {
  const store = new MemoryTopoStore();
  const shards = memoryShards(machine.world());
  return {
    store,
    shards,
    place: 'memory',
    exists: () => store.revision > 0,
    world: () => machine.world(onDeath),
    openTopology: (world, policy, create) => {
      if (!create && store.revision === 0) {
        throw new UserError('there is no cluster in memory', { next: 'switchtraffic init commerce' });
      }
      return openMemoryConn(store, world, policy);
    },
    openShards: () => shards,
    reset: () => {
      store.clear();
      shards.close();
    },
    release: () => {},
  };
}

/** The only chance on the real command line: server ids. Taken from the clock and the process. */
function randomSeed(): number {
  return Number(process.hrtime.bigint() & 0x7fffffffn) ^ process.pid;
}
