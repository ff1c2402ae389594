import type { Context } from '../runtime/context.ts';
import { type Cluster, observing } from '../tablet/cluster.ts';
import { isStopped } from '../tablet/process.ts';
import { readView } from '../tablet/view.ts';
import { cellNames } from '../topo/cells.ts';
import { getShard } from '../topo/keyspaces.ts';
import { routingMap } from '../topo/rules.ts';
import { aliasText } from '../topo/tablets.ts';
import { getSrvVSchema } from '../topo/vschema.ts';
import type { MigrationSource, MigrationTarget, TrafficSwitcher } from './switcher.ts';

/** Where the writes of a table really go: what the state string does not say. */
export interface TableTraffic {
  table: string;
  /** Undefined where nobody serves them. */
  writes: { servedBy: string | undefined; reason: string | undefined };
  sourceDenied: boolean;
  targetDenied: boolean;
}

/** Follows the rules of the first cell to the shards, and asks their primaries whether they would take a write. */
export async function readTraffic(ctx: Context, looked: Cluster, sw: TrafficSwitcher): Promise<TableTraffic[]> {
  const cluster = observing(looked);
  const cell = (await cellNames(ctx, cluster.topo))[0] ?? '';
  const rules = routingMap((await getSrvVSchema(ctx, cluster.topo, cell))?.routing_rules ?? {});
  return Promise.all(
    sw.tables.map(async (table) => {
      const to = rules.get(table)?.[0] ?? `${sw.sourceKeyspace}.${table}`;
      const keyspace = to.slice(0, to.indexOf('.'));
      const members: (MigrationSource | MigrationTarget)[] = keyspace === sw.targetKeyspace ? sw.targets : sw.sources;
      const refusing = members.find((member) => refuses(member, table));
      return {
        table,
        writes: {
          servedBy: refusing === undefined ? keyspace : undefined,
          reason: refusing === undefined ? undefined : `routed to ${keyspace}, which denies it`,
        },
        sourceDenied: await isDenied(ctx, cluster, sw.sources, table),
        targetDenied: await isDenied(ctx, cluster, sw.targets, table),
      };
    }),
  );
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
