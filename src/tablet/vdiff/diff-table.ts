/** The diff of one table. Vitess: go/vt/vttablet/tabletmanager/vdiff/workflow_differ.go diffTable. */
import { loading } from '../../lib/loading.ts';
import type { Database } from '../../store/database.ts';
import type { ShardDb } from '../shard-db.ts';
import { ownsVDiff, showLife } from './claim.ts';
import { compareRows } from './compare.ts';
import { Pacer } from './pacer.ts';
import { planShaped, planTable, type TablePlan } from './plan.ts';
import { logVDiff, readVDiffTable, updateVDiffTable, type VDiffTableRow } from './records.ts';
import { reconcile } from './reconcile.ts';
import { type DiffReport, hasDifference, readReport } from './report.ts';
import { mergeRows, openRows, type Rows, type RowSource } from './rows.ts';
import { refuseProblem, type StreamTable } from './rules.ts';
import { type DiffScope, openSides, type Sides } from './sides.ts';

/** A table of a diff. */
export interface TableScope extends DiffScope {
  name: string;
  sourceTable: string;
  /** What each stream takes of it, by the stream's id. */
  streamTables: Map<number, StreamTable>;
  isReference: { source: boolean; target: boolean };
  /** Throws if the diff is not to go on. */
  check: () => void;
  /** Told how many rows have been compared. */
  progress: (rows: number) => void;
}

/** Between two runs of a table that took longer than they may, for MySQL to recover. */
const PAUSE_MS = 30_000;
/** How often a stop is looked for meanwhile. */
const LOOK_MS = 1000;

/** A run of a table took as long as it may. */
class TimeIsUp extends Error {}

/**
 * Compares a table, in as many runs as `--max-diff-duration` makes of it, each with both sides taken anew, and records what was
 * found. Throws what makes the diff fail, stop or wait.
 */
export async function diffTable(table: TableScope): Promise<void> {
  await setState(table, 'started');
  while (!(await diffOnce(table))) await pause(table);
}

/** False if the time for one run was up. */
async function diffOnce(table: TableScope): Promise<boolean> {
  const { cluster, shard, options, name } = table;
  table.check();
  const sides = await openSides(table, table);
  const rows: Rows[] = [];
  try {
    const { report, lastpk } = progressOf(table);
    const { clock } = cluster.world;
    const seconds = options.core_options.max_diff_seconds;
    const until = seconds > 0 ? clock.monotonic() + seconds * 1000 : Number.POSITIVE_INFINITY;
    const pacer = new Pacer(clock, () => {
      table.progress(report.ProcessedRows);
      table.check();
      if (clock.monotonic() >= until) throw new TimeIsUp();
    });
    const plan = planOf(table, sides);
    const source = await openSource(table, sides, plan, lastpk, pacer, rows);
    const ours = { snapshot: sides.target, def: definition(shard, sides.target, name), accepts: [...table.streamTables.values()][0]?.isOurs };
    const target = await openRows(ours, plan, lastpk, pacer);
    rows.push(target);
    await compareRows({
      plan,
      source,
      target,
      report,
      limit: options.core_options.max_rows,
      mostExtra: options.core_options.max_extra_rows_to_compare,
      mostSamples: options.report_options.max_sample_rows,
      samples: sampleOptions(table),
      keepDrained: !cluster.release.vitess,
      pacer,
      save: (key) => save(table, report, key),
    });
    await finish(table, report);
    table.progress(report.ProcessedRows);
    return true;
  } catch (error) {
    if (error instanceof TimeIsUp) return false;
    throw error;
  } finally {
    for (const one of rows) one.close();
    sides.close();
  }
}

function progressOf({ shard, vdiff, name }: TableScope): { report: DiffReport; lastpk: string | null } {
  const row = readVDiffTable(shard, vdiff.id, name);
  return { report: { ...readReport(row?.report ?? null), TableName: name }, lastpk: row?.lastpk ?? null };
}

function definition(shard: ShardDb, snapshot: Database, table: string): ReturnType<ShardDb['findTable']> {
  return shard.findTable(table, { db: snapshot, schema: 'main' });
}

