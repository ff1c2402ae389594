import { describe, expect, it } from 'vitest';
import { InvariantError } from '../../src/lib/errors.ts';
import { idToHex } from '../../src/lib/key-range.ts';
import { createVindex } from '../../src/vindex/registry.ts';
import type { VindexValue } from '../../src/vindex/values.ts';
import type { Vindex, VindexParams } from '../../src/vindex/vindex.ts';

const message = (text: string): object => expect.objectContaining({ message: text }) as object;

function mapped(vindex: Vindex, rows: VindexValue[][]): (string | undefined)[] {
  return rows.map((row) => {
    const id = vindex.map(row);
    return id && idToHex(id);
  });
}

describe('multicol', () => {
  const create = (params: VindexParams): Vindex => createVindex('v', 'multicol', params);

  it('puts the first bytes of each hash together', () => {
    const vindex = create({ column_count: '3' });
    const rows = [
      [1, 1, 1],
      [255, 1, 1],
      [256, 1, 1],
      [Buffer.from('abcd'), 256, 256],
      [256, 256, 'abcd'],
      [1, 1, 1, 1],
    ];
    expect(mapped(vindex, rows)).toEqual([
      '166b40166b40166b',
      '254e88166b40166b',
      'dd7c0b166b40166b',
      undefined,
      undefined,
      undefined,
    ]);
    expect(vindex).toMatchObject({ cost: 3, columns: 3, unique: true, needsCursor: false, unknownParams: [] });
  });

  it('gives the range of a prefix', () => {
    const vindex = create({ column_count: '3' });
    expect(vindex.mapPrefix?.([1])).toEqual({ start: '166b40', end: '166b41' });
    expect(vindex.mapPrefix?.([1, 1])).toEqual({ start: '166b40166b40', end: '166b40166b41' });
    expect(vindex.mapPrefix?.(['abcd'])).toBeUndefined();
    // With no column known, every shard is meant.
    expect(vindex.mapPrefix?.([])).toEqual({ start: '', end: '' });
    expect(() => vindex.map([1])).toThrow(InvariantError);
  });

  it('leaves the range open after the last prefix, and carries over bytes', () => {
    const vindex = create({ column_count: '2', column_bytes: '1,7', column_vindex: 'binary,binary' });
    expect(vindex.mapPrefix?.([Uint8Array.of(0xff)])).toEqual({ start: 'ff', end: '' });
    const wide = create({ column_count: '2', column_bytes: '2,6', column_vindex: 'binary,binary' });
    expect(wide.mapPrefix?.([Uint8Array.of(0x01, 0xff)])).toEqual({ start: '01ff', end: '0200' });
    expect(wide.mapPrefix?.([Uint8Array.of(0x00, 0x01)])).toEqual({ start: '0001', end: '0002' });
  });

  it('fills up after a short hash', () => {
    const vindex = create({ column_count: '3', column_bytes: '2,3,3', column_vindex: 'binary, binary ,' });
    expect(mapped(vindex, [['a', 'b', 1]])).toEqual(['6100620000166b40']);
    expect(vindex.cost).toBe(1);
  });

  it('shares what is left of eight bytes, the first columns getting more', () => {
    const columns = (params: VindexParams): number[] => {
      const vindex = create({ ...params, column_vindex: Array(Number(params['column_count'])).fill('binary').join() });
      return Array.from({ length: vindex.columns }, (_, i) => {
        const before = Array.from({ length: i }, () => '');
        const id = vindex.mapPrefix?.([...before, 'xxxxxxxxx'])?.start ?? '';
        return id.replace(/^(00)*/, '').length / 2;
      });
    };
    expect(columns({ column_count: '3' })).toEqual([3, 3, 2]);
    expect(columns({ column_count: '5' })).toEqual([2, 2, 2, 1, 1]);
    expect(columns({ column_count: '3', column_bytes: ',5' })).toEqual([2, 5, 1]);
    expect(columns({ column_count: '2', column_bytes: '1,2' })).toEqual([1, 2]);
  });

  it.each([
    [{}, "number of columns not provided in the parameter 'column_count'"],
    [{ column_count: '0' }, "number of columns should be between 1 and 8 in the parameter 'column_count'"],
    [{ column_count: '9' }, "number of columns should be between 1 and 8 in the parameter 'column_count'"],
    [{ column_count: 'x' }, 'strconv.Atoi: parsing "x": invalid syntax'],
    [
      { column_count: '3', column_bytes: '1,2,3,4' },
      "number of column bytes provided are more than column count in the parameter 'column_bytes'",
    ],
    [
      { column_count: '3', column_bytes: '100,200,300' },
      "column bytes count exceeds the keyspace id length (total bytes count cannot exceed 8 bytes) in the parameter 'column_bytes'",
    ],
    [
      { column_count: '3', column_vindex: 'binary,binary,binary,binary' },
      "number of vindex function provided are more than column count in the parameter 'column_vindex'",
    ],
    ...['null', 'cfc', 'lookup'].map((type): [VindexParams, string] => [
      { column_count: '3', column_vindex: `binary,binary,${type}` },
      `multicol vindex supports vindexes that exports hashing function, are unique and are non-lookup vindex, passed vindex '${type}' is invalid`,
    ]),
    [{ column_count: '1', column_vindex: 'nope' }, 'vindexType "nope" not found'],
  ])('refuses %j', (params, text) => {
    expect(() => create(params)).toThrow(message(text));
  });

  it('verifies, failing on unusable values', () => {
    const vindex = create({ column_count: '3' });
    expect(vindex.verify([1, 1, 1], Buffer.from('166b40166b40166b', 'hex'))).toBe(true);
    expect(vindex.verify([1, 1, 2], Buffer.from('166b40166b40166b', 'hex'))).toBe(false);
    expect(() => vindex.verify([1, 1, 'x'], Buffer.of(0))).toThrow(message('cannot parse uint64 from "x"'));
  });
});

