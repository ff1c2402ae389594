import { UserError } from '../../lib/errors.ts';

/** A place in a file, counted from 1 as editors do. */
export interface Place {
  file: string;
  line: number;
  column: number;
}

/** `FILE:LINE:COLUMN`, which editors and terminals make a link of. */
export function placeText({ file, line, column }: Place): string {
  return `${file}:${line}:${column}`;
}

/** Something wrong in a file that a person wrote: where, what, and how to put it right. Exit status 2. */
export class FileError extends UserError {
  readonly place: Place;
  /** The text without its place. */
  readonly problem: string;

  constructor(place: Place, problem: string, next?: string) {
    super(`${placeText(place)}: ${problem}`, { exit: 2, ...(next === undefined ? {} : { next }) });
    this.name = 'FileError';
    this.place = place;
    this.problem = problem;
  }
}

const UTF8 = new TextDecoder('utf-8', { fatal: true });

/** The text of a file; bytes that are not UTF-8 are told with their line. Throws FileError. */
export function decodeText(file: string, bytes: Uint8Array): string {
  try {
    return UTF8.decode(bytes);
  } catch {
    const good = goodPrefix(bytes);
    // `stream`: the beginning of the character that is wrong is not counted as one.
    const before = new TextDecoder().decode(bytes.subarray(0, good), { stream: true }).split('\n');
    throw new FileError({ file, line: before.length, column: before.at(-1)!.length + 1 }, 'not UTF-8 text');
  }
}

/** How many bytes from the start are whole characters, found by halving. */
function goodPrefix(bytes: Uint8Array): number {
  let [low, high] = [0, bytes.length];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (isPrefix(bytes.subarray(0, middle))) low = middle;
    else high = middle - 1;
  }
  return low;
}

function isPrefix(bytes: Uint8Array): boolean {
  try {
    // `stream`: a character cut at the end is not wrong yet.
    new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: true });
    return true;
  } catch {
    return false;
  }
}
