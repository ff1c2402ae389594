import { vtError } from '../lib/errors.ts';
import type { ShardDb } from './shard-db.ts';

/**
 * What a tablet has in memory of a sequence: the values it took from the table and has not given out yet. It must outlive a
 * command here, so it lies in the shard's file. Vitess: go/vt/vttablet/tabletserver/schema/schema.go SequenceInfo.
 */
export interface SequenceCache {
  /** The next value to give. */
  next: bigint;
  /** The first one that is not in the cache any more; what the table's `next_id` was set to. */
  last: bigint;
}

/** As a tablet begins, and after a reset: the table is read at the next use. */
const EMPTY: SequenceCache = { next: 0n, last: 0n };

/** What a tablet has cached of a sequence table. */
export function readSequenceCache(shard: ShardDb, alias: string, table: string): SequenceCache {
  const [row] = shard.db.allBig<{ next_value: bigint; last_value: bigint }>(
    'SELECT next_value, last_value FROM _sequence_cache WHERE alias = ? AND "table" = ?',
    alias,
    table,
  );
  return row === undefined ? EMPTY : { next: row.next_value, last: row.last_value };
}

/** Remembers it, in the caller's transaction. */
export function saveSequenceCache(shard: ShardDb, alias: string, table: string, { next, last }: SequenceCache): void {
  shard.db.run(
    `INSERT INTO _sequence_cache VALUES (?, ?, ?, ?)
     ON CONFLICT (alias, "table") DO UPDATE SET next_value = excluded.next_value, last_value = excluded.last_value`,
    alias,
    table,
    next,
    last,
  );
}

/** True if some tablet of the shard still has values of this sequence to give. */
export function isSequenceCached(shard: ShardDb, table: string): boolean {
  return shard.db.get('SELECT 1 FROM _sequence_cache WHERE "table" = ?', table) !== undefined;
}

/** Forgets what was cached of these tables, in the caller's transaction: they were changed or dropped. */
export function forgetSequences(shard: ShardDb, tables: readonly string[]): void {
  for (const table of tables) shard.db.run('DELETE FROM _sequence_cache WHERE "table" = ?', table);
}

/**
 * Forgets all that a tablet has cached, in the caller's transaction: it stops being primary, or its process ends.
 * Vitess: go/vt/vttablet/tabletserver/schema/engine.go MakeNonPrimary.
 */
export function forgetAllSequences(shard: ShardDb, alias: string): void {
  shard.db.run('DELETE FROM _sequence_cache WHERE alias = ?', alias);
}

/**
 * Has a tablet forget what it cached of these tables, in the caller's transaction; without an alias, whichever tablet has something.
 * Throws for a table that is not there, whatever its kind. Vitess: go/vt/vttablet/tabletserver/schema/engine.go ResetSequences.
 */
export function resetSequences(shard: ShardDb, alias: string | undefined, tables: readonly string[]): void {
  for (const table of tables) {
    if (shard.findTable(table) === undefined) throw vtError('NOT_FOUND', `table ${table} not found in schema`);
    if (alias === undefined) forgetSequences(shard, [table]);
    else shard.db.run('DELETE FROM _sequence_cache WHERE alias = ? AND "table" = ?', alias, table);
  }
}
