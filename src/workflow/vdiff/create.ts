/** Makes a VDiff on each target shard of a workflow. Vitess: go/vt/vtctl/workflow/vdiff.go VDiffCreate. */
import { plainError, vtError, wrapError } from '../../lib/errors.ts';
import { parseUuid } from '../../lib/uuid.ts';
import type { Context } from '../../runtime/context.ts';
import type { Cluster } from '../../tablet/cluster.ts';
import { callTablet } from '../../tablet/manager.ts';
import { tabletTypesText, type VDiffOptions } from '../../tablet/vdiff/options.ts';
import { mayNotServe, pickTablet } from '../../tablet/vdiff/pick.ts';
import { findVDiff, insertVDiff } from '../../tablet/vdiff/records.ts';
import { streamTables } from '../../tablet/vdiff/rules.ts';
import { readCopyState, readStreams } from '../../tablet/vreplication/streams.ts';
import { cellNames } from '../../topo/cells.ts';
import { aliasText } from '../../topo/tablets.ts';
import { type AdminMistake, unknownCell } from '../admin.ts';
import { forAll } from '../fan-out.ts';
import { derivedState } from '../lag.ts';
import { refuseInterrupted } from '../intent/stand-back.ts';
import type { TrafficSwitcher } from '../switcher.ts';
import { readWorkflow, type VDiffTarget } from './members.ts';

/** What VDiff create was asked for. Durations are in milliseconds; whole seconds are kept, as in Vitess. */
export interface VDiffRequest extends VDiffTarget {
  /** Empty: a new one. */
  uuid: string;
  sourceCells: readonly string[];
  targetCells: readonly string[];
  tabletTypes: readonly string[];
  inOrder: boolean;
  tables: readonly string[];
  /** 0: all rows. */
  limit: number;
  replicationWaitMs: number;
  debugQuery: boolean;
  onlyKeys: boolean;
  updateTableStats: boolean;
  mostExtraRows: number;
  autoRetry: boolean;
  mostSampleRows: number;
  maxDiffMs: number;
  truncateAt: number;
  autoStart: boolean;
}

/** Something about a request that Vitess takes without a word. */
export type VDiffMistake = AdminMistake | { kind: 'vdiff-unknown-table' | 'vdiff-no-tablet'; text: string };

/** More rows than any table has: 2^63 - 1 in Vitess. */
const ALL_ROWS = Number.MAX_SAFE_INTEGER;

/**
 * Records a diff on each target and returns its UUID and the workflow; nothing is compared yet. `onMistake` is called before anything
 * is written; what it throws refuses the request. Throws `invalid VDiff run: writes have been already been switched for workflow K.W`,
 * `not all streams are running in workflow K.W`, and of a tablet `vdiff with UUID U already exists on tablet T`.
 */
export async function createVDiff(
  ctx: Context,
  cluster: Cluster,
  request: VDiffRequest,
  onMistake: (mistake: VDiffMistake) => void,
): Promise<{ uuid: string; sw: TrafficSwitcher }> {
  const uuid = request.uuid === '' ? cluster.world.random.uuid() : readUuid(request.uuid);
  const { keyspace, workflow } = request;
  await refuseInterrupted(ctx, cluster, [keyspace]);
  const sw = await readWorkflow(ctx, cluster, request);
  if (sw.frozen) {
    throw vtError('FAILED_PRECONDITION', `invalid VDiff run: writes have been already been switched for workflow ${keyspace}.${workflow}`);
  }
  if (cluster.release.behaviours.vdiffNeedsRunning && !allRun(sw)) {
    throw vtError('FAILED_PRECONDITION', `not all streams are running in workflow ${keyspace}.${workflow}`);
  }
  await refuseInterrupted(ctx, cluster, [sw.sourceKeyspace, keyspace]);
  for (const mistake of await findMistakes(ctx, cluster, request, sw)) onMistake(mistake);
  const options = await optionsOf(ctx, cluster, request);
  const { clock } = cluster.world;
  await forAll(sw.targets, (target) =>
    callTablet(ctx, cluster, target.primary, 'VDiff', () =>
      target.db.db.write(clock, () => {
        if (findVDiff(target.db, uuid) !== undefined) {
          throw plainError(`vdiff with UUID ${uuid} already exists on tablet ${aliasText(target.primary.alias)}`);
        }
        insertVDiff(target.db, { uuid, keyspace, workflow, state: request.autoStart ? 'pending' : 'stopped', options }, clock.now());
      }),
    ),
  );
  return { uuid, sw };
}

