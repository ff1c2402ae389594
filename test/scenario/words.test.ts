import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { shellQuote } from '../../src/lib/shell-quote.ts';
import { lineWords } from '../../src/scenario/words.ts';

describe('the words of a line', () => {
  it.each([
    ['a b  c', ['a', 'b', 'c']],
    ['switchtraffic show keyspace', ['show', 'keyspace']],
    ['vtctldclient GetKeyspaces', ['GetKeyspaces']],
    [`query "select 'x'"`, ['query', `select 'x'`]],
    [`query 'select "x" > 1; | $y'`, ['query', 'select "x" > 1; | $y']],
    ['a\\ b', ['a b']],
    ['a \\\n  b', ['a', 'b']],
    ["a ''", ['a', '']],
    ['a""b', ['ab']],
    ['--fault=x=return(A,"b c")', undefined],
  ])('%j', (line, words) => {
    if (words === undefined) expect(() => lineWords(line)).toThrow('no shell runs this line');
    else expect(lineWords(line)).toEqual(words);
  });

  it.each(['a | b', 'a > b', 'a; b', 'a && b', 'echo $HOME', 'a `b`', 'a "$b"', 'a\nb', "a 'b", 'a "b'])('%j is no line of ours', (line) => {
    expect(() => lineWords(line)).toThrow(/no shell runs this line|is not closed/);
  });

  it('are those that were quoted', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme' }), { minLength: 1 }), (words) => {
        fc.pre(!['switchtraffic', 'vtctldclient'].includes(words[0]!));
        expect(lineWords(words.map(shellQuote).join(' '))).toEqual(words);
      }),
    );
  });
});
