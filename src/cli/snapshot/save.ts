import { InvariantError } from '../../lib/errors.ts';
import type { World } from '../../runtime/world.ts';
import { SNAPSHOT_FORMAT } from '../../store/snapshot/archive.ts';
import { writeArchive } from '../../store/snapshot/write.ts';
import { SHARD_MIGRATIONS } from '../../tablet/shard-schema.ts';
import type { ClusterRecord } from '../../topo/cluster-record.ts';
import { TOPO_MIGRATIONS } from '../../topo/conn/sqlite-schema.ts';
import { version } from '../../version.ts';
import type { ClusterHost } from '../host.ts';
import { newFile, type NewFile } from './files.ts';
import { watched } from './watched.ts';
import type { Shelf } from './shelf.ts';

/** Where a snapshot is to be kept. */
export type SaveTo =
  /** A file, by its full path; `name` is what people call it. */
  | { file: string; name: string }
  /** On the cluster's own shelf, under a name. */
  | { name: string }
  /** On the shelf, as PREFIX-1, PREFIX-2, …: of those with one prefix the newest `most` are kept (MOST_AUTOMATIC), and the one named `spare`. */
  | { automatic: string; most?: number; spare?: string };

/** What was saved. */
export interface SavedSnapshot {
  /** What `snapshot restore` takes: a name of the shelf, or the file as it was given. */
  name: string;
  /** Where it is, for people. */
  place: string;
  /** Its size. */
  bytes: number;
  record: ClusterRecord;
}

/** How many snapshots that nobody asked for are kept of each kind. */
export const MOST_AUTOMATIC = 10;

/**
 * Saves the whole cluster of a host, as it is at one instant, as one file: topology, shards, history, sessions, binlogs, intents, and no
 * locks. It takes no keyspace lock, and may be called by whoever holds some, outside of transactions; commands and writers go on
 * meanwhile, stopped for some milliseconds at the instant. What is saved has all that was committed before it and nothing of what came
 * after, in all files. It is there whole and synced, or not at all.
 *
 * `reason` is why, for a snapshot that nobody asked for (`before doctor --fix`). Throws UserError: exit 2 where the cluster is missing
 * or damaged, where the place cannot be written, or there is a snapshot already and `replace` is not given; 75 where some process keeps the
 * state locked; and whatever `checkEnded` throws, which is called now and then.
 */
export async function saveSnapshot(
  host: ClusterHost,
  world: World,
  to: SaveTo,
  { replace = false, reason, checkEnded = () => {} }: { replace?: boolean; reason?: string; checkEnded?: () => void } = {},
): Promise<SavedSnapshot> {
  if (!host.exists()) throw host.noCluster();
  const shelf = await host.shelf();
  const name = 'automatic' in to ? nextName(shelf, to.automatic) : to.name;
  const target = 'file' in to ? await newFile(to.file, name, replace) : await shelf.write(name, replace);
  try {
    const saved = await write(host, world, target, { reason, checkEnded });
    await target.commit();
    if ('automatic' in to) removeOldest(shelf, to.automatic, to);
    return { ...saved, name, place: 'file' in to ? name : shelf.placeOf(name) };
  } catch (error) {
    await target.drop();
    throw error;
  }
}

async function write(
  host: ClusterHost,
  world: World,
  target: NewFile,
  { reason, checkEnded }: { reason: string | undefined; checkEnded: () => void },
): Promise<Pick<SavedSnapshot, 'bytes' | 'record'>> {
  const frozen = await host.freeze(world, target.scratch);
  try {
    const { vitess_version, made_from } = frozen.record;
    const header = {
      format: SNAPSHOT_FORMAT,
      version,
      schema: KNOWN_SCHEMA,
      vitess_version,
      made_from,
      saved_at: new Date(world.clock.now()).toISOString(),
      ...(reason === undefined ? {} : { reason }),
    };
    return { bytes: await writeArchive(watched(target, checkEnded), header, frozen.parts()), record: frozen.record };
  } finally {
    frozen.close();
  }
}

/** The schemas that this program writes, and the newest that it reads. */
export const KNOWN_SCHEMA = { topology: TOPO_MIGRATIONS.length, shard: SHARD_MIGRATIONS.length };

/** Numbers only grow, so that a name means one snapshot for as long as it is kept. */
function nextName(shelf: Shelf, prefix: string): string {
  return `${prefix}-${Math.max(0, ...automaticOf(shelf, prefix)) + 1}`;
}

function removeOldest(shelf: Shelf, prefix: string, { most = MOST_AUTOMATIC, spare }: { most?: number; spare?: string }): void {
  const names = automaticOf(shelf, prefix).toSorted((a, b) => b - a).map((number) => `${prefix}-${number}`);
  for (const name of names.slice(most)) if (name !== spare) shelf.remove(name);
}

function automaticOf(shelf: Shelf, prefix: string): number[] {
  if (!/^[a-z]+(?:-[a-z]+)*$/.test(prefix)) throw new InvariantError(`${prefix} cannot begin the name of a snapshot`);
  return shelf.names().flatMap((name) => (name.startsWith(`${prefix}-`) && /^\d+$/.test(name.slice(prefix.length + 1)) ? Number(name.slice(prefix.length + 1)) : []));
}
