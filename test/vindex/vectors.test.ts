import { describe, expect, it } from 'vitest';
import { idToHex } from '../../src/lib/key-range.ts';
import { createVindex } from '../../src/vindex/registry.ts';
import type { VindexValue } from '../../src/vindex/values.ts';

/** Values and the keyspace ids that Vitess's own tests expect; undefined is no shard. */
const VECTORS: Record<string, [VindexValue, string | undefined][]> = {
  hash: [
    [1, '166b40b44aba4bd6'],
    [2, '06e7ea22ce92708f'],
    [3, '4eb190c9a2fa169c'],
    [4, 'd2fd8867d50d2dfe'],
    [5, '70bb023c810ca87a'],
    [6, 'f098480ac4c4be71'],
    [0, '8ca64de9c1b123a7'],
    [-0, '8ca64de9c1b123a7'],
    [-1, '355550b2150e2451'],
    [-1n, '355550b2150e2451'],
    [2n ** 64n - 1n, '355550b2150e2451'],
    ['18446744073709551615', '355550b2150e2451'],
    [2n ** 63n - 1n, 'f77d48aadda1f1bb'],
    [-(2n ** 63n), '95f8a5e5dd31d900'],
    [-(2 ** 63), '95f8a5e5dd31d900'],
    ['1', '166b40b44aba4bd6'],
    [' \t1 ', '166b40b44aba4bd6'],
    [Buffer.from('1'), '166b40b44aba4bd6'],
    ['-1', undefined],
    [1.1, undefined],
    [2n ** 64n, undefined],
    ['aa', undefined],
    [null, undefined],
  ],
  xxhash: [
    ['test1', 'd01ab7e4d6978f0b'],
    ['test2', '87eb11714c0a0e89'],
    ['testaverylongvaluetomakesurethisworks', '81d8c38e0d850e6a'],
    [1, 'd46405367612b4b7'],
    ['1', 'd46405367612b4b7'],
    [Buffer.from('1'), 'd46405367612b4b7'],
    [-1, 'd8e2a6a7c8c7623d'],
    [18446744073709551615n, '477cfa8d6d8f1f8d'],
    [9223372036854775807n, 'b37eb01f7bffafd8'],
    [-9223372036854775808n, '102c27ddb26a609e'],
    [null, '99e9d85137db46ef'],
  ],
  unicode_loose_md5: [
    ['Test', '0b5edbb401fd7524393690491d64f1f5'],
    ['TEST', '0b5edbb401fd7524393690491d64f1f5'],
    ['T\u00e9st', '0b5edbb401fd7524393690491d64f1f5'],
    ['Te\u0301st', '0b5edbb401fd7524393690491d64f1f5'],
    ['Test ', '0b5edbb401fd7524393690491d64f1f5'],
    ['B\u00e9st', 'c2b2332e4f73d00741026249706f2fb6'],
    [' Test', 'a2e3515c7e8df1ffd2ccfc11c6b19dd1'],
    ['Test\t', '82456dd87a9c7a02b1c2056b5abaa272'],
    ['T\u00e9stLooong', '9683e12b80430cd453f5dfdfba81c9a5'],
    ['T', 'ac0f9179f51db87fe8ecc0cf40cab97a'],
    [null, 'd41d8cd98f00b204e9800998ecf8427e'],
  ],
  unicode_loose_xxhash: [
    ['Test', '42d21361087a4c07'],
    ['B\u00e9st', '926975b9ce2ec316'],
    [' Test', '4fcb8be34ec05775'],
    ['Test\t', '20af87fc36e3fd51'],
    ['T\u00e9stLooong', 'd3ea873942b484a7'],
    ['T', 'f81c3be2d501fe18'],
    [null, '99e9d85137db46ef'],
  ],
  binary_md5: [
    ['test1', '5a105e8b9d40e1329780d62ea2265d8a'],
    ['TEST', '033bd94b1168d7e4f0d644c3c95e35bf'],
    ['Test', '0cbc6611f5540bd0809a388dc95a615b'],
    [null, 'd41d8cd98f00b204e9800998ecf8427e'],
  ],
  binary: [
    ['test1', '7465737431'],
    [Uint8Array.of(0, 255), '00ff'],
    [null, ''],
  ],
  numeric: [
    [1, '0000000000000001'],
    [2, '0000000000000002'],
    [8, '0000000000000008'],
    [2 ** 40 + 5, '0000010000000005'],
    ['18446744073709551615', 'ffffffffffffffff'],
    [1.1, undefined],
    [-1, undefined],
    [null, undefined],
  ],
  reverse_bits: [
    [1, '8000000000000000'],
    [2, '4000000000000000'],
    [3, 'c000000000000000'],
    [4, '2000000000000000'],
    [5, 'a000000000000000'],
    [6, '6000000000000000'],
    [2n ** 63n, '0000000000000001'],
    [null, undefined],
  ],
  null: [
    [1, '00'],
    ['1234567890123', '00'],
    [null, '00'],
  ],
};

describe.each(Object.entries(VECTORS))('%s', (type, vectors) => {
  const vindex = createVindex('v', type);
  // Each one twice: ids must not share memory, nor the cipher keep state.
  const first = vectors.map(([value]) => vindex.map([value]));
  const second = vectors.map(([value]) => vindex.map([value]));

  it('maps as Vitess does', () => {
    const ids = first.map((id) => (id === undefined ? undefined : idToHex(id)));
    expect(ids).toEqual(vectors.map(([, id]) => id));
    expect(second).toEqual(first);
  });

  it('verifies what it maps, and nothing else', () => {
    for (const [value, id] of vectors) {
      const negative = type === 'hash' && (typeof value === 'number' || typeof value === 'bigint') && value < 0;
      if (id === undefined || negative) continue;
      expect(vindex.verify([value], Buffer.from(id, 'hex'))).toBe(true);
      expect(vindex.verify([value], Buffer.from(`${id}ff`, 'hex'))).toBe(false);
    }
  });
});

it('lookup_unicodeloosemd5_hash stores the number that begins the MD5', () => {
  const md5 = createVindex('v', 'unicode_loose_md5');
  const stored = [10, 20, 30, 40].map((n) => Buffer.from(md5.map([n]) ?? []).readBigUInt64BE());
  expect(stored).toEqual([17563797831108199066n, 8729390916138266389n, 1472608112194674795n, 16576388050845489136n]);
});