describe('region_experimental', () => {
  const create = (bytes: string): Vindex => createVindex('v', 'region_experimental', { region_bytes: bytes });

  it('puts one byte of the region in front', () => {
    const rows = [
      [1, 1],
      [255, 1],
      [256, 1],
      [Buffer.from('abcd'), 256],
      [1, 'abcd'],
      [1, -1],
      [1, 1, 1],
    ];
    expect(mapped(create('1'), rows)).toEqual([
      '01166b40b44aba4bd6',
      'ff166b40b44aba4bd6',
      '00166b40b44aba4bd6',
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
    expect(create('1').mapPrefix?.([1])).toEqual({ start: '01', end: '02' });
    expect(create('1').mapPrefix?.([255])).toEqual({ start: 'ff', end: '' });
  });

  it('or two', () => {
    const rows = [1, 255, 256, 65536].map((region) => [region, 1]);
    expect(mapped(create('2'), rows)).toEqual([
      '0001166b40b44aba4bd6',
      '00ff166b40b44aba4bd6',
      '0100166b40b44aba4bd6',
      '0000166b40b44aba4bd6',
    ]);
  });

  it('verifies without failing', () => {
    expect(create('1').verify([1, 1], Buffer.from('01166b40b44aba4bd6', 'hex'))).toBe(true);
    expect(create('1').verify([1, 'x'], Buffer.from('01', 'hex'))).toBe(false);
  });

  it('needs to know how many', () => {
    expect(() => createVindex('v', 'region_experimental')).toThrow(message('region_experimental missing region_bytes param'));
    expect(() => create('0')).toThrow(message('region_bytes must be 1 or 2: 0'));
    expect(() => create('3')).toThrow(message('region_bytes must be 1 or 2: 3'));
  });
});

describe('region_json', () => {
  const readFile = (): string => '{"US": 1, "UK": 255, "FR": 256}';
  const create = (bytes: string): Vindex =>
    createVindex('v', 'region_json', { region_bytes: bytes, region_map: 'regions.json' }, { readFile });

  it('puts the number of the second column in front of the hash of the first', () => {
    const rows = [
      [1, 'US'],
      [1, 'UK'],
      [1, 'FR'],
      [1, 'DE'],
      ['x', 'US'],
    ];
    expect(mapped(create('1'), rows)).toEqual([
      '01166b40b44aba4bd6',
      'ff166b40b44aba4bd6',
      '00166b40b44aba4bd6',
      undefined,
      undefined,
    ]);
    expect(mapped(create('2'), rows.slice(2, 3))).toEqual(['0100166b40b44aba4bd6']);
    expect(create('2').mapPrefix).toBeUndefined();
  });

  it('needs to know how many bytes', () => {
    expect(() => create('3')).toThrow(message('region_bytes must be 1 or 2: 3'));
  });
});
