import { plainError, wrapError } from '../lib/errors.ts';
import { migrationId } from '../lib/fnv.ts';
import { compareKeyRanges, isComplete, type KeyRange, keyRangesEqual } from '../lib/key-range.ts';
import { reverseWorkflowName } from '../lib/names.ts';
import type { Context } from '../runtime/context.ts';
import type { Cluster } from '../tablet/cluster.ts';
import { callTablet } from '../tablet/manager.ts';
import type { ShardDb } from '../tablet/shard-db.ts';
import { sourceOf } from '../tablet/vreplication/stream-source.ts';
import { FROZEN, readStreams, type StreamRow } from '../tablet/vreplication/streams.ts';
import { findAllShards, getShard, type ShardInfo, shardText } from '../topo/keyspaces.ts';
import { keyRangeFromProto } from '../topo/proto/key-range.ts';
import { Shard } from '../topo/proto/messages-topodata.ts';
import { prototext } from '../topo/proto/prototext.ts';
import type { BinlogSource as Source, WorkflowOptions } from '../topo/proto/types-workflow.ts';
import type { Tablet } from '../topo/proto/types.ts';
import { getTablet } from '../topo/tablets.ts';

/** A source shard of a workflow and its primary, read once, as Vitess does (K18). */
export interface MigrationSource {
  info: ShardInfo;
  primary: Tablet;
  db: ShardDb;
  /** Set when writes have stopped. */
  position: string;
}

/** A target shard, its primary and the workflow's streams there. */
export interface MigrationTarget {
  info: ShardInfo;
  primary: Tablet;
  db: ShardDb;
  streams: { row: StreamRow; source: Source }[];
  /** Set when the streams have caught up. */
  position: string;
}

/**
 * What moves, and so by which records its traffic is switched: `tables` by table routing rules; `partial` (shard by shard) by
 * shard routing rules; `multi-tenant` by keyspace routing rules; `shards` (Reshard) by the serving graph.
 */
export type MigrationKind = (typeof MIGRATION_KINDS)[number];
export const MIGRATION_KINDS = ['tables', 'partial', 'multi-tenant', 'shards'] as const;

/** The command whose subcommands a workflow of this kind is for. */
export function commandOf(kind: MigrationKind): 'MoveTables' | 'Reshard' {
  return kind === 'shards' ? 'Reshard' : 'MoveTables';
}

/**
 * Everything about a workflow that its commands need. "Source" and "target" are those of the workflow in hand:
 * for a reverse workflow they are the other way round. Vitess: go/vt/vtctl/workflow/traffic_switcher.go.
 */
export interface TrafficSwitcher {
  workflow: string;
  reverseWorkflow: string;
  kind: MigrationKind;
  /** Hash of target keyspace and streams: names the journal. */
  id: string;
  sourceKeyspace: string;
  targetKeyspace: string;
  /** What the rules match, sorted: tables, or `/.*` for those of a Reshard. */
  tables: string[];
  sources: MigrationSource[];
  targets: MigrationTarget[];
  frozen: boolean;
  workflowType: number;
  workflowSubType: number;
  options: WorkflowOptions;
}

/** Numbers of `workflow_type`. */
export const WORKFLOW_TYPES = ['Materialize', 'MoveTables', 'CreateLookupIndex', 'Migrate', 'Reshard', 'OnlineDDL'] as const;
export const WORKFLOW_SUB_TYPES = ['None', 'Partial', 'AtomicCopy'] as const;

/** A shard with its primary and its database. Throws where it has no primary. */
export async function primaryOf(
  ctx: Context,
  cluster: Cluster,
  info: ShardInfo,
  missing: (info: ShardInfo) => Error,
): Promise<{ info: ShardInfo; primary: Tablet; db: ShardDb }> {
  const alias = info.record.primary_alias;
  if (alias === undefined) throw missing(info);
  const primary = await getTablet(ctx, cluster.topo, alias);
  return { info, primary, db: cluster.shards.open(info.keyspace, info.name) };
}

/** How a workflow is read. */
export interface SwitcherOptions {
  /** Do not look at the source keyspace, which may be gone: there are no sources then (#17729). */
  ignoreSource?: boolean;
}

