import { describe, expect, it } from 'vitest';
import { displayWidth, formatBoxedTable, formatTable } from '../../src/lib/table.ts';

describe('displayWidth', () => {
  it.each([
    ['', 0],
    ['abc', 3],
    ['é', 1],
    ['e\u0301', 1],
    ['日本', 4],
    ['한글', 4],
    ['😀', 2],
    ['\u001b[31mred\u001b[39m', 3],
    ['a\u200db', 2],
  ])('%j', (text, width) => {
    expect(displayWidth(text)).toBe(width);
  });
});

describe('formatTable', () => {
  it('aligns columns and leaves no space at the end', () => {
    const rows = [
      ['id', 'name', 'x'],
      ['1', '日本', 'y'],
      ['1000', 'b', ''],
    ];
    expect(formatTable(rows)).toBe(['id    name  x', '1     日本  y', '1000  b'].join('\n'));
  });

  it('moves counts to the right, under a header', () => {
    const rows = [
      ['t1', '5'],
      ['customer', '1200'],
    ];
    expect(formatTable(rows, { header: ['table', 'rows'], right: [1], indent: '> ', gap: 3 })).toBe(
      ['> table      rows', '> t1            5', '> customer   1200'].join('\n'),
    );
  });

  it('copes with short rows and none', () => {
    expect(formatTable([['a'], ['b', 'c']])).toBe('a\nb  c');
    expect(formatTable([])).toBe('');
  });
});

describe('formatBoxedTable', () => {
  const boxed = (header: string[], ...rows: string[][]): string[] => formatBoxedTable(header, rows).split('\n');

  it('draws a rule between all rows', () => {
    expect(boxed(['a'], ['1'])).toEqual(['+---+', '| a |', '+---+', '| 1 |', '+---+']);
  });

  it('centres heads and trims cells', () => {
    expect(boxed(['id', 'name'], ['1', ' alice '], ['12345', 'b'], ['', 'NULL'])).toEqual([
      '+-------+-------+',
      '|  id   | name  |',
      '+-------+-------+',
      '| 1     | alice |',
      '+-------+-------+',
      '| 12345 | b     |',
      '+-------+-------+',
      '|       | NULL  |',
      '+-------+-------+',
    ]);
  });

  it('wraps between words, as evenly as possible, and keeps long words whole', () => {
    const words = 'The quick brown fox jumps over the lazy dog and then some more';
    const long = 'abcdefghijklmnopqrstuvwxyzabcdefghijklmnop';
    expect(boxed(['id', 'text'], ['1', words], ['2', long])).toEqual([
      '+----+--------------------------------------------+',
      '| id |                    text                    |',
      '+----+--------------------------------------------+',
      '| 1  | The quick brown fox jumps                  |',
      '|    | over the lazy dog and then                 |',
      '|    | some more                                  |',
      '+----+--------------------------------------------+',
      '| 2  | abcdefghijklmnopqrstuvwxyzabcdefghijklmnop |',
      '+----+--------------------------------------------+',
    ]);
  });

  it('fits 28 columns of words on a line, not 29', () => {
    const a = 'aaaaaaaaaaaaaa';
    expect(boxed(['x'], [`${a} bbbbbbbbbbbbb`]).filter((line) => line.includes('b'))).toEqual([`| ${a} bbbbbbbbbbbbb |`]);
    expect(boxed(['x'], [`${a} bbbbbbbbbbbbbb`]).filter((line) => line.includes('b'))).toEqual(['| bbbbbbbbbbbbbb |']);
  });

  it('keeps the lines of a cell apart, without the empty ones', () => {
    expect(boxed(['x'], ['a\n\n  b  c'], ['日本'])).toEqual([
      '+------+',
      '|  x   |',
      '+------+',
      '| a    |',
      '| b c  |',
      '+------+',
      '| 日本 |',
      '+------+',
    ]);
  });
});
