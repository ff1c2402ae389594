import { plainError, wrapError } from '../lib/errors.ts';
import { formatAnsic } from '../lib/go-time.ts';
import type { Context } from '../runtime/context.ts';
import { type Cluster, epochSeconds } from '../tablet/cluster.ts';
import { callTablet } from '../tablet/manager.ts';
import type { ShardDb } from '../tablet/shard-db.ts';
import { countRows } from '../tablet/count-rows.ts';
import { tablesWritten } from '../tablet/vreplication/rule.ts';
import { readCopyState, readStreamLogs, readStreams, type StreamRow } from '../tablet/vreplication/streams.ts';
import { findAllShards } from '../topo/keyspaces.ts';
import type { Tablet, TabletAlias } from '../topo/proto/types.ts';
import type {
  BinlogSource as Source,
  ShardStream,
  Stream,
  TableCopyState,
  Workflow,
  WorkflowStatusResponse,
} from '../topo/proto/types-workflow.ts';
import { aliasText } from '../topo/tablets.ts';
import { derivedState, streamLag } from './lag.ts';
import { getWorkflowState, stateText } from './state.ts';
import { type MigrationTarget, primaryOf, type TrafficSwitcher, WORKFLOW_SUB_TYPES, WORKFLOW_TYPES } from './switcher.ts';
import { BinlogSource } from '../topo/proto/messages-binlogdata.ts';
import { parsePrototext } from '../topo/proto/prototext-parse.ts';

/** Vitess's answer to status: copy progress, streams, traffic state. */
export type WorkflowStatus = WorkflowStatusResponse;

/** Status of a workflow. Throws `failed to get workflow state for K.W workflow: …`. */
export async function workflowStatus(
  ctx: Context,
  cluster: Cluster,
  keyspace: string,
  workflow: string,
  shards: readonly string[] = [],
): Promise<WorkflowStatus> {
  let found: Awaited<ReturnType<typeof getWorkflowState>>;
  try {
    found = await getWorkflowState(ctx, cluster, keyspace, workflow);
  } catch (error) {
    throw wrapError(error, `failed to get workflow state for ${keyspace}.${workflow} workflow`);
  }
  const { sw, state } = found;
  const targets = sw.targets.filter((target) => shards.length === 0 || shards.includes(target.info.name));
  if (targets.length === 0) {
    throw plainError(`unexpected number of workflows returned for ${keyspace}.${workflow}; expected 1, got 0`);
  }
  return {
    table_copy_state: await copyProgress(ctx, cluster, sw),
    shard_streams: Object.fromEntries(
      targets.map((target) => [`${keyspace}/${target.info.name}`, { streams: target.streams.map((stream) => statusStream(target, stream)) }]),
    ),
    traffic_state: stateText(state),
  };
}

function statusStream(target: MigrationTarget, { row, source }: { row: StreamRow; source: Source }): object {
  const state = derivedState(row, readCopyState(target.db, row.id).length > 0);
  return {
    id: row.id,
    tablet: target.primary.alias,
    source_shard: `${source.keyspace}/${source.shard}`,
    position: withoutFlavour(row.pos),
    status: state,
    info: streamInfo(row, state),
  };
}

/** Vitess computes the lag here from the nanoseconds of the second: it is always about nothing. */
function streamInfo(row: StreamRow, state: string): string {
  if (state === 'Error') return row.message ?? '';
  if (row.pos === '') return 'VStream has not started';
  if (row.transaction_timestamp === 0) return 'VStream Lag: 0s';
  return `VStream Lag: -1s; ; Tx time: ${formatAnsic(row.transaction_timestamp * 1000)}.`;
}