/** Reads a workflow from its target primaries. Throws `no streams found in keyspace K for W` where there is none. */
export async function buildTrafficSwitcher(
  ctx: Context,
  cluster: Cluster,
  targetKeyspace: string,
  workflow: string,
  options: SwitcherOptions = {},
): Promise<TrafficSwitcher> {
  const targets = await readTargets(ctx, cluster, targetKeyspace, workflow);
  const first = targets[0]?.streams[0];
  if (first === undefined) throw plainError(`no streams found in keyspace ${targetKeyspace} for ${workflow}`);
  const streams = targets.flatMap((target) => target.streams.map((stream) => ({ target, ...stream })));
  const sourceKeyspace = first.source.keyspace;
  let tables: string[] | undefined;
  for (const { source } of streams) {
    if (source.keyspace !== sourceKeyspace) {
      throw plainError(`source keyspaces are mismatched across streams: ${sourceKeyspace} vs ${source.keyspace}`);
    }
    const own = (source.filter?.rules ?? []).map((rule) => rule.match).toSorted();
    if (own.length === 0) throw plainError(`missing filters for ${source.keyspace}/${source.shard}`);
    if (tables !== undefined && tables.join() !== own.join()) {
      throw plainError(`table lists are mismatched across streams: [${tables.join(' ')}] vs [${own.join(' ')}]`);
    }
    tables = own;
  }
  const sources = options.ignoreSource === true ? [] : await readSources(ctx, cluster, streams.map(({ source }) => source));
  const workflowOptions = readOptions(first.row.options);
  const kind = kindOf({
    sameKeyspace: sourceKeyspace === targetKeyspace,
    sourceShards: streams.map(({ source }) => source.shard),
    sources,
    targets,
    options: workflowOptions,
    subType: first.row.workflow_sub_type,
  });
  return {
    workflow,
    reverseWorkflow: reverseWorkflowName(workflow),
    kind,
    id: String(migrationId(targetKeyspace, streams.map(({ target, row }) => `${target.info.name}:${row.id}`))),
    sourceKeyspace,
    targetKeyspace,
    tables: tables ?? [],
    sources,
    targets,
    frozen: streams.some(({ row }) => row.message === FROZEN),
    workflowType: first.row.workflow_type,
    workflowSubType: first.row.workflow_sub_type,
    options: workflowOptions,
  };
}

interface KindQuestion {
  sameKeyspace: boolean;
  sourceShards: readonly string[];
  /** Empty where the source keyspace is not looked at. */
  sources: readonly MigrationSource[];
  targets: readonly MigrationTarget[];
  options: WorkflowOptions;
  subType: number;
}

/** Vitess: trafficSwitcher.MigrationType, isPartialMoveTables, IsMultiTenantMigration. */
function kindOf({ sameKeyspace, sourceShards, sources, targets, options, subType }: KindQuestion): MigrationKind {
  if (sameKeyspace && !targets.some(({ info }) => sourceShards.includes(info.name))) return 'shards';
  if ((options.tenant_id ?? '') !== '') return 'multi-tenant';
  if (sources.length === 0) return WORKFLOW_SUB_TYPES[subType] === 'Partial' ? 'partial' : 'tables';
  return coversPart(sources, targets) ? 'partial' : 'tables';
}

/** True if both sides are as many shards, span the same key range, and leave some of the keyspace out. */
function coversPart(sources: readonly MigrationSource[], targets: readonly MigrationTarget[]): boolean {
  if (sources.length !== targets.length) return false;
  const [from, to] = [spanOf(sources), spanOf(targets)];
  return keyRangesEqual(from, to) && !isComplete(from);
}

function spanOf(members: readonly { info: ShardInfo }[]): KeyRange {
  const ranges = members.map(({ info }) => keyRangeFromProto(info.record.key_range)).toSorted(compareKeyRanges);
  return { start: ranges[0]?.start ?? '', end: ranges.at(-1)?.end ?? '' };
}

async function readTargets(
  ctx: Context,
  cluster: Cluster,
  keyspace: string,
  workflow: string,
): Promise<MigrationTarget[]> {
  const targets: MigrationTarget[] = [];
  for (const info of await findAllShards(ctx, cluster.topo, keyspace)) {
    const withPrimary = await primaryOf(ctx, cluster, info, (shard) =>
      plainError(`shard ${shard.keyspace}/${prototext(Shard, shard.record)} doesn't have a primary set`),
    );
    const rows = await callTablet(ctx, cluster, withPrimary.primary, 'ReadVReplicationWorkflow', () => readStreams(withPrimary.db, workflow));
    if (rows.length === 0) continue;
    const streams = rows.map((row) => ({ row, source: sourceOf(withPrimary.db, row) }));
    targets.push({ ...withPrimary, streams, position: '' });
  }
  return targets;
}

async function readSources(ctx: Context, cluster: Cluster, wanted: readonly Source[]): Promise<MigrationSource[]> {
  const sources = new Map<string, MigrationSource>();
  for (const { keyspace, shard } of wanted) {
    if (sources.has(shard)) continue;
    const info = await getShard(ctx, cluster.topo, keyspace, shard);
    const found = await primaryOf(ctx, cluster, info, (missing) =>
      plainError(`source shard ${shardText(missing)} currently has no primary tablet`),
    );
    sources.set(shard, { ...found, position: '' });
  }
  return [...sources.values()];
}

function readOptions(text: string): WorkflowOptions {
  try {
    return JSON.parse(text) as WorkflowOptions;
  } catch (error) {
    throw wrapError(error, `failed to unmarshal options: ${text}`);
  }
}
