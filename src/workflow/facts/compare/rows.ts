import type { Clock } from '../../../runtime/clock.ts';
import type { TableDef } from '../../../sql/schema.ts';
import { sqliteName } from '../../../sql/storage.ts';
import type { SqlValue } from '../../../store/database.ts';
import type { ShardDb } from '../../../tablet/shard-db.ts';

/** How the rows of a table differ in two states. */
export interface RowsDifference {
  /** `commerce/0`. */
  shard: string;
  table: string;
  /** How many rows there are. */
  before: number;
  after: number;
  gone: Keys;
  come: Keys;
  changed: Keys;
}

/** Some rows by their keys. */
interface Keys {
  count: number;
  /** The first of them, as `customer_id 3`, MOST_KEYS at most. */
  examples: string[];
}

const MOST_KEYS = 10;

/** One side of a comparison: where the rows are, one by one in the order of the key, and each by its key. */
interface Side {
  rows: IterableIterator<SqlValue[]>;
  find(key: readonly SqlValue[]): boolean;
}

/**
 * Compares the rows of a table in two shards, one by one, in constant memory; the loop turns in between. Undefined where they are the same.
 * The table has the same columns and key in both. Both are read in one order, SQLite's own; where they part, each is asked for the other's key.
 */
export async function compareRows(clock: Clock, name: string, def: TableDef, before: ShardDb, after: ShardDb): Promise<RowsDifference | undefined> {
  const columns = def.columns.map((column) => column.name);
  // Without a key a row is all of its values, and what differs is how often it is there.
  const key = def.primaryKey.length === 0 ? columns : def.primaryKey;
  const counted = def.primaryKey.length === 0;
  const [a, b] = [before, after].map((shard) => sideOf(shard, def.name, { columns, key, counted })) as [Side, Side];
  const places = key.map((column) => columns.indexOf(column));
  const keyOf = (row: readonly SqlValue[]): SqlValue[] => places.map((place) => row[place]!);
  const difference: RowsDifference = { shard: name, table: def.name, before: 0, after: 0, gone: noKeys(), come: noKeys(), changed: noKeys() };
  const add = (keys: Keys, row: readonly SqlValue[], more = ''): void => {
    if (++keys.count <= MOST_KEYS) keys.examples.push(keyText(key, keyOf(row)) + more);
  };
  const weight = (row: readonly SqlValue[]): number => (counted ? Number(row[columns.length]) : 1);
  const next = (rows: Side['rows'], side: 'before' | 'after'): SqlValue[] | undefined => {
    const { done, value } = rows.next();
    if (done === true) return undefined;
    difference[side] += weight(value);
    return value;
  };
  try {
    let [left, right] = [next(a.rows, 'before'), next(b.rows, 'after')];
    while (left !== undefined || right !== undefined) {
      if (clock.due()) await clock.turn();
      if (left !== undefined && right !== undefined && sameRow(left, right)) {
        [left, right] = [next(a.rows, 'before'), next(b.rows, 'after')];
      } else if (left !== undefined && !b.find(keyOf(left))) {
        add(difference.gone, left);
        left = next(a.rows, 'before');
      } else if (right !== undefined && !a.find(keyOf(right))) {
        add(difference.come, right);
        right = next(b.rows, 'after');
      } else {
        if (left !== undefined) add(difference.changed, left, right === undefined ? '' : changesText(columns, left, right));
        [left, right] = [next(a.rows, 'before'), next(b.rows, 'after')];
      }
    }
  } finally {
    a.rows.return?.();
    b.rows.return?.();
  }
  const { gone, come, changed } = difference;
  return gone.count + come.count + changed.count === 0 ? undefined : difference;
}

function sideOf(shard: ShardDb, table: string, { columns, key, counted }: { columns: readonly string[]; key: readonly string[]; counted: boolean }): Side {
  const names = columns.map(sqliteName).join(', ');
  const order = key.map(sqliteName).join(', ');
  const from = `FROM ${sqliteName(table)}`;
  const where = key.map((column) => `${sqliteName(column)} IS ?`).join(' AND ');
  const sql = counted ? `SELECT ${names}, count(*) ${from} GROUP BY ${order} ORDER BY ${order}` : `SELECT ${names} ${from} ORDER BY ${order}`;
  return {
    rows: shard.db.iterateStored(sql),
    find: (values) => shard.db.get(`SELECT 1 ${from} WHERE ${where} LIMIT 1`, ...values) !== undefined,
  };
}

function noKeys(): Keys {
  return { count: 0, examples: [] };
}

function sameRow(a: readonly SqlValue[], b: readonly SqlValue[]): boolean {
  return a.length === b.length && a.every((value, index) => sameValue(value, b[index]!));
}

function sameValue(a: SqlValue, b: SqlValue): boolean {
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b) === 0;
  return Object.is(a, b);
}

function keyText(columns: readonly string[], key: readonly SqlValue[]): string {
  return columns.map((column, index) => `${column} ${valueText(key[index]!)}`).join(', ');
}

/** Which columns of a row differ, and how. */
function changesText(columns: readonly string[], before: readonly SqlValue[], after: readonly SqlValue[]): string {
  const changed = columns.flatMap((column, index) =>
    sameValue(before[index]!, after[index]!) ? [] : [`${column} ${valueText(before[index]!)} -> ${valueText(after[index]!)}`],
  );
  return changed.length === 0 ? '' : `: ${changed.join(', ')}`;
}

const MOST_CHARACTERS = 60;

function valueText(value: SqlValue): string {
  if (value === null) return 'NULL';
  const text = value instanceof Uint8Array ? `0x${Buffer.from(value).toString('hex')}` : typeof value === 'string' ? JSON.stringify(value) : String(value);
  return text.length > MOST_CHARACTERS ? `${text.slice(0, MOST_CHARACTERS - 3)}...` : text;
}
