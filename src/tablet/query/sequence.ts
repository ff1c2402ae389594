import { plainError, vtError, wrapError } from '../../lib/errors.ts';
import type { Context } from '../../runtime/context.ts';
import { formatName } from '../../sql/format-expr.ts';
import { sqliteName } from '../../sql/storage.ts';
import type { Cluster } from '../cluster.ts';
import { readSequenceCache, saveSequenceCache, type SequenceCache } from '../sequence-cache.ts';
import { isSequenceTable } from '../sequence-table.ts';
import { anyRowLocks, lockBlocker, rowBlocker } from '../table-locks.ts';
import { narrowInteger } from '../value-json.ts';
import { checkDenied, checkServing } from './checks.ts';
import { statementError, WaitForLock } from './query-errors.ts';
import type { QueryTablet } from './request.ts';
import { lockKeys, type RawRow, rawRows, rowImage } from './row-images.ts';
import { untilFree } from './waiting.ts';

/**
 * Takes the next values of a sequence table and says which is the first. They come from what the tablet has cached; when that
 * is used up it takes the next block from the table, `cache` values long. Throws what vttablet says of a table that is no
 * sequence, or has no row. Vitess: go/vt/vttablet/tabletserver/query_executor.go execNextval.
 */
export async function nextSequenceValues(
  ctx: Context,
  cluster: Cluster,
  tablet: QueryTablet,
  request: { table: string; count: number; caller?: string },
): Promise<number | bigint> {
  const { clock } = cluster.world;
  try {
    const first = await untilFree(ctx, cluster.world, () => tablet.shard.db.write(clock, () => take(cluster, tablet, request)));
    return narrowInteger(first) as number | bigint;
  } catch (error) {
    throw statementError(error, `select next ${request.count} values from ${request.table}`, request.caller);
  }
}

function take(cluster: Cluster, tablet: QueryTablet, { table, count }: { table: string; count: number }): bigint {
  const { shard, alias } = tablet;
  const view = checkServing(tablet, 'PRIMARY');
  // Nextval is no plan that `allow_reads` lets pass.
  checkDenied(shard, { ...view, allowReads: false }, { kind: 'truncate', table: { name: table } });
  if (!isSequenceTable(shard.table(table))) throw vtError('INVALID_ARGUMENT', `${formatName(table)} is not a sequence`);
  const wanted = BigInt(count);
  let cache = readSequenceCache(shard, alias, table);
  if (cache.next === 0n || cache.next + wanted > cache.last) cache = nextBlock(cluster, tablet, table, cache, wanted);
  saveSequenceCache(shard, alias, table, { ...cache, next: cache.next + wanted });
  return cache.next;
}

/** Takes the next block from the table: as many times `cache` values as it needs, in the caller's transaction. */
function nextBlock(cluster: Cluster, { shard }: QueryTablet, table: string, cached: SequenceCache, wanted: bigint): SequenceCache {
  const def = shard.table(table);
  const holder = lockBlocker(shard, cluster.world, table, 'shared-write', {});
  if (holder !== undefined) throw new WaitForLock(`table ${table}`, holder);
  const rows = rawRows(shard, { sql: `SELECT * FROM ${sqliteName(table)} WHERE id = 0`, params: [] });
  const [before] = rows;
  if (before === undefined || rows.length !== 1) {
    throw vtError('INVALID_ARGUMENT', `unexpected rows from reading sequence ${formatName(table)} (possible mis-route): ${rows.length}`);
  }
  if (anyRowLocks(shard)) {
    const session = rowBlocker(shard, table, lockKeys(def, rowImage(def, before)), undefined);
    if (session !== undefined) throw new WaitForLock(`a row of ${table}`, session);
  }
  const { next, last } = afterReading(cached, integer(table, before, 'next_id'));
  const step = integer(table, before, 'cache');
  if (step < 1n) throw vtError('INVALID_ARGUMENT', `invalid cache value for sequence ${formatName(table)}: ${step}`);
  let end = last + step;
  while (end < next + wanted) end += step;
  const [after] = rawRows(shard, {
    sql: `UPDATE ${sqliteName(table)} SET next_id = ? WHERE id = 0 RETURNING *`,
    params: [end],
  }) as [RawRow];
  shard.log(cluster.world.clock.now(), [{ kind: 'update', table, before: rowImage(def, before), after: rowImage(def, after) }]);
  return { next, last: end };
}

/** The cache goes on where the table stands, unless that is what it took last. It never goes back. */
function afterReading({ next, last }: SequenceCache, stored: bigint): SequenceCache {
  if (last === stored) return { next, last };
  const begin = stored < last ? last : stored;
  return { next: begin, last: begin };
}

/** A column of the sequence's row. Throws for NULL. */
function integer(table: string, row: RawRow, column: string): bigint {
  const value = row[column] ?? null;
  if (value === null) throw wrapError(plainError('cannot parse int64 from empty string'), `error loading sequence ${formatName(table)}`);
  return BigInt(value as bigint);
}
