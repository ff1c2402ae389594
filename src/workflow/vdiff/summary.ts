/**
 * What the shards say of a diff, as one: state, counts, what was found, how far it is. Names and order of fields are those of
 * Vitess's JSON. Vitess: go/vt/vtctl/workflow/vdiff.go BuildSummary.
 */
import { formatDateTime, parseDateTime } from '../../lib/go-time.ts';
import type { VDiffState, VDiffSummaryRow } from '../../tablet/vdiff/records.ts';
import { type DiffReport, readReport } from '../../tablet/vdiff/report.ts';
import type { ByShard } from './show.ts';

/** Counts of one table: of all shards, or of one. */
export interface TableCounts {
  TableName: string;
  State: VDiffState;
  RowsCompared: number;
  MatchingRows: number;
  MismatchedRows: number;
  ExtraRowsSource: number;
  ExtraRowsTarget: number;
}

export interface TableState extends TableCounts {
  HasMismatch: boolean;
}

export interface ShardSummary {
  State: VDiffState;
  /** Empty where it is not known, as below. */
  StartedAt: string;
  CompletedAt: string;
  LastError: string;
  TableStates: ReadonlyMap<string, TableState>;
}

export interface ProgressReport {
  Percentage: number;
  /** Empty when nothing can be said of it. */
  ETA: string;
}

export interface VDiffSummary {
  Workflow: string;
  Keyspace: string;
  State: VDiffState;
  UUID: string;
  RowsCompared: number;
  HasMismatch: boolean;
  /** With commas between them. */
  Shards: string;
  StartedAt: string;
  CompletedAt: string;
  /** Undefined where nothing was found and no more was asked for; so are the next two. */
  ShardSummaries: ReadonlyMap<string, ShardSummary> | undefined;
  TableSummary: ReadonlyMap<string, TableCounts> | undefined;
  /** By table, then by shard. */
  Reports: ReadonlyMap<string, ReadonlyMap<string, DiffReport>> | undefined;
  Errors: ReadonlyMap<string, string>;
  Progress: ProgressReport | undefined;
}

/** Which diff, and how much is to be told of it. */
export interface SummaryRequest {
  keyspace: string;
  workflow: string;
  uuid: string;
  verbose: boolean;
  /** Epoch milliseconds, for the time that is left. */
  now: number;
}

type Counts = Readonly<Record<string, number>>;

