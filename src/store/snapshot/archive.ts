import type { Bytes } from './bytes.ts';

/** What every snapshot says of itself first, so that it can be judged before anything else is read. */
export interface SnapshotHeader {
  /** Of the archive; a program reads those up to its own. */
  format: number;
  /** The version of this program that wrote it. */
  version: string;
  /** Of the databases inside. */
  schema: { topology: number; shard: number };
  /** As the cluster's record names it. */
  vitess_version: string;
  /** What the cluster was made from. */
  made_from: string;
  /** RFC 3339. */
  saved_at: string;
  /** Why it was saved, where nobody asked for it. */
  reason?: string;
}

/** A database of a snapshot as it is written: `topology.db` or `shards/KEYSPACE.SHARD.db`. */
export interface SnapshotPart {
  name: string;
  bytes: Bytes;
}

/** What the last file of an archive says of those before it. */
export interface Checksums {
  files: { name: string; size: number; sha256: string }[];
}

/** Of archives that this program writes. */
export const SNAPSHOT_FORMAT = 1;

/**
 * A snapshot is a tar: the header, the topology, the shards, the checksums; unpacked, it is a state folder. The checksums come last, so
 * that everything is written in one go, and what was cut off has none.
 */
export const HEADER_FILE = 'switchtraffic-snapshot.json';
export const CHECKSUMS_FILE = 'checksums.json';
export const TOPOLOGY_PART = 'topology.db';

/** A shard's part, by the name of its file. */
export const SHARD_PART = /^shards\/([^./]+)\.([^./]+)\.db$/;
