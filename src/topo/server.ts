import type { Release } from '../lib/releases.ts';
import type { Context } from '../runtime/context.ts';
import type { World } from '../runtime/world.ts';
import type { Conn, LockDescriptor, Node, Version } from './conn/conn.ts';

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

/*
 * Everything goes through these, a hundred times in a command: `then` makes half the promises that an async function does.
 */

/** Reads a record. Throws NoNode. */
export function readRecord<T>(ctx: Context, conn: Conn, path: string): Promise<Versioned<T>> {
  return conn.get(ctx, path).then(versioned<T>);
}

function versioned<T>(node: Node): Versioned<T> {
  return { record: recordOf(node) as T, version: node.version };
}

/** In memory a switch reads the same few records hundreds of times. What is kept is frozen: whoever changes a record copies it first. */
function recordOf(node: Node): unknown {
  if (node.kept !== true) return JSON.parse(node.contents);
  let record = records.get(node);
  if (record === undefined) {
    record = deepFreeze(JSON.parse(node.contents)) as object;
    records.set(node, record);
  }
  return record;
}

const records = new WeakMap<Node, object>();

/** Reads a record, or undefined where there is none. */
export function findRecord<T>(ctx: Context, conn: Conn, path: string): Promise<Versioned<T> | undefined> {
  return conn.find(ctx, path).then((node) => (node === undefined ? undefined : versioned<T>(node)));
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
export function listNames(ctx: Context, conn: Conn, dir: string): Promise<string[]> {
  return conn.entries(ctx, dir).then((entries) => entries.map((entry) => entry.name));
}
