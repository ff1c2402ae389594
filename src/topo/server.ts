import type { Release } from '../lib/releases.ts';
import type { Context } from '../runtime/context.ts';
import type { World } from '../runtime/world.ts';
import type { Conn, LockDescriptor, Version } from './conn/conn.ts';

/** The topology as one command sees it: a connection, the release that is emulated, the world it runs in. */
export interface TopoServer {
  readonly conn: Conn;
  readonly release: Release;
  readonly world: World;
  /** How long to wait for a lock, in milliseconds (`--lock-timeout`). */
  readonly lockTimeoutMs: number;
  /** Locks that this process holds now, so that faults can reach them and none outlives the command. */
  readonly held: Set<LockDescriptor>;
}

/** A record and the version it was read at. */
export interface Versioned<T> {
  record: T;
  version: Version;
}

/** Reads a record. Throws NoNode. */
export async function readRecord<T>(ctx: Context, conn: Conn, path: string): Promise<Versioned<T>> {
  const node = await conn.get(ctx, path);
  return { record: JSON.parse(node.contents) as T, version: node.version };
}

/** Reads a record, or undefined where there is none. */
export async function findRecord<T>(ctx: Context, conn: Conn, path: string): Promise<Versioned<T> | undefined> {
  const node = await conn.find(ctx, path);
  return node === undefined ? undefined : { record: JSON.parse(node.contents) as T, version: node.version };
}

/**
 * As `findRecord`, for what is large and read again and again: the same object as long as the text is the same. Nobody can
 * write to it.
 */
export async function findShared<T>(ctx: Context, conn: Conn, path: string): Promise<T | undefined> {
  const node = await conn.find(ctx, path);
  if (node === undefined) return undefined;
  let record = shared.get(node.contents);
  if (record === undefined) {
    record = deepFreeze(JSON.parse(node.contents));
    if (shared.size >= MOST_SHARED) shared.clear();
    shared.set(node.contents, record);
  }
  return record as T;
}

const shared = new Map<string, unknown>();
const MOST_SHARED = 64;

function deepFreeze(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  for (const inner of Object.values(value)) deepFreeze(inner);
  return Object.freeze(value);
}

/** How a record is written down: JSON without the fields that have their default. */
export function encodeRecord(record: unknown): string {
  return JSON.stringify(record);
}

/** The names below a directory; empty where there is none. */
export async function listNames(ctx: Context, conn: Conn, dir: string): Promise<string[]> {
  return (await conn.entries(ctx, dir)).map((entry) => entry.name);
}
