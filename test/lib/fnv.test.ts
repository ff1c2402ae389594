import { describe, expect, it } from 'vitest';
import { fnv64, migrationId } from '../../src/lib/fnv.ts';

const hash = (text: string): string => fnv64(new TextEncoder().encode(text)).toString(16).padStart(16, '0');

describe('fnv64', () => {
  it.each([
    ['', 'cbf29ce484222325'],
    ['a', 'af63bd4c8601b7be'],
    ['ab', '08326707b4eb37b8'],
    ['abc', 'd8dcca186bafadcb'],
  ])('%j', (text, hex) => {
    expect(hash(text)).toBe(hex);
  });
});

describe('migrationId', () => {
  it("is Vitess's", () => {
    expect(migrationId('ks', ['-80:1', '-80:2', '80-:2'])).toBe(6432976123657117097n);
  });

  it('does not depend on the order of the streams, and leaves them alone', () => {
    const streams = ['80-:2', '-80:2', '-80:1'];
    expect(migrationId('ks', streams)).toBe(6432976123657117097n);
    expect(streams).toEqual(['80-:2', '-80:2', '-80:1']);
  });

  it('changes with a new stream', () => {
    expect(migrationId('ks', ['-80:1', '-80:2', '80-:3'])).not.toBe(6432976123657117097n);
  });

  it('is never negative in 64 bits', () => {
    for (let id = 1; id <= 64; id++) expect(migrationId('ks', [`0:${id}`])).toBeLessThan(1n << 63n);
  });
});
