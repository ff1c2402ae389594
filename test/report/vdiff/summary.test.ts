import { describe, expect, it } from 'vitest';
import { listingJson, listingText } from '../../../src/report/vdiff/listing.ts';
import { summaryJson, summaryText } from '../../../src/report/vdiff/summary.ts';
import type { VDiffSummaryRow } from '../../../src/tablet/vdiff/records.ts';
import { buildSummary, progressReport, sortedTables, type VDiffSummary } from '../../../src/workflow/vdiff/summary.ts';

const UUID = 'c9b0f0e2-5d2f-4b3b-9f5f-2f2f1f3e4d5a';
const STARTED = '2026-01-15 10:00:00';
const COMPLETED = '2026-01-15 10:00:01';
const NOW = Date.UTC(2026, 0, 15, 10);

function row(more: Partial<VDiffSummaryRow>): VDiffSummaryRow {
  return {
    vdiff_state: 'completed', last_error: '', table_name: 't1', uuid: UUID, table_state: 'completed', table_rows: 3, started_at: STARTED,
    rows_compared: 3, completed_at: COMPLETED, has_mismatch: 0, report: '{}', ...more,
  };
}

function summary(answers: Record<string, VDiffSummaryRow[]>, { verbose = true, now = NOW } = {}): VDiffSummary {
  return buildSummary({ keyspace: 'targetks', workflow: 'vdiffTest', uuid: UUID, verbose, now }, new Map(Object.entries(answers)));
}

const text = (of: VDiffSummary, percent: '%' | '%%' = '%'): string => summaryText(of, { percent });
const json = (of: VDiffSummary, shardSummaries = true): string => summaryJson(of, { shardSummaries });

describe('the text of a diff', () => {
  it('that runs tells how far it is', () => {
    const running = row({
      vdiff_state: 'started', table_state: 'started', table_rows: 300, rows_compared: 30, completed_at: null,
      report: '{"TableName": "t1", "MatchingRows": 30, "ProcessedRows": 30, "MismatchedRows": 0, "ExtraRowsSource": 0, "ExtraRowsTarget": 0}',
    });
    expect(text(summary({ '0': [running] }))).toBe(
      `\nVDiff Summary for targetks.vdiffTest (${UUID})\nState:        started\nRowsCompared: 30\nHasMismatch:  false\nStartedAt:    2026-01-15 10:00:00\nProgress:     10.00%, ETA: 2026-01-15 10:00:00\n \nTable t1:\n\tState:            started\n\tProcessedRows:    30\n\tMatchingRows:     30\n \nUse "--format=json" for more detailed output.\n\n`,
    );
    expect(text(summary({ '0': [running] }), '%%')).toContain('Progress:     10.00%%, ETA: ');
    expect(text(summary({ '0': [{ ...running, rows_compared: 0 }] }))).toContain('\nProgress:     0.00%\n \nTable t1');
  });

  it('tells of each table when something differs, and of errors as a template for HTML does', () => {
    const corder = row({ table_name: 'corder', report: '{"ProcessedRows":5,"MatchingRows":5}', rows_compared: 5 });
    const customer = row({ table_name: 'customer', rows_compared: 5, has_mismatch: 1, report: '{"ProcessedRows":5,"MatchingRows":3,"MismatchedRows":1,"ExtraRowsSource":1,"ExtraRowsTarget":2}' });
    expect(text(summary({ '0': [corder, customer] }, { verbose: false }))).toBe(
      [
        '',
        `VDiff Summary for targetks.vdiffTest (${UUID})`,
        'State:        completed',
        'RowsCompared: 10',
        'HasMismatch:  true',
        'StartedAt:    2026-01-15 10:00:00',
        'CompletedAt:  2026-01-15 10:00:01',
        ' ',
        'Table corder:',
        '\tState:            completed',
        '\tProcessedRows:    5',
        '\tMatchingRows:     5',
        ' ',
        'Table customer:',
        '\tState:            completed',
        '\tProcessedRows:    5',
        '\tMatchingRows:     3',
        '\tMismatchedRows:   1',
        '\tExtraRowsSource:  1',
        '\tExtraRowsTarget:  2',
        ' ',
        'Use "--format=json" for more detailed output.',
        '',
        '',
      ].join('\n'),
    );
    const broken = (shard: string): VDiffSummaryRow => row({ vdiff_state: 'error', table_name: null, table_state: null, last_error: `it's <bad> in ${shard}\n\nand more`, completed_at: null });
    expect(text(summary({ '80-': [broken('80-')], '-80': [broken('-80')] }, { verbose: false }))).toBe(
      `\nVDiff Summary for targetks.vdiffTest (${UUID})\nState:        error\n              Error: (shard -80) it&#39;s &lt;bad&gt; in -80\nand more\n              Error: (shard 80-) it&#39;s &lt;bad&gt; in 80-\nand more\nRowsCompared: 6\nHasMismatch:  false\nStartedAt:    2026-01-15 10:00:00\n \nUse "--format=json" for more detailed output.\n\n`,
    );
  });

  it('has its tables by name', () => {
    const tables = summary({ '0': ['zebra', 'apple', 'mango'].map((name) => row({ table_name: name })) });
    expect(sortedTables(tables).map((table) => table.TableName)).toEqual(['apple', 'mango', 'zebra']);
  });
});