function readUuid(text: string): string {
  try {
    return parseUuid(text);
  } catch (error) {
    throw wrapError(error, `invalid UUID provided: ${text}`);
  }
}

/** The states that `Workflow show` would tell. */
function allRun(sw: TrafficSwitcher): boolean {
  return sw.targets.every(({ db }) => readStreams(db, sw.workflow).every((row) => derivedState(row, readCopyState(db, row.id, 1).length > 0) === 'Running'));
}

async function optionsOf(ctx: Context, cluster: Cluster, request: VDiffRequest): Promise<VDiffOptions> {
  // Without cells, any will do.
  const every = (await cellNames(ctx, cluster.topo)).toSorted().join(',');
  const cells = (asked: readonly string[]): string => asked.join(',') || every;
  return {
    picker_options: {
      tablet_types: tabletTypesText(request.tabletTypes, request.inOrder),
      source_cell: cells(request.sourceCells),
      target_cell: cells(request.targetCells),
    },
    core_options: {
      tables: request.tables.join(','),
      auto_retry: request.autoRetry,
      max_rows: request.limit === 0 ? ALL_ROWS : Math.min(request.limit, ALL_ROWS),
      timeout_seconds: Math.trunc(request.replicationWaitMs / 1000),
      max_extra_rows_to_compare: request.mostExtraRows,
      update_table_stats: request.updateTableStats,
      max_diff_seconds: Math.trunc(request.maxDiffMs / 1000),
      auto_start: request.autoStart,
    },
    report_options: {
      only_pks: request.onlyKeys,
      debug_query: request.debugQuery,
      max_sample_rows: request.mostSampleRows,
      row_diff_column_truncate_at: request.truncateAt,
    },
  };
}

async function findMistakes(ctx: Context, cluster: Cluster, request: VDiffRequest, sw: TrafficSwitcher): Promise<VDiffMistake[]> {
  const cells = await unknownCell(ctx, cluster.topo, [...request.sourceCells, ...request.targetCells]);
  if (cells !== undefined) return [cells];
  const found = [await unknownTable(ctx, cluster, request, sw), await noTablet(ctx, cluster, request, sw)];
  return found.filter((mistake) => mistake !== undefined);
}

async function unknownTable(ctx: Context, cluster: Cluster, { tables, workflow }: VDiffRequest, sw: TrafficSwitcher): Promise<VDiffMistake | undefined> {
  if (tables.length === 0) return undefined;
  const there = new Set<string>();
  for (const { db, streams } of sw.targets) {
    for (const { source } of streams) for (const { table } of await streamTables(ctx, cluster, source, db)) there.add(table);
  }
  const missing = tables.filter((table) => !there.has(table));
  if (missing.length === 0) return undefined;
  const names = missing.map((table) => `'${table}'`).join(', ');
  return { kind: 'vdiff-unknown-table', text: `workflow ${workflow} has no table ${names}; its tables are: ${[...there].toSorted().join(', ')}` };
}

async function noTablet(ctx: Context, cluster: Cluster, request: VDiffRequest, sw: TrafficSwitcher): Promise<VDiffMistake | undefined> {
  if (request.tabletTypes.length === 0) return { kind: 'vdiff-no-tablet', text: '--tablet-types "" names no type to read rows from' };
  const options = await optionsOf(ctx, cluster, request);
  const { tablet_types: tabletTypes, source_cell, target_cell } = options.picker_options;
  for (const { info, primary, streams } of sw.targets) {
    const ownCell = primary.alias.cell;
    const places = [
      ...streams.map(({ source }) => ({ keyspace: source.keyspace, shard: source.shard, cells: source_cell, nonServing: false })),
      { keyspace: info.keyspace, shard: info.name, cells: target_cell, nonServing: mayNotServe(sw.workflowType) },
    ];
    for (const place of places) {
      if ((await pickTablet(ctx, cluster, { ...place, ownCell, tabletTypes })) !== undefined) continue;
      const where = `${place.keyspace}/${place.shard}`;
      const text = `no tablet of ${request.tabletTypes.join(', ')} serves ${where} in ${place.cells}: the diff would wait until there is one`;
      return { kind: 'vdiff-no-tablet', text };
    }
  }
  return undefined;
}
