import { errorText, isTopoError, plainError } from '../lib/errors.ts';
import { validateObjectName, validateShardName } from '../lib/names.ts';
import type { Context } from '../runtime/context.ts';
import { cellNames, connForCell } from './cells.ts';
import { getShard } from './keyspaces.ts';
import type { Tablet, TabletAlias, Time } from './proto/types.ts';
import type { TopoServer } from './server.ts';
import { aliasText, getTablet, shardTablets } from './tablets.ts';

/** Which tablets to list. Aliases win over keyspace and shard, those two together win over cells. */
export interface TabletFilter {
  aliases: readonly TabletAlias[];
  /** Empty: any. */
  keyspace: string;
  shard: string;
  cells: readonly string[];
  /** `UNKNOWN`: any. */
  tabletType: string;
  /** Fail when any cell cannot be read, and not only when none can. */
  strict: boolean;
}

/**
 * Tablets by alias. A primary whose term began before that of another primary of its shard is shown as UNKNOWN: it has
 * not noticed yet. Unknown aliases are passed over. Throws `GetTabletMapForShard(K, S) failed: …`,
 * `GetTabletsByCell(C) failed: …`. Vitess: go/vt/vtctl/grpcvtctldserver/server.go GetTablets.
 */
export async function listTablets(ctx: Context, topo: TopoServer, filter: TabletFilter): Promise<Tablet[]> {
  const newest = new Map<string, bigint>();
  const shardOf = (tablet: Tablet): string => `${tablet.keyspace}/${tablet.shard}`;
  const found = await candidates(ctx, topo, filter);
  for (const tablet of found) {
    if (tablet.type !== 'PRIMARY') continue;
    const start = nanoseconds(tablet.primary_term_start_time);
    if (start > (newest.get(shardOf(tablet)) ?? 0n)) newest.set(shardOf(tablet), start);
  }
  const stale = (tablet: Tablet): boolean =>
    tablet.type === 'PRIMARY' && nanoseconds(tablet.primary_term_start_time) < (newest.get(shardOf(tablet)) ?? 0n);
  return found
    .filter((tablet) => filter.tabletType === 'UNKNOWN' || tablet.type === filter.tabletType)
    .map((tablet): Tablet => (stale(tablet) ? { ...tablet, type: 'UNKNOWN' } : tablet))
    .toSorted((a, b) => (aliasText(a.alias) < aliasText(b.alias) ? -1 : 1));
}

function nanoseconds(time: Time | undefined): bigint {
  return time === undefined ? 0n : BigInt(time.seconds) * 1_000_000_000n + BigInt(time.nanoseconds ?? 0);
}

function candidates(ctx: Context, topo: TopoServer, filter: TabletFilter): Promise<Tablet[]> {
  const { aliases, keyspace, shard } = filter;
  if (aliases.length > 0) return byAlias(ctx, topo, aliases);
  return keyspace !== '' && shard !== '' ? ofShard(ctx, topo, keyspace, shard) : ofCells(ctx, topo, filter);
}

async function byAlias(ctx: Context, topo: TopoServer, aliases: readonly TabletAlias[]): Promise<Tablet[]> {
  const found = new Map<string, Tablet>();
  for (const alias of aliases) {
    try {
      found.set(aliasText(alias), await getTablet(ctx, topo, alias));
    } catch (error) {
      if (!isTopoError(error, 'NoNode')) throw error;
    }
  }
  return [...found.values()];
}

async function ofShard(ctx: Context, topo: TopoServer, keyspace: string, shard: string): Promise<Tablet[]> {
  try {
    validateObjectName(keyspace);
    validateShardName(shard);
    return await shardTablets(ctx, topo, await getShard(ctx, topo, keyspace, shard));
  } catch (error) {
    throw plainError(`GetTabletMapForShard(${keyspace}, ${shard}) failed: ${errorText(error)}`);
  }
}

async function ofCells(ctx: Context, topo: TopoServer, { cells, keyspace, strict }: TabletFilter): Promise<Tablet[]> {
  const wanted = cells.length > 0 ? cells : await cellNames(ctx, topo);
  const found: Tablet[] = [];
  const failures: string[] = [];
  for (const cell of wanted) {
    try {
      found.push(...(await ofCell(ctx, topo, cell)));
    } catch (error) {
      failures.push(`GetTabletsByCell(${cell}) failed: ${errorText(error)}`);
    }
  }
  if (failures.length > 0 && (strict || failures.length === wanted.length)) throw plainError(failures.join(';'));
  return keyspace === '' ? found : found.filter((tablet) => tablet.keyspace === keyspace);
}

async function ofCell(ctx: Context, topo: TopoServer, cell: string): Promise<Tablet[]> {
  const conn = await connForCell(ctx, topo, cell);
  try {
    const nodes = await conn.list(ctx, 'tablets/');
    return nodes.filter((node) => node.path.endsWith('/Tablet')).map((node) => JSON.parse(node.contents) as Tablet);
  } catch (error) {
    if (isTopoError(error, 'NoNode')) return [];
    throw error;
  }
}
