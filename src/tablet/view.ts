import { plainError } from '../lib/errors.ts';
import type { Context } from '../runtime/context.ts';
import { getShard } from '../topo/keyspaces.ts';
import type { Tablet } from '../topo/proto/types.ts';
import { getSrvKeyspace, partitionOf } from '../topo/srv-keyspace.ts';
import { aliasText } from '../topo/tablets.ts';
import { keyRangesEqual } from '../lib/key-range.ts';
import { keyRangeFromProto } from '../topo/proto/key-range.ts';
import type { Cluster } from './cluster.ts';
import type { ShardDb } from './shard-db.ts';

/**
 * What a tablet believes, which is not the topology but what it read there last. It changes by RefreshState only,
 * and every statement checks it in the transaction that writes. Vitess: go/vt/vttablet/tabletmanager/tm_state.go.
 */
export interface TabletView {
  type: string;
  serving: boolean;
  /** Why it does not serve. */
  reason: string;
  deniedTables: string[];
  allowReads: boolean;
  /** Highest fencing token seen per keyspace lock. */
  fence: number;
}

/** The view of a tablet, or undefined before its first refresh. */
export function readView(shard: ShardDb, alias: string): TabletView | undefined {
  const row = shard.db.get<{ view: string }>('SELECT view FROM _tablet WHERE alias = ?', alias);
  return row === undefined ? undefined : (JSON.parse(row.view) as TabletView);
}

/** The views of all tablets of a shard, by alias. */
export function readViews(shard: ShardDb): { alias: string; view: TabletView }[] {
  return shard.db
    .all<{ alias: string; view: string }>('SELECT * FROM _tablet ORDER BY alias')
    .map((row) => ({ alias: row.alias, view: JSON.parse(row.view) as TabletView }));
}

const SERVING_TYPES = new Set(['PRIMARY', 'REPLICA', 'RDONLY', 'EXPERIMENTAL', 'DRAINED']);

/**
 * Re-reads the shard record and the cell's serving record. Throws if either is missing.
 * The tablet's own record is not read again, as in Vitess.
 */
export async function refreshView(ctx: Context, cluster: Cluster, tablet: Tablet): Promise<void> {
  const { keyspace = '', shard: name = '', type = 'UNKNOWN' } = tablet;
  const cell = tablet.alias?.cell ?? '';
  const info = await getShard(ctx, cluster.topo, keyspace, name);
  const serving = await getSrvKeyspace(ctx, cluster.topo, cell, keyspace);
  if (serving === undefined) throw plainError(`node doesn't exist: /vitess/${cell}/keyspaces/${keyspace}/SrvKeyspace`);
  const range = keyRangeFromProto(info.record.key_range);
  const disabled = (partitionOf(serving, type)?.shard_tablet_controls ?? []).some(
    (control) => control.query_service_disabled === true && keyRangesEqual(keyRangeFromProto(control.key_range), range),
  );
  const control = info.record.tablet_controls?.find(
    (candidate) => candidate.tablet_type === type && ((candidate.cells ?? []).length === 0 || candidate.cells!.includes(cell)),
  );
  const reason = disabled
    ? 'TabletControl.DisableQueryService set'
    : SERVING_TYPES.has(type)
      ? ''
      : `not a serving tablet type(${type})`;
  const shard = cluster.shards.open(keyspace, name);
  const alias = aliasText(tablet.alias);
  await shard.db.write(cluster.world.clock, () => {
    const view: TabletView = {
      type,
      serving: reason === '',
      reason,
      deniedTables: control?.denied_tables ?? [],
      allowReads: cluster.release.behaviours.allowReads && control?.allow_reads === true,
      fence: readView(shard, alias)?.fence ?? 0,
    };
    shard.db.run(
      'INSERT INTO _tablet VALUES (?, ?) ON CONFLICT (alias) DO UPDATE SET view = excluded.view',
      alias,
      JSON.stringify(view),
    );
  });
}

/** The text of what a tablet answers while it does not serve, or refuses a table. */
export function describeView(view: TabletView): string {
  if (!view.serving) return `not serving: ${view.reason}`;
  if (view.deniedTables.length === 0) return 'serving';
  return `serving, refuses ${view.deniedTables.join(', ')}${view.allowReads ? ' (reads allowed)' : ''}`;
}

