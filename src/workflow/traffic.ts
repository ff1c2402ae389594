import type { Context } from '../runtime/context.ts';
import { type Cluster, observing } from '../tablet/cluster.ts';
import { isStopped } from '../tablet/process.ts';
import { readView } from '../tablet/view.ts';
import { cellNames } from '../topo/cells.ts';
import { getShard, shardText } from '../topo/keyspaces.ts';
import type { SrvVSchema } from '../topo/proto/types.ts';
import { routingMap } from '../topo/rules.ts';
import { sameRange } from '../topo/served-types.ts';
import { getSrvKeyspace, partitionOf } from '../topo/srv-keyspace.ts';
import { aliasText } from '../topo/tablets.ts';
import { getSrvVSchema } from '../topo/vschema.ts';
import type { MigrationSource, MigrationTarget, TrafficSwitcher } from './switcher.ts';
import { partialTraffic, type PartTraffic, tenantTraffic } from './traffic-parts.ts';

/** Where the writes of a table really go, or (Reshard) of a keyspace: what the state string does not say. */
export interface TableTraffic {
  table: string;
  /** What keeps a side from taking writes: denied tables, or that its shards do not serve. */
  by: 'denied tables' | 'serving';
  /** Undefined where nobody serves them. */
  writes: { servedBy: string | undefined; reason: string | undefined };
  sourceDenied: boolean;
  targetDenied: boolean;
}

/** Follows the rules of the first cell to the shards, and asks their primaries whether they would take a write. */
export async function readTraffic(ctx: Context, looked: Cluster, sw: TrafficSwitcher): Promise<TableTraffic[]> {
  const cluster = observing(looked);
  if (sw.kind === 'shards') return [await shardTraffic(ctx, cluster, sw)];
  const cell = (await cellNames(ctx, cluster.topo))[0] ?? '';
  const served = (await getSrvVSchema(ctx, cluster.topo, cell)) ?? {};
  return Promise.all(
    sw.tables.map(async (table) => {
      const { places, refusing } = partTraffic(sw, table, served);
      return {
        table,
        by: 'denied tables' as const,
        writes: {
          servedBy: refusing.length === 0 ? places.join(', ') : undefined,
          reason: refusing.length === 0 ? undefined : `routed to ${refusing.join(', ')}, which denies it`,
        },
        sourceDenied: await isDenied(ctx, cluster, sw.sources, table),
        targetDenied: await isDenied(ctx, cluster, sw.targets, table),
      };
    }),
  );
}

function partTraffic(sw: TrafficSwitcher, table: string, served: SrvVSchema): PartTraffic {
  const refusing = (member: MigrationSource | MigrationTarget): boolean => refuses(member, table);
  if (sw.kind === 'multi-tenant') return tenantTraffic(sw, served, refusing);
  if (sw.kind === 'partial') return partialTraffic(sw, table, served, refusing);
  const to = routingMap(served.routing_rules ?? {}).get(table)?.[0] ?? `${sw.sourceKeyspace}.${table}`;
  const keyspace = to.slice(0, to.indexOf('.'));
  const members: (MigrationSource | MigrationTarget)[] = keyspace === sw.targetKeyspace ? sw.targets : sw.sources;
  return { places: [keyspace], refusing: members.some(refusing) ? [keyspace] : [] };
}

function refuses(member: MigrationSource | MigrationTarget, table: string): boolean {
  const alias = aliasText(member.primary.alias);
  if (isStopped(member.db, alias)) return true;
  const view = readView(member.db, alias);
  return view === undefined || !view.serving || view.deniedTables.includes(table);
}

async function isDenied(
  ctx: Context,
  cluster: Cluster,
  members: readonly (MigrationSource | MigrationTarget)[],
  table: string,
): Promise<boolean> {
  for (const { info } of members) {
    const { record } = await getShard(ctx, cluster.topo, info.keyspace, info.name);
    const denied = record.tablet_controls?.find((control) => control.tablet_type === 'PRIMARY')?.denied_tables ?? [];
    if (denied.includes(table)) return true;
  }
  return false;
}

/** Follows the serving graph of the first cell to the shards that should take writes, and asks their primaries. */
async function shardTraffic(ctx: Context, cluster: Cluster, sw: TrafficSwitcher): Promise<TableTraffic> {
  const cell = (await cellNames(ctx, cluster.topo))[0] ?? '';
  const partition = partitionOf(await getSrvKeyspace(ctx, cluster.topo, cell, sw.targetKeyspace), 'PRIMARY');
  const isIn = ({ info }: MigrationSource | MigrationTarget): boolean =>
    (partition?.shard_references ?? []).some((reference) => sameRange(reference, info.record));
  const isOff = ({ info }: MigrationSource | MigrationTarget): boolean =>
    (partition?.shard_tablet_controls ?? []).some((control) => control.query_service_disabled === true && sameRange(control, info.record));
  const routed = [...sw.sources, ...sw.targets].filter(isIn);
  const refusing = routed.filter((member) => isOff(member) || refuses(member, ''));
  const names = (members: readonly (MigrationSource | MigrationTarget)[]): string => members.map(({ info }) => shardText(info)).join(', ');
  const serves = (members: readonly (MigrationSource | MigrationTarget)[]): boolean => members.every((member) => isIn(member) && !isOff(member));
  const served = routed.length > 0 && refusing.length === 0;
  return {
    table: sw.targetKeyspace,
    by: 'serving',
    writes: {
      servedBy: served ? names(routed) : undefined,
      reason: served ? undefined : routed.length === 0 ? 'no shard is in the serving graph' : `routed to ${names(refusing)}, where the query service is off`,
    },
    sourceDenied: !serves(sw.sources),
    targetDenied: !serves(sw.targets),
  };
}

/** What a side is, in a word: `open` or `denied`, `serving` or `not serving`. */
export function sideText({ by }: TableTraffic, closed: boolean): string {
  if (by === 'serving') return closed ? 'not serving' : 'serving';
  return closed ? 'denied' : 'open';
}
