import { existsSync } from 'node:fs';
import type { Bytes } from '../../store/snapshot/bytes.ts';
import { UserError } from '../../lib/errors.ts';
import { inputPath } from '../input-path.ts';
import type { Io } from '../io.ts';
import { unknownName } from '../unknown-name.ts';
import { fileBytes } from './files.ts';
import type { SaveTo } from './save.ts';
import { isShelfName, type Shelf } from './shelf.ts';

/** Where the word after `snapshot save` wants it: a name is for the shelf, a path for a file, and none for the next free name. */
export function placeOf(io: Io, word: string | undefined): SaveTo {
  if (word === undefined) return { automatic: 'snapshot', most: Number.POSITIVE_INFINITY };
  if (isShelfName(word)) return { name: word };
  return { file: pathOf(io, word), name: word };
}

/** A snapshot that a word means: one of the shelf by its name, else a file. Throws UserError, exit 2, where there is none. */
export function findSnapshot(io: Io, shelf: Shelf, word: string): { name: string; bytes: Bytes } {
  if (isShelfName(word)) {
    const bytes = shelf.read(word);
    if (bytes !== undefined) return { name: word, bytes };
    if (!existsSync(pathOf(io, word))) throw unknownName('snapshot', word, shelf.names(), shelf.names().length === 0 ? 'save one: switchtraffic snapshot save' : undefined);
  }
  return { name: word, bytes: fileBytes(pathOf(io, word), word) };
}

function pathOf(io: Io, word: string): string {
  if (word === '' || word.includes('\0')) throw new UserError('the name of the file is empty', { exit: 2 });
  return inputPath(io, word);
}
