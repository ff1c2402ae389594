import { describe, expect, it } from 'vitest';
import { idToHex } from '../../src/lib/key-range.ts';
import { xxhash64 } from '../../src/vindex/xxhash64.ts';

/** The hash as the number it is, highest byte first. */
const hash = (bytes: Uint8Array): string => idToHex(xxhash64(bytes).reverse());

describe('xxhash64', () => {
  // Bytes 1, 8, 15, …, modulo 256; computed with github.com/cespare/xxhash. Lengths around each inner boundary.
  it.each([
    [0, 'ef46db3751d8e999'],
    [1, '8a4127811b21e730'],
    [3, 'b6e6c910c2fd373a'],
    [4, '22eda2cf6af4c124'],
    [7, '34084d91a233a751'],
    [8, 'c6f1803a5e0b3222'],
    [12, '9178b724dce384c0'],
    [31, '6ab1c40e29f50073'],
    [32, '5a0756fbe9ecd3d1'],
    [33, 'dc50cdc37bb9c183'],
    [63, '10dd94885c71894a'],
    [64, '90083da9cdb9d795'],
    [100, 'd248bfc5208b0b16'],
  ])('%d bytes', (length, hex) => {
    const bytes = Uint8Array.from({ length }, (_, i) => i * 7 + 1);
    expect(hash(bytes)).toBe(hex);
  });

  it('takes only the first bytes where told so', () => {
    const bytes = Buffer.from('test1 and more');
    expect(idToHex(xxhash64(bytes, 5))).toBe('d01ab7e4d6978f0b');
  });
});
