import { realpathSync } from 'node:fs';
import { relative, resolve, sep } from 'node:path';
import { UserError } from '../lib/errors.ts';
import type { Io } from './io.ts';

/**
 * Where a file is that a command line or a file of ours names: counted from `from` (the working directory when not given).
 * Every handler that reads a named file asks here, so that a scenario from a stranger cannot reach out of its own folder.
 * Throws UserError for a path that leaves it, by `..`, as an absolute path or through a link.
 */
export function inputPath(io: Pick<Io, 'cwd' | 'within'>, path: string, from = io.cwd): string {
  const full = resolve(io.cwd, from, path);
  if (io.within === undefined) return full;
  const folder = real(resolve(io.cwd, io.within));
  if (!isInside(folder, real(full))) {
    throw new UserError(`the file ${path} is outside of the scenario's folder`, {
      next: `put it below ${io.within}`,
      exit: 2,
    });
  }
  return full;
}

function isInside(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way !== '..' && !way.startsWith(`..${sep}`) && resolve(folder, way) === path;
}

/** The path without links, as far as it exists. */
function real(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    const parent = resolve(path, '..');
    return parent === path ? path : resolve(real(parent), relative(parent, path));
  }
}
