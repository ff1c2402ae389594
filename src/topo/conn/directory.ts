import type { DirEntry } from './conn.ts';

/** There are no real directories: one exists if some path lies below it. `/` at either end is tolerated. */
export function cleanPath(path: string): string {
  if (!path.includes('//') && !path.startsWith('/') && !path.endsWith('/')) return path;
  return path.split('/').filter((part) => part !== '').join('/');
}

/** The entries right below `dir`, given paths of which some may lie under it, in order of name. */
export function entriesBelow(dir: string, paths: Iterable<string>): DirEntry[] {
  const prefix = dir === '' ? '' : `${dir}/`;
  const entries = new Map<string, DirEntry>();
  for (const path of paths) {
    if (!path.startsWith(prefix)) continue;
    const slash = path.indexOf('/', prefix.length);
    const name = slash < 0 ? path.slice(prefix.length) : path.slice(prefix.length, slash);
    if (!entries.has(name)) entries.set(name, { name, type: slash < 0 ? 'file' : 'directory', ephemeral: false });
  }
  return [...entries.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** How a store names a node in its errors: etcd by its full key, Vitess's memory topology by the path alone. */
export interface NodeNames {
  node(cell: string, path: string): string;
  /** A directory that has to exist and does not. */
  directory(cell: string, dir: string): string;
  /** A lock that was waited for in vain. */
  lock(dir: string): string;
}

export const ETCD_NAMES: NodeNames = {
  node: (cell, path) => `/vitess/${cell}/${path}`,
  directory: (cell, dir) => `/vitess/${cell}/${dir}/`,
  lock: (dir) => `/vitess/global/${dir}/locks`,
};

export const MEMORY_NAMES: NodeNames = {
  node: (_cell, path) => path,
  directory: (_cell, dir) => dir,
  lock: (dir) => dir,
};
