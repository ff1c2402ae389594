/** From one column value to a keyspace id, for each functional vindex type. */
import { createHash } from 'node:crypto';
import { VtError, plainError } from '../lib/errors.ts';
import { idToHex } from '../lib/key-range.ts';
import { decryptBlock, encryptBlock } from './des.ts';
import { unicodeLooseKey } from './unicode-loose.ts';
import { type VindexValue, makeScratch64, toBytes, toText, writeInt64, writeUint64 } from './values.ts';
import { xxhash64 } from './xxhash64.ts';

/** The keyspace id, or why there is none. Errors are returned, since most callers only want to know that. */
export type HashResult = Uint8Array | VtError;

/** A function from a value to its keyspace id. */
export type Hashing = (value: VindexValue) => HashResult;

const scratch = makeScratch64();

/** `hash`: the number enciphered. A signed integer keeps its two's complement. */
export function hashInteger(value: VindexValue): HashResult {
  return writeInt64(value, scratch) ?? encryptBlock(scratch.bytes);
}

/** As hashInteger, but negative numbers are unusable: what verifying and region prefixes do. */
export function hashUnsigned(value: VindexValue): HashResult {
  return writeUint64(value, scratch) ?? encryptBlock(scratch.bytes);
}

/** Undoes hashInteger. */
export function unhash(id: Uint8Array | undefined): bigint {
  return decryptBlock(eightBytes(id)).readBigUInt64BE();
}

/** `numeric`: the number itself. */
export function hashNumeric(value: VindexValue): HashResult {
  return writeUint64(value, scratch) ?? Uint8Array.from(scratch.bytes);
}

/** Undoes hashNumeric. */
export function unhashNumeric(id: Uint8Array | undefined): bigint {
  const bytes = id ?? new Uint8Array();
  if (bytes.length !== 8) throw plainError(`Numeric.ReverseMap: length of keyspaceId is not 8: ${bytes.length}`);
  return Buffer.from(bytes).readBigUInt64BE();
}

/** `reverse_bits`: the number with its 64 bits in reverse. */
export function hashReverseBits(value: VindexValue): HashResult {
  return writeUint64(value, scratch) ?? Uint8Array.from(scratch.bytes, reversedByte).reverse();
}

/** Undoes hashReverseBits. */
export function unhashReverseBits(id: Uint8Array | undefined): bigint {
  return Buffer.from(Uint8Array.from(eightBytes(id), reversedByte).reverse()).readBigUInt64BE();
}

function reversedByte(byte: number): number {
  let out = 0;
  for (let bit = 0; bit < 8; bit++) out |= ((byte >> bit) & 1) << (7 - bit);
  return out;
}

function eightBytes(id: Uint8Array | undefined): Uint8Array {
  if (id?.length !== 8) throw plainError(`invalid keyspace id: ${id === undefined ? '' : idToHex(id)}`);
  return id;
}

/** `binary`: the bytes themselves. */
export function hashBinary(value: VindexValue): Uint8Array {
  return Uint8Array.from(toBytes(value));
}

/** Undoes hashBinary. */
export function unhashBinary(id: Uint8Array | undefined): Uint8Array {
  if (id === undefined) throw plainError('Binary.ReverseMap: keyspaceId is nil');
  return id;
}

/** `binary_md5`: the MD5 of the bytes. */
export function hashMd5(value: VindexValue): Uint8Array {
  return md5(toBytes(value));
}

/** Short text is encoded here, again and again, rather than in a buffer of its own. */
const textBytes = Buffer.alloc(192);

/** `xxhash`: the xxHash64 of the bytes, lowest byte first. */
export function hashXxhash(value: VindexValue): Uint8Array {
  if (value instanceof Uint8Array) return xxhash64(value);
  const text = toText(value);
  // A UTF-16 unit takes three bytes at most.
  return text.length <= 64 ? xxhash64(textBytes, textBytes.write(text)) : xxhash64(Buffer.from(text));
}

/** `unicode_loose_md5`: the MD5 of the text without case and accents. */
export function hashUnicodeMd5(value: VindexValue): HashResult {
  return hashLoose(value, md5);
}

/** `unicode_loose_xxhash`: the xxHash64 of the text without case and accents. */
export function hashUnicodeXxhash(value: VindexValue): HashResult {
  return hashLoose(value, xxhash64);
}

function hashLoose(value: VindexValue, hash: (key: Uint8Array) => Uint8Array): HashResult {
  try {
    return hash(unicodeLooseKey(toBytes(value)));
  } catch (error) {
    if (error instanceof VtError) return error;
    throw error;
  }
}

function md5(bytes: Uint8Array): Uint8Array {
  return createHash('md5').update(bytes).digest();
}

/** `null`: every row has the same id. */
export function hashNull(): Uint8Array {
  return Uint8Array.of(0);
}
