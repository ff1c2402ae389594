/** Bytes that are read in pieces. */
export interface Bytes {
  readonly size: number;
  /** So many bytes from a place on; fewer only where they end. */
  read(at: number, length: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** Where bytes are written one after another. */
export interface Sink {
  write(chunk: Uint8Array): Promise<void>;
  /** All of them are there, for good. */
  commit(): Promise<void>;
  /** Removes what was written. May be called after anything. */
  drop(): Promise<void>;
}

/** How much is read or written at once. */
const CHUNK_BYTES = 1024 * 1024;

/** A part of some bytes, piece by piece. Ends early where they do. */
export async function* piecesOf(bytes: Bytes, from = 0, to = bytes.size): AsyncGenerator<Uint8Array> {
  for (let at = from; at < to; ) {
    const piece = await bytes.read(at, Math.min(CHUNK_BYTES, to - at));
    if (piece.length === 0) return;
    yield piece;
    at += piece.length;
  }
}

/** Bytes that are in memory. */
export function bytesInMemory(contents: Uint8Array): Bytes {
  return {
    size: contents.length,
    read: (at, length) => Promise.resolve(contents.subarray(at, at + length)),
    close: () => Promise.resolve(),
  };
}

/** Gathers bytes in memory, and hands them over once they are all there. */
export function memorySink(done: (contents: Buffer) => void): Sink {
  const chunks: Uint8Array[] = [];
  return {
    write: (chunk) => {
      // The caller may use its buffer again.
      chunks.push(Uint8Array.from(chunk));
      return Promise.resolve();
    },
    commit: () => {
      done(Buffer.concat(chunks));
      return Promise.resolve();
    },
    drop: () => Promise.resolve(),
  };
}
