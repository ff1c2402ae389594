import type { Clock } from '../runtime/clock.ts';
import type { ShardDb } from './shard-db.ts';

/** How often a process writes down how many statements its tablets refused: a refusal must not cost a write of its own. */
const WRITE_MS = 50;

interface Unwritten {
  counts: Map<string, number>;
  /** Clock time of the last write. */
  writtenAt: number;
  scheduled: boolean;
}

const unwritten = new WeakMap<ShardDb, Unwritten>();

/**
 * Counts a statement that a tablet of the shard refused because of its denied tables. The count reaches the shard's
 * file within `WRITE_MS`; what a process has counted in its last moments before it ends is not in it.
 */
export function countRefusal(shard: ShardDb, clock: Clock, table: string): void {
  let state = unwritten.get(shard);
  if (state === undefined) {
    state = { counts: new Map(), writtenAt: Number.NEGATIVE_INFINITY, scheduled: false };
    unwritten.set(shard, state);
  }
  state.counts.set(table, (state.counts.get(table) ?? 0) + 1);
  if (state.scheduled) return;
  const due = state.writtenAt + WRITE_MS;
  if (due <= clock.now()) return writeDown(shard, clock, state);
  state.scheduled = true;
  clock.at(due, () => writeDown(shard, clock, state));
}

/** How many statements about these tables the shard's tablets have refused so far. Only differences mean anything. */
export function refusals(shard: ShardDb, tables: readonly string[]): number {
  const pending = unwritten.get(shard)?.counts;
  return tables.reduce((sum, table) => {
    const written = shard.db.get<{ value: string }>('SELECT value FROM _meta WHERE key = ?', keyOf(table))?.value;
    return sum + Number(written ?? 0) + (pending?.get(table) ?? 0);
  }, 0);
}

function writeDown(shard: ShardDb, clock: Clock, state: Unwritten): void {
  state.scheduled = false;
  state.writtenAt = clock.now();
  try {
    shard.db.transact(() => {
      for (const [table, count] of state.counts) {
        const sql = `INSERT INTO _meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = CAST(value + excluded.value AS TEXT)`;
        shard.db.run(sql, keyOf(table), String(count));
      }
    });
    state.counts.clear();
  } catch {
    // Busy, or closed: the next refusal tries again.
  }
}

function keyOf(table: string): string {
  return `refused ${table}`;
}
