import { errorText, UserError } from '../../lib/errors.ts';
import { FileError, type Place } from '../input/place.ts';
import type { PathPart, YamlFile } from '../input/yaml.ts';

/** A file of which some values were taken from other files; a place is given in the file that holds it. */
export class LocatedFile {
  readonly #file: YamlFile;
  readonly #others = new Map<string, YamlFile>();

  constructor(file: YamlFile) {
    this.#file = file;
  }

  /** What stands at `path` is the content of another file. */
  replace(path: readonly PathPart[], other: YamlFile): void {
    this.#others.set(key(path), other);
  }

  /** True when what was put at `path` is a list. */
  holdsList(path: readonly PathPart[]): boolean {
    return Array.isArray(this.#others.get(key(path))?.value);
  }

  placeOf(path: readonly PathPart[]): Place {
    const { file, rest } = this.#find(path);
    return file.placeOf(rest);
  }

  placeOfKey(path: readonly PathPart[]): Place {
    const { file, rest } = this.#find(path);
    return rest.length === 0 ? file.placeOf(rest) : file.placeOfKey(rest);
  }

  /** An error about the value at a path. */
  wrong(path: readonly PathPart[], problem: string, next?: string): FileError {
    return new FileError(this.placeOf(path), problem, next);
  }

  /** An error about the key at the end of a path. */
  wrongKey(path: readonly PathPart[], problem: string, next?: string): FileError {
    return new FileError(this.placeOfKey(path), problem, next);
  }

  /** Runs a check that does not know of files; what it throws is told with the place of `path`, after `prefix`. */
  check<T>(path: readonly PathPart[], run: () => T, where: 'value' | 'key' = 'value', prefix = ''): T {
    try {
      return run();
    } catch (error) {
      if (error instanceof FileError) throw error;
      const next = error instanceof UserError ? error.next : undefined;
      const text = prefix + errorText(error);
      throw where === 'key' ? this.wrongKey(path, text, next) : this.wrong(path, text, next);
    }
  }

  #find(path: readonly PathPart[]): { file: YamlFile; rest: readonly PathPart[] } {
    for (let length = path.length; length > 0; length--) {
      const file = this.#others.get(key(path.slice(0, length)));
      if (file !== undefined) return { file, rest: path.slice(length) };
    }
    return { file: this.#file, rest: path };
  }
}

function key(path: readonly PathPart[]): string {
  return JSON.stringify(path.map(String));
}
