/**
 * Rows that a condition picks, looked for and deleted in pieces: no call into SQLite walks more than a part of a large table.
 * Vitess: go/vt/vttablet/tabletmanager/rpc_vreplication.go DeleteTableData.
 */
import type { Clock } from '../runtime/clock.ts';
import type { Context } from '../runtime/context.ts';
import type { World } from '../runtime/world.ts';
import type { Expr } from '../sql/ast.ts';
import { compileWhere } from '../sql/compile.ts';
import { rowidName, type TableDef } from '../sql/schema.ts';
import { decodeRow, sqliteName } from '../sql/storage.ts';
import type { SqlText } from '../sql/value.ts';
import { mysqlTime } from './query/mysql-time.ts';
import { WaitForLock } from './query/query-errors.ts';
import { untilFree } from './query/waiting.ts';
import type { ShardDb } from './shard-db.ts';
import { Applier, BlockedError } from './vreplication/apply.ts';

/** Walked in some ten milliseconds. */
const ROWS_PER_PIECE = 50_000;
/** Deleted, with their events for the binlog, in some ten milliseconds. */
const MOST_PER_BATCH = 2_000;
const FIRST: bigint = -(2n ** 63n);

/** True if a condition picks any row of a table. Throws 1054 for a column that the table lacks. */
export async function anyRow(shard: ShardDb, def: TableDef, where: Expr, clock: Clock): Promise<boolean> {
  const { sql, params } = compileWhere(where, def, { now: mysqlTime(clock.now()) });
  const rowid = rowidName(def);
  const piece = `SELECT count(*), max(id), max(hit) FROM (SELECT ${rowid} AS id, ${sql} AS hit FROM ${sqliteName(def.name)} WHERE ${rowid} > ? ORDER BY ${rowid} LIMIT ${ROWS_PER_PIECE})`;
  for (let last = FIRST; ; ) {
    const [[count, end, hit] = []] = shard.db.allStored(piece, ...(params as string[]), last);
    if (Number(hit ?? 0) === 1) return true;
    if (typeof end !== 'bigint' || Number(count) < ROWS_PER_PIECE) return false;
    last = end;
    await clock.turn();
  }
}

/** How rows are deleted. */
export interface DeleteOptions {
  /** Rows of one transaction at most. */
  batch: number;
  /** Runs a transaction on the shard, guarded as its caller has to guard it. */
  write: <T>(fn: () => T) => Promise<T>;
  /** Called between batches; throws to stop. */
  between: () => void;
}

/**
 * Deletes the rows that a condition picks, as a DBA does: rules on denied tables do not apply, locks are waited for (1205).
 * What was deleted stays so when it ends early. Returns how many there were.
 */
export async function deleteRows(
  ctx: Context,
  world: World,
  shard: ShardDb,
  table: string,
  where: Expr,
  { batch, write, between }: DeleteOptions,
): Promise<number> {
  let total = 0;
  for (;;) {
    const before = total;
    for (let last: bigint | undefined = FIRST; last !== undefined; ) {
      const from: bigint = last;
      const step = await untilFree(ctx, world, () => write(() => deleteSome(world, shard, table, where, from, Math.min(batch, MOST_PER_BATCH))));
      total += step.deleted;
      last = step.last;
      between();
      await world.clock.turn();
    }
    // Rows may have come behind the last pass.
    if (total === before) return total;
  }
}

/** Deletes a batch of rows behind one, and says behind which the next begins; undefined where there is none. */
function deleteSome(world: World, shard: ShardDb, table: string, where: Expr, after: bigint, most: number): { deleted: number; last: bigint | undefined } {
  const def = shard.table(table);
  const now = world.clock.now();
  const condition = compileWhere(where, def, { now: mysqlTime(now) });
  const rowid = rowidName(def);
  const [[count, end] = []] = shard.db.allStored(
    `SELECT count(*), max(id) FROM (SELECT ${rowid} AS id FROM ${sqliteName(table)} WHERE ${rowid} > ? ORDER BY ${rowid} LIMIT ${ROWS_PER_PIECE})`,
    after,
  );
  if (typeof end !== 'bigint') return { deleted: 0, last: undefined };
  const rows = pickRows(shard, def, condition, after, end, most);
  const applier = new Applier(shard, world);
  try {
    for (const raw of rows) applier.delete(def, decodeRow(def, raw));
  } catch (error) {
    if (error instanceof BlockedError) throw new WaitForLock(`table ${table}`, error.message);
    throw error;
  }
  if (applier.events.length > 0) shard.log(now, applier.events);
  if (rows.length === most) return { deleted: rows.length, last: rows.at(-1)!['__rowid'] as bigint };
  return { deleted: rows.length, last: Number(count) < ROWS_PER_PIECE ? undefined : end };
}

function pickRows(shard: ShardDb, def: TableDef, { sql, params }: SqlText, after: bigint, end: bigint, most: number): Record<string, unknown>[] {
  const rowid = rowidName(def);
  return shard.db.allBig<Record<string, unknown>>(
    `SELECT ${rowid} AS "__rowid", * FROM ${sqliteName(def.name)} WHERE ${rowid} > ? AND ${rowid} <= ? AND (${sql}) ORDER BY ${rowid} LIMIT ${most}`,
    after,
    end,
    ...(params as string[]),
  );
}
