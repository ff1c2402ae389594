import { UserError } from '../../lib/errors.ts';
import type { World } from '../../runtime/world.ts';
import type { SnapshotHeader } from '../../store/snapshot/archive.ts';
import type { Bytes } from '../../store/snapshot/bytes.ts';
import { Archive } from '../../store/snapshot/read.ts';
import type { LockView } from '../../topo/conn/conn.ts';
import { ETCD_NAMES } from '../../topo/conn/directory.ts';
import type { ClusterHost } from '../host.ts';
import { KNOWN_SCHEMA, type SavedSnapshot, saveSnapshot } from './save.ts';
import { watched } from './watched.ts';

/** What was restored, and what was saved of the cluster that was there. */
export interface Restored {
  header: SnapshotHeader;
  /** Undefined where there was no cluster, or it was not to be kept. */
  kept: SavedSnapshot | undefined;
}

/** The prefix of what is kept of replaced clusters. */
const KEPT = 'before-restore';

/**
 * Puts the cluster of a snapshot, which people know as `name`, in the place of the host's: made beside it, every byte compared with what
 * was saved, then swapped in one instant. `bytes` is closed. The cluster that was there is saved on the shelf first, unless `keepOld` is
 * false.
 *
 * Throws UserError, with nothing changed: exit 2 for a damaged, foreign or newer file, a cluster that may not be replaced, one that
 * cannot be saved; 75 where a process that may be alive holds a lock there; and whatever `checkEnded` throws.
 */
export async function restoreSnapshot(
  host: ClusterHost,
  world: World,
  { name, bytes }: { name: string; bytes: Bytes },
  { force, keepOld, checkEnded = () => {} }: { force: boolean; keepOld: boolean; checkEnded?: () => void },
): Promise<Restored> {
  try {
    const archive = await Archive.open(name, bytes, KNOWN_SCHEMA);
    const replaces = host.exists();
    if (replaces && !force) {
      throw new UserError(`there is a cluster in ${host.place} already`, { next: `replace it: switchtraffic snapshot restore ${name} --force; what is there is saved first`, exit: 2 });
    }
    if (replaces) refuseAtWork(host, world);
    const kept = replaces && keepOld ? await keep(host, world, name, checkEnded) : undefined;
    await put(host, world, archive, { replaces, checkEnded });
    return { header: archive.header, kept };
  } finally {
    await bytes.close();
  }
}

async function put(host: ClusterHost, world: World, archive: Archive, { replaces, checkEnded }: { replaces: boolean; checkEnded: () => void }): Promise<void> {
  const draft = await host.beside();
  try {
    await archive.extract(async (part) => watched(await draft.receive(part), checkEnded));
    await draft.settle();
    await draft.take(replaces, replaces ? () => refuseAtWork(host, world) : undefined);
  } catch (error) {
    draft.drop();
    throw error;
  }
}

async function keep(host: ClusterHost, world: World, name: string, checkEnded: () => void): Promise<SavedSnapshot> {
  try {
    return await saveSnapshot(host, world, { automatic: KEPT, spare: name }, { reason: `replaced by ${name}`, checkEnded });
  } catch (error) {
    if (!(error instanceof UserError) || error.exit !== 2) throw error;
    throw new UserError(`the cluster that is there cannot be saved first: ${error.message}`, {
      next: `to lose it: switchtraffic snapshot restore ${name} --force --keep-old=false`,
      exit: 2,
      cause: error,
    });
  }
}

/**
 * Throws UserError, exit 75, while a process that may be alive holds a lock, or waits for one. A topology that cannot be read tells
 * nothing, and is replaced.
 */
function refuseAtWork(host: ClusterHost, world: World): void {
  const busy = locksOf(host, world).find(({ alive, expiresMs }) => alive !== 'dead' && expiresMs > 0);
  if (busy === undefined) return;
  throw new UserError(`a command is at work on the cluster in ${host.place}: ${busy.owner} ${busy.token === undefined ? 'waits for' : 'holds'} the lock on ${busy.resource}`, {
    next: 'run it again when that has ended; who it is: switchtraffic lock show',
    exit: 75,
  });
}

function locksOf(host: ClusterHost, world: World): LockView[] {
  let conn;
  try {
    conn = host.openTopology(world, { names: ETCD_NAMES, renewed: true, reapDead: true }, false);
    return conn.locks();
  } catch {
    return [];
  } finally {
    conn?.close();
  }
}
