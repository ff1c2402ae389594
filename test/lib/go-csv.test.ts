import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseCsvValue } from '../../src/lib/go-csv.ts';

describe('parseCsvValue', () => {
  it.each([
    ['', []],
    ['a', ['a']],
    ['a,b', ['a', 'b']],
    ['a, b', ['a', ' b']],
    [' ', [' ']],
    [',', ['', '']],
    ['a,', ['a', '']],
    ['"a,b",c', ['a,b', 'c']],
    ['"a""b"', ['a"b']],
    ['""', ['']],
    ['"a\nb",c', ['a\nb', 'c']],
    ['"a\r\nb"', ['a\nb']],
    ['"a\r"', ['a\r']],
    ['"a"\n', ['a']],
    ['a\nb', ['a']],
    ['\n\na', ['a']],
    ['a\r', ['a']],
    ['a\rb', ['a\rb']],
    ['#a', ['#a']],
  ])('%j', (text, fields) => {
    expect(parseCsvValue(text)).toEqual(fields);
  });

  it.each([
    ['a"b', 'parse error on line 1, column 2: bare " in non-quoted-field'],
    ['aé"', 'parse error on line 1, column 4: bare " in non-quoted-field'],
    [' "a"', 'parse error on line 1, column 2: bare " in non-quoted-field'],
    ['\n\na"', 'parse error on line 3, column 2: bare " in non-quoted-field'],
    ['"a', 'parse error on line 1, column 3: extraneous or missing " in quoted-field'],
    ['"', 'parse error on line 1, column 2: extraneous or missing " in quoted-field'],
    ['"a"b', 'parse error on line 1, column 3: extraneous or missing " in quoted-field'],
    ['日本,"x"y', 'parse error on line 1, column 10: extraneous or missing " in quoted-field'],
    ['a,"b\n', 'parse error on line 1, column 6: extraneous or missing " in quoted-field'],
    ['"a\nb"c', 'record on line 1; parse error on line 2, column 2: extraneous or missing " in quoted-field'],
    ['\n', 'EOF'],
    ['\r', 'EOF'],
  ])('refuses %j', (text, message) => {
    expect(() => parseCsvValue(text)).toThrow(expect.objectContaining({ message: message }));
  });

  it('reads back what was quoted', () => {
    const field = fc.string({ unit: fc.constantFrom('a', ',', '"', '\n', ' ', 'é') });
    fc.assert(
      fc.property(fc.array(field, { minLength: 1 }), (fields) => {
        const text = fields.map((one) => `"${one.replaceAll('"', '""')}"`).join(',');
        expect(parseCsvValue(text)).toEqual(fields);
      }),
    );
  });
});
