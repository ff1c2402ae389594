import { sqliteName } from '../sql/storage.ts';
import type { Row } from '../sql/value.ts';
import type { World } from '../runtime/world.ts';
import { rawRows, replayEvent, rowImage } from './query/row-images.ts';
import type { BinlogEvent } from './binlog.ts';
import { formatName } from '../sql/format-expr.ts';
import type { ShardDb } from './shard-db.ts';
import { parseValues, stringifyValues } from './value-json.ts';

/**
 * Notes of what a switch did to sequence tables, kept in the shard's file by the transaction that did it: so a roll-back knows
 * exactly what to put back, whenever the process died, and whether somebody has taken values since.
 */

/** How a sequence table was: not there, or with this row (null: without one). */
type Before = { there: false } | { there: true; row: Row | null };

/** The row of a sequence table; null where there is none, or no table. */
export function sequenceRow(shard: ShardDb, table: string): Row | null {
  const def = shard.findTable(table);
  if (def === undefined) return null;
  const [row] = rawRows(shard, { sql: `SELECT * FROM ${sqliteName(table)} WHERE id = 0`, params: [] });
  return row === undefined ? null : rowImage(def, row);
}

/**
 * Changes a sequence table in the caller's transaction, and notes what it was before the first change of this name. Nothing is noted if
 * nothing changed.
 */
export function noteSequenceChange<T>(shard: ShardDb, change: string, table: string, effect: () => T): T {
  const there = shard.findTable(table) !== undefined;
  const before: Before = there ? { there, row: sequenceRow(shard, table) } : { there };
  const result = effect();
  const after = stringifyValues(sequenceRow(shard, table));
  if (there && after === stringifyValues(before.there ? before.row : null)) return result;
  shard.db.run(
    'INSERT INTO _sequence_change VALUES (?, ?, ?, ?) ON CONFLICT (change, "table") DO UPDATE SET after = excluded.after',
    change,
    table,
    stringifyValues(before),
    after,
  );
  return result;
}

/**
 * Takes the changes of this name back, in the caller's transaction, but for those after which values were taken: then the ids are
 * given out, and the table stays as it is. Returns the tables that stay. Doing it twice does no harm.
 */
export function undoSequenceChanges(shard: ShardDb, world: World, change: string): string[] {
  const stay: string[] = [];
  const events: BinlogEvent[] = [];
  for (const note of shard.db.all<{ table: string; before: string; after: string }>(
    'SELECT "table", before, after FROM _sequence_change WHERE change = ? ORDER BY "table"',
    change,
  )) {
    const undone = undo(shard, note.table, parseValues<Before>(note.before), note.after);
    if (undone === undefined) stay.push(note.table);
    else events.push(...undone);
  }
  if (events.length > 0) shard.log(world.clock.now(), events);
  forgetSequenceChanges(shard, change);
  return stay;
}

/** Strikes the notes of a change, in the caller's transaction: there is no way back any more, or no need for one. */
export function forgetSequenceChanges(shard: ShardDb, change: string): void {
  shard.db.run('DELETE FROM _sequence_change WHERE change = ?', change);
}

/** Undefined where the table is no longer as the change left it. */
function undo(shard: ShardDb, table: string, before: Before, after: string): BinlogEvent[] | undefined {
  if (shard.findTable(table) === undefined) return before.there ? undefined : [];
  const row = sequenceRow(shard, table);
  const rows = shard.db.get<{ n: number }>(`SELECT count(*) AS n FROM ${sqliteName(table)}`)?.n ?? 0;
  if (stringifyValues(row) !== after) return undefined;
  if (!before.there) {
    if (rows > (row === null ? 0 : 1)) return undefined;
    shard.dropTable(table);
    return [{ kind: 'ddl', table, sql: `drop table ${formatName(table)}` }];
  }
  const event = difference(table, row, before.row);
  if (event === undefined) return [];
  replayEvent(shard, event);
  return [event];
}

function difference(table: string, now: Row | null, before: Row | null): BinlogEvent | undefined {
  if (now === null) return before === null ? undefined : { kind: 'insert', table, after: before };
  return before === null ? { kind: 'delete', table, before: now } : { kind: 'update', table, before: now, after: before };
}
