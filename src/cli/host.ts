import { existsSync, lstatSync, mkdirSync, readdirSync, rmdirSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { UserError } from '../lib/errors.ts';
import { loading } from '../lib/loading.ts';
import type { Random } from '../runtime/random.ts';
import { realWorld, type VirtualMachine, type World } from '../runtime/world.ts';
import { fileShards, memoryShards, type MemoryShardStore, type ShardStore } from '../tablet/shard-db.ts';
import type { Conn } from '../topo/conn/conn.ts';
import type { LeasePolicy } from '../topo/conn/lease-policy.ts';
import { MemoryTopoStore, openMemoryConn } from '../topo/conn/memory-conn.ts';
import { openSqliteConn } from '../topo/conn/sqlite-conn.ts';
import type { Sink } from '../store/snapshot/bytes.ts';
import type { Frozen } from './snapshot/freeze.ts';
import type { Shelf } from './snapshot/shelf.ts';

/** Where a cluster is kept and what world its commands run in. */
export interface ClusterHost {
  /** How people name it, for texts. */
  readonly place: string;
  /** It is not in files. */
  readonly inMemory?: true;
  exists(): boolean;
  /** What to say where it does not exist. */
  noCluster(): UserError;
  world(): World;
  /** Opens the topology; `create` makes it where it is missing. Throws UserError where it is missing and may not be made. */
  openTopology(world: World, policy: LeasePolicy, create: boolean): Conn;
  /** Opens the shards; `folder` is the one that the cluster's record names. */
  openShards(world: World, folder?: string): ShardStore;
  /** A place for a new cluster beside the one that may be there. */
  beside(): Promise<DraftHost>;
  /** Removes the cluster, and nothing else that the place may hold. */
  reset(): void;
  /** Lets go after a command: files are closed, memory stays. */
  release(world: World, conn: Conn, shards?: ShardStore): Promise<void>;
  /** The cluster as it is at one instant (snapshot/freeze.ts); `scratch` is a file that may be written meanwhile. */
  freeze(world: World, scratch: string): Promise<Frozen>;
  /** Where its snapshots lie that have a name. */
  shelf(): Promise<Shelf>;
}

/** Where a cluster is made before it takes the place of another: until then nobody sees it. */
export interface DraftHost extends ClusterHost {
  /** Where a part of a snapshot is written to (store/snapshot/archive.ts). */
  receive(part: string): Promise<Sink>;
  /** Makes a cluster of the parts that were received. Throws UserError for a topology that holds none. */
  settle(): Promise<void>;
  /** The folder of its shards, for its record; undefined where shards are no files. */
  readonly shardFolder: string | undefined;
  /**
   * Puts it in its place, in one instant. Throws UserError if a cluster came there meanwhile and it may not be replaced, and what
   * `check` throws, which is asked while nobody can change the topology of the old one.
   */
  take(replace: boolean, check?: () => void): Promise<void>;
  /** Removes what was made of it. */
  drop(): void;
}

/** The file of the topology. */
export const TOPOLOGY_FILE = 'topology.db';
/** The folder of the shards' files, unless the cluster's record names another. */
export const SHARD_FOLDER = 'shards';
/** The folder of snapshots that have a name, and how files of snapshots end that have no other. */
export const SNAPSHOT_FOLDER = 'snapshots';
export const SNAPSHOT_SUFFIX = '.swt-snapshot';

/** A cluster in a folder, on the machine's own clock unless `makeWorld` makes a world for each command, as a process has. */
export function fileHost(state: string, cwd: string, makeWorld = (): World => realWorld(randomSeed())): ClusterHost {
  const folder = resolve(cwd, state);
  const file = join(folder, TOPOLOGY_FILE);
  return {
    place: folder,
    exists: () => isThere(file),
    noCluster: () => noCluster(folder),
    world: makeWorld,
    openTopology: (inWorld, policy, create) => {
      if (!create && !isThere(file)) throw noCluster(folder);
      if (create) makeFolder(folder);
      return openSqliteConn(file, inWorld, policy, create);
    },
    openShards: (inWorld, name = SHARD_FOLDER) => openShardFolder(join(folder, name), inWorld),
    beside: async () => {
      const { draftHost } = await loading(import('./draft-host.ts'));
      return draftHost(folder, makeWorld);
    },
    reset: () => {
      // Only what is ours: a mistyped --state must never cost anybody a folder.
      removeDatabase(file);
      for (const name of shardFolders(folder)) removeShardFiles(join(folder, name));
    },
    release: closeBoth,
    freeze: async ({ clock }, scratch) => (await loading(import('./snapshot/freeze.ts'))).freezeFiles(folder, clock, scratch),
    shelf: async () => (await loading(import('./snapshot/shelf.ts'))).folderShelf(folder),
  };
}

/** Also a link that leads nowhere, and what may not be looked at: opening it says what is wrong. */
function isThere(file: string): boolean {
  try {
    return lstatSync(file, { throwIfNoEntry: false }) !== undefined;
  } catch {
    return true;
  }
}

function noCluster(folder: string): UserError {
  const shards = shardFolders(folder).find((name) => holdsShards(join(folder, name)));
  if (shards === undefined) return new UserError(`there is no cluster in ${folder}`, { next: 'switchtraffic init commerce', exit: 2 });
  return new UserError(`the topology of the cluster in ${folder} is gone: its shards are in ${shards}, and there is no file ${TOPOLOGY_FILE}`, {
    next: 'put the file back, go back to a snapshot (switchtraffic snapshot list), or make a new cluster: switchtraffic init commerce',
    exit: 2,
  });
}

/** Closes what a command had open. */
export async function closeBoth({ clock }: World, conn: Conn, shards?: ShardStore): Promise<void> {
  try {
    await shards?.closeFiles(clock);
  } finally {
    shards?.close();
    if (clock.due()) await clock.turn();
    conn.close();
  }
}

/** The shards in a folder, which is made where it is missing. */
export function openShardFolder(folder: string, world: World): ShardStore {
  makeFolder(folder);
  return fileShards(folder, world);
}

/** Removes a SQLite file and the two that belong to it. */
export function removeDatabase(file: string): void {
  for (const suffix of ['', '-wal', '-shm']) rmSync(`${file}${suffix}`, { force: true });
}

/** The folders of a state that may hold shards: a cluster that replaces another has a folder of its own. */
export function shardFolders(state: string): string[] {
  if (!existsSync(state)) return [];
  const found = readdirSync(state, { withFileTypes: true });
  return found.filter((entry) => entry.isDirectory() && /^shards(?:-\d+)?$/.test(entry.name)).map((entry) => entry.name);
}

/** True if a folder holds shards of ours. */
export function holdsShards(folder: string): boolean {
  return existsSync(folder) && readdirSync(folder).some((name) => SHARD_FILE.test(name));
}

/** As `fileShards` names them. */
const SHARD_FILE = /^[^.]+\.[^.]+\.db(?:-wal|-shm)?$/;

/** Removes the shards of a folder, and the folder if nothing else is in it. */
export function removeShardFiles(folder: string): void {
  removeOurs(folder, (name) => SHARD_FILE.test(name));
}

/** Removes the snapshots of a state that have a name. */
export function removeSnapshots(state: string): void {
  removeOurs(join(state, SNAPSHOT_FOLDER), (name) => name.endsWith(SNAPSHOT_SUFFIX));
}

function removeOurs(folder: string, isOurs: (name: string) => boolean): void {
  if (!existsSync(folder)) return;
  const names = readdirSync(folder);
  const ours = names.filter(isOurs);
  for (const name of ours) rmSync(join(folder, name), { force: true });
  if (ours.length === names.length) rmdirSync(folder);
}

/** Makes a folder and those above it. Node's own `recursive` never returns for a folder that cannot be, below /proc. */
export function makeFolder(path: string): void {
  if (existsSync(path)) return;
  makeFolder(dirname(path));
  try {
    mkdirSync(path);
  } catch (error) {
    // Another process may have been faster.
    if (!existsSync(path)) throw error;
  }
}

/** A host in memory, and what it keeps now: for tests and for whoever compares states. */
export interface MemoryHost extends ClusterHost {
  readonly store: MemoryTopoStore;
  readonly shards: ShardStore;
  /** Remembers the cluster and its machine; the function goes back to there. False: it was replaced meanwhile, and cannot. */
  mark(): () => boolean;
  /** A cluster and a machine like these are now, which go their own way. */
  fork(onDeath?: () => void): { host: MemoryHost; machine: VirtualMachine };
}

/** A cluster in memory, on a virtual machine whose clock its commands share. */
export function memoryHost(machine: VirtualMachine, onDeath?: () => void): MemoryHost {
  const { random } = machine.world();
  return hostOfMemory(machine, { random, store: new MemoryTopoStore(), shards: memoryShards({ random }), kept: new Map() }, onDeath);
}

interface MemoryCluster {
  /** Snapshots by name. */
  kept: Map<string, Buffer>;
  /** The chance that servers' ids are drawn from. */
  random: Random;
  store: MemoryTopoStore;
  shards: MemoryShardStore;
}

function hostOfMemory(machine: VirtualMachine, cluster: MemoryCluster, onDeath?: () => void): MemoryHost {
  const { random, kept } = cluster;
  let { store, shards } = cluster;
  const world = (): World => machine.world(onDeath);
  const exists = (): boolean => store.revision > 0;
  let generation = 0;
  const host: MemoryHost = {
    mark: () => {
      const marked = generation;
      const keptThen = [...kept];
      const keptBack = (): void => {
        kept.clear();
        for (const [name, contents] of keptThen) kept.set(name, contents);
      };
      const backs = [store.mark(), shards.mark(), machine.mark(), keptBack];
      return () => {
        if (generation !== marked) return false;
        for (const back of backs) back();
        return true;
      };
    },
    fork: (died) => {
      const other = machine.fork();
      const chance = { random: random.fork() };
      return { machine: other, host: hostOfMemory(other, { ...chance, store: store.fork(), shards: shards.fork(chance), kept: new Map(kept) }, died) };
    },
    get store() {
      return store;
    },
    get shards() {
      return shards;
    },
    place: 'memory',
    inMemory: true,
    exists,
    noCluster: () => new UserError('there is no cluster in memory', { next: 'switchtraffic init commerce', exit: 2 }),
    world,
    openTopology: (inWorld, policy, create) => {
      if (!create && !exists()) throw host.noCluster();
      return openMemoryConn(store, inWorld, policy);
    },
    openShards: () => shards,
    beside: () => {
      const made = { store: new MemoryTopoStore(), shards: memoryShards({ random }) };
      const received = new Map<string, Buffer>();
      return Promise.resolve({
        ...host,
        shardFolder: undefined,
        exists: () => made.store.revision > 0,
        openTopology: (inWorld: World, policy: LeasePolicy) => openMemoryConn(made.store, inWorld, policy),
        openShards: () => made.shards,
        take: (_replace: boolean, check?: () => void) => {
          check?.();
          generation++;
          shards.close();
          ({ store, shards } = made);
          return Promise.resolve();
        },
        drop: () => made.shards.close(),
        receive: async (part: string) => (await loading(import('../store/snapshot/bytes.ts'))).memorySink((contents) => received.set(part, contents)),
        settle: async () => {
          const { fillMemory } = await loading(import('./snapshot/fill.ts'));
          made.store = fillMemory(received, made.shards);
        },
      });
    },
    reset: () => {
      generation++;
      store.clear();
      shards.close();
      kept.clear();
    },
    release: () => Promise.resolve(),
    freeze: async () => (await loading(import('./snapshot/freeze.ts'))).freezeMemory(store, shards),
    shelf: async () => (await loading(import('./snapshot/shelf.ts'))).memoryShelf(kept),
  };
  return host;
}

/** The only chance on the real command line: server ids. Taken from the clock and the process. */
function randomSeed(): number {
  return Number(process.hrtime.bigint() & 0x7fffffffn) ^ process.pid;
}
