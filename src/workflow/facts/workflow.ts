import { errorText } from '../../lib/errors.ts';
import type { Context } from '../../runtime/context.ts';
import { type Cluster, epochSeconds, observing } from '../../tablet/cluster.ts';
import type { ShardDb } from '../../tablet/shard-db.ts';
import { parseRule } from '../../tablet/vreplication/rule.ts';
import { FROZEN, readCopyState, readJournal, readStreams, type StreamRow } from '../../tablet/vreplication/streams.ts';
import { findAllShards, keyspaceNames, shardText } from '../../topo/keyspaces.ts';
import type { BinlogSource, TableCopyState } from '../../topo/proto/types-workflow.ts';
import { aliasText } from '../../topo/tablets.ts';
import { derivedState, streamLag } from '../lag.ts';
import { computeState, stateText } from '../state.ts';
import { workflowStatus } from '../status.ts';
import { type MirrorFacts, mirrorFacts } from './mirror.ts';
import { buildTrafficSwitcher, type MigrationKind, type TrafficSwitcher, WORKFLOW_SUB_TYPES, WORKFLOW_TYPES } from '../switcher.ts';
import { readTraffic, type TableTraffic } from '../traffic.ts';

/** One stream, as its row stands. */
export interface StreamFacts {
  id: number;
  shard: string;
  tablet: string;
  /** `keyspace/shard` it reads from; '' where its source cannot be read. */
  from: string;
  /** What Vitess reports, which is not always what is stored. */
  state: string;
  stored: string;
  message: string;
  /** Seconds since the last transaction that it applied, or the last sign of life. */
  lagSeconds: number;
  position: string;
  stopPosition: string;
  rowsCopied: number;
  /** Tables that it still has to copy. */
  copying: string[];
  /** From which tablets it reads; '' where that is any. */
  tabletTypes: string;
  /** Tables that it reads in the keyspace that it writes to, under the same name. */
  ontoItself: string[];
}

/** What is found of a workflow's journal, which is the point of no return. */
export interface JournalFacts {
  id: string;
  /** Source shards that have it, and those that do not. */
  on: string[];
  missing: string[];
}

/** A workflow: what Vitess says of it, next to what the records say. */
export interface WorkflowFacts {
  keyspace: string;
  workflow: string;
  /** By which records its traffic is switched. */
  kind: MigrationKind;
  type: string;
  subType: string;
  /** The tenant that it moves. */
  tenant: string | undefined;
  /** `Reads Not Switched. Writes Not Switched`: computed from the rules alone. */
  state: string;
  /** Why it could not be read in full; then only its streams are known. */
  problem: string | undefined;
  sourceKeyspace: string;
  sources: string[];
  targets: string[];
  tables: string[];
  streams: StreamFacts[];
  /** Copy progress by table; empty once everything is copied. */
  copy: Record<string, TableCopyState>;
  /** Where writes of each table really go. */
  traffic: TableTraffic[];
  frozen: boolean;
  journal: JournalFacts;
  /** What of its reads is sent to the target too; undefined where nothing is. */
  mirror: MirrorFacts | undefined;
  /** Its reverse workflow, with the states of its streams; undefined where there is none. */
  reverse: { keyspace: string; workflow: string; states: string[]; frozen: boolean } | undefined;
}

/** Every workflow of the cluster, by keyspace and name. */
export async function gatherWorkflows(ctx: Context, looked: Cluster): Promise<WorkflowFacts[]> {
  const cluster = observing(looked);
  const found: WorkflowFacts[] = [];
  for (const keyspace of await keyspaceNames(ctx, cluster.topo)) {
    const rows = await streamsOf(ctx, cluster, keyspace);
    const names = [...new Set(rows.map(({ row }) => row.workflow))].toSorted();
    for (const workflow of names) {
      found.push(await workflowFacts(ctx, cluster, keyspace, workflow, rows.filter(({ row }) => row.workflow === workflow)));
    }
  }
  return found;
}

interface Placed {
  row: StreamRow;
  db: ShardDb;
  tablet: string;
}

async function streamsOf(ctx: Context, cluster: Cluster, keyspace: string): Promise<Placed[]> {
  const placed: Placed[] = [];
  for (const info of await findAllShards(ctx, cluster.topo, keyspace)) {
    const db = cluster.shards.open(keyspace, info.name);
    const tablet = info.record.primary_alias === undefined ? '' : aliasText(info.record.primary_alias);
    placed.push(...readStreams(db).map((row) => ({ row, db, tablet })));
  }
  return placed;
}

