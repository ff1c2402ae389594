import { plainError } from '../lib/errors.ts';
import type { Context } from '../runtime/context.ts';
import { getShard } from '../topo/keyspaces.ts';
import type { KeyRange, Tablet, TabletControl } from '../topo/proto/types.ts';
import { paths } from '../topo/paths.ts';
import { lookAtSrvKeyspace } from '../topo/srv-keyspace.ts';
import { aliasText } from '../topo/tablets.ts';
import { keyRangesEqual } from '../lib/key-range.ts';
import { keyRangeFromProto } from '../topo/proto/key-range.ts';
import type { Cluster } from './cluster.ts';
import { hasRead, isStopped, keepRead, type LastRead, lastRead } from './process.ts';
import type { ShardDb } from './shard-db.ts';

/**
 * What a tablet believes, which is not the topology but what it read there last. It changes by RefreshState only,
 * and every statement checks it in the transaction that writes. Vitess: go/vt/vttablet/tabletmanager/tm_state.go.
 */
export interface TabletView {
  readonly type: string;
  readonly serving: boolean;
  /** Why it does not serve. */
  readonly reason: string;
  readonly deniedTables: readonly string[];
  readonly allowReads: boolean;
  /** Highest fencing token seen per keyspace lock. */
  readonly fence: number;
}

/** The view of a tablet, or undefined before its first refresh. */
export function readView(shard: ShardDb, alias: string): TabletView | undefined {
  return shard.db.remember('_tablet', alias, () => {
    const row = shard.db.get<{ view: string }>('SELECT view FROM _tablet WHERE alias = ?', alias);
    return row === undefined ? undefined : (JSON.parse(row.view) as TabletView);
  });
}

/** The views of all tablets of a shard, by alias. */
export function readViews(shard: ShardDb): readonly { alias: string; view: TabletView }[] {
  return shard.db.remember('_tablet', 'all', () =>
    shard.db
      .all<{ alias: string; view: string }>('SELECT * FROM _tablet ORDER BY alias')
      .map((row) => ({ alias: row.alias, view: JSON.parse(row.view) as TabletView })),
  );
}

/** True if a primary of the shard runs that takes writes to all of these tables: whoever is primary, not who the records say. */
export function takesWrites(shard: ShardDb, tables: readonly string[]): boolean {
  return readViews(shard).some(
    ({ alias, view }) =>
      view.type === 'PRIMARY' && view.serving && !tables.some((table) => view.deniedTables.includes(table)) && !isStopped(shard, alias),
  );
}

const SERVING_TYPES = new Set(['PRIMARY', 'REPLICA', 'RDONLY', 'EXPERIMENTAL', 'DRAINED']);

/**
 * Re-reads the shard record and the cell's serving record. Throws if either is missing. The tablet's own record is not
 * read again, as in Vitess: its type is the one it has, `tablet` is only asked at its first start.
 */
export async function refreshView(ctx: Context, cluster: Cluster, tablet: Tablet): Promise<void> {
  const { keyspace = '', shard: name = '' } = tablet;
  const read = await readTopology(ctx, cluster, tablet);
  const shard = cluster.shards.open(keyspace, name);
  const alias = aliasText(tablet.alias);
  // Most tablets of a shard learn nothing new, and what is not written need not be waited for.
  if (isKnown(shard, alias, read)) return;
  await shard.db.write(cluster.world.clock, () => {
    keepRead(shard, alias, read);
    keepView(shard, alias, readView(shard, alias)?.type ?? tablet.type ?? 'UNKNOWN', read);
  });
}

/** True if a tablet that has read this believes what it did before. */
function isKnown(shard: ShardDb, alias: string, read: LastRead): boolean {
  const view = readView(shard, alias);
  if (view === undefined || !hasRead(shard, alias, read)) return false;
  return JSON.stringify(view) === JSON.stringify(viewOf(view.type, read, view.fence));
}

