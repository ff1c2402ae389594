/**
 * Large tables that were dropped. SQLite frees every page of a table in the one call that drops it, which blocks for as long as
 * that takes; so a drop only takes the table's name away, in its transaction, and the rows are deleted after it, in pieces. What
 * a process that died has left of them, the next command deletes.
 */
import type { Clock } from '../runtime/clock.ts';
import { sqliteIndexName } from '../sql/schema-sqlite.ts';
import type { TableDef } from '../sql/schema.ts';
import { sqliteName } from '../sql/storage.ts';
import type { Database } from '../store/database.ts';

/** Before a number; no table of a user begins so. */
const PREFIX = '_dropped.';
/** A table with fewer rows is dropped in a few milliseconds. */
const LARGE_ROWS = 20_000;
/** A transaction begins no further piece after this: with its commit it stays well under 50 ms. */
const TRANSACTION_MS = 7;
/** Rows of a piece: more where that took less than this. */
const PIECE_MS = 3;
const FIRST_PIECE = 500;
const MOST_ROWS_PER_PIECE = 20_000;
const PIECES_PER_TRANSACTION = 10;

/** Takes a large table's name away, inside the caller's transaction. False for a small one, with which nothing was done. */
export function putAside(db: Database, def: TableDef): boolean {
  const table = sqliteName(def.name);
  if (db.get(`SELECT 1 FROM ${table} LIMIT 1 OFFSET ?`, LARGE_ROWS) === undefined) return false;
  // Their names must be free for a table of the same name, and deleting rows is quicker without them.
  for (const { name } of def.indexes) db.exec(`DROP INDEX IF EXISTS ${sqliteIndexName(def.name, name)}`);
  const numbers = leftOver(db).map((name) => Number(name.slice(PREFIX.length)));
  db.exec(`ALTER TABLE ${table} RENAME TO "${PREFIX}${Math.max(0, ...numbers) + 1}"`);
  return true;
}

/** Deletes what dropped tables have left, with turns of the loop between the pieces. Several processes may at once. */
export async function sweepDropped(db: Database, clock: Clock): Promise<void> {
  if (!db.isFile || db.inTransaction) return;
  for (const name of leftOver(db)) {
    for (let size = FIRST_PIECE; size > 0; ) {
      size = await db.write(clock, () => sweepSome(db, clock, name, size));
      await clock.turn();
    }
  }
}

function leftOver(db: Database): string[] {
  return db.all<{ name: string }>(`SELECT name FROM sqlite_master WHERE type = 'table' AND name GLOB '${PREFIX}*'`).map(({ name }) => name);
}

/** Deletes some rows, and the table once few are left. Returns how many rows the next piece has; 0 at the end. */
function sweepSome(db: Database, clock: Clock, name: string, first: number): number {
  if (!leftOver(db).includes(name)) return 0;
  const rowid = rowidOf(db, name);
  const started = clock.monotonic();
  let size = first;
  for (let pieces = 0; pieces < PIECES_PER_TRANSACTION; pieces++) {
    const before = clock.monotonic();
    const [end] = db.allStored(`SELECT ${rowid} FROM "${name}" ORDER BY ${rowid} LIMIT 1 OFFSET ?`, BigInt(size));
    if (end === undefined) {
      db.exec(`DROP TABLE "${name}"`);
      return 0;
    }
    db.run(`DELETE FROM "${name}" WHERE ${rowid} < ?`, end[0]!);
    const now = clock.monotonic();
    const fits = now <= before ? MOST_ROWS_PER_PIECE : Math.floor((size * PIECE_MS) / (now - before));
    size = Math.max(1, Math.min(size * 4, fits, MOST_ROWS_PER_PIECE));
    if (now - started >= TRANSACTION_MS) break;
  }
  return size;
}

/** The name that no column hides. */
function rowidOf(db: Database, name: string): string {
  const columns = db.all<{ name: string }>('SELECT lower(name) AS name FROM pragma_table_info(?)', name).map((column) => column.name);
  return ['rowid', '_rowid_', 'oid'].find((candidate) => !columns.includes(candidate)) ?? 'rowid';
}
