/** The block cipher behind the `hash` vindex: DES with a key of zeros, so that neighbours land far apart. */
import { type Cipher, type Decipher, createCipheriv, createDecipheriv } from 'node:crypto';

// Single DES is gone from OpenSSL's default provider; triple DES with three equal keys is the same thing. In this
// mode blocks are independent, so one cipher serves for all of them.
const ALGORITHM = 'des-ede3-ecb';
let encipher: Cipher | undefined;
let decipher: Decipher | undefined;

/** Enciphers one block of eight bytes; the input is left alone. */
export function encryptBlock(block: Uint8Array): Uint8Array {
  encipher ??= createCipheriv(ALGORITHM, Buffer.alloc(24), null).setAutoPadding(false);
  return encipher.update(block);
}

/** Undoes encryptBlock. */
export function decryptBlock(block: Uint8Array): Buffer {
  decipher ??= createDecipheriv(ALGORITHM, Buffer.alloc(24), null).setAutoPadding(false);
  return decipher.update(block);
}
