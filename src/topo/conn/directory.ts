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

/** How a topology server names nodes in its errors: most by the full key, Vitess's memory topology by the path alone. */
export interface NodeNames {
  /** Below which a cell's nodes are. */
  root(cell: string): string;
  node(cell: string, path: string): string;
  /** A directory that has to exist and does not. */
  directory(cell: string, dir: string): string;
  /** A directory that has to exist for a lock on it. */
  lockDirectory(dir: string): string;
  /** A lock that was waited for in vain. `number`: that of the waiter's node, where nodes have one. */
  lock(dir: string, number?: number): string;
}

/** Of a server whose cells lie below `root`, and whose locks have `locks` below their directory. */
function namesBelow(root: string, directoryEnd: '/' | '', lock: Pick<NodeNames, 'lock' | 'lockDirectory'>): NodeNames {
  const at = (cell: string, path: string): string => `${root}/${cell}/${path}`;
  return { root: (cell) => `${root}/${cell}`, node: at, directory: (cell, dir) => at(cell, dir) + directoryEnd, ...lock };
}

export const ETCD_NAMES: NodeNames = namesBelow('/vitess', '/', {
  lock: (dir) => `/vitess/global/${dir}/locks`,
  lockDirectory: (dir) => `/vitess/global/${dir}/`,
});

/** ZooKeeper has directories, without a slash, and a numbered node for each waiter. */
export const ZK_NAMES: NodeNames = namesBelow('/vitess', '', {
  lock: (dir, number = 0) => `/vitess/global/${dir}/locks/${String(number).padStart(10, '0')}`,
  lockDirectory: (dir) => `/vitess/global/${dir}/locks/`,
});

/** Consul takes no key with a slash in front: its root is `vitess/global`, as in Vitess's own examples. */
export const CONSUL_NAMES: NodeNames = namesBelow('vitess', '/', {
  lock: (dir) => `vitess/global/${dir}/Lock`,
  lockDirectory: (dir) => `vitess/global/${dir}/`,
});

export const MEMORY_NAMES: NodeNames = {
  root: (cell) => `/vitess/${cell}`,
  node: (_cell, path) => path,
  directory: (_cell, dir) => dir,
  lockDirectory: (dir) => dir,
  lock: (dir) => dir,
};
