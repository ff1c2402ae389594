import { parsePosition } from '../../lib/gtid.ts';
import type { ShardDb } from '../shard-db.ts';

/** What a stream did in one go: nothing to do, some work, somebody's lock or a retriable error, or it does not run. */
export type PumpResult = 'idle' | 'worked' | 'blocked' | 'stopped';

/** The number of the source's transaction that a position has reached. */
export function reached(row: { pos: string }, from: ShardDb): number {
  return from.reached(parsePosition(row.pos));
}
