import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { matchTree, OPERATORS } from '../../src/scenario/match.ts';

const fits = (expected: unknown, actual: unknown): boolean => matchTree(expected, actual, '').length === 0;

describe('a tree', () => {
  const actual = { name: 'customer', shards: [{ shard: '0', denied: ['corder', 'customer'], lag: 3 }], state: undefined };

  it.each([
    [{ name: 'customer' }, true],
    [{ name: 'commerce' }, false],
    [{ shards: [{ shard: '0' }] }, true],
    [{ shards: [] }, false],
    [{ shards: [{ denied: ['corder'] }] }, false],
    [{ state: null }, true],
    [{ missing: null }, true],
    [{ name: null }, false],
    [{ name: { contains: 'cust' } }, true],
    [{ name: { lacks: 'cust' } }, false],
    [{ name: { matches: '^c.*r$' } }, true],
    [{ name: { matches: '^r' } }, false],
    [{ shards: { count: 1, all: { lag: { min: 3, max: 3 } } } }, true],
    [{ shards: { all: { lag: { min: 4 } } } }, false],
    [{ shards: { any: { lag: { max: 2 } } } }, false],
    [{ shards: { any: { shard: '0' } } }, true],
    [{ shards: { none: { shard: '0' } } }, false],
    [{ shards: { any: { denied: { unordered: ['customer', 'corder'] } } } }, true],
    [{ shards: { any: { denied: { unordered: ['customer', 'customer'] } } } }, false],
    [{ shards: { any: { denied: { contains: ['customer'] } } } }, true],
    [{ name: { not: 'commerce' } }, true],
    [{ name: { not: 'customer' } }, false],
    [{ name: { min: 0 } }, false],
  ])('%j: %s', (expected, good) => expect(fits(expected, actual)).toBe(good));

  it('with a field of the name of an operator means the field', () => {
    expect(fits({ count: 2 }, { count: 2 })).toBe(true);
    expect(fits({ count: 2 }, { count: 3 })).toBe(false);
    expect(fits({ count: 2 }, [1, 2])).toBe(true);
  });

  it('that differs says where, what was expected and what was there', () => {
    expect(matchTree({ shards: [{ lag: 0 }] }, actual, '')).toEqual([{ path: 'shards[0].lag', expected: '0', actual: '3' }]);
  });

  it('fits itself, and whatever it is a part of', () => {
    const json = fc.jsonValue({ maxDepth: 3 }).map((value) => JSON.parse(JSON.stringify(value)) as unknown);
    fc.assert(
      fc.property(json, (value) => {
        fc.pre(!hasOperator(value));
        expect(matchTree(value, value, '')).toEqual([]);
        expect(fits({ a: value }, { a: value, b: 1 })).toBe(true);
      }),
      { numRuns: 200 },
    );
  });
});

function hasOperator(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).some(([key, inner]) => Object.hasOwn(OPERATORS, key) || hasOperator(inner));
}
