import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { editDistance, suggest } from '../../src/lib/suggest.ts';

describe('suggest', () => {
  const commands = ['switchtraffic', 'reversetraffic', 'mirrortraffic', 'status', 'start', 'stop', 'show', 'list'];

  it.each([
    ['switchtrafic', 'switchtraffic'],
    ['SwitchTraffic', 'switchtraffic'],
    ['swithctraffic', 'switchtraffic'],
    ['stauts', 'status'],
    ['stp', 'stop'],
    ['lsit', 'list'],
    ['frobnicate', undefined],
    ['xy', undefined],
    ['', undefined],
  ])('%s → %s', (word, wanted) => {
    expect(suggest(word, commands)).toBe(wanted);
  });

  it('prefers the same letters in another case to one edit', () => {
    expect(suggest('Ab1', ['ab2', 'AB1'])).toBe('AB1');
  });

  it('takes the first of equals', () => {
    expect(suggest('tast', ['test', 'tost'])).toBe('test');
    expect(suggest('abc', [])).toBeUndefined();
  });
});

describe('editDistance', () => {
  it.each([
    ['', '', 0],
    ['abc', '', 3],
    ['abc', 'abd', 1],
    ['abc', 'acb', 1],
    ['ca', 'abc', 3],
    ['kitten', 'sitting', 3],
  ])('%j to %j', (a, b, distance) => {
    expect(editDistance(a, b)).toBe(distance);
  });

  it('is the same both ways, and zero only for equals', () => {
    const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 8 });
    fc.assert(
      fc.property(word, word, (a, b) => {
        const distance = editDistance(a, b);
        expect(editDistance(b, a)).toBe(distance);
        expect(distance === 0).toBe(a === b);
        expect(distance).toBeLessThanOrEqual(Math.max(a.length, b.length));
      }),
    );
  });
});
