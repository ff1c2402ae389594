import type { Clock } from '../runtime/clock.ts';
import type { ShardDb } from './shard-db.ts';

/** How often a process writes down what it has counted: what is counted must not cost a write of its own. */
const WRITE_MS = 50;

interface Unwritten {
  counts: Map<string, number>;
  /** Clock time of the last write. */
  writtenAt: number;
  scheduled: boolean;
}

const unwritten = new WeakMap<ShardDb, Unwritten>();

/**
 * Counts one under a name, in a shard. It reaches the shard's file within `WRITE_MS`; what a process has counted in its last
 * moments before it ends is not in it.
 */
export function tally(shard: ShardDb, clock: Clock, name: string): void {
  let state = unwritten.get(shard);
  if (state === undefined) {
    state = { counts: new Map(), writtenAt: Number.NEGATIVE_INFINITY, scheduled: false };
    unwritten.set(shard, state);
  }
  state.counts.set(name, (state.counts.get(name) ?? 0) + 1);
  if (state.scheduled) return;
  const due = state.writtenAt + WRITE_MS;
  if (due <= clock.now()) return writeDown(shard, clock, state);
  state.scheduled = true;
  clock.at(due, () => writeDown(shard, clock, state));
}

/** How many were counted under a name so far, those of other processes as far as they are written down. */
export function readTally(shard: ShardDb, name: string): number {
  const written = shard.db.get<{ value: string }>('SELECT value FROM _meta WHERE key = ?', name)?.value;
  return Number(written ?? 0) + (unwritten.get(shard)?.counts.get(name) ?? 0);
}

/** Begins to count from 0. */
export async function resetTally(shard: ShardDb, clock: Clock, names: readonly string[]): Promise<void> {
  for (const name of names) unwritten.get(shard)?.counts.delete(name);
  await shard.db.write(clock, () => {
    for (const name of names) shard.db.run('DELETE FROM _meta WHERE key = ?', name);
  });
}

function writeDown(shard: ShardDb, clock: Clock, state: Unwritten): void {
  state.scheduled = false;
  state.writtenAt = clock.now();
  try {
    shard.db.transact(() => {
      for (const [name, count] of state.counts) {
        const sql = `INSERT INTO _meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = CAST(value + excluded.value AS TEXT)`;
        shard.db.run(sql, name, String(count));
      }
    });
    state.counts.clear();
  } catch {
    // Busy, or closed: the next one tries again.
  }
}
