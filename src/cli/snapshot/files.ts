import { close, existsSync, fstatSync, linkSync, read, readdirSync, renameSync, rmSync } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { errorText, UserError } from '../../lib/errors.ts';
import type { Bytes, Sink } from '../../store/snapshot/bytes.ts';
import { SNAPSHOT_SUFFIX } from '../host.ts';
import { openInput } from '../input-files.ts';
import { isAlive } from '../process-alive.ts';

/** The bytes of a file, which people know as `name`. Throws UserError, exit 2, for what is missing, no file, or cannot be read. */
export function fileBytes(path: string, name: string): Bytes {
  // Refuses folders and pipes without waiting for anybody; reading goes on beside the loop.
  const descriptor = openInput(path, name);
  const { size } = fstatSync(descriptor);
  return {
    size,
    read: (at, length) =>
      new Promise((resolve, reject) => {
        const buffer = Buffer.allocUnsafe(length);
        const more = (got: number): void =>
          read(descriptor, buffer, got, length - got, at + got, (error, count) => {
            if (error !== null) reject(new UserError(`cannot read ${name}: ${errorText(error)}`, { exit: 2, cause: error }));
            else if (count === 0 || got + count === length) resolve(buffer.subarray(0, got + count));
            else more(got + count);
          });
        more(0);
      }),
    close: () => new Promise((resolve) => close(descriptor, () => resolve())),
  };
}

/** A file that is written beside its place, and is put there whole or not at all. */
export interface NewFile extends Sink {
  /** A file of one's own beside it, for as long as it is written. */
  readonly scratch: string;
}

/**
 * Begins to write a file that people know as `name`. Until it is committed, synced and renamed, what stands in its place stays; a process
 * that dies leaves a file that the next one to write there removes. Throws UserError, exit 2, where it cannot be written, or is there
 * already and may not be replaced.
 */
export async function newFile(path: string, name: string, replace: boolean): Promise<NewFile> {
  removeLeftovers(path);
  const draft = `${path}.making-${process.pid}`;
  const scratch = `${draft}.db`;
  if (!replace && existsSync(path)) throw thereAlready(name);
  const handle = await explained(name, () => open(draft, 'wx'));
  let closed = false;
  const drop = async (): Promise<void> => {
    if (!closed) await handle.close().catch(() => {});
    closed = true;
    removeDraft(draft);
  };
  return {
    scratch,
    write: (chunk) => explained(name, () => writeAll(handle, chunk)),
    commit: async () => {
      await explained(name, () => handle.sync());
      await explained(name, () => handle.close());
      closed = true;
      await explained(name, async () => place(draft, path, name, replace));
      removeDraft(draft);
      await syncFolder(dirname(path));
    },
    drop,
  };
}

/** Writes a file where nobody looks yet, and syncs it. */
export async function plainFile(path: string): Promise<Sink> {
  const name = path;
  const handle = await explained(name, () => open(path, 'wx'));
  return {
    write: (chunk) => explained(name, () => writeAll(handle, chunk)),
    commit: async () => {
      await explained(name, () => handle.sync());
      await handle.close();
    },
    drop: async () => {
      await handle.close().catch(() => {});
      rmSync(path, { force: true });
    },
  };
}

/** What was renamed or made in a folder is there for good. Where folders cannot be synced, as on Windows, that is how it is. */
export async function syncFolder(folder: string): Promise<void> {
  try {
    const handle = await open(folder, 'r');
    await handle.sync().finally(() => handle.close());
  } catch {
    // No worse than a rename without it.
  }
}

async function writeAll(handle: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let at = 0; at < chunk.length; ) at += (await handle.write(chunk, at)).bytesWritten;
}

/** The one instant. A link fails where a file came meanwhile, which a rename would replace. */
function place(draft: string, path: string, name: string, replace: boolean): void {
  if (replace) {
    renameSync(draft, path);
    return;
  }
  try {
    linkSync(draft, path);
  } catch (error) {
    if (codeOf(error) === 'EEXIST') throw thereAlready(name);
    // A file system without hard links.
    renameSync(draft, path);
  }
}

/** Removes what processes left that died while they wrote this file, or another snapshot beside it. */
function removeLeftovers(path: string): void {
  const folder = dirname(path);
  if (!existsSync(folder)) return;
  for (const entry of readdirSync(folder)) {
    const [, name, pid] = /^(.+)\.making-(\d+)(?:\.db(?:-wal|-shm|-journal)?)?$/.exec(entry) ?? [];
    const isOurs = name === basename(path) || name?.endsWith(SNAPSHOT_SUFFIX) === true;
    if (isOurs && !isAlive(Number(pid))) rmSync(join(folder, entry), { force: true });
  }
}

function removeDraft(draft: string): void {
  for (const suffix of ['', '.db', '.db-wal', '.db-shm', '.db-journal']) rmSync(`${draft}${suffix}`, { force: true });
}

function thereAlready(name: string): UserError {
  return new UserError(`there is a file ${name} already`, { next: 'choose another name, or replace it with --force', exit: 2 });
}

const REASONS: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full',
  EDQUOT: 'the quota of the disk is used up',
  EFBIG: 'files may not grow that large here',
  EACCES: 'no permission',
  EPERM: 'no permission',
  EROFS: 'the disk is read-only',
  ENOENT: 'there is no such folder',
  ENOTDIR: 'there is no such folder',
  EISDIR: 'it is a folder',
  ENAMETOOLONG: 'the name is too long',
  EEXIST: 'another process is writing it',
};

async function explained<T>(name: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`cannot write ${name}: ${REASONS[codeOf(error)] ?? errorText(error)}`, { exit: 2, cause: error });
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