/** How the table is compared. The source's is read from the first stream, as in Vitess: they all have the same. */
function planOf(table: TableScope, sides: Sides): TablePlan {
  const { cluster, shard, streams, name, sourceTable } = table;
  const target = shard.table(name, { db: sides.target, schema: 'main' });
  const first = streams.find(({ id }) => table.streamTables.has(id))!;
  const of = table.streamTables.get(first.id)!;
  refuseProblem(of);
  if (of.shape !== undefined) return planShaped(target, sourceTable, of.shape.columns.map((column) => column.name));
  const from = cluster.shards.open(first.source.keyspace, first.source.shard);
  return planTable(target, definition(from, sides.sources.get(first.id)!, sourceTable), sourceTable);
}

async function openSource(table: TableScope, sides: Sides, plan: TablePlan, lastpk: string | null, pacer: Pacer, opened: Rows[]): Promise<Rows> {
  const parts: SourcePart[] = [];
  for (const { id, source } of table.streams) {
    const of = table.streamTables.get(id);
    if (of === undefined) continue;
    const snapshot = sides.sources.get(id)!;
    const def = definition(table.cluster.shards.open(source.keyspace, source.shard), snapshot, table.sourceTable);
    if (def === undefined) warnOfMissing(table, source);
    parts.push({ snapshot, def, accepts: of.accepts, convert: of.convert, shape: of.shape });
  }
  const { shape } = parts[0]!;
  if (shape !== undefined) {
    const { openShaped } = await loading(import('./shaped.ts'));
    const rows = await openShaped(parts, shape, plan, lastpk, pacer);
    opened.push(rows);
    return rows;
  }
  const rows: Rows[] = [];
  for (const part of parts) {
    rows.push(await openRows(part, plan, lastpk, pacer));
    opened.push(rows.at(-1)!);
  }
  return mergeRows(rows, plan.order);
}

/** A source as it is read. */
interface SourcePart extends RowSource {
  shape: StreamTable['shape'];
}

function warnOfMissing({ cluster, vdiff, sourceTable }: TableScope, { keyspace, shard }: { keyspace: string; shard: string }): void {
  const text = `The ${sourceTable} table was not found in ${keyspace}/${shard} during VDiff for the ${vdiff.workflow} workflow; any rows on the target will be reported as extra`;
  cluster.world.events.log('warning', text);
}

function sampleOptions({ cluster, options }: TableScope): Parameters<typeof compareRows>[0]['samples'] {
  const { only_pks: onlyKeys, debug_query: query, row_diff_column_truncate_at: cutAt } = options.report_options;
  return { onlyKeys, query, cutAt, style: cluster.release.behaviours.vdiffSamples };
}

async function save(table: TableScope, report: DiffReport, key: string | undefined): Promise<void> {
  table.progress(report.ProcessedRows);
  await write(table, {
    rows_compared: report.ProcessedRows,
    report: JSON.stringify(report),
    ...(key === undefined ? {} : { lastpk: key }),
    ...(report.MismatchedRows > 0 ? { mismatch: 1 } : {}),
  });
}

/** Records the end of a table, after the second look at extra rows. */
async function finish(table: TableScope, report: DiffReport): Promise<void> {
  const { cluster, options, isReference } = table;
  reconcile(report, {
    how: cluster.release.behaviours.vdiffSecondLook,
    mostExtra: options.core_options.max_extra_rows_to_compare,
    mostSamples: options.report_options.max_sample_rows,
    isReference,
  });
  await write(table, {
    state: 'completed',
    rows_compared: report.ProcessedRows,
    report: JSON.stringify(report),
    ...(hasDifference(report) ? { mismatch: 1 } : {}),
  });
}

async function setState(table: TableScope, state: 'started'): Promise<void> {
  await write(table, { state });
}

/** Changes the table's row; not if the diff is no longer this process's. */
async function write(table: TableScope, changes: Partial<Pick<VDiffTableRow, 'state' | 'lastpk' | 'rows_compared' | 'mismatch' | 'report'>>): Promise<void> {
  const { cluster, shard, vdiff, name } = table;
  const { clock } = cluster.world;
  await shard.db.write(clock, () => {
    if (!ownsVDiff(shard, cluster.world, vdiff.id)) return;
    updateVDiffTable(shard, vdiff.id, name, changes, clock.now());
    if (changes.state !== undefined) logVDiff(shard, vdiff.id, `${changes.state}: table '${name}'`, clock.now());
    showLife(shard, cluster.world, vdiff.id);
  });
}

async function pause({ ctx, cluster, check }: TableScope): Promise<void> {
  for (let left = PAUSE_MS; left > 0; left -= LOOK_MS) {
    await cluster.world.clock.sleep(LOOK_MS, ctx);
    check();
  }
}
