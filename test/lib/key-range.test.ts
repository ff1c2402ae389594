import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { goQuote } from '../../src/lib/go-quote.ts';
import { type KeyRange, compareEnds, compareIds, compareStarts, containsId, containsKeyRange, contiguous, formatKeyRange, generateShardRanges, idToHex, intersects, isComplete, isValidKeyRange, joinKeyRanges, keyRangeLess, keyRangesEqual, normalizeId, normalizeKeyRange, parseHex, parseKeyRangeParts, parseShardingSpec } from '../../src/lib/key-range.ts';

/** null stands for the range that is not there. */
function range(text: string | null): KeyRange | undefined {
  if (text === null) return undefined;
  const [start = '', end = ''] = text.split('-');
  return parseKeyRangeParts(start, end);
}

describe('keyspace ids', () => {
  it.each([
    ['', ''],
    ['00', ''],
    ['000000', ''],
    ['11', '11'],
    ['110022003300', '1100220033'],
    ['1100000000000000', '11'],
    ['10', '10'],
    ['112233445566778899aa00', '112233445566778899aa'],
  ])('normalizes %j', (id, normal) => {
    expect(normalizeId(id)).toBe(normal);
  });

  it('compares without trailing zeros', () => {
    const pairs: [string, string][] = [
      ['', ''],
      ['1122', '1122'],
      ['11223344', '1122334400000000'],
      ['1122334400000000', '11223344'],
      ['01', '02'],
      ['02', '01'],
      ['3000', '20'],
    ];
    expect(pairs.map(([a, b]) => compareIds(a, b))).toEqual([0, 0, 0, 0, -1, 1, 1]);
  });

  it('are written in lower case', () => {
    expect(idToHex(Uint8Array.of(0, 0xab, 0xff))).toBe('00abff');
    expect(idToHex(Uint8Array.of(1, 2, 3, 4).subarray(1, 3))).toBe('0203');
  });
});

describe('hexadecimal text', () => {
  it.each([
    ['8', 'encoding/hex: odd length hex string'],
    ['8g', "encoding/hex: invalid byte: U+0067 'g'"],
    ['x', "encoding/hex: invalid byte: U+0078 'x'"],
    ['é', "encoding/hex: invalid byte: U+00C3 'Ã'"],
    ['\n0', 'encoding/hex: invalid byte: U+000A'],
    ['00 0', "encoding/hex: invalid byte: U+0020 ' '"],
  ])('refuses %j', (text, message) => {
    expect(() => parseHex(text)).toThrow(expect.objectContaining({ message: message }));
  });
});

describe('one range', () => {
  it('prints', () => {
    expect([null, '-', '-80', '80-', '40-C0', '00-00'].map((text) => formatKeyRange(range(text)))).toEqual(
      ['-', '-', '-80', '80-', '40-c0', '-'],
    );
    expect(normalizeKeyRange({ start: '0000', end: '8000' })).toEqual({ start: '', end: '80' });
  });

  it('is complete only when open on both sides', () => {
    expect([null, '-', '12-', '-13', '12-13'].map((text) => isComplete(range(text)))).toEqual([
      true,
      true,
      false,
      false,
      false,
    ]);
  });

  it('contains ids from its start up to its end', () => {
    const cases: [string | null, string][] = [
      ['3000000000000000-', '3000000000000000'],
      ['-3000000000000000', '3000000000000000'],
      ['3000000000000000-', '4000000000000000'],
      ['3000000000000000-', '2000000000000000'],
      [null, ''],
      ['-80', '7fffff'],
      ['-80', '80'],
      ['80-', '8000'],
      ['8000-', '80'],
    ];
    expect(cases.map(([text, id]) => containsId(range(text), id))).toEqual(
      [true, false, true, false, true, true, false, true, true],
    );
  });

  it('has names of a certain form', () => {
    const valid = ['-', '00-', '-80', '40-80', '80-', 'a0-', '-A0', '0'];
    const invalid = ['', '11', '-1', '-111', '1-2', 'x-80', '-80x', 'select', '+'];
    expect(valid.filter((text) => !isValidKeyRange(text))).toEqual([]);
    expect(invalid.filter((text) => isValidKeyRange(text))).toEqual([]);
  });
});

