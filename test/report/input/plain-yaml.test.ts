import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readPlainYaml } from '../../../src/report/input/plain-yaml.ts';
import { type PathPart, readAnyYaml, readYaml } from '../../../src/report/input/yaml.ts';

const FIXTURES = ['scenarios', 'clusters'].flatMap((folder) => {
  const path = join(import.meta.dirname, '../../../fixtures', folder);
  return readdirSync(path).filter((name) => name.endsWith('.yaml')).map((name) => readFileSync(join(path, name), 'utf8'));
});

/** Every path of a value, and below each one that is not there. */
function paths(value: unknown, path: readonly PathPart[] = []): (readonly PathPart[])[] {
  const inside = typeof value === 'object' && value !== null ? Object.entries(value as Record<string, unknown>) : [];
  return [path, [...path, 'nothing'], ...inside.flatMap(([key, inner]) => paths(inner, [...path, Array.isArray(value) ? Number(key) : key]))];
}

/** True if the plain reader took the text. Fails unless the library then reads the same, and in the same places. */
function agrees(text: string): boolean {
  if (readPlainYaml(text) === undefined) return false;
  const [plain, full] = [readYaml('file', text), readAnyYaml('file', text)];
  expect(plain.value, text).toEqual(full.value);
  for (const path of paths(full.value)) {
    expect([path, plain.placeOf(path), plain.placeOfKey(path)], text).toEqual([path, full.placeOf(path), full.placeOfKey(path)]);
  }
  return true;
}

describe('the reader of plain YAML', () => {
  it('takes most of what is written, and reads it as the library does', () => {
    expect(FIXTURES.filter(agrees).length).toBeGreaterThan(FIXTURES.length * 0.8);
  });

  it('leaves to the library what is not plain, or wrong', () => {
    const texts = ['a: *b\n', 'a: &b c\n', 'a: !t b\n', '? a\n: b\n', 'a: b: c\n', 'a: b\n c\n', 'a: 0x1f\n', 'a: 1.5\n', 'a: -0\n', 'a: ~\n', 'a:\n', 'a: 1\na: 2\n', '1: a\n', 'true: a\n'];
    const more = ['a: "b\\n"\n', "a: 'b\n c'\n", 'a: {b}\n', 'a: [b: c]\n', 'a: [b,]\n', 'a: [b\n', 'a: >-\n  b\n\n  c\n', 'a: |2\n  b\n', '---\na: b\n', '- a\n', 'a\n', '', 'a: b', 'a:\tb\n', 'a: b\r\n', '- - a\n', '<<: a\n', 'a: @b\n', 'a: {b: *c}\n'];
    for (const text of [...texts, ...more]) expect([text, readPlainYaml(text)]).toEqual([text, undefined]);
  });

  it('agrees with the library on whatever it takes of texts that were changed at random', () => {
    const bits = [' ', '  ', '\n', '\n  ', ':', ': ', '- ', '-', '#', ' #', "'", '"', '{', '}', '[', ']', ', ', '|', '>-', 'null', '~', '-1', '1.5', '0x1f', '${x}', '*a', '&a', '!t', '? ', '---', '\\', '\t', 'é', '\r', '{}', '[]', '{ a: 1 }', '[a, b]', 'key: ', '- a: b'];
    const lines = fc.constantFrom(...FIXTURES).chain((text) => {
      const all = text.split('\n');
      return fc.tuple(fc.nat(all.length - 1), fc.integer({ min: 1, max: 12 })).map(([from, count]) => `${all.slice(from, from + count).join('\n')}\n`);
    });
    const shape = fc.constantFrom('a: %\n', '%\n', 'k:\n  - %\n  - x\nz: 1\n', 'k: { q: % }\n', 'k: [%, y]\n', 'k:\n  m: %\n  n: 2\n');
    const made = fc.tuple(shape, fc.array(fc.constantFrom(...bits), { minLength: 1, maxLength: 8 })).map(([text, parts]) => text.replace('%', () => parts.join('')));
    const edits = fc.array(fc.tuple(fc.nat(), fc.nat(3), fc.constantFrom('', ...bits)), { maxLength: 3 });
    let taken = 0;
    fc.assert(
      fc.property(fc.oneof(lines, made), edits, (text, changes) => {
        const changed = changes.reduce((before, [at, less, bit]) => {
          const place = at % (before.length + 1);
          return before.slice(0, place) + bit + before.slice(place + less);
        }, text);
        if (agrees(changed)) taken++;
      }),
      { numRuns: 2500 },
    );
    expect(taken).toBeGreaterThan(25);
  });
});
