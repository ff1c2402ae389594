import type { Clock } from '../runtime/clock.ts';
import { rowidName } from '../sql/schema.ts';
import { sqliteName } from '../sql/storage.ts';
import type { ShardDb } from './shard-db.ts';

/** Counted in some ten milliseconds. */
const ROWS_PER_PIECE = 200_000;

/**
 * How many rows a table has, 0 if it is not there: in pieces with turns of the loop between them, so that what is written
 * meanwhile may be counted or not.
 */
export async function countRows(shard: ShardDb, table: string, clock: Clock): Promise<number> {
  const def = shard.findTable(table);
  if (def === undefined) return 0;
  const rowid = rowidName(def);
  const piece = `SELECT count(*), max(id) FROM (SELECT ${rowid} AS id FROM ${sqliteName(def.name)} WHERE ${rowid} > ? ORDER BY ${rowid} LIMIT ${ROWS_PER_PIECE})`;
  let total = 0;
  for (let last: bigint = -(2n ** 63n); ; ) {
    const [[count, end] = []] = shard.db.allStored(piece, last);
    total += Number(count ?? 0);
    if (typeof end !== 'bigint' || Number(count) < ROWS_PER_PIECE) return total;
    last = end;
    await clock.turn();
    if (shard.findTable(table) === undefined) return total;
  }
}
