import type { Clock } from '../runtime/clock.ts';
import type { ShardDb } from './shard-db.ts';
import { readTally, tally } from './tallies.ts';

/** Counts a statement that a tablet of the shard refused because of its denied tables. */
export function countRefusal(shard: ShardDb, clock: Clock, table: string): void {
  tally(shard, clock, keyOf(table));
}

/** How many statements about these tables the shard's tablets have refused so far. Only differences mean anything. */
export function refusals(shard: ShardDb, tables: readonly string[]): number {
  return tables.reduce((sum, table) => sum + readTally(shard, keyOf(table)), 0);
}

function keyOf(table: string): string {
  return `refused ${table}`;
}
