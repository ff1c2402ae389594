import { describe, expect, it } from 'vitest';
import { noteContents, reconcile, type SecondLook } from '../../../src/tablet/vdiff/reconcile.ts';
import { type DiffReport, emptyReport, type RowDiff } from '../../../src/tablet/vdiff/report.ts';

const row = (id: string): RowDiff => ({ Row: { id } });
const rows = (ids: string): RowDiff[] => [...ids].map(row);

/** A report of rows that are extra: `shown` of them have samples. */
function extra(source: string, target: string, more: Partial<DiffReport> = {}): DiffReport {
  const report = { ...emptyReport('t'), ProcessedRows: 20, MatchingRows: 10, ExtraRowsSource: source.length, ExtraRowsTarget: target.length, ...more };
  if (source !== '') report.ExtraRowsSourceSample = rows(source);
  if (target !== '') report.ExtraRowsTargetSample = rows(target);
  return report;
}

function look(report: DiffReport, how: SecondLook, options: { mostExtra?: number; mostSamples?: number } = {}): string {
  const { mostExtra = 1000, mostSamples = 10 } = options;
  reconcile(report, { how, mostExtra, mostSamples, isReference: { source: false, target: false } });
  const ids = (list: RowDiff[] | undefined): string => (list ?? []).map((diff) => diff.Row?.['id']).join('');
  const { ProcessedRows, MatchingRows, MismatchedRows, ExtraRowsSource, ExtraRowsTarget } = report;
  return `${[ProcessedRows, MatchingRows, MismatchedRows, ExtraRowsSource, ExtraRowsTarget].join(' ')} [${ids(report.ExtraRowsSourceSample)}|${ids(report.ExtraRowsTargetSample)}]`;
}

describe('a second look', () => {
  it.each<[how: SecondLook, found: string]>([
    // Processed, matching, mismatched, extra on either side, what is shown of them.
    ['exact', '20 12 0 1 0 [b|]'],
    ['counts', '20 12 0 1 0 [b|]'],
    ['miscounts', '22 12 -2 1 0 [b|]'],
    ['all-or-nothing', '20 10 0 3 2 [abc|ca]'],
  ])('%s, with more on one side', (how, found) => {
    expect(look(extra('abc', 'ca'), how)).toBe(found);
  });

  it.each<[how: SecondLook, found: string]>([
    ['exact', '20 11 0 1 1 [b|x]'],
    ['counts', '20 11 0 1 1 [b|x]'],
    ['miscounts', '21 11 -1 1 1 [b|x]'],
    ['all-or-nothing', '19 11 0 1 1 [b|x]'],
  ])('%s, with as many', (how, found) => {
    expect(look(extra('ab', 'xa'), how)).toBe(found);
  });

  it('until #17950 ends at the first row without a match', () => {
    expect(look(extra('ba', 'ax'), 'all-or-nothing')).toBe('20 10 0 2 2 [ba|ax]');
    expect(look(extra('ba', 'ax'), 'counts')).toBe('20 11 0 1 1 [b|x]');
    expect(look(extra('ab', 'xa'), 'all-or-nothing', { mostExtra: 1 })).toBe('20 10 0 2 2 [ab|xa]');
  });

  it('takes one match for each of equal rows', () => {
    for (const how of ['exact', 'counts'] as const) expect(look(extra('aaab', 'aab'), how)).toBe('20 13 0 1 0 [a|]');
  });

  it.each<[how: SecondLook, source: string, target: string]>([
    ['exact', 'bcd', 'wxy'],
    ['counts', 'bc', 'wx'],
    ['all-or-nothing', 'bc', 'wx'],
  ])('%s keeps so many samples', (how, source, target) => {
    expect(look(extra('bcde', 'wxyz'), how, { mostSamples: 3 })).toBe(`20 10 0 4 4 [${source}|${target}]`);
    expect(look(extra('bcde', 'wxyz'), how, { mostSamples: 0 })).toBe('20 10 0 4 4 [bcde|wxyz]');
  });

  it('since #17950 keeps every sample when one side has none', () => {
    expect(look(extra('bcde', ''), 'counts', { mostSamples: 2 })).toBe('20 10 0 4 0 [bcde|]');
    expect(look(extra('bcde', ''), 'all-or-nothing', { mostSamples: 2 })).toBe('20 10 0 4 0 [b|]');
    expect(look(extra('bcde', ''), 'exact', { mostSamples: 2 })).toBe('20 10 0 4 0 [bc|]');
  });

  it('until #18585 crashes where there are more rows than samples', () => {
    const more = extra('ab', 'b', { ExtraRowsTarget: 3 });
    expect(() => look(more, 'miscounts')).toThrow('runtime error: index out of range [1] with length 1');
    expect(look(extra('ab', 'b', { ExtraRowsTarget: 3 }), 'counts')).toBe('20 11 0 1 2 [a|]');
  });

  it('does not take rows for the same because what is shown of them is', () => {
    const [a, b, c] = [row('1'), row('1'), row('1')];
    noteContents(a, [1n, 'long text']);
    noteContents(b, [1n, 'other text']);
    noteContents(c, [1n, 'long text']);
    const of = (source: RowDiff, target: RowDiff): DiffReport => ({ ...extra('', '', { ExtraRowsSource: 1, ExtraRowsTarget: 1 }), ExtraRowsSourceSample: [source], ExtraRowsTargetSample: [target] });
    expect(look(of(a, b), 'exact')).toBe('20 10 0 1 1 [1|1]');
    expect(look(of(a, c), 'exact')).toBe('20 11 0 0 0 [|]');
    expect(look(of(a, b), 'counts')).toBe('20 11 0 0 0 [|]');
  });
});

describe('a reference table', () => {
  const reference = (report: DiffReport, side: 'source' | 'target'): DiffReport => {
    reconcile(report, { how: 'counts', mostExtra: 10, mostSamples: 10, isReference: { source: side === 'source', target: side === 'target' } });
    return report;
  };

  it('with a copy in each shard of one side has no extra rows', () => {
    const found = reference(extra('abcde', '', { MatchingRows: 5 }), 'source');
    expect([found.ExtraRowsSource, found.ExtraRowsSourceSample]).toEqual([0, undefined]);
    expect(reference(extra('', 'abcde', { MatchingRows: 5 }), 'target').ExtraRowsTarget).toBe(0);
  });

  it('has, when they are no whole copies, or something differs, or it is one of the other side', () => {
    expect(reference(extra('abcd', '', { MatchingRows: 5 }), 'source').ExtraRowsSource).toBe(4);
    expect(reference(extra('abcde', '', { MatchingRows: 5, MismatchedRows: 1 }), 'source').ExtraRowsSource).toBe(5);
    expect(reference(extra('abcde', '', { MatchingRows: 5 }), 'target').ExtraRowsSource).toBe(5);
    expect(reference(extra('abcde', '', { MatchingRows: 0 }), 'source').ExtraRowsSource).toBe(5);
  });
});
