import { keyRangesEqual } from '../../lib/key-range.ts';
import type { Context } from '../../runtime/context.ts';
import { type Cluster, observing } from '../../tablet/cluster.ts';
import { readProcesses, type TabletProcess } from '../../tablet/process.ts';
import type { ShardDb } from '../../tablet/shard-db.ts';
import { tableLocks, type TableLockView } from '../../tablet/table-locks.ts';
import { readViews, type TabletView } from '../../tablet/view.ts';
import { findAllShards, keyspaceNames, type ShardInfo } from '../../topo/keyspaces.ts';
import { keyRangeFromProto } from '../../topo/proto/key-range.ts';
import type { Shard, SrvKeyspace, Tablet } from '../../topo/proto/types.ts';
import { sameRange } from '../../topo/served-types.ts';
import { getSrvKeyspace, partitionOf } from '../../topo/srv-keyspace.ts';
import { aliasText, allTablets } from '../../topo/tablets.ts';
import { ROUTED_TYPES, type RoutedType } from './routing.ts';

/** Tables that a shard record denies to one tablet type. */
export interface DeniedFacts {
  type: string;
  tables: string[];
  /** None means all. */
  cells: string[];
  allowReads: boolean;
}

export type TabletRunState = 'up' | 'stopped' | 'backup' | 'restore';

/** A tablet: what its records say, and what it believes. */
export interface TabletFacts {
  alias: string;
  keyspace: string;
  shard: string;
  type: string;
  /** The shard record names it as its primary. */
  primary: boolean;
  /** Whether it runs, or is held by a backup or a restore. */
  state: TabletRunState;
  /** The type that it has when it starts. */
  startsAs: string;
  /** Undefined before its first refresh. */
  believes: TabletView | undefined;
  /** What the records say that it should refuse. */
  denied: string[];
  /** Where belief and records part, in words; empty where they agree. */
  differs: string[];
}

/** A shard: its record, its tablets, its binlog's position. */
export interface ShardFacts {
  keyspace: string;
  shard: string;
  /** Alias of the primary; undefined where there is none. */
  primary: string | undefined;
  serving: boolean;
  /** The tablet types for which gates of some cell send queries here. */
  routed: RoutedType[];
  denied: DeniedFacts[];
  tablets: TabletFacts[];
  tables: string[];
  position: string;
  /** MySQL's table locks and those who wait for them. */
  tableLocks: TableLockView[];
}

/** Shards of one keyspace, or of all, by name. A keyspace without any gives none. */
export async function gatherShards(ctx: Context, looked: Cluster, keyspace?: string): Promise<ShardFacts[]> {
  const cluster = observing(looked);
  const tablets = await allTablets(ctx, cluster.topo);
  const names = keyspace === undefined ? await keyspaceNames(ctx, cluster.topo) : [keyspace];
  const shards: ShardFacts[] = [];
  for (const name of names) {
    const serving = await servingByCell(ctx, cluster, name, tablets);
    for (const info of await findAllShards(ctx, cluster.topo, name)) {
      const own = tablets.filter((tablet) => tablet.keyspace === name && tablet.shard === info.name);
      shards.push(shardFacts(info, own, serving, cluster.shards.open(name, info.name)));
    }
  }
  return shards;
}

type ServingByCell = ReadonlyMap<string, SrvKeyspace | undefined>;

async function servingByCell(ctx: Context, cluster: Cluster, keyspace: string, tablets: readonly Tablet[]): Promise<ServingByCell> {
  const cells = new Set(tablets.map((tablet) => tablet.alias.cell));
  return new Map(await Promise.all([...cells].map(async (cell) => [cell, await getSrvKeyspace(ctx, cluster.topo, cell, keyspace)] as const)));
}

