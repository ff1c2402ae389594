import { vtError } from '../../lib/errors.ts';
import type { Context } from '../../runtime/context.ts';
import { sqliteName } from '../../sql/storage.ts';
import type { Cluster } from '../cluster.ts';
import { lockBlocker } from '../table-locks.ts';
import { checkDenied, checkServing } from './checks.ts';
import { statementError, WaitForLock } from './query-errors.ts';
import type { QueryTablet } from './request.ts';
import { type RawRow, rawRows, rowImage } from './row-images.ts';
import { untilFree } from './waiting.ts';

/**
 * Takes the next values of a sequence table and says which is the first. vttablet keeps a cache of them in memory;
 * here every call takes what it needs, so that no value is lost between two commands. Throws what vttablet says of a
 * table that is no sequence. Vitess: go/vt/vttablet/tabletserver/query_executor.go execNextval.
 */
export async function nextSequenceValues(
  ctx: Context,
  cluster: Cluster,
  tablet: QueryTablet,
  request: { table: string; count: number; caller?: string },
): Promise<number> {
  const { clock } = cluster.world;
  try {
    return await untilFree(ctx, cluster.world, () => tablet.shard.db.write(clock, () => take(cluster, tablet, request)));
  } catch (error) {
    throw statementError(error, `select next ${request.count} values from ${request.table}`, request.caller);
  }
}

function take(cluster: Cluster, tablet: QueryTablet, { table, count }: { table: string; count: number }): number {
  const { shard } = tablet;
  const view = checkServing(tablet, 'PRIMARY');
  // Nextval is no plan that `allow_reads` lets pass.
  checkDenied(shard, { ...view, allowReads: false }, { kind: 'truncate', table: { name: table } });
  const def = shard.table(table);
  const holder = lockBlocker(shard, cluster.world, table, 'shared-write', {});
  if (holder !== undefined) throw new WaitForLock(`table ${table}`, holder);
  const rows = rawRows(shard, { sql: `SELECT * FROM ${sqliteName(table)} WHERE id = 0`, params: [] });
  const [before] = rows;
  if (before === undefined || rows.length !== 1) {
    throw vtError('UNKNOWN', `unexpected rows from reading sequence ${table} (possible mis-route): ${rows.length}`);
  }
  const first = Number(before['next_id'] ?? 0);
  const next = first === 0 ? 1 : first;
  const [after] = rawRows(shard, {
    sql: `UPDATE ${sqliteName(table)} SET next_id = ? WHERE id = 0 RETURNING *`,
    params: [BigInt(next + count)],
  }) as [RawRow];
  shard.log(cluster.world.clock.now(), [
    { kind: 'update', table, before: rowImage(def, before), after: rowImage(def, after) },
  ]);
  return next;
}
