import { closeSync, constants, existsSync, fstatSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs';
import { basename, dirname, isAbsolute, join } from 'node:path';
import { errorText, UserError } from '../lib/errors.ts';
import { suggest } from '../lib/suggest.ts';
import type { InputFiles } from '../report/cluster-file/read.ts';
import { inputPath } from './input-path.ts';
import type { Io } from './io.ts';

/** How much of a file is handed on at once: large enough to be fast, small beside a row limit of MySQL's. */
const CHUNK_BYTES = 256 * 1024;

/** Files beside another one, which count from its folder; `named` is that other file as it was typed. */
export function filesBeside(io: Pick<Io, 'cwd' | 'within'>, named: string): InputFiles {
  const folder = dirname(named);
  const nameOf = (path: string): string => (isAbsolute(path) ? path : join(folder, path));
  const full = (path: string): string => inputPath(io, nameOf(path));
  return {
    nameOf,
    bytes: (path) => readInput(full(path), nameOf(path)),
    source: (path) => {
      const file = full(path);
      closeSync(openInput(file, nameOf(path)));
      return { name: nameOf(path), chunks: () => chunksOf(file, nameOf(path)) };
    },
  };
}

/** The bytes of a file that was named on a command line or in a file. Throws UserError in words. */
export function readInput(file: string, name: string): Uint8Array {
  const descriptor = openInput(file, name);
  try {
    return readFileSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** A file in pieces; it is open only while it is read. */
function* chunksOf(file: string, name: string): Generator<Uint8Array> {
  const descriptor = openInput(file, name);
  try {
    for (;;) {
      // A buffer of its own for each: whoever takes it may keep it.
      const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
      const length = readSync(descriptor, buffer, 0, CHUNK_BYTES, null);
      if (length === 0) return;
      yield buffer.subarray(0, length);
    }
  } finally {
    closeSync(descriptor);
  }
}

/** Opens a plain file for reading: what is none (a folder, a pipe) is refused before it can block anything. Throws UserError in words. */
export function openInput(file: string, name: string): number {
  let descriptor: number;
  try {
    descriptor = openSync(file, OPEN_FLAGS);
  } catch (error) {
    throw cannotRead(file, name, error);
  }
  if (fstatSync(descriptor).isFile()) return descriptor;
  closeSync(descriptor);
  throw new UserError(`${name} is not a file`, { exit: 2 });
}

/** Reading only, and without waiting for the other end of a pipe. */
const OPEN_FLAGS = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

const REASONS: Readonly<Record<string, string>> = { EACCES: 'no permission', ENOTDIR: 'no such file', ENAMETOOLONG: 'the name is too long', ERR_INVALID_ARG_VALUE: 'the name is no name of a file' };

function cannotRead(file: string, name: string, error: unknown): UserError {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (code === 'ENOENT') return new UserError(`there is no file ${name}${nearFile(file)}`, { exit: 2, cause: error });
  return new UserError(`cannot read ${name}: ${REASONS[code] ?? errorText(error)}`, { exit: 2, cause: error });
}

function nearFile(file: string): string {
  const folder = dirname(file);
  if (!existsSync(folder)) return '';
  const near = suggest(basename(file), readdirSync(folder));
  return near === undefined || near === basename(file) ? '' : `; did you mean "${near}"?`;
}
