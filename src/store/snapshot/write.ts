import { createHash } from 'node:crypto';
import { TAR_END, tarHeader, tarPadding } from '../../lib/tar.ts';
import { CHECKSUMS_FILE, type Checksums, HEADER_FILE, type SnapshotHeader, type SnapshotPart } from './archive.ts';
import { bytesInMemory, piecesOf, type Sink } from './bytes.ts';

/** Writes an archive from its header and its parts, each of which is closed once it is written. Nothing is committed. Gives its size in bytes. */
export async function writeArchive(sink: Sink, header: SnapshotHeader, parts: AsyncIterable<SnapshotPart>): Promise<number> {
  const mtime = Math.floor(Date.parse(header.saved_at) / 1000);
  const files: Checksums['files'] = [];
  let written = 0;
  const write = async (chunk: Uint8Array): Promise<void> => {
    written += chunk.length;
    await sink.write(chunk);
  };
  const add = async ({ name, bytes }: SnapshotPart): Promise<void> => {
    try {
      await write(tarHeader({ name, size: bytes.size }, mtime));
      const hash = createHash('sha256');
      for await (const piece of piecesOf(bytes)) {
        hash.update(piece);
        await write(piece);
      }
      await write(TAR_END.subarray(0, tarPadding(bytes.size)));
      files.push({ name, size: bytes.size, sha256: hash.digest('hex') });
    } finally {
      await bytes.close();
    }
  };
  await add(jsonPart(HEADER_FILE, header));
  for await (const part of parts) await add(part);
  await add(jsonPart(CHECKSUMS_FILE, { files } satisfies Checksums));
  await write(TAR_END);
  return written;
}

function jsonPart(name: string, value: object): SnapshotPart {
  return { name, bytes: bytesInMemory(Buffer.from(`${JSON.stringify(value, null, 2)}\n`)) };
}
