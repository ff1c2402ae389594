import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { checkShape } from '../../../src/report/input/check-shape.ts';
import { decodeText, FileError, placeText } from '../../../src/report/input/place.ts';
import { readYaml } from '../../../src/report/input/yaml.ts';

/** `LINE:COLUMN: text` of the error, or `none`. */
function problem(run: () => unknown): string {
  try {
    run();
    return 'none';
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    return `${error.place.line}:${error.place.column}: ${error.problem}`;
  }
}

describe('reading YAML', () => {
  it('gives plain values, keys without a prototype behind them', () => {
    const { value } = readYaml('f', 'a: [1, two, true, null]\nb: &x {c: d}\ne: *x\n__proto__: 1\n');
    expect(JSON.stringify(value)).toBe('{"a":[1,"two",true,null],"b":{"c":"d"},"e":{"c":"d"},"__proto__":1}');
  });

  it('is the inverse of JSON', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4, noUnicodeString: false }), (value) => {
        const text = JSON.stringify(value);
        // Numbers that lose digits, and long ones, are refused on purpose.
        fc.pre(!/\d{16}|e[+-]?\d/i.test(text) && !/"<<"/.test(text));
        expect(JSON.stringify(readYaml('f', text).value)).toBe(text);
      }),
      { numRuns: 40 },
    );
  });

  it('knows where values and keys stand', () => {
    const yaml = readYaml('f', 'a:\n  - b: 1\n    c: 2\n');
    expect(placeText(yaml.placeOf(['a', 0, 'c']))).toBe('f:3:8');
    expect(placeText(yaml.placeOfKey(['a', 0, 'c']))).toBe('f:3:5');
    expect(placeText(yaml.placeOf(['a', 0, 'gone', 'deeper']))).toBe('f:2:5');
  });

  it.each([
    ['a: 1\nb: 2\na: 3', '3:1: this key was given before in the same map'],
    ['a: 1\n---\nb: 2', '2:1: one document a file; remove the "---"'],
    ['a: !x 1', '1:4: tags (!name) are not used here; remove it'],
    ['a: !!binary aGk=', '1:13: tags (!name) are not used here; remove it'],
    ['a: &x [*x]', '1:7: this value contains itself'],
    ['a: *x', '1:4: there is no anchor &x before this'],
    ['a: 12345678901234567890', '1:4: 12345678901234567890 is too large to be kept exactly; put it in quotes'],
    ['a: .inf', '1:4: .inf is not a number that can be used here'],
    ['a: [1', '1:6: bad YAML:'],
    [`a: ${'['.repeat(3_000)}`, 'nested deeper than 64 levels'],
  ])('%j is refused', (text, expected) => void expect(problem(() => readYaml('f', text))).toContain(expected));

  it('of many values it says so before it has read them, and of many keys in time', () => {
    const bomb = [...'bcdef'].map((name, i) => `${name}: &${name} [${Array(12).fill(`*${'abcde'.charAt(i)}`).join(',')}]`);
    expect(problem(() => readYaml('f', [`a: &a [${Array(12).fill('x').join(',')}]`, ...bomb].join('\n')))).toContain('more than 100000 values');
    const keys = Array.from({ length: 4_000 }, (_, i) => `k${i}: 1`).join('\n');
    expect(Object.keys(readYaml('f', keys).value as object)).toHaveLength(4_000);
  });

  it('bytes that are not UTF-8 have a place', () => {
    expect(problem(() => decodeText('f', Buffer.from('a: 1\nb: ä\xff', 'latin1')))).toBe('2:4: not UTF-8 text');
    expect(problem(() => decodeText('f', Buffer.concat([Buffer.from('a: ä'), Buffer.from([0xff])])))).toBe('1:5: not UTF-8 text');
    expect(decodeText('f', Buffer.from('ä€😀'))).toBe('ä€😀');
  });
});

describe('checking a shape', () => {
  const schema = z.strictObject({
    name: z.string(),
    size: z.int().min(1).max(9).optional(),
    color: z.enum(['red', 'green']).optional(),
    parts: z.array(z.union([z.string(), z.strictObject({ label: z.string(), many: z.boolean().optional() })], { error: 'has to be a word or a map' })).optional(),
  });
  it.each([
    ['name: x\nszie: 1', '2:1: unknown key "szie"; did you mean "size"?'],
    ['nmae: x', '1:1: unknown key "nmae"; did you mean "name"?'],
    ['size: 1', '1:1: "name" is missing; it is text'],
    ['name: x\nsize: 0', '2:7: "size" has to be 1 or more'],
    ['name: x\nsize: 10', '2:7: "size" has to be 9 or less'],
    ['name: x\nsize: 1.5', '2:7: "size" has to be a whole number, not 1.5'],
    ['name: [x]', '1:7: "name" has to be text, not a list'],
    ['name: x\ncolor: blue', '2:8: "color" has to be "red" or "green", not "blue"'],
    ['name: x\nparts: [1]', '2:9: "parts[0]" has to be a word or a map, not 1'],
    ['name: x\nparts: [{lable: y}]', '2:10: unknown key "lable"; did you mean "label"?'],
    ['name: x\nparts: [{label: y, many: 3}]', '2:26: "parts[0].many" has to be true or false, not 3'],
    ['- x', '1:1: the file has to be a map, not a list'],
    ['', '1:1: the file has to be a map, not empty'],
  ])('%j', (text, expected) => void expect(problem(() => checkShape(readYaml('f', text), schema))).toBe(expected));

  it('what is unknown is told with what is known', () => {
    expect(() => checkShape(readYaml('f', 'name: x\nzzz: 1'), schema)).toThrow(expect.objectContaining({ next: 'keys here: name, size, color, parts', exit: 2 }));
  });
});