/** Joins what the shards answered. Throws SyntaxError for a report that is no JSON. */
export function buildSummary({ keyspace, workflow, uuid, verbose, now }: SummaryRequest, answers: ByShard<readonly VDiffSummaryRow[]>): VDiffSummary {
  const names = [...answers.keys()].toSorted();
  const rows = names.flatMap((shard) => answers.get(shard)!.map((row) => ({ shard, row })));
  const firsts = names.flatMap((shard) => answers.get(shard)!.slice(0, 1).map((row) => ({ shard, row })));
  const tables = rows.filter(({ row }) => (row.table_name ?? '') !== '');
  const State = stateOf(
    tally(firsts.map(({ row }) => row.vdiff_state)),
    tally(tables.map(({ row }) => row.table_state ?? '')),
    new Set(tables.map(({ row }) => row.table_name)).size,
    names.length,
  );
  const RowsCompared = sum(rows.map(({ row }) => row.rows_compared ?? 0));
  // Texts of this form sort by time.
  const StartedAt = firsts.map(({ row }) => row.started_at ?? '').filter((at) => at !== '').toSorted()[0] ?? '';
  const CompletedAt = firsts.map(({ row }) => row.completed_at ?? '').toSorted().at(-1) ?? '';
  const HasMismatch = rows.some(({ row }) => row.has_mismatch === 1);
  const isDetailed = HasMismatch || verbose;
  return {
    Workflow: workflow,
    Keyspace: keyspace,
    State,
    UUID: uuid,
    RowsCompared,
    HasMismatch,
    Shards: names.join(','),
    StartedAt,
    CompletedAt: State === 'completed' ? CompletedAt : '',
    ShardSummaries: isDetailed ? shardSummaries(answers, names) : undefined,
    TableSummary: isDetailed ? tableSummaries(tables.map(({ row }) => row)) : undefined,
    Reports: isDetailed ? reportsOf(tables) : undefined,
    Errors: new Map(firsts.flatMap(({ shard, row }): [string, string][] => (row.last_error === '' ? [] : [[shard, row.last_error]]))),
    Progress: State === 'started' ? progressReport(RowsCompared, sum(rows.map(({ row }) => row.table_rows ?? 0)), StartedAt, now) : undefined,
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}

function tally(states: readonly string[]): Counts {
  const counts: Record<string, number> = {};
  for (const state of states) counts[state.toLowerCase()] = (counts[state.toLowerCase()] ?? 0) + 1;
  return counts;
}

/** A stop of any shard and an error of anything count for all; it is completed when every table of every shard is. */
function stateOf(shards: Counts, tables: Counts, tableCount: number, shardCount: number): VDiffState {
  if ((shards['stopped'] ?? 0) > 0) return 'stopped';
  if ((shards['error'] ?? 0) > 0 || (tables['error'] ?? 0) > 0) return 'error';
  if ((tables['started'] ?? 0) > 0) return 'started';
  if ((tables['pending'] ?? 0) > 0) return 'pending';
  if ((tables['completed'] ?? 0) !== tableCount * shardCount) return '';
  // With several sources a table is completed for each of them: the shard tells when it is for all.
  return (shards['completed'] ?? 0) === shardCount ? 'completed' : 'started';
}

function countsOf(table: string, state: VDiffState, report: DiffReport): TableCounts {
  const { ProcessedRows: RowsCompared, MatchingRows, MismatchedRows, ExtraRowsSource, ExtraRowsTarget } = report;
  return { TableName: table, State: state, RowsCompared, MatchingRows, MismatchedRows, ExtraRowsSource, ExtraRowsTarget };
}

function shardSummaries(answers: ByShard<readonly VDiffSummaryRow[]>, names: readonly string[]): Map<string, ShardSummary> {
  const summaries = new Map<string, ShardSummary>();
  for (const shard of names) {
    const rows = answers.get(shard)!;
    const [first] = rows;
    if (first === undefined) continue;
    const states = new Map<string, TableState>();
    for (const row of rows) {
      const table = row.table_name ?? '';
      if (table === '') continue;
      states.set(table, { ...countsOf(table, row.table_state ?? '', readReport(row.report)), HasMismatch: row.has_mismatch === 1 });
    }
    summaries.set(shard, {
      State: first.vdiff_state,
      StartedAt: first.started_at ?? '',
      CompletedAt: first.completed_at ?? '',
      LastError: first.last_error,
      TableStates: states,
    });
  }
  return summaries;
}

function tableSummaries(rows: readonly VDiffSummaryRow[]): Map<string, TableCounts> {
  const tables = new Map<string, TableCounts>();
  for (const row of rows) {
    const table = row.table_name!;
    const state = row.table_state ?? '';
    const before = tables.get(table) ?? countsOf(table, '', readReport(null));
    const own = countsOf(table, state, readReport(row.report));
    tables.set(table, {
      TableName: table,
      State: joined(before.State, state),
      RowsCompared: before.RowsCompared + own.RowsCompared,
      MatchingRows: before.MatchingRows + own.MatchingRows,
      MismatchedRows: before.MismatchedRows + own.MismatchedRows,
      ExtraRowsSource: before.ExtraRowsSource + own.ExtraRowsSource,
      ExtraRowsTarget: before.ExtraRowsTarget + own.ExtraRowsTarget,
    });
  }
  return tables;
}

/** An error stays; completed takes nothing's place. */
function joined(before: VDiffState, state: VDiffState): VDiffState {
  if (before === 'error') return before;
  return state === 'completed' && before !== '' ? before : state;
}

function reportsOf(tables: readonly { shard: string; row: VDiffSummaryRow }[]): Map<string, Map<string, DiffReport>> {
  const reports = new Map<string, Map<string, DiffReport>>();
  for (const { shard, row } of tables) {
    const byShard = reports.get(row.table_name!) ?? new Map<string, DiffReport>();
    byShard.set(shard, readReport(row.report));
    reports.set(row.table_name!, byShard);
  }
  return reports;
}

/** The tables of a summary by name. */
export function sortedTables(summary: Pick<VDiffSummary, 'TableSummary'>): TableCounts[] {
  const tables = [...(summary.TableSummary ?? new Map<string, TableCounts>()).values()];
  return tables.toSorted((a, b) => (a.TableName < b.TableName ? -1 : 1));
}

const YEAR_MS = 365 * 24 * 3_600_000;

/**
 * How much has been compared, and when it will be done if it goes on so. `of` is what the target has: with more on the source it
 * stops at 100. Vitess: BuildProgressReport.
 */
export function progressReport(compared: number, of: number, startedAt: string, now: number): ProgressReport {
  const share = compared >= 1 ? Math.round(Math.min((compared / of) * 100, 100) * 100) / 100 : 0;
  const Percentage = Number.isNaN(share) ? 0 : share;
  if (Percentage < 1) return { Percentage, ETA: '' };
  const nowSeconds = Math.floor(now / 1000);
  const started = parseDateTime(startedAt);
  const ran = Number.isNaN(started) ? 0 : nowSeconds - Math.floor(started / 1000);
  const eta = (nowSeconds + Math.floor((ran * (100 - Percentage)) / Percentage)) * 1000;
  return { Percentage, ETA: eta < now + YEAR_MS ? formatDateTime(eta) : '' };
}
