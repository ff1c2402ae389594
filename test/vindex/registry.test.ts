import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InvariantError, UserError } from '../../src/lib/errors.ts';
import { containsId, idToHex } from '../../src/lib/key-range.ts';
import { VINDEX_TYPES, createVindex, isVindexType } from '../../src/vindex/registry.ts';

const message = (text: unknown): object => expect.objectContaining({ message: text }) as object;
const hex = (text: string): Buffer => Buffer.from(text, 'hex');

describe('createVindex', () => {
  it('tells cost, uniqueness and what it does not know', () => {
    const costs = {
      hash: 1,
      xxhash: 1,
      unicode_loose_md5: 1,
      unicode_loose_xxhash: 1,
      binary_md5: 1,
      numeric: 0,
      reverse_bits: 1,
      binary: 0,
      null: 100,
    };
    for (const [type, cost] of Object.entries(costs)) {
      const vindex = createVindex('mine', type, { hello: 'world', again: '' });
      expect(vindex).toMatchObject({ name: 'mine', type, cost, unique: true, needsCursor: false, columns: 1 });
      expect(vindex.unknownParams).toEqual(['again', 'hello']);
    }
  });

  it('refuses a type that Vitess does not have', () => {
    expect(() => createVindex('v', 'not_found')).toThrow(message('vindexType "not_found" not found'));
    expect(isVindexType('toString')).toBe(false);
    expect(() => createVindex('v', 'toString')).toThrow(message('vindexType "toString" not found'));
  });

  it('agrees with the table of types', () => {
    const params = { json: '{}', column_count: '2', region_bytes: '1', region_map: 'm' };
    for (const [type, info] of Object.entries(VINDEX_TYPES)) {
      const vindex = createVindex('v', type, params, { readFile: () => '{}' });
      expect(vindex).toMatchObject({ type, unique: info.unique, needsCursor: info.needsCursor });
      expect(vindex.reverseMap !== undefined, type).toBe(info.reversible);
      if (type !== 'multicol') expect(vindex.cost, type).toBe(info.cost);
    }
  });

  it.each(['lookup', 'lookup_hash_unique', 'consistent_lookup', 'cfc'])('knows %s, but maps nothing with it', (type) => {
    const vindex = createVindex('by_name', type, { table: 't', from: 'a', to: 'b' });
    const refused = expect.objectContaining({ message: expect.stringContaining(`by_name of type ${type}`) as string });
    expect(() => vindex.map([1])).toThrow(UserError);
    expect(() => vindex.map([1])).toThrow(refused);
    expect(() => vindex.verify([1], hex('00'))).toThrow(refused);
  });

  it('orders the lookup types after all functional ones but null', () => {
    expect([VINDEX_TYPES.lookup.cost, VINDEX_TYPES.lookup_unique.cost]).toEqual([20, 10]);
    expect(createVindex('v', 'lookup_hash', { no_verify: 'true', write_only: 'true' }).unknownParams).toEqual([
      'no_verify',
    ]);
  });
});

describe('unusable values', () => {
  it('have no shard, but fail verifying', () => {
    for (const type of ['numeric', 'hash', 'reverse_bits']) {
      expect(createVindex('v', type).map(['aa'])).toBeUndefined();
    }
    const numeric = createVindex('v', 'numeric');
    const texts: [string | number | null, string][] = [
      ['aa', 'cannot parse uint64 from "aa"'],
      [-1, 'cannot parse uint64 from "-1"'],
      [' ', 'cannot parse uint64 from " "'],
      [null, 'cannot parse uint64 from empty string'],
      [1.1, 'unparsed tail left after parsing uint64 from "1.1": ".1"'],
      ['\t 42 \n', 'unparsed tail left after parsing uint64 from "\\t 42 \\n": "\\n"'],
      ['18446744073709551616x', 'cannot parse uint64 from "18446744073709551616x": overflow'],
    ];
    for (const [value, text] of texts) expect(() => numeric.verify([value], hex('00'))).toThrow(message(text));
  });

  it('hash verifies unsigned, though it maps signed', () => {
    const vindex = createVindex('v', 'hash');
    expect(() => vindex.verify([-1], hex('355550b2150e2451'))).toThrow(message('cannot parse uint64 from "-1"'));
  });

  it('fail mapping of text that is none', () => {
    const bad = Buffer.from([0x61, 0xff, 0x22, 0xc3]);
    const why = 'cannot normalize string containing invalid UTF-8: "a\\xff\\"\\xc3"';
    expect(() => createVindex('v', 'unicode_loose_md5').map([bad])).toThrow(message(`UnicodeLooseMD5.Map: ${why}`));
    expect(() => createVindex('v', 'unicode_loose_xxhash').verify([bad], hex('00'))).toThrow(
      message(`UnicodeLooseXXHash.Verify: ${why}`),
    );
  });

  it('a missing value is a bug of the caller', () => {
    expect(() => createVindex('v', 'hash').map([])).toThrow(InvariantError);
  });
});