function withoutFlavour(pos: string): string {
  return pos.replace(/^MySQL56\//, '');
}

/** A row as `information_schema` counts it: an average that is good enough for a percentage. */
const ROW_BYTES = 64;

async function copyProgress(ctx: Context, cluster: Cluster, sw: TrafficSwitcher): Promise<Record<string, TableCopyState>> {
  const copying = new Set<string>();
  for (const target of sw.targets) {
    for (const { row } of target.streams) for (const { table } of readCopyState(target.db, row.id)) copying.add(table);
  }
  if (copying.size === 0) return {};
  const rowsOf = async (members: readonly { db: ShardDb; primary: Tablet }[], table: string): Promise<number> => {
    let rows = 0;
    for (const { db, primary } of members) {
      rows += await callTablet(ctx, cluster, primary, 'ExecuteFetchAsDba', () => countRows(db, table, cluster.world.clock));
    }
    return rows;
  };
  const progress: Record<string, TableCopyState> = {};
  for (const table of tablesCopied(cluster, sw)) {
    const [total, copied] = [await rowsOf(sw.sources, table), await rowsOf(sw.targets, table)];
    const percentage = total === 0 ? 100 : (copied / total) * 100;
    progress[table] = {
      rows_copied: String(copied),
      rows_total: String(total),
      rows_percentage: percentage,
      bytes_copied: String(copied * ROW_BYTES),
      bytes_total: String(total * ROW_BYTES),
      bytes_percentage: percentage,
      phase: !copying.has(table) ? 'COMPLETE' : copied > 0 ? 'IN_PROGRESS' : 'NOT_STARTED',
    } as TableCopyState;
  }
  return progress;
}

/** Vitess looks for tables that are called as the rules' match is: of a Reshard it shows none. `hardened` shows those behind it. */
function tablesCopied({ release }: Cluster, sw: TrafficSwitcher): string[] {
  const there = (table: string): boolean => sw.targets.some(({ db }) => db.findTable(table) !== undefined);
  if (!release.behaviours.rollbackRestoresAll) return sw.tables.filter(there);
  const written = sw.targets.flatMap(({ db, streams }) => streams.flatMap(({ source }) => tablesWritten(source, db.tableNames())));
  return [...new Set(written)].toSorted();
}

/** Which workflows to show. */
export interface WorkflowsQuery {
  keyspace: string;
  workflow?: string;
  shards?: readonly string[];
  includeLogs?: boolean;
  /** Streams that are stopped are left out, and workflows of which no other is left. */
  activeOnly?: boolean;
}

/** Every workflow of a keyspace in full. An unknown name is an empty answer, as in Vitess. */
export async function getWorkflows(ctx: Context, cluster: Cluster, query: WorkflowsQuery): Promise<Workflow[]> {
  const { keyspace, shards = [] } = query;
  const infos = await findAllShards(ctx, cluster.topo, keyspace);
  if (infos.length === 0) throw plainError(`no shards found in keyspace ${keyspace}`);
  const unknown = shards.find((name) => !infos.some((info) => info.name === name));
  if (unknown !== undefined) throw plainError(`shard ${unknown} not found in keyspace ${keyspace}`);
  const found = new Map<string, Workflow>();
  for (const info of infos) {
    if (shards.length > 0 && !shards.includes(info.name)) continue;
    const { db, primary } = await primaryOf(ctx, cluster, info, (shard) => plainError(`no primary found for shard ${keyspace}/${shard.name}`));
    for (const row of await callTablet(ctx, cluster, primary, 'ReadVReplicationWorkflows', () => readStreams(db))) {
      if (query.workflow !== undefined && row.workflow !== query.workflow) continue;
      if (query.activeOnly === true && row.state === 'Stopped') continue;
      const source = parsePrototext(BinlogSource, row.source) as Source;
      const entry = found.get(row.workflow) ?? newWorkflow(row, source, keyspace);
      found.set(row.workflow, entry);
      addStream(entry, db, info.name, info.record, primary.alias, row, source, query.includeLogs ?? true);
      addLag(entry, row, epochSeconds(cluster));
    }
  }
  return [...found.values()].toSorted((a, b) => ((a.name ?? '') < (b.name ?? '') ? -1 : 1));
}

function newWorkflow(row: StreamRow, source: Source, keyspace: string): Workflow {
  return {
    name: row.workflow,
    source: { keyspace: source.keyspace, shards: [] },
    target: { keyspace, shards: [] },
    max_v_replication_lag: '0',
    shard_streams: {},
    workflow_type: WORKFLOW_TYPES[row.workflow_type] ?? '',
    workflow_sub_type: WORKFLOW_SUB_TYPES[row.workflow_sub_type] ?? '',
    max_v_replication_transaction_lag: '0',
    defer_secondary_keys: row.defer_secondary_keys === 1,
    options: optionsOf(row.options),
  } as Workflow;
}

const AUTO_INCREMENT = ['LEAVE', 'REMOVE', 'REPLACE'];

function optionsOf(text: string): object {
  const options = JSON.parse(text) as Record<string, unknown>;
  const handling = options['sharded_auto_increment_handling'];
  return typeof handling === 'number' ? { ...options, sharded_auto_increment_handling: AUTO_INCREMENT[handling] } : options;
}

function addStream(
  workflow: Workflow,
  db: ShardDb,
  shard: string,
  record: { tablet_controls?: unknown[]; is_primary_serving?: boolean },
  alias: TabletAlias | undefined,
  row: StreamRow,
  source: Source,
  withLogs: boolean,
): void {
  addOnce(workflow.source?.shards, source.shard);
  addOnce(workflow.target?.shards, shard);
  const streams = (workflow.shard_streams ??= {});
  const key = `${shard}/${aliasText(alias)}`;
  const entry = (streams[key] ??= {
    streams: [],
    tablet_controls: record.tablet_controls ?? [],
    is_primary_serving: record.is_primary_serving ?? false,
  } as ShardStream);
  entry.streams?.push(streamRecord(db, shard, alias, row, source, withLogs));
}

function addOnce(list: string[] | undefined, name: string): void {
  if (list !== undefined && !list.includes(name)) list.push(name);
}

function streamRecord(db: ShardDb, shard: string, alias: TabletAlias | undefined, row: StreamRow, source: Source, withLogs: boolean): Stream {
  const copy = readCopyState(db, row.id);
  const inOrder = (row.tablet_types ?? '').startsWith('in_order:');
  const time = (seconds: number): object => ({ seconds: String(seconds), nanoseconds: 0 });
  return {
    id: String(row.id),
    shard,
    tablet: alias,
    binlog_source: source,
    position: withoutFlavour(row.pos),
    stop_position: row.stop_pos ?? '',
    state: derivedState(row, copy.length > 0),
    db_name: row.db_name,
    transaction_timestamp: time(row.transaction_timestamp),
    time_updated: time(row.time_updated),
    message: row.message ?? '',
    copy_states: copy.map(({ table, lastpk }) => ({ table, last_pk: lastpk ?? '', stream_id: String(row.id) })),
    logs: withLogs
      ? readStreamLogs(db, row.id).map((log) => ({
          id: String(log.id),
          stream_id: String(log.vrepl_id),
          type: log.type,
          state: log.state,
          created_at: time(log.created_at),
          updated_at: time(log.updated_at),
          message: log.message,
          count: String(log.count),
        }))
      : [],
    log_fetch_error: '',
    tags: row.tags.split(','),
    rows_copied: String(row.rows_copied),
    throttler_status: { component_throttled: row.component_throttled, time_throttled: time(row.time_throttled) },
    tablet_types: (row.tablet_types ?? '').replace(/^in_order:/, '').split(',').filter((type) => type !== ''),
    tablet_selection_preference: inOrder ? 'INORDER' : 'ANY',
    cells: (row.cell ?? '').split(','),
  } as unknown as Stream;
}

function addLag(workflow: Workflow, row: StreamRow, now: number): void {
  const bigger = (before: string | undefined, lag: number): string => String(Math.max(Number(before ?? 0), lag));
  workflow.max_v_replication_lag = bigger(workflow.max_v_replication_lag, Math.max(0, now - row.time_updated));
  workflow.max_v_replication_transaction_lag = bigger(
    workflow.max_v_replication_transaction_lag,
    // Vitess reports the largest integer while copying, which then overflows; a large positive number says the same.
    row.state === 'Copying' ? Number.MAX_SAFE_INTEGER : streamLag(row, now, 'transaction'),
  );
}
