/**
 * The bytes of a file that arrives in pieces. Readers are plain synchronous functions: one that runs out of bytes throws
 * `MORE`, its caller goes back to where it began, adds a piece and calls it again.
 */
import { UserError } from '../../lib/errors.ts';

/** Thrown where the bytes at hand end before what is read does. Carries nothing: one object for all. */
export const MORE: unique symbol = Symbol('more bytes are needed');

/** The most that one statement, or one row of an INSERT, may take: it is held in memory whole. 64 MiB. */
export const LONGEST_PIECE = 64 * 1024 * 1024;

const NEWLINE = 0x0a;

/** An error about a file: `FILE:LINE: what is wrong`, what to do next, exit 2. */
export function fileError(name: string, line: number, what: string, next: string, cause?: unknown): UserError {
  // What is wrong may quote bytes of the file, which are not the terminal's business.
  const shown = what.replace(/[\u0000-\u001f\u007f]/g, (char) => JSON.stringify(char).slice(1, -1));
  return new UserError(`${name}:${line}: ${shown}`, { next, exit: 2, ...(cause === undefined ? {} : { cause }) });
}

/** A window over a file's bytes with a position in it. */
export class ByteCursor {
  /** As messages call the file. */
  readonly name: string;
  buf: Buffer = Buffer.alloc(0);
  pos = 0;
  /** True once no more bytes will come. */
  ended = false;
  /** The line of the bytes before `#newline`, where the next line feed is: counted when somebody asks or bytes are let go. */
  #line = 1;
  #newline = Number.POSITIVE_INFINITY;
  /** Where the line begins. */
  #lineStart = 0;

  constructor(name: string) {
    this.name = name;
  }

  /** Bytes not read yet. */
  get left(): number {
    return this.buf.length - this.pos;
  }

  /** Adds bytes behind those at hand and lets go of those that were read. The pieces must not be written to afterwards. */
  push(pieces: readonly Uint8Array[]): void {
    this.line(this.pos);
    const rest = this.buf.subarray(this.pos);
    const [only, ...others] = pieces;
    const whole = only !== undefined && others.length === 0 && rest.length === 0;
    this.buf = whole ? Buffer.from(only.buffer, only.byteOffset, only.byteLength) : Buffer.concat([rest, ...pieces]);
    this.pos = 0;
    this.#lineStart = 0;
    this.#newline = this.#findNewline(0);
  }

  /** Says that the bytes at hand do not suffice: throws MORE, or what is wrong if there are no more. */
  runOut(what: string, from: number): never {
    if (!this.ended) throw MORE;
    throw this.error(`the file ends inside ${what}`, 'see whether the file is whole, and whether every quote is closed', from);
  }

  /** The line of a position, counted from 1. Lines before the one asked last are right too, but slower. */
  line(at: number = this.pos): number {
    if (at < this.#lineStart) return this.#line - newlines(this.buf, at, this.#lineStart);
    while (this.#newline < at) {
      this.#line += 1;
      this.#lineStart = this.#newline + 1;
      this.#newline = this.#findNewline(this.#lineStart);
    }
    return this.#line;
  }

  #findNewline(from: number): number {
    const found = this.buf.indexOf(NEWLINE, from);
    return found < 0 ? Number.POSITIVE_INFINITY : found;
  }

  /** An error at a position. */
  error(what: string, next: string, at: number = this.pos, cause?: unknown): UserError {
    return fileError(this.name, this.line(at), what, next, cause);
  }
}

function newlines(buf: Buffer, from: number, to: number): number {
  const part = buf.subarray(from, to);
  let count = 0;
  for (let i = part.indexOf(NEWLINE); i >= 0; i = part.indexOf(NEWLINE, i + 1)) count += 1;
  return count;
}