describe('the JSON of a diff', () => {
  const found = row({ has_mismatch: 1, report: '{"MatchingRows":1,"ProcessedRows":3,"ExtraRowsTarget":2,"TableName":"t1","ExtraRowsTargetSample":[{"Row":{"c2":"4","c1":"2"}}]}' });
  const head = {
    Workflow: 'vdiffTest', Keyspace: 'targetks', State: 'completed', UUID, RowsCompared: 3, HasMismatch: true, Shards: '0', StartedAt: STARTED, CompletedAt: COMPLETED,
  };
  const counts = { RowsCompared: 3, MatchingRows: 1, MismatchedRows: 0, ExtraRowsSource: 0, ExtraRowsTarget: 2 };
  const tables = {
    TableSummary: { t1: { TableName: 't1', State: 'completed', ...counts } },
    Reports: {
      t1: {
        '0': { TableName: 't1', ProcessedRows: 3, MatchingRows: 1, MismatchedRows: 0, ExtraRowsSource: 0, ExtraRowsTarget: 2, ExtraRowsTargetSample: [{ Row: { c1: '2', c2: '4' } }] },
      },
    },
  };

  it('has keys in this order', () => {
    const shards = { '0': { State: 'completed', StartedAt: STARTED, CompletedAt: COMPLETED, TableStates: { t1: { TableName: 't1', State: 'completed', ...counts, HasMismatch: true } } } };
    expect(json(summary({ '0': [found] }, { verbose: false }))).toBe(JSON.stringify({ ...head, ShardSummaries: shards, ...tables }, null, 2));
  });

  it('until v23 does not tell of each shard', () => {
    expect(json(summary({ '0': [found] }), false)).toBe(JSON.stringify({ ...head, ...tables }, null, 2));
  });

  it('is its head alone when nothing differs', () => {
    const same = row({ report: '{"MatchingRows":3,"ProcessedRows":3}' });
    expect(json(summary({ '0': [same] }, { verbose: false }))).toBe(JSON.stringify({ ...head, HasMismatch: false }, null, 2));
    expect(Object.keys(JSON.parse(json(summary({ '0': [same] }))) as object)).toEqual([...Object.keys(head), 'ShardSummaries', 'TableSummary', 'Reports']);
  });

  it('tells of errors and of progress', () => {
    const failed = JSON.parse(json(summary({ '-80': [row({})], '80-': [row({ vdiff_state: 'error', table_state: 'error', last_error: 'some vdiff error' })] }))) as Record<string, unknown>;
    expect(failed).toMatchObject({ State: 'error', Errors: { '80-': 'some vdiff error' }, ShardSummaries: { '-80': { State: 'completed' }, '80-': { State: 'error', LastError: 'some vdiff error' } } });
    expect(failed).not.toHaveProperty('CompletedAt');
    const running = summary({ '0': [row({ vdiff_state: 'started', table_state: 'started', table_rows: 7, rows_compared: 3 })] }, { verbose: false });
    expect(json(running)).toContain('  "Progress": {\n    "Percentage": 42.86,\n    "ETA": "2026-01-15 10:00:00"\n  }\n}');
  });
});