async function workflowFacts(
  ctx: Context,
  cluster: Cluster,
  keyspace: string,
  workflow: string,
  placed: readonly Placed[],
): Promise<WorkflowFacts> {
  const first = placed[0]!.row;
  const now = epochSeconds(cluster);
  const facts: WorkflowFacts = {
    keyspace,
    workflow,
    kind: 'tables',
    type: WORKFLOW_TYPES[first.workflow_type] ?? '',
    subType: WORKFLOW_SUB_TYPES[first.workflow_sub_type] ?? '',
    tenant: undefined,
    state: '',
    problem: undefined,
    sourceKeyspace: '',
    sources: [],
    targets: [...new Set(placed.map(({ db }) => `${keyspace}/${db.shard}`))],
    tables: [],
    streams: placed.map((stream) => streamFacts(stream, now)),
    copy: {},
    traffic: [],
    frozen: false,
    journal: { id: '', on: [], missing: [] },
    mirror: undefined,
    reverse: undefined,
  };
  try {
    const sw = await buildTrafficSwitcher(ctx, cluster, keyspace, workflow);
    await addRecords(ctx, cluster, sw, facts);
  } catch (error) {
    facts.problem = errorText(error);
  }
  return facts;
}

async function addRecords(ctx: Context, cluster: Cluster, sw: TrafficSwitcher, facts: WorkflowFacts): Promise<void> {
  const { keyspace, workflow } = facts;
  facts.kind = sw.kind;
  if (sw.kind === 'multi-tenant') facts.tenant = sw.options.tenant_id;
  facts.sourceKeyspace = sw.sourceKeyspace;
  facts.sources = sw.sources.map((source) => shardText(source.info));
  facts.tables = sw.tables;
  facts.frozen = sw.frozen;
  const sources = new Map(sw.targets.flatMap((target) => target.streams.map(({ row, source }) => [`${target.info.name}:${row.id}`, source])));
  for (const stream of facts.streams) {
    const source = sources.get(`${stream.shard}:${stream.id}`);
    if (source === undefined) continue;
    stream.from = `${source.keyspace}/${source.shard}`;
    if (source.keyspace === keyspace) stream.ontoItself = tablesUnderTheirName(source);
  }
  facts.journal = journalFacts(sw);
  facts.mirror = await mirrorFacts(ctx, cluster, sw);
  facts.reverse = reverseFacts(sw);
  facts.traffic = await readTraffic(ctx, cluster, sw);
  facts.state = stateText(await computeState(ctx, cluster, sw));
  if (facts.streams.some((stream) => stream.copying.length > 0)) {
    facts.copy = (await workflowStatus(ctx, cluster, keyspace, workflow)).table_copy_state ?? {};
  }
}

function streamFacts({ row, db, tablet }: Placed, now: number): StreamFacts {
  const copying = readCopyState(db, row.id).map(({ table }) => table);
  return {
    id: row.id,
    shard: db.shard,
    tablet,
    from: '',
    state: derivedState(row, copying.length > 0),
    stored: row.state,
    message: row.message ?? '',
    lagSeconds: streamLag(row, now, 'transaction'),
    position: row.pos,
    stopPosition: row.stop_pos ?? '',
    rowsCopied: row.rows_copied,
    copying,
    tabletTypes: row.tablet_types ?? '',
    ontoItself: [],
  };
}

function tablesUnderTheirName(source: BinlogSource): string[] {
  return (source.filter?.rules ?? []).map(parseRule).flatMap(({ match, simple }) => (simple?.table === match ? [match] : []));
}

function journalFacts(sw: TrafficSwitcher): JournalFacts {
  const has = (source: TrafficSwitcher['sources'][number]): boolean => readJournal(source.db, sw.id) !== undefined;
  const texts = (found: boolean): string[] => sw.sources.filter((source) => has(source) === found).map((source) => shardText(source.info));
  return { id: sw.id, on: texts(true), missing: texts(false) };
}

function reverseFacts(sw: TrafficSwitcher): WorkflowFacts['reverse'] {
  const rows = sw.sources.flatMap((source) => readStreams(source.db, sw.reverseWorkflow));
  if (rows.length === 0) return undefined;
  return { keyspace: sw.sourceKeyspace, workflow: sw.reverseWorkflow, states: [...new Set(rows.map((row) => row.state))], frozen: rows.some((row) => row.message === FROZEN) };
}