function shardFacts(info: ShardInfo, tablets: readonly Tablet[], serving: ServingByCell, db: ShardDb): ShardFacts {
  const { record } = info;
  const primary = record.primary_alias === undefined ? undefined : aliasText(record.primary_alias);
  const views = new Map(readViews(db).map(({ alias, view }) => [alias, view]));
  const processes = readProcesses(db);
  return {
    keyspace: info.keyspace,
    shard: info.name,
    primary,
    serving: record.is_primary_serving === true,
    routed: ROUTED_TYPES.filter((type) => [...serving.values()].some((served) => isRouted(served, type, record))),
    denied: (record.tablet_controls ?? [])
      .filter((control) => (control.denied_tables ?? []).length > 0)
      .map((control) => ({
        type: control.tablet_type,
        tables: (control.denied_tables ?? []).toSorted(),
        cells: control.cells ?? [],
        allowReads: control.allow_reads === true,
      })),
    tablets: tablets.map((tablet) => {
      const alias = aliasText(tablet.alias);
      return tabletFacts(tablet, record, serving, primary, views.get(alias), processes.get(alias));
    }),
    tables: db.tableNames(),
    position: db.positionText(),
    tableLocks: tableLocks(db),
  };
}

function tabletFacts(
  tablet: Tablet,
  shard: Shard,
  serving: ServingByCell,
  primary: string | undefined,
  believes: TabletView | undefined,
  process: TabletProcess | undefined,
): TabletFacts {
  const state = runState(process);
  const alias = aliasText(tablet.alias);
  const { cell } = tablet.alias;
  const control = shard.tablet_controls?.find(
    ({ tablet_type: type, cells = [] }) => type === tablet.type && (cells.length === 0 || cells.includes(cell)),
  );
  const denied = (control?.denied_tables ?? []).toSorted();
  const served = serving.get(cell);
  const routed = isRouted(served, tablet.type, shard);
  return {
    alias,
    keyspace: tablet.keyspace,
    shard: tablet.shard,
    type: tablet.type,
    primary: alias === primary,
    state,
    startsAs: process?.base ?? tablet.type,
    believes,
    denied,
    differs: state === 'stopped' ? [] : differences(tablet, believes, denied, { disabled: isDisabled(served, tablet, shard), routed }),
  };
}

function runState(process: TabletProcess | undefined): TabletRunState {
  if (process === undefined) return 'up';
  if (process.stopped) return 'stopped';
  return process.busy === 'BACKUP' ? 'backup' : process.busy === 'RESTORE' ? 'restore' : 'up';
}

function isDisabled(serving: SrvKeyspace | undefined, tablet: Tablet, shard: Shard): boolean {
  const range = keyRangeFromProto(shard.key_range);
  return (partitionOf(serving, tablet.type)?.shard_tablet_controls ?? []).some(
    (control) => control.query_service_disabled === true && keyRangesEqual(keyRangeFromProto(control.key_range), range),
  );
}

/** True if gates of the cell send queries for the tablet type to the shard. */
function isRouted(serving: SrvKeyspace | undefined, type: string, shard: Shard): boolean {
  return (partitionOf(serving, type)?.shard_references ?? []).some((reference) => sameRange(reference, shard));
}

interface QueryService {
  disabled: boolean;
  routed: boolean;
}

function differences(tablet: Tablet, view: TabletView | undefined, denied: readonly string[], { disabled, routed }: QueryService): string[] {
  if (view === undefined) return ['has not read its records yet'];
  const found: string[] = [];
  if (view.type !== tablet.type) found.push(`believes it is ${view.type}, its record says ${tablet.type}`);
  // Nobody tells the replicas that a Reshard has left, and nobody asks them (K36).
  const asked = routed || tablet.type === 'PRIMARY';
  if (view.serving && disabled && asked) found.push('serves, although its query service is disabled');
  if (!view.serving && !disabled && routed && view.type === tablet.type && view.reason.includes('DisableQueryService')) {
    found.push('does not serve, although its query service is not disabled');
  }
  const more = view.deniedTables.filter((table) => !denied.includes(table)).toSorted();
  const less = denied.filter((table) => !view.deniedTables.includes(table));
  if (more.length > 0) found.push(`refuses ${more.join(', ')}, which the shard record does not deny`);
  if (less.length > 0) found.push(`serves ${less.join(', ')}, which the shard record denies`);
  return found;
}
