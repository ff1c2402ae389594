import { existsSync, mkdirSync, readdirSync, rmdirSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
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

/** A cluster in a folder, on the machine's own clock unless `makeWorld` makes a world for each command, as a process has. */
export function fileHost(state: string, cwd: string, makeWorld = (): World => realWorld(randomSeed())): ClusterHost {
  const folder = resolve(cwd, state);
  const file = join(folder, TOPOLOGY_FILE);
  return {
    place: folder,
    exists: () => existsSync(file),
    world: makeWorld,
    openTopology: (inWorld, policy, create) => {
      if (!create && !existsSync(file)) {
        throw new UserError(`there is no cluster in ${folder}`, { next: 'switchtraffic init commerce' });
      }
      if (create) makeFolder(folder);
      return openSqliteConn(file, inWorld, policy, create);
    },
    openShards: (inWorld) => {
      const shards = join(folder, SHARD_FOLDER);
      makeFolder(shards);
      return fileShards(shards, inWorld);
    },
    reset: () => {
      // Only what is ours: a mistyped --state must never cost anybody a folder.
      for (const suffix of ['', '-wal', '-shm']) rmSync(`${file}${suffix}`, { force: true });
      removeShardFiles(join(folder, SHARD_FOLDER));
    },
    release: (conn, shards) => {
      shards.close();
      conn.close();
    },
  };
}

/** As `fileShards` names them. */
const SHARD_FILE = /^[^.]+\.[^.]+\.db(?:-wal|-shm)?$/;

function removeShardFiles(folder: string): void {
  if (!existsSync(folder)) return;
  const names = readdirSync(folder);
  const ours = names.filter((name) => SHARD_FILE.test(name));
  for (const name of ours) rmSync(join(folder, name), { force: true });
  if (ours.length === names.length) rmdirSync(folder);
}

/** Makes a folder and those above it. Node's own `recursive` never returns for a folder that cannot be, below /proc. */
function makeFolder(path: string): void {
  if (existsSync(path)) return;
  makeFolder(dirname(path));
  try {
    mkdirSync(path);
  } catch (error) {
    // Another process may have been faster.
    if (!existsSync(path)) throw error;
  }
}

/** A host in memory, and what it keeps: for tests and for whoever compares states. */
export interface MemoryHost extends ClusterHost {
  readonly store: MemoryTopoStore;
  readonly shards: ShardStore;
  /** Remembers the cluster and its machine; the function goes back to there. False: it was replaced meanwhile, and cannot. */
  mark(): () => boolean;
}

/** A cluster in memory, on a virtual machine whose clock its commands share. */
export function memoryHost(machine: VirtualMachine, onDeath?: () => void): MemoryHost {
  const store = new MemoryTopoStore();
  const shards = memoryShards(machine.world());
  let generation = 0;
  return {
    mark: () => {
      const marked = generation;
      const backs = [store.mark(), shards.mark(), machine.mark()];
      return () => {
        if (generation !== marked) return false;
        for (const back of backs) back();
        return true;
      };
    },
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
      generation++;
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