describe('the way back', () => {
  it.each(['hash', 'numeric', 'reverse_bits'])('%s gives the number', (type) => {
    const vindex = createVindex('v', type);
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), (n) => {
        expect(vindex.reverseMap?.(vindex.map([n]))).toBe(n);
      }),
    );
  });

  it('refuses ids of another length', () => {
    const long = hex('80000000000000008000000000000000');
    const reverse = (type: string) => createVindex('v', type).reverseMap;
    expect(() => reverse('hash')?.(long)).toThrow(message('invalid keyspace id: 80000000000000008000000000000000'));
    expect(() => reverse('reverse_bits')?.(hex('80'))).toThrow(message('invalid keyspace id: 80'));
    expect(() => reverse('numeric')?.(Buffer.from('aa'))).toThrow(
      message('Numeric.ReverseMap: length of keyspaceId is not 8: 2'),
    );
    expect(reverse('binary')?.(hex('01'))).toEqual(hex('01'));
    expect(() => reverse('binary')?.(undefined)).toThrow(message('Binary.ReverseMap: keyspaceId is nil'));
  });

  it('BETWEEN is a range where order is kept', () => {
    expect(createVindex('v', 'binary').mapBetween?.(hex('01'), hex('10'))).toEqual({ start: '01', end: '10' });
    expect(createVindex('v', 'numeric').mapBetween?.(1, 16)).toEqual({
      start: '0000000000000001',
      end: '0000000000000010',
    });
    expect(() => createVindex('v', 'numeric').mapBetween?.('a', 16)).toThrow(message('cannot parse uint64 from "a"'));
    expect(createVindex('v', 'hash').mapBetween).toBeUndefined();
  });
});

it('reverse_bits puts odd ids in the upper half', () => {
  const vindex = createVindex('v', 'reverse_bits');
  const upper = [1, 2, 3].map((n) => containsId({ start: '80', end: '' }, idToHex(vindex.map([n]) ?? hex('00'))));
  expect(upper).toEqual([true, false, true]);
});

describe('numeric_static_map', () => {
  const create = (params: Record<string, string>) => createVindex('v', 'numeric_static_map', params);
  const map = '{"1":2,"3":4,"4":5,"5":6,"6":7,"7":8,"8":9,"10":18446744073709551615}';

  it.each([
    [{}, 'NumericStaticMap: Could not find either `json_path` or `json` params in vschema'],
    [{ json: '{}', json_path: '/path/to/map.json' }, 'NumericStaticMap: Found both `json` and `json_path` params in vschema'],
    [{ json: '{]' }, "invalid character ']' looking for beginning of object key string"],
    [{ json: '{}', fallback_type: 'not_found' }, 'vindexType "not_found" not found'],
    [{ json: '{"1":2,"3":4,"5":6:8,"10":11}' }, "invalid character ':' after object key:value pair"],
    [{ json: '{"1":a}' }, "invalid character 'a' looking for beginning of value"],
    [{ json: '{"a":1}' }, 'strconv.ParseUint: parsing "a": invalid syntax'],
    [{ json: '{"18446744073709551616":1}' }, 'strconv.ParseUint: parsing "18446744073709551616": value out of range'],
    [{ json: '{"1":"2"}' }, 'json: cannot unmarshal string into Go value of type uint64'],
    [{ json: '{"1":-2}' }, 'json: cannot unmarshal number -2 into Go value of type uint64'],
    [{ json: '{"1"' }, 'unexpected end of JSON input'],
    [{ json: '' }, 'unexpected end of JSON input'],
    [{ json: '[]' }, 'json: cannot unmarshal array into Go value of type map[string]uint64'],
    [{ json: '{} x' }, "invalid character 'x' after top-level value"],
  ])('refuses %j', (params, text) => {
    expect(() => create(params)).toThrow(message(text));
  });

  it('maps what the map has, and otherwise the number', () => {
    const vindex = create({ json: '{ "3" : 2 }', hello: 'world' });
    expect(vindex.unknownParams).toEqual(['hello']);
    const ids = [1, 2, 3, 1.1, null].map((value) => vindex.map([value]));
    expect(ids.map((id) => id && idToHex(id))).toEqual([
      '0000000000000001',
      '0000000000000002',
      '0000000000000002',
      undefined,
      undefined,
    ]);
  });

  it('hands on what the map has not to the fallback, text apart', () => {
    const vindex = create({ json: map, fallback_type: 'xxhash' });
    const ids = [1, 2, 3, 1.1, 'test1', 10, null].map((value) => vindex.map([value]));
    expect(ids.map((id) => id && idToHex(id))).toEqual([
      '0000000000000002',
      '8b59801662b52160',
      '0000000000000004',
      undefined,
      undefined,
      'ffffffffffffffff',
      undefined,
    ]);
    expect(vindex.verify([11], hex('ffffffffffffffff'))).toBe(false);
    expect(() => vindex.verify(['aa'], hex('00'))).toThrow(message('cannot parse uint64 from "aa"'));
  });

  it('reads a file only through the caller', () => {
    const readFile = (path: string): string => (path === 'm.json' ? '{"3":2}' : '');
    const vindex = createVindex('v', 'numeric_static_map', { json_path: 'm.json' }, { readFile });
    expect(vindex.map([3])).toEqual(Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 2));
    expect(() => create({ json_path: 'm.json' })).toThrow(UserError);
  });
});
