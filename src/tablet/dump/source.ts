import { ByteCursor, LONGEST_PIECE, MORE } from '../../sql/dump/cursor.ts';
import { tooLong } from '../../sql/dump/statements.ts';

/** A script to load. */
export interface SqlSource {
  /** Shown in messages. */
  name: string;
  /** The raw bytes in pieces of any size, which must not be written to after they were handed out. */
  chunks(): Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
}

/** A text at hand as a source. */
export function textSource(name: string, text: string): SqlSource {
  return { name, chunks: () => [Buffer.from(text)] };
}

/** Pieces are gathered up to this many bytes, so that small ones do not make small transactions. */
const GATHER = 256 * 1024;

/** A source's bytes under a cursor. */
export class Feed {
  readonly cursor: ByteCursor;
  readonly #source: SqlSource;
  #pieces: AsyncIterator<Uint8Array> | Iterator<Uint8Array> | undefined;

  constructor(source: SqlSource) {
    this.#source = source;
    this.cursor = new ByteCursor(source.name);
  }

  /**
   * Adds bytes: at least as many as are still unread, so that starting a long statement over costs no more than reading
   * it twice. Throws UserError for a statement that is too long to hold.
   */
  async more(): Promise<void> {
    const { cursor } = this;
    if (cursor.left > LONGEST_PIECE) throw tooLong(cursor, cursor.pos, 'what');
    this.#pieces ??= this.#open();
    const wanted = Math.max(GATHER, cursor.left);
    const gathered: Uint8Array[] = [];
    let size = 0;
    while (size < wanted) {
      const { done, value } = await this.#pieces.next();
      if (done === true) {
        cursor.ended = true;
        break;
      }
      if (value.length > 0) gathered.push(value);
      size += value.length;
    }
    cursor.push(gathered);
  }

  #open(): AsyncIterator<Uint8Array> | Iterator<Uint8Array> {
    const pieces = this.#source.chunks();
    return Symbol.asyncIterator in pieces ? pieces[Symbol.asyncIterator]() : pieces[Symbol.iterator]();
  }

  /** Runs a reader at the cursor, again from where it began whenever it needs more bytes. */
  async read<T>(reader: () => T): Promise<T> {
    for (;;) {
      const start = this.cursor.pos;
      try {
        return reader();
      } catch (error) {
        if (error !== MORE) throw error;
        this.cursor.pos = start;
        await this.more();
      }
    }
  }

  /** Lets go of the source, whose file may be open, when reading ends early. */
  async close(): Promise<void> {
    await this.#pieces?.return?.();
  }
}
