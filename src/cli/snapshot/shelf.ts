import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../../lib/errors.ts';
import { type Bytes, bytesInMemory, memorySink } from '../../store/snapshot/bytes.ts';
import { makeFolder, SNAPSHOT_FOLDER, SNAPSHOT_SUFFIX } from '../host.ts';
import { fileBytes, newFile, type NewFile } from './files.ts';

/** Where a cluster's snapshots lie that were given a name and no place. */
export interface Shelf {
  /** For texts: what people call the snapshot of a name. */
  placeOf(name: string): string;
  names(): string[];
  /** Undefined where there is none of that name. Throws UserError where it cannot be read. */
  read(name: string): Bytes | undefined;
  /** Throws UserError, exit 2, where there is one and it may not be replaced, or it cannot be written. */
  write(name: string, replace: boolean): Promise<NewFile>;
  remove(name: string): void;
}


/** True for a word that names a snapshot of the shelf; anything else is a file. */
export function isShelfName(word: string): boolean {
  return /^\w[\w-]{0,99}$/.test(word);
}

/** The shelf of a cluster in a folder: a folder beside its topology. */
export function folderShelf(state: string): Shelf {
  const folder = join(state, SNAPSHOT_FOLDER);
  const placeOf = (name: string): string => join(folder, `${name}${SNAPSHOT_SUFFIX}`);
  return {
    placeOf,
    names: () => {
      if (!existsSync(folder)) return [];
      const names = readdirSync(folder).flatMap((file) => (file.endsWith(SNAPSHOT_SUFFIX) ? file.slice(0, -SNAPSHOT_SUFFIX.length) : []));
      return names.filter(isShelfName).toSorted();
    },
    read: (name) => (existsSync(placeOf(name)) ? fileBytes(placeOf(name), placeOf(name)) : undefined),
    write: async (name, replace) => {
      makeFolder(folder);
      return newFile(placeOf(name), placeOf(name), replace);
    },
    remove: (name) => rmSync(placeOf(name), { force: true }),
  };
}

/** The shelf of a cluster in memory; what is on it lives as long. */
export function memoryShelf(kept: Map<string, Buffer>): Shelf {
  return {
    placeOf: (name) => `${name}, in memory`,
    names: () => [...kept.keys()].toSorted(),
    read: (name) => {
      const contents = kept.get(name);
      return contents === undefined ? undefined : bytesInMemory(contents);
    },
    write: (name, replace) => {
      if (kept.has(name) && !replace) {
        return Promise.reject(new UserError(`there is a snapshot ${name} already`, { next: 'choose another name, or replace it with --force', exit: 2 }));
      }
      return Promise.resolve({ ...memorySink((contents) => kept.set(name, contents)), scratch: '' });
    },
    remove: (name) => void kept.delete(name),
  };
}
