import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ensureEscaped, escapeId, splitQualified, unescapeId } from '../../src/lib/sqlescape.ts';

describe('names in backticks', () => {
  it('are what they were once the backticks are off again', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('a', '`', '.', '-', ' ', 'ü'), minLength: 1 }), (name) => {
        expect(unescapeId(escapeId(name))).toBe(name);
      }),
    );
  });

  it('may be there or not', () => {
    expect([unescapeId('a'), unescapeId('`a-b`'), ensureEscaped('a'), ensureEscaped('`a`')]).toEqual(['a', 'a-b', '`a`', '`a`']);
  });

  // The texts of go/sqlescape/ids_test.go.
  it.each([
    ['', "UnescapeID err: invalid input identifier ''"],
    ['``', "UnescapeID err: invalid input identifier '``'"],
    ['`', "UnescapeID err: invalid input identifier '`'"],
    ['`a', "UnescapeID err: unexpected single backtick at position 0 in '`a'"],
    ['a`', "UnescapeID err: unexpected single backtick at position 2 in 'a`'"],
    ['a`b', "UnescapeID err: no outer backticks found in the identifier 'a`b'"],
    ['`a`b`', "UnescapeID err: unexpected single backtick at position 1 in 'a`b'"],
  ])('%j are refused', (text, error) => {
    expect(() => unescapeId(text)).toThrow(error);
  });
});

it.each([
  ['seq', { keyspace: '', table: 'seq' }],
  ['ks.seq', { keyspace: 'ks', table: 'seq' }],
  ['`ks-1`.`t.seq`', { keyspace: 'ks-1', table: 't.seq' }],
  ['`t.seq`', { keyspace: '', table: 't.seq' }],
  ['ks.`a``b`', { keyspace: 'ks', table: 'a`b' }],
])('%s is read', (text, parts) => {
  expect(splitQualified(text)).toEqual(parts);
});
