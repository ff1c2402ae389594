import type { Clock } from '../runtime/clock.ts';
import type { ShardDb } from './shard-db.ts';
import { readTally, resetTally, tally } from './tallies.ts';

/** Reads that gates have sent to a second place too, and how many of those failed there. */
export interface Mirrored {
  sent: number;
  failed: number;
}

const SENT = 'mirrored to ';
const FAILED = 'failed when mirrored to ';

/** Counts a read of this shard that was mirrored to a table (`keyspace.table`). */
export function countMirrored(shard: ShardDb, clock: Clock, to: string, failed: boolean): void {
  tally(shard, clock, SENT + to);
  if (failed) tally(shard, clock, FAILED + to);
}

/** How many reads of these shards were mirrored to these tables, since it was begun to mirror them. */
export function readMirrored(shards: readonly ShardDb[], to: readonly string[]): Mirrored {
  const sum = (name: string): number => shards.reduce((all, shard) => to.reduce((count, table) => count + readTally(shard, name + table), all), 0);
  return { sent: sum(SENT), failed: sum(FAILED) };
}

/** Begins to count anew. */
export async function forgetMirrored(shards: readonly ShardDb[], clock: Clock, to: readonly string[]): Promise<void> {
  for (const shard of shards) await resetTally(shard, clock, to.flatMap((table) => [SENT + table, FAILED + table]));
}
