import type { SqlValue } from '../../src/store/database.ts';
import type { TestCluster } from './shell.ts';

/** The usual workflow's diffs. */
export const VDIFF = 'VDiff --workflow c2c --target-keyspace customer';
export const UUID = 'c9b0f0e2-5d2f-4b3b-9f5f-2f2f1f3e4d5a';

/** What `show --format json` prints. */
export interface ShownVDiff {
  State: string;
  UUID: string;
  RowsCompared: number;
  HasMismatch: boolean;
  Shards: string;
  StartedAt?: string;
  CompletedAt?: string;
  ShardSummaries?: Record<string, { State: string; LastError?: string; TableStates?: Record<string, { State: string; RowsCompared: number }> }>;
  TableSummary?: Record<string, Counts & { RowsCompared: number; State: string }>;
  Reports?: Record<string, Record<string, Counts & Samples>>;
  Errors?: Record<string, string>;
  Progress?: { Percentage: number; ETA?: string };
}

interface Counts {
  MatchingRows: number;
  MismatchedRows: number;
  ExtraRowsSource: number;
  ExtraRowsTarget: number;
}

export interface ShownRow {
  Row?: Record<string, string>;
  Query?: string;
}

interface Samples {
  ProcessedRows: number;
  ExtraRowsSourceSample?: ShownRow[];
  ExtraRowsTargetSample?: ShownRow[];
  MismatchedRowsSample?: { Source: ShownRow; Target: ShownRow }[];
}

/** One diff, `last` unless said. */
export async function shown(cluster: TestCluster, which = 'last', flags = '--verbose', command = VDIFF): Promise<ShownVDiff> {
  return JSON.parse(await cluster.ok(`${command} show ${which} --format json ${flags}`)) as ShownVDiff;
}

/** Runs a diff and shows it. */
export async function diffed(cluster: TestCluster, flags = '', command = VDIFF): Promise<ShownVDiff> {
  await cluster.ok(`${command} create ${flags}`);
  return shown(cluster, 'last', '--verbose', command);
}

/** `matching/mismatched/extra on the source/extra on the target` of a table. */
export function counts({ TableSummary }: ShownVDiff, table: string): string {
  const found = TableSummary?.[table];
  if (found === undefined) return 'not compared';
  return [found.MatchingRows, found.MismatchedRows, found.ExtraRowsSource, found.ExtraRowsTarget].join('/');
}

/** Changes rows on a shard behind everybody's back: nothing is in its binlog. */
export function tamper(cluster: TestCluster, place: string, sql: string, ...params: SqlValue[]): void {
  const [keyspace = '', shard = ''] = place.split('/');
  const { db } = cluster.host.shards.open(keyspace, shard);
  if (db.run(sql, ...params) === 0) throw new Error(`no row changed: ${sql}`);
}

/** Says that another process, which lives, works on a shard's last diff. */
export function workedOnElsewhere(cluster: TestCluster, place = 'customer/0'): void {
  const owner = JSON.stringify({ host: 'virtual', boot: 'virtual', pidNamespace: 'virtual', pid: 1, start: '0', user: 'vitess' });
  tamper(cluster, place, 'INSERT INTO _vdiff_run SELECT max(id), ?, NULL FROM "_vt.vdiff"', owner);
}
