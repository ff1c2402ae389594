/** A VDiff as `show` prints it. Vitess: go/cmd/vtctldclient/command/vreplication/vdiff/vdiff.go. */
import { goJson } from '../../topo/proto/encode.ts';
import type { DiffReport } from '../../tablet/vdiff/report.ts';
import { type ShardSummary, sortedTables, type TableCounts, type VDiffSummary } from '../../workflow/vdiff/summary.ts';

/** What releases print otherwise. */
export interface SummaryStyle {
  percent: '%' | '%%';
  shardSummaries: boolean;
}

/** The text of `show`; begins and ends with an empty line. */
export function summaryText(summary: VDiffSummary, { percent }: Pick<SummaryStyle, 'percent'>): string {
  const lines = [
    '',
    `VDiff Summary for ${safe(summary.Keyspace)}.${safe(summary.Workflow)} (${summary.UUID})`,
    `State:        ${summary.State}`,
    ...[...summary.Errors].map(([shard, error]) => `              Error: (shard ${safe(shard)}) ${safe(error)}`),
    `RowsCompared: ${summary.RowsCompared}`,
    `HasMismatch:  ${summary.HasMismatch}`,
    `StartedAt:    ${summary.StartedAt}`,
    ...progressLine(summary, percent),
    ...(summary.CompletedAt === '' ? [] : [`CompletedAt:  ${summary.CompletedAt}`]),
    ...sortedTables(summary).flatMap(tableLines),
    ' ',
    'Use "--format=json" for more detailed output.',
    '',
    '',
  ];
  // What is left out of Vitess's template leaves empty lines behind, which it takes away: in errors, too.
  const [first = '', ...rest] = lines;
  return `${first}\n${rest.join('\n').replace(/\n{2,}/g, '\n')}\n`;
}

function progressLine({ State, Progress }: VDiffSummary, percent: string): string[] {
  if (State !== 'started' || Progress === undefined) return [];
  const eta = Progress.ETA === '' ? '' : `, ETA: ${Progress.ETA}`;
  return [`Progress:     ${Progress.Percentage.toFixed(2)}${percent}${eta}`];
}

function tableLines(table: TableCounts): string[] {
  const found = (name: string, count: number): string[] => (count === 0 ? [] : [`\t${`${name}:`.padEnd(17)} ${count}`]);
  return [
    ' ',
    `Table ${safe(table.TableName)}:`,
    `\tState:            ${table.State}`,
    `\tProcessedRows:    ${table.RowsCompared}`,
    `\tMatchingRows:     ${table.MatchingRows}`,
    ...found('MismatchedRows', table.MismatchedRows),
    ...found('ExtraRowsSource', table.ExtraRowsSource),
    ...found('ExtraRowsTarget', table.ExtraRowsTarget),
  ];
}

const HTML: Readonly<Record<string, string>> = { '"': '&#34;', '&': '&amp;', "'": '&#39;', '+': '&#43;', '<': '&lt;', '>': '&gt;', '\0': '\ufffd' };

/** Vitess fills its text in with a template for HTML. */
function safe(text: string): string {
  return text.replace(/["&'+<>\0]/g, (char) => HTML[char] ?? char);
}

/** The JSON of `show`. */
export function summaryJson(summary: VDiffSummary, { shardSummaries }: Pick<SummaryStyle, 'shardSummaries'>): string {
  const { ShardSummaries, TableSummary, Reports, Errors, Progress, StartedAt, CompletedAt, ...head } = summary;
  return goJson('plain', {
    ...head,
    StartedAt: unlessEmpty(StartedAt),
    CompletedAt: unlessEmpty(CompletedAt),
    ShardSummaries: shardSummaries ? mapOf(ShardSummaries, shardJson) : undefined,
    TableSummary: mapOf(TableSummary, (table) => table),
    Reports: mapOf(Reports, (byShard) => mapOf(byShard, reportJson)),
    Errors: mapOf(Errors, (error) => error),
    Progress: Progress === undefined ? undefined : { Percentage: Progress.Percentage, ETA: unlessEmpty(Progress.ETA) },
  });
}

function shardJson({ State, StartedAt, CompletedAt, LastError, TableStates }: ShardSummary): object {
  return {
    State,
    StartedAt: unlessEmpty(StartedAt),
    CompletedAt: unlessEmpty(CompletedAt),
    LastError: unlessEmpty(LastError),
    TableStates: mapOf(TableStates, (state) => state),
  };
}

function reportJson(report: DiffReport): object {
  const { TableName, ProcessedRows, MatchingRows, MismatchedRows, ExtraRowsSource, ExtraRowsTarget } = report;
  const row = (diff: { Row?: Record<string, string>; Query?: string } | undefined): object | undefined =>
    diff === undefined ? undefined : { Row: mapOf(new Map(Object.entries(diff.Row ?? {})), (value) => value), Query: unlessEmpty(diff.Query ?? '') };
  return {
    TableName,
    ProcessedRows,
    MatchingRows,
    MismatchedRows,
    ExtraRowsSource,
    ExtraRowsTarget,
    ExtraRowsSourceSample: report.ExtraRowsSourceSample?.map(row),
    ExtraRowsTargetSample: report.ExtraRowsTargetSample?.map(row),
    MismatchedRowsSample: report.MismatchedRowsSample?.map(({ Source, Target }) => ({ Source: row(Source), Target: row(Target) })),
  };
}

function unlessEmpty(text: string): string | undefined {
  return text === '' ? undefined : text;
}

/** A map of Go, which leaves an empty one out. */
function mapOf<T>(map: ReadonlyMap<string, T> | undefined, item: (value: T) => unknown): Map<string, unknown> | undefined {
  if (map === undefined || map.size === 0) return undefined;
  return new Map([...map].map(([key, value]) => [key, item(value)]));
}