describe('two ranges', () => {
  it('are equal whatever zeros they end with', () => {
    const pairs: [string | null, string | null][] = [
      [null, null],
      [null, '-80'],
      ['-8000', '-80'],
      ['-8000', '-8000000000000000'],
      [null, '-'],
      ['00-80', '-80'],
    ];
    expect(pairs.map(([a, b]) => keyRangesEqual(range(a), range(b)))).toEqual([true, false, true, true, true, true]);
    expect(compareEnds(range('40-'), range('10-'))).toBe(0);
    expect(compareStarts(range(null), range('-80'))).toBe(0);
    expect(compareStarts(range('40-'), range('20-'))).toBe(1);
  });

  it('sort by start, then by end with the open end last', () => {
    const sorted = ['-40', '-80', '-', '40-80', '40-', '80-c0'];
    const shuffled = [...sorted].toSorted().map(range);
    const less = (a: KeyRange | undefined, b: KeyRange | undefined): number => (keyRangeLess(a, b) ? -1 : 1);
    expect(shuffled.toSorted(less).map(formatKeyRange)).toEqual(sorted);
  });

  it('are contiguous in one direction', () => {
    const pairs: [string | null, string][] = [
      ['-40', '40-80'],
      ['40-80', '-40'],
      ['-', '-40'],
      ['40-80', 'c0-'],
      ['40-80', '80-c0'],
      ['40-80', '8000000000000000-c000000000000000'],
      ['4000000000000000-8000000000000000', '80-c0'],
      [null, '-'],
    ];
    expect(pairs.map(([a, b]) => contiguous(range(a), range(b)))).toEqual(
      [true, false, false, false, true, true, true, false],
    );
  });

  it.each([
    ['-', '-'],
    ['-', '80-'],
    ['-80', '-'],
    ['-8000', '-80'],
    ['4000-', '40-'],
    ['40-80', '4000-8000'],
    ['-80', '-40'],
    ['80-', 'c0-'],
    ['-80', '4000-8000'],
    ['40-80', '60-a0'],
    ['40-80', '10-50'],
    ['40-80', '30-90'],
  ])('%s and %s intersect', (a, b) => {
    expect(intersects(range(a), range(b))).toBe(true);
  });

  it.each([
    ['-80', '80-'],
    ['80-', '-80'],
    ['40-80', 'c0-d0'],
    ['40-80', '20-40'],
    ['4000-8000', '20-40'],
  ])('%s and %s do not', (a, b) => {
    expect(intersects(range(a), range(b))).toBe(false);
  });

  it('contain one another', () => {
    expect(containsKeyRange(range(null), range('-80'))).toBe(true);
    expect(containsKeyRange(range('-80'), range(null))).toBe(false);
    expect(containsKeyRange(range('-80'), range('40-8000'))).toBe(true);
    expect(containsKeyRange(range('40-80'), range('30-50'))).toBe(false);
    expect(containsKeyRange(range('40-80'), range('50-'))).toBe(false);
  });

  it('join when they are neighbours', () => {
    const pairs: [string | null, string | null][] = [
      [null, null],
      [null, '-80'],
      ['80-', '-40'],
      ['-40', '80-'],
      ['-80', '80-'],
      ['80-', '-80'],
      ['-40', '40-80'],
      ['40-80', '-40'],
      ['40-80', '80-c0'],
      ['80-c0', '40-80'],
    ];
    const joined = pairs.map(([a, b]) => joinKeyRanges(range(a), range(b)));
    expect(joined.map((one) => (one === undefined ? null : formatKeyRange(one)))).toEqual(
      [null, null, null, null, '-', '-', '-80', '-80', '40-c0', '40-c0'],
    );
  });
});

describe('sharding specs', () => {
  it('cut the keyspace at each bound', () => {
    expect(parseShardingSpec('-40-80-').map(formatKeyRange)).toEqual(['-40', '40-80', '80-']);
    expect(parseShardingSpec('0')).toEqual([{ start: '', end: '' }]);
    expect(parseShardingSpec('-')).toEqual([{ start: '', end: '' }]);
    expect(parseShardingSpec('40-80').map(formatKeyRange)).toEqual(['40-80']);
  });

  it.each([
    ['4000000000000000', `malformed spec: doesn't define a range: "4000000000000000"`],
    ['---', 'malformed spec: MinKey/MaxKey cannot be in the middle of the spec: "---"'],
    [
      '4000000000000000--8000000000000000',
      'malformed spec: MinKey/MaxKey cannot be in the middle of the spec: "4000000000000000--8000000000000000"',
    ],
    [
      '4000000000000000-3000000000000000',
      'malformed spec: shard limits should be in order: "4000000000000000-3000000000000000"',
    ],
    ['-4', 'encoding/hex: odd length hex string'],
    ['a"', `malformed spec: doesn't define a range: "a\\""`],
  ])('refuses %j', (spec, message) => {
    expect(() => parseShardingSpec(spec)).toThrow(expect.objectContaining({ message: message }));
  });
});

describe('generateShardRanges', () => {
  it('takes as many digits as needed', () => {
    expect(generateShardRanges(1)).toEqual(['-']);
    expect(generateShardRanges(4)).toEqual(['-40', '40-80', '80-c0', 'c0-']);
    const small = generateShardRanges(256);
    expect([small.length, small[0], small[1], small.at(-1)]).toEqual([256, '-01', '01-02', 'ff-']);
    const large = generateShardRanges(512);
    expect([large.length, large[0], large[1], large.at(-1)]).toEqual([512, '-0080', '0080-0100', 'ff80-']);
  });

  it('or as many as asked for', () => {
    expect(generateShardRanges(7, 1)).toEqual(['-2', '2-4', '4-6', '6-9', '9-b', 'b-d', 'd-']);
    expect(generateShardRanges(7, 3).slice(0, 3)).toEqual(['-249', '249-492', '492-6db']);
    expect(generateShardRanges(7, 4).at(-1)).toBe('db6d-');
  });

  it('refuses counts that cannot be', () => {
    expect(() => generateShardRanges(0)).toThrow('shards must be greater than zero');
    expect(() => generateShardRanges(65537)).toThrow('more than 65536 shards');
    expect(() => generateShardRanges(17, 1)).toThrow(
      'the given number of shards (17) is too high for the given number of characters to use (1)',
    );
  });

  it('gives ranges that hold every id once', () => {
    const ids = fc.uint8Array({ minLength: 1, maxLength: 8 }).map(idToHex);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 300 }), ids, (count, id) => {
        const owners = generateShardRanges(count).filter((name) => containsId(range(name), id));
        expect(owners).toHaveLength(1);
      }),
      { numRuns: 50 },
    );
  });
});

describe('goQuote', () => {
  it.each([
    ['a b', '"a b"'],
    ['"\\', '"\\"\\\\"'],
    ['\n\t\x00\x7f', '"\\n\\t\\x00\\x7f"'],
    ['日é😀', '"日é😀"'],
    ['\u00a0\u200b', '"\\u00a0\\u200b"'],
  ])('%j', (text, quoted) => {
    expect(goQuote(text)).toBe(quoted);
  });
});