describe('several shards', () => {
  it('begin with the first, end with the last, and are counted together', () => {
    const low = row({ rows_compared: 60, completed_at: '2026-01-15 10:03:00', report: '{"ProcessedRows":60,"MatchingRows":60}' });
    const high = row({ rows_compared: 40, started_at: '2026-01-15 10:01:00', completed_at: '2026-01-15 10:05:00', report: '{"ProcessedRows":40,"MatchingRows":40}' });
    const both = summary({ '80-': [high], '-80': [low] });
    expect(both).toMatchObject({ State: 'completed', RowsCompared: 100, StartedAt: STARTED, CompletedAt: '2026-01-15 10:05:00', Shards: '-80,80-' });
    expect(both.ShardSummaries?.get('80-')).toMatchObject({ StartedAt: '2026-01-15 10:01:00', CompletedAt: '2026-01-15 10:05:00' });
    expect(both.TableSummary?.get('t1')).toMatchObject({ RowsCompared: 100, MatchingRows: 100 });
  });

  it.each<[states: [shard: string, table: string | null][], state: string]>([
    [[['completed', 'completed'], ['completed', 'completed']], 'completed'],
    [[['started', 'completed'], ['completed', 'completed']], 'started'],
    [[['completed', 'completed'], ['started', 'started']], 'started'],
    [[['completed', 'completed'], ['started', 'pending']], 'pending'],
    [[['completed', 'completed'], ['pending', null]], ''],
    [[['pending', null], ['pending', null]], 'started'],
    [[['started', 'started'], ['stopped', 'stopped']], 'stopped'],
    [[['error', 'error'], ['stopped', 'stopped']], 'stopped'],
    [[['error', 'error'], ['started', 'started']], 'error'],
    [[['completed', 'error'], ['completed', 'completed']], 'error'],
  ])('%j are %s', (states, state) => {
    const answers = Object.fromEntries(states.map(([shard, table], at) => [String(at), [row({ vdiff_state: shard as 'error', table_state: table as 'error', table_name: table === null ? null : 't1' })]]));
    expect(summary(answers).State).toBe(state);
  });

  it('an error of a table stays, completed takes no place', () => {
    const of = (...states: string[]): string | undefined => {
      const answers = Object.fromEntries(states.map((state, at) => [String(at), [row({ table_state: state as 'error' })]]));
      return summary(answers).TableSummary?.get('t1')?.State;
    };
    expect([of('completed', 'started'), of('started', 'completed'), of('error', 'started'), of('started', 'error'), of('completed', 'completed')]).toEqual([
      'started', 'started', 'error', 'error', 'completed',
    ]);
  });
});

describe('progress', () => {
  const at = (seconds: number): string => new Date(NOW - seconds * 1000).toISOString().slice(0, 19).replace('T', ' ');

  it.each<[compared: number, of: number, ran: number | undefined, percentage: number, eta: number | undefined]>([
    [0, 100, undefined, 0, undefined],
    [33, 100, 10, 33, 20],
    [5_000_000_000, 10_000_000_000, 36_000, 50, 36_000],
    [100, 100, undefined, 100, 0],
    [100, 50, undefined, 100, 0],
    [1, 3, 60, 33.33, 120],
    [0, 0, 5, 0, undefined],
    // Beyond a year nobody believes it.
    [1, 100, 365 * 24 * 3600, 1, undefined],
  ])('%i of %i after %s s', (compared, of, ran, percentage, eta) => {
    const report = progressReport(compared, of, ran === undefined ? '' : at(ran), NOW);
    expect(report).toEqual({ Percentage: percentage, ETA: eta === undefined ? '' : at(-eta) });
  });
});

describe('the list', () => {
  const listing = { UUID: 'a37bb2be-5628-11ee-8c99-0242ac120002', Workflow: 'commerce2customer', Keyspace: 'customer', Shard: '0', State: 'completed' };

  it('is a grid', () => {
    expect(listingText([listing], 'customer', 'commerce2customer')).toBe(`\
+-----------------------------------------+----------------------+-------------+----------+--------------+
|                                    UUID |             Workflow |    Keyspace |    Shard |        State |
+=========================================+======================+=============+==========+==============+
|    a37bb2be-5628-11ee-8c99-0242ac120002 |    commerce2customer |    customer |        0 |    completed |
+-----------------------------------------+----------------------+-------------+----------+--------------+

`);
  });

  it('is a sentence, or an empty list, without any', () => {
    expect(listingText([], 'customer', 'c2c')).toBe('No vdiffs found for customer.c2c\n');
    expect(listingJson([])).toBe('[]');
    expect(listingJson([listing])).toBe(JSON.stringify([listing], null, 2));
  });
});
