import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { quoteName, quoteString } from '../../src/sql/format-expr.ts';
import { tokenize } from '../../src/sql/tokenizer.ts';

const texts = (sql: string): string[] => tokenize(sql).map(({ type, text }) => `${type}:${text}`);

describe('tokenize', () => {
  it('reads back every string that quoteString writes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(tokenize(quoteString(text))).toMatchObject([{ type: 'string', text }, { type: 'end' }]);
      }),
    );
  });

  it('reads back every name that quoteName writes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1 }), (name) => {
        expect(tokenize(quoteName(name))).toMatchObject([{ type: 'quoted', text: name }, { type: 'end' }]);
      }),
    );
  });

  it.each([
    ["'it''s'", "it's"],
    ['"say ""hi"""', 'say "hi"'],
    ["'a\\'b'", "a'b"],
    ["'\\n\\t\\r\\0\\Z\\b\\\\'", '\n\t\r\0\u001a\b\\'],
    ["'50\\% \\_x \\q'", '50\\% \\_x q'],
    [`'"'`, '"'],
  ])('unescapes %s', (sql, text) => {
    expect(tokenize(sql)[0]).toMatchObject({ type: 'string', text });
  });

  it('drops comments and reads executed ones', () => {
    expect(texts('a -- b\n# c\n/* d */ e')).toEqual(['word:a', 'word:e', 'end:']);
    expect(texts('/*!40101 set x */')).toEqual(['word:set', 'word:x', 'end:']);
    expect(texts('1--1')).toEqual(['number:1', 'op:-', 'op:-', 'number:1', 'end:']);
  });

  it('reads numbers, hex and bits', () => {
    expect(texts("1 .5 1.5e-3 0xFf X'0A' b'01' 0b1")).toEqual([
      'number:1',
      'number:.5',
      'number:1.5e-3',
      'hex:ff',
      'hex:0a',
      'bit:01',
      'bit:1',
      'end:',
    ]);
  });

  it('keeps a tablet type with its keyspace', () => {
    expect(texts('customer@replica.t')).toEqual(['word:customer@replica', 'op:.', 'word:t', 'end:']);
  });

  it.each([
    ['select : from t', "syntax error at position 9 near ':'"],
    ['select 0xH from t', "syntax error at position 10 near '0x'"],
    ["select x'777' from t", "syntax error at position 14 near '777'"],
    ["select 'aa", "syntax error at position 11 near 'aa'"],
  ])('places the error in %s as Vitess does', (sql, message) => {
    expect(() => tokenize(sql)).toThrow(message);
  });

  it('counts positions in bytes', () => {
    expect(() => tokenize("select 'é', : ")).toThrow("syntax error at position 15 near ':'");
  });
});
