import type { Context } from '../runtime/context.ts';
import { type Cluster, observing } from '../tablet/cluster.ts';
import { stoppedPrimary } from '../tablet/process.ts';
import { takesWrites } from '../tablet/view.ts';
import { cellNames } from '../topo/cells.ts';
import { getShard, shardText } from '../topo/keyspaces.ts';
import type { SrvVSchema } from '../topo/proto/types.ts';
import { routingMap } from '../topo/rules.ts';
import { sameRange } from '../topo/served-types.ts';
import { getSrvKeyspace, partitionOf } from '../topo/srv-keyspace.ts';
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
  /** Primaries that are stopped, where nobody serves the writes for no other reason. */
  down: string[];
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
      const refusers: Member[] = [];
      const { places, refusing } = partTraffic(sw, table, served, refusers);
      const [sourceDenied, targetDenied] = [await isDenied(ctx, cluster, sw.sources, table), await isDenied(ctx, cluster, sw.targets, table)];
      const isDeniedThere = (member: Member): boolean => (sw.targets.some((target) => target === member) ? targetDenied : sourceDenied);
      const down = refusers.some(isDeniedThere) ? [] : stoppedOf(refusers);
      const why = down.length > 0 ? `whose primary ${down.join(', ')} is stopped` : 'which denies it';
      return {
        table,
        by: 'denied tables' as const,
        writes: {
          servedBy: refusing.length === 0 ? places.join(', ') : undefined,
          reason: refusing.length === 0 ? undefined : `routed to ${refusing.join(', ')}, ${why}`,
        },
        down,
        sourceDenied,
        targetDenied,
      };
    }),
  );
}

type Member = MigrationSource | MigrationTarget;

function stoppedOf(members: readonly Member[]): string[] {
  return members.flatMap(({ db }) => stoppedPrimary(db) ?? []);
}

/** `refusers` learns of those that were found to refuse. */
function partTraffic(sw: TrafficSwitcher, table: string, served: SrvVSchema, refusers: Member[]): PartTraffic {
  const refusing = (member: Member): boolean => {
    if (takesWrites(member.db, [table])) return false;
    refusers.push(member);
    return true;
  };
  if (sw.kind === 'multi-tenant') return tenantTraffic(sw, served, refusing);
  if (sw.kind === 'partial') return partialTraffic(sw, table, served, refusing);
  const to = routingMap(served.routing_rules ?? {}).get(table)?.[0] ?? `${sw.sourceKeyspace}.${table}`;
  const keyspace = to.slice(0, to.indexOf('.'));
  const members: Member[] = keyspace === sw.targetKeyspace ? sw.targets : sw.sources;
  return { places: [keyspace], refusing: members.some(refusing) ? [keyspace] : [] };
}

async function isDenied(
  ctx: Context,
  cluster: Cluster,
  members: readonly Member[],
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
  const isIn = ({ info }: Member): boolean =>
    (partition?.shard_references ?? []).some((reference) => sameRange(reference, info.record));
  const isOff = ({ info }: Member): boolean =>
    (partition?.shard_tablet_controls ?? []).some((control) => control.query_service_disabled === true && sameRange(control, info.record));
  const routed = [...sw.sources, ...sw.targets].filter(isIn);
  const refusing = routed.filter((member) => isOff(member) || !takesWrites(member.db, []));
  const names = (members: readonly Member[]): string => members.map(({ info }) => shardText(info)).join(', ');
  const serves = (members: readonly Member[]): boolean => members.every((member) => isIn(member) && !isOff(member));
  const served = routed.length > 0 && refusing.length === 0;
  const down = refusing.some(isOff) ? [] : stoppedOf(refusing);
  const why = down.length > 0 ? `whose primary ${down.join(', ')} is stopped` : 'where the query service is off';
  return {
    table: sw.targetKeyspace,
    by: 'serving',
    writes: {
      servedBy: served ? names(routed) : undefined,
      reason: served ? undefined : routed.length === 0 ? 'no shard is in the serving graph' : `routed to ${names(refusing)}, ${why}`,
    },
    down,
    sourceDenied: !serves(sw.sources),
    targetDenied: !serves(sw.targets),
  };
}

/** What a side is, in a word: `open` or `denied`, `serving` or `not serving`. */
export function sideText({ by }: TableTraffic, closed: boolean): string {
  if (by === 'serving') return closed ? 'not serving' : 'serving';
  return closed ? 'denied' : 'open';
}
