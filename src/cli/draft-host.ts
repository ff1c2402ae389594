import { closeSync, existsSync, openSync, readdirSync, readFileSync, rmdirSync, rmSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { UserError } from '../lib/errors.ts';
import { loading } from '../lib/loading.ts';
import { background } from '../runtime/context.ts';
import type { World } from '../runtime/world.ts';
import { putFile, swapFile } from '../store/swap-files.ts';
import { readCluster } from '../topo/cluster-record.ts';
import { ETCD_NAMES } from '../topo/conn/directory.ts';
import { openSqliteConn } from '../topo/conn/sqlite-conn.ts';
import { isAlive } from './process-alive.ts';
import { syncFolder } from './snapshot/files.ts';
import {
  closeBoth,
  type DraftHost,
  holdsShards,
  makeFolder,
  openShardFolder,
  removeDatabase,
  removeShardFiles,
  SHARD_FOLDER,
  shardFolders,
  TOPOLOGY_FILE,
} from './host.ts';

/**
 * A cluster that is made beside the one of a state folder. Its shards lie in a folder of their own, which its topology
 * names; so the topology's file alone decides which cluster there is, and one rename swaps them: whoever dies at any
 * instant leaves the old cluster or the new one. `FOLDER.making` says which process is at it.
 */
export async function draftHost(state: string, makeWorld: () => World): Promise<DraftHost> {
  const made = makeFolders(state);
  const target = join(state, TOPOLOGY_FILE);
  const current = existsSync(target) ? await currentFolder(target, makeWorld) : undefined;
  removeLeftovers(state, current);
  const shardFolder = claimFolder(state, current);
  const file = draftFile(state, shardFolder);
  const drop = (): void => {
    removeDraft(state, shardFolder);
    for (const folder of made) removeIfEmpty(folder);
  };
  return {
    place: state,
    shardFolder,
    exists: () => false,
    noCluster: () => new UserError(`there is no cluster in ${state}`, { next: 'switchtraffic init commerce', exit: 2 }),
    world: makeWorld,
    openTopology: (world, policy) => openSqliteConn(file, world, policy, true),
    openShards: (world) => openShardFolder(join(state, shardFolder), world),
    beside: () => draftHost(state, makeWorld),
    reset: drop,
    release: closeBoth,
    drop,
    // Only a cluster that is in its place is frozen, or keeps snapshots.
    freeze: async ({ clock }, scratch) => (await loading(import('./snapshot/freeze.ts'))).freezeFiles(state, clock, scratch),
    shelf: async () => (await loading(import('./snapshot/shelf.ts'))).folderShelf(state),
    receive: async (part) => (await loading(import('./snapshot/fill.ts'))).receiveFile(part, file, join(state, shardFolder)),
    settle: async () => (await loading(import('./snapshot/fill.ts'))).settleFiles(file, join(state, shardFolder), shardFolder),
    take: async (replace, check = () => {}) => {
      if (replace) await swapFile(file, target, makeWorld().clock, check, BURIED);
      else putFile(file, target);
      await syncFolder(state);
      rmSync(claimFile(state, shardFolder), { force: true });
      if (!replace) return;
      const busy = claimed(state);
      const old = shardFolders(state).filter((name) => name !== shardFolder && !busy.includes(name));
      try {
        for (const name of old) removeShardFiles(join(state, name));
      } catch {
        // The swap is done; what cannot go (a folder in the place of a file) is in nobody's way.
      }
    },
  };
}

/** What is left in the topology of a cluster that was replaced, for commands that have it open. */
const BURIED = 'DELETE FROM node; DELETE FROM ticket; DELETE FROM lease';

const CLAIM = /^(shards(?:-\d+)?)\.making$/;

const claimFile = (state: string, folder: string): string => join(state, `${folder}.making`);
const draftFile = (state: string, folder: string): string => join(state, `${folder}.making.db`);

/** The folder and those above it that were not there. */
function makeFolders(state: string): string[] {
  const missing: string[] = [];
  for (let folder = state; !existsSync(folder) && dirname(folder) !== folder; folder = dirname(folder)) missing.push(folder);
  makeFolder(state);
  return missing;
}

/** Where the shards of the cluster are that is there. Closing it also writes back what its write-ahead log holds. */
async function currentFolder(file: string, makeWorld: () => World): Promise<string | undefined> {
  try {
    const conn = openSqliteConn(file, makeWorld(), { names: ETCD_NAMES, renewed: false, reapDead: false }, false);
    try {
      return (await readCluster(background(), conn))?.shard_folder ?? SHARD_FOLDER;
    } finally {
      conn.close();
    }
  } catch {
    // Damaged, or of a newer program: replacing it is the remedy.
    return undefined;
  }
}

/** Removes what processes left that died while they made a cluster. */
function removeLeftovers(state: string, current: string | undefined): void {
  for (const name of readdirSync(state)) {
    const folder = CLAIM.exec(name)?.[1];
    if (folder === undefined || isAtWork(ownerOf(join(state, name)))) continue;
    // It died after the swap: the folder is in use.
    if (folder === current) rmSync(join(state, name), { force: true });
    else removeDraft(state, folder);
  }
}

/** Takes the first folder that nobody uses. */
function claimFolder(state: string, current: string | undefined): string {
  for (let number = 1; ; number++) {
    const folder = number === 1 ? SHARD_FOLDER : `${SHARD_FOLDER}-${number}`;
    if (folder === current || holdsShards(join(state, folder))) continue;
    try {
      const claim = openSync(claimFile(state, folder), 'wx');
      writeSync(claim, `${process.pid}\n`);
      closeSync(claim);
      return folder;
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    }
  }
}

/** The folders in which clusters are being made now. */
function claimed(state: string): string[] {
  return readdirSync(state).flatMap((name) => CLAIM.exec(name)?.[1] ?? []);
}

function ownerOf(claim: string): number {
  return Number(readFileSync(claim, 'utf8'));
}

/** Nought: claimed this instant, its number not written yet. */
function isAtWork(pid: number): boolean {
  return pid === 0 || isAlive(pid);
}

function removeDraft(state: string, folder: string): void {
  removeDatabase(draftFile(state, folder));
  removeShardFiles(join(state, folder));
  rmSync(claimFile(state, folder), { force: true });
}

function removeIfEmpty(folder: string): void {
  if (!existsSync(folder)) return;
  try {
    rmdirSync(folder);
  } catch (error) {
    // Somebody else put something there.
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOTEMPTY')) throw error;
  }
}