/** What a tablet reads of its shard. Throws if a record is missing. */
export async function readTopology(ctx: Context, cluster: Cluster, tablet: Tablet): Promise<LastRead> {
  const { keyspace = '', shard: name = '' } = tablet;
  const cell = tablet.alias?.cell ?? '';
  const { record } = await getShard(ctx, cluster.topo, keyspace, name);
  const serving = await lookAtSrvKeyspace(ctx, cluster.topo, cell, keyspace);
  if (serving === undefined) throw plainError(`node doesn't exist: ${cluster.topo.conn.policy.names.node(cell, paths.srvKeyspace(keyspace))}`);
  const range = keyRangeFromProto(record.key_range);
  const isHere = ({ key_range: other }: { key_range?: KeyRange }): boolean => keyRangesEqual(keyRangeFromProto(other), range);
  const disabled = (serving.partitions ?? []).filter(({ shard_tablet_controls: controls = [] }) =>
    controls.some((control) => control.query_service_disabled === true && isHere(control)),
  );
  const controls = (record.tablet_controls ?? []).filter(({ cells = [] }) => cells.length === 0 || cells.includes(cell)).map((control) => known(cluster, control));
  const types = disabled.map(({ served_type: type }) => type as string);
  const primary = (serving.partitions ?? []).find(({ served_type: type }) => type === 'PRIMARY');
  const named = [...(primary?.shard_references ?? []), ...(primary?.shard_tablet_controls ?? [])].some(isHere);
  if (!named && staysOff(cluster, tablet)) types.push('PRIMARY');
  return { controls, disabled: types };
}

/**
 * True for a primary whose writes a Reshard moved away. The move takes every control out of the serving graph, and in a release
 * whoever refreshes such a tablet has it serve again: it takes statements that were planned or held before the switch into rows
 * that nobody reads, and gates hold others to the end, as they wait for exactly the shards of the graph to serve. On `hardened`
 * it stays off until the serving graph speaks of its shard again, and so does whoever becomes primary in its place.
 */
function staysOff(cluster: Cluster, { keyspace = '', shard = '' }: Tablet): boolean {
  if (cluster.release.vitess) return false;
  const db = cluster.shards.open(keyspace, shard);
  return readViews(db).some(({ alias }) => lastRead(db, alias)?.disabled.includes('PRIMARY') === true);
}

/** Until v23 nobody knows what `allow_reads` is. */
function known({ release }: Cluster, control: TabletControl): TabletControl {
  return control.allow_reads === undefined || release.behaviours.allowReads ? control : { ...control, allow_reads: false };
}

/** Writes down what a tablet believes once it is of a type, inside the caller's transaction. Vitess: tmState.applyLocked. */
export function keepView(shard: ShardDb, alias: string, type: string, read: LastRead): void {
  replaceView(shard, alias, viewOf(type, read, readView(shard, alias)?.fence ?? 0));
}

function viewOf(type: string, read: LastRead, fence: number): TabletView {
  const control = read.controls.find((candidate) => candidate.tablet_type === type);
  const reason = read.disabled.includes(type)
    ? 'TabletControl.DisableQueryService set'
    : SERVING_TYPES.has(type)
      ? ''
      : `not a serving tablet type(${type})`;
  return {
    type,
    serving: reason === '',
    reason,
    deniedTables: control?.denied_tables ?? [],
    allowReads: control?.allow_reads ?? false,
    fence,
  };
}

/** Writes a view down, inside the caller's transaction. */
export function replaceView(shard: ShardDb, alias: string, view: TabletView): void {
  shard.db.run(
    'INSERT INTO _tablet VALUES (?, ?) ON CONFLICT (alias) DO UPDATE SET view = excluded.view',
    alias,
    JSON.stringify(view),
  );
}

/** The text of what a tablet answers while it does not serve, or refuses a table. */
export function describeView(view: TabletView): string {
  if (!view.serving) return `not serving: ${view.reason}`;
  if (view.deniedTables.length === 0) return 'serving';
  return `serving, refuses ${view.deniedTables.join(', ')}${view.allowReads ? ' (reads allowed)' : ''}`;
}

