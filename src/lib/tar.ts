/**
 * The headers of a tar archive (POSIX ustar), as every tar reads and writes them. Pure: contents are the caller's. Only plain files.
 */

/** Headers and contents are padded to so many bytes. */
export const TAR_BLOCK = 512;

/** A file of an archive. */
export interface TarEntry {
  name: string;
  size: number;
}

/** Two empty blocks end an archive. */
export const TAR_END = new Uint8Array(2 * TAR_BLOCK);

/** The longest name that a header holds, in bytes. */
export const TAR_NAME_BYTES = 100;

/** How many bytes follow a file's contents until the next header. */
export function tarPadding(size: number): number {
  return (TAR_BLOCK - (size % TAR_BLOCK)) % TAR_BLOCK;
}

/** The header of a file; `mtime` in seconds. Throws RangeError for a name that is too long. */
export function tarHeader({ name, size }: TarEntry, mtime: number): Uint8Array {
  const block = Buffer.alloc(TAR_BLOCK);
  if (Buffer.byteLength(name) > TAR_NAME_BYTES) throw new RangeError(`the name ${name} is too long for an archive`);
  block.write(name, 0);
  writeNumber(block, 100, 8, 0o644);
  writeNumber(block, 108, 8, 0);
  writeNumber(block, 116, 8, 0);
  writeNumber(block, 124, 12, size);
  writeNumber(block, 136, 12, mtime);
  block.write('0', 156);
  block.write('ustar\u{0}00', 257);
  block.write(`${checksum(block).toString(8).padStart(6, '0')}\0 `, 148);
  return block;
}

/** The file that a header is about; `end` for an empty block, undefined for one that is no header of a plain file. */
export function readTarHeader(block: Uint8Array): TarEntry | 'end' | undefined {
  const bytes = Buffer.from(block.buffer, block.byteOffset, block.byteLength);
  if (bytes.every((byte) => byte === 0)) return 'end';
  if (bytes.toString('latin1', 257, 262) !== 'ustar' || readNumber(bytes, 148, 8) !== checksum(bytes)) return undefined;
  const type = bytes[156];
  const size = readNumber(bytes, 124, 12);
  if ((type !== 0 && type !== 0x30) || size === undefined) return undefined;
  return { name: textAt(bytes, 0, TAR_NAME_BYTES), size };
}

/** Octal digits; what does not fit (8 GiB and more) as GNU and newer POSIX tars write it, in binary with the first bit set. */
function writeNumber(block: Buffer, at: number, length: number, value: number): void {
  const digits = value.toString(8).padStart(length - 1, '0');
  if (digits.length < length) {
    block.write(`${digits}\0`, at);
    return;
  }
  block.writeBigUInt64BE(BigInt(value), at + length - 8);
  block[at] = 0x80;
}

function readNumber(block: Buffer, at: number, length: number): number | undefined {
  if ((block[at]! & 0x80) !== 0) return Number(block.readBigUInt64BE(at + length - 8));
  const digits = textAt(block, at, length).trim();
  return /^[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : undefined;
}

function textAt(block: Buffer, at: number, length: number): string {
  const end = block.indexOf(0, at);
  return block.toString('utf8', at, end < 0 || end > at + length ? at + length : end);
}

/** The sum of the header's bytes, its own eight counted as blanks. */
function checksum(block: Uint8Array): number {
  return block.reduce((sum, byte, index) => sum + (index >= 148 && index < 156 ? 0x20 : byte), 0);
}
