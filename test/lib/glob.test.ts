import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { globMatcher, isGlob } from '../../src/lib/glob.ts';

describe('a pattern', () => {
  it.each<[string, string, boolean]>([
    ['a/*', 'a/b', true],
    ['a/*', 'a/', true],
    ['a/*', 'a/b/c', false],
    ['a/**', 'a/b/c', true],
    ['**/c', 'a/b/c', true],
    ['**/c', 'c', true],
    ['**/c', 'abc', false],
    ['a/**/d', 'a/d', true],
    ['a/**/d', 'a/b/c/d', true],
    ['?', '/', false],
    ['a.c', 'abc', false],
    ['(a|b)*', '(a|b)c', true],
    ['a**z', 'a/b/z', true],
    ['***', 'a/b', true],
  ])('%s and %s: %s', (pattern, name, expected) => {
    expect(globMatcher(pattern)(name)).toBe(expected);
  });

  it('without wild cards is a name and matches itself alone', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (name, other) => {
        fc.pre(!isGlob(name));
        expect(globMatcher(name)(name)).toBe(true);
        expect(globMatcher(name)(other)).toBe(other === name);
      }),
    );
  });

  it('matches what it was made from', () => {
    const piece = fc.constantFrom('a', 'b', '/', '.', '+', '[', '$');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), fc.nat(8), (pieces, at) => {
        const name = pieces.join('');
        const hidden = pieces.map((char, index) => (index === at && char !== '/' ? '?' : char)).join('');
        expect(globMatcher(hidden)(name)).toBe(true);
        expect(globMatcher(pieces.map((char) => (char === '/' ? '/' : '*')).join(''))(name)).toBe(true);
        expect(globMatcher('**')(name)).toBe(true);
      }),
    );
  });
});
