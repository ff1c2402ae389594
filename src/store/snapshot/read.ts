import { createHash } from 'node:crypto';
import { UserError } from '../../lib/errors.ts';
import { readTarHeader, TAR_BLOCK, type TarEntry, tarPadding } from '../../lib/tar.ts';
import { CHECKSUMS_FILE, type Checksums, HEADER_FILE, SHARD_PART, SNAPSHOT_FORMAT, type SnapshotHeader, TOPOLOGY_PART } from './archive.ts';
import { type Bytes, piecesOf, type Sink } from './bytes.ts';

/** What of the databases inside an archive this program can read. */
export type KnownSchema = SnapshotHeader['schema'];

/** A header and a list of checksums are small; what says otherwise is damaged. */
const MOST_JSON_BYTES = 64 * 1024 * 1024;

/** An archive whose header has been read. */
export class Archive {
  readonly header: SnapshotHeader;
  readonly #name: string;
  readonly #bytes: Bytes;

  private constructor(name: string, bytes: Bytes, header: SnapshotHeader) {
    this.#name = name;
    this.#bytes = bytes;
    this.header = header;
  }

  /**
   * Reads the header of an archive that people know by `name`. Throws UserError, exit 2, in one line, for what is no snapshot, is cut off
   * in its header, or was made by a program that knows more.
   */
  static async open(name: string, bytes: Bytes, known: KnownSchema): Promise<Archive> {
    if (bytes.size === 0) throw refused(`${name} is empty: no snapshot was ever written to it`);
    const first = await entryAt(bytes, 0);
    if (first === undefined || first === 'end' || first.name !== HEADER_FILE) throw refused(`${name} is not a snapshot of switchtraffic`);
    const header = await jsonAt(name, bytes, first, TAR_BLOCK, isHeader);
    const { format, schema, version } = header;
    if (format > SNAPSHOT_FORMAT || schema.topology > known.topology || schema.shard > known.shard) {
      throw new UserError(`${name} was made by switchtraffic ${version}, which is newer than this one`, { next: `restore it with switchtraffic ${version}`, exit: 2 });
    }
    return new Archive(name, bytes, header);
  }

  /** Every part as `to` says, each committed once it is as it was when it was saved. Throws UserError, exit 2, where anything is not. */
  async extract(to: (part: string) => Promise<Sink>): Promise<void> {
    const found: Checksums['files'] = [];
    let at = 0;
    for (;;) {
      const entry = await entryAt(this.#bytes, at);
      if (entry === 'end') throw damaged(this.#name, 'it has no checksums');
      if (entry === undefined) throw damaged(this.#name, at + TAR_BLOCK > this.#bytes.size ? 'it ends too early' : `what stands at byte ${at} is no file of it`);
      const start = at + TAR_BLOCK;
      if (start + entry.size > this.#bytes.size) throw damaged(this.#name, 'it ends too early');
      if (entry.name === CHECKSUMS_FILE) {
        const { files } = await jsonAt(this.#name, this.#bytes, entry, start, isChecksums);
        this.#compare(found, files);
        return;
      }
      const isPart = entry.name === TOPOLOGY_PART || SHARD_PART.test(entry.name);
      if (!isPart && entry.name !== HEADER_FILE) throw damaged(this.#name, `it holds a file ${JSON.stringify(entry.name)} that is not ours`);
      if (found.some((one) => one.name === entry.name)) throw damaged(this.#name, `it holds ${entry.name} twice`);
      found.push({ ...entry, sha256: await this.#copy(start, entry.size, isPart ? await to(entry.name) : undefined) });
      at = start + entry.size + tarPadding(entry.size);
    }
  }

  close(): Promise<void> {
    return this.#bytes.close();
  }

  async #copy(start: number, size: number, sink: Sink | undefined): Promise<string> {
    const hash = createHash('sha256');
    try {
      for await (const piece of piecesOf(this.#bytes, start, start + size)) {
        hash.update(piece);
        await sink?.write(piece);
      }
      await sink?.commit();
    } catch (error) {
      await sink?.drop();
      throw error;
    }
    return hash.digest('hex');
  }

  #compare(found: Checksums['files'], saved: Checksums['files']): void {
    for (const { name, size, sha256 } of saved) {
      const file = found.find((one) => one.name === name);
      if (file === undefined) throw damaged(this.#name, `${name} is missing`);
      if (file.size !== size || file.sha256 !== sha256) throw damaged(this.#name, `${name} is not what was saved`);
    }
    const more = found.find(({ name }) => !saved.some((one) => one.name === name));
    if (more !== undefined) throw damaged(this.#name, `${more.name} was put into it later`);
    if (!found.some(({ name }) => name === TOPOLOGY_PART)) throw damaged(this.#name, `${TOPOLOGY_PART} is missing`);
  }
}

async function entryAt(bytes: Bytes, at: number): Promise<TarEntry | 'end' | undefined> {
  const block = await bytes.read(at, TAR_BLOCK);
  return block.length < TAR_BLOCK ? undefined : readTarHeader(block);
}

async function jsonAt<T>(name: string, bytes: Bytes, { name: file, size }: TarEntry, start: number, isRight: (value: unknown) => value is T): Promise<T> {
  if (start + size > bytes.size) throw damaged(name, 'it ends too early');
  if (size > MOST_JSON_BYTES) throw damaged(name, `its ${file} is too large`);
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(await bytes.read(start, size)).toString('utf8'));
  } catch {
    throw damaged(name, `its ${file} cannot be read`);
  }
  if (!isRight(value)) throw damaged(name, `its ${file} cannot be read`);
  return value;
}

function isHeader(value: unknown): value is SnapshotHeader {
  const { format, version, schema, vitess_version: vitess, saved_at: saved } = (value ?? {}) as Partial<SnapshotHeader>;
  return (
    Number.isInteger(format) &&
    [version, vitess, saved].every((text) => typeof text === 'string') &&
    Number.isInteger(schema?.topology) &&
    Number.isInteger(schema?.shard)
  );
}

function isChecksums(value: unknown): value is Checksums {
  const { files } = (value ?? {}) as Partial<Checksums>;
  return Array.isArray(files) && files.every((file) => typeof file.name === 'string' && typeof file.sha256 === 'string' && Number.isInteger(file.size));
}

function damaged(name: string, how: string): UserError {
  return refused(`the snapshot ${name} is damaged: ${how}`);
}

function refused(text: string): UserError {
  return new UserError(text, { next: 'take another one; those that were given a name: switchtraffic snapshot list', exit: 2 });
}
