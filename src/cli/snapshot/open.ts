import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findRelease } from '../../lib/releases.ts';
import { background } from '../../runtime/context.ts';
import { VirtualMachine, type World } from '../../runtime/world.ts';
import { type Bytes, piecesOf } from '../../store/snapshot/bytes.ts';
import { Archive } from '../../store/snapshot/read.ts';
import type { Cluster } from '../../tablet/cluster.ts';
import { readCluster } from '../../topo/cluster-record.ts';
import { ETCD_NAMES } from '../../topo/conn/directory.ts';
import { type ClusterHost, type DraftHost, fileHost, memoryHost } from '../host.ts';
import { KNOWN_SCHEMA } from './save.ts';
import { watched } from './watched.ts';

/** A cluster that lies still, to be looked at. */
export interface StillCluster {
  cluster: Cluster;
  /** When it was saved, RFC 3339; undefined for one that is now. */
  savedAt: string | undefined;
  close(): Promise<void>;
}

/** Unpacks a snapshot, whose `bytes` are closed, into a place of its own. Throws UserError, exit 2, as `Archive` does. */
export async function openSnapshot(host: ClusterHost, { name, bytes }: { name: string; bytes: Bytes }, checkEnded: () => void): Promise<StillCluster> {
  try {
    const archive = await Archive.open(name, bytes, KNOWN_SCHEMA);
    return await unpacked(host, archive.header.saved_at, (draft) => archive.extract(async (part) => watched(await draft.receive(part), checkEnded)));
  } finally {
    await bytes.close();
  }
}

/** A copy of the cluster of a host as it is at one instant. Throws UserError as `saveSnapshot` does. */
export async function openNow(host: ClusterHost, world: World, checkEnded: () => void): Promise<StillCluster> {
  if (!host.exists()) throw host.noCluster();
  return unpacked(host, undefined, async (draft, scratch) => {
    const frozen = await host.freeze(world, scratch);
    try {
      for await (const { name, bytes } of frozen.parts()) {
        const sink = watched(await draft.receive(name), checkEnded);
        for await (const piece of piecesOf(bytes)) await sink.write(piece);
        await sink.commit();
        await bytes.close();
      }
    } finally {
      frozen.close();
    }
  });
}

/** Makes a cluster in a place that goes when it is closed: in memory for a host in memory, else in the machine's folder for such files. */
async function unpacked(host: ClusterHost, savedAt: string | undefined, fill: (draft: DraftHost, scratch: string) => Promise<void>): Promise<StillCluster> {
  const folder = host.inMemory === true ? undefined : mkdtempSync(join(tmpdir(), 'switchtraffic-'));
  const remove = (): void => {
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  };
  try {
    const own = folder === undefined ? memoryHost(new VirtualMachine()) : fileHost(folder, '.');
    const draft = await own.beside();
    await fill(draft, folder === undefined ? '' : join(folder, 'scratch'));
    await draft.settle();
    await draft.take(false);
    return await opened(own, savedAt, remove);
  } catch (error) {
    remove();
    throw error;
  }
}

async function opened(host: ClusterHost, savedAt: string | undefined, remove: () => void): Promise<StillCluster> {
  const world = host.world();
  const conn = host.openTopology(world, { names: ETCD_NAMES, renewed: false, reapDead: false }, false);
  const record = await readCluster(background(), conn);
  const shards = host.openShards(world, record?.shard_folder);
  const release = findRelease(record?.vitess_version ?? 'hardened');
  return {
    cluster: { world, release, topo: { conn, release, world, lockTimeoutMs: 0, held: new Set() }, shards, observes: true },
    savedAt,
    close: async () => {
      await host.release(world, conn, shards);
      remove();
    },
  };
}
