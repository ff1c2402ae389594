/**
 * How a chunk of the copy moves rows: in slices that grow until they take some milliseconds, each looked at after. Where the
 * source's file is attached and no filter looks at rows, SQLite moves a slice by itself and writes the text for the binlog too;
 * otherwise rows pass through this program. Both leave the same.
 */
import type { Clock } from '../../runtime/clock.ts';
import { columnFamily, type ColumnType, rowidColumn, type TableDef, typeArg } from '../../sql/schema.ts';
import { sqliteName } from '../../sql/storage.ts';
import type { Row, Value } from '../../sql/value.ts';
import type { SqlValue } from '../../store/database.ts';
import { type BinlogEvent, eventText, packedText, rawText, runText } from '../binlog.ts';
import type { ShardDb, ShardView } from '../shard-db.ts';
import { narrowInteger, parseValues, stringifyValues } from '../value-json.ts';
import { type Applier, keyColumns } from './apply.ts';
import { type TableFilter, throwProblem } from './filter.ts';

/** A chunk begins no slice after this; with the slice that it is at, the commit and a checkpoint it stays under 50 ms. */
const CHUNK_MS = 12;
/** On a clock that stands still meanwhile; otherwise twenty times as many at most. */
const ROWS_PER_CHUNK = 4_000;
/** Before anything is known of how long rows take. */
const FIRST_SLICE = 4;
const GROWTH = 8;
const SLICE_MS = 4;
/** Also the most rows of one transaction of the binlog, so that its readers have small ones. */
const MOST_ROWS_PER_SLICE = 4000;

/** Bytes of a slice of rows that may be large. One row may pass it. */
const BYTES_PER_SLICE = 1 << 20;
/** A column that takes more than this many characters makes rows that may be large. */
const LARGE_COLUMN = 1000;

/** Says how many rows come next, and when a chunk has had its time. */
export class ChunkTimer {
  readonly #clock: Clock;
  readonly #started: number;
  #slice = FIRST_SLICE;
  #rows = 0;
  #sliceStarted = 0;

  /** `started` is the monotonic time at which the chunk began. */
  constructor(clock: Clock, started: number) {
    this.#clock = clock;
    this.#started = started;
  }

  spent(): boolean {
    return this.#rows >= ROWS_PER_CHUNK * (this.#clock.virtual ? 1 : 20) || this.#clock.monotonic() - this.#started >= CHUNK_MS;
  }

  /** The size of the slice that begins now. */
  begin(): number {
    this.#sliceStarted = this.#clock.monotonic();
    return this.#slice;
  }

  /** A slice of this many rows has ended. The next may be some times as large, or smaller. */
  end(rows: number): void {
    this.#rows += rows;
    const took = this.#clock.monotonic() - this.#sliceStarted;
    const fits = took <= 0 ? Number.POSITIVE_INFINITY : Math.floor((this.#slice * SLICE_MS) / took);
    this.#slice = Math.max(1, Math.min(this.#slice * GROWTH, fits, MOST_ROWS_PER_SLICE));
  }
}

/**
 * What a copy writes to the target's binlog: small slices share a transaction. Where nobody reads that binlog it is only how many
 * rows came: to write them all down takes half as long again as to copy them.
 */
export class CopyLog {
  readonly #shard: ShardDb;
  readonly #at: number;
  /** Whether the rows themselves are wanted. */
  readonly images: boolean;
  readonly #copied = new Map<string, number>();
  #texts: string[];
  #rows: number;
  #length = 0;
  #raw = false;

  /** `before` are events that come first. */
  constructor(shard: ShardDb, at: number, before: readonly BinlogEvent[]) {
    this.#shard = shard;
    this.#at = at;
    this.images = shard.isRead;
    this.#texts = before.map(eventText);
    this.#rows = before.length;
  }

  /** Adds the inserts of some rows; `raw` for those of `rawText`. */
  add(text: string, rows: number, raw: boolean): void {
    const full = this.#rows + rows > MOST_ROWS_PER_SLICE || this.#length + text.length > 2 * BYTES_PER_SLICE;
    if (full || raw !== this.#raw) this.flush();
    this.#raw = raw;
    this.#texts.push(text);
    this.#length += text.length;
    this.#rows += rows;
  }

  /** Adds rows of a table that nobody wants to see. */
  count(table: string, rows: number): void {
    if (rows > 0) this.#copied.set(table, (this.#copied.get(table) ?? 0) + rows);
  }

  flush(): void {
    for (const [table, rows] of this.#copied) this.#texts.push(eventText({ kind: 'copied', table, rows }));
    this.#copied.clear();
    if (this.#texts.length > 0) this.#shard.logTexts(this.#at, this.#texts);
    this.#texts = [];
    this.#length = 0;
    this.#rows = 0;
  }
}

/** A table as it is copied. */
interface Table {
  filter: TableFilter;
  /** As the source has it. */
  def: TableDef;
  columns: readonly string[];
  keys: readonly string[];
  /** Columns whose values may be large. */
  large: readonly string[];
}

/** The rows of one slice; `last` is the key of the last, undefined if there are no more behind it. */
interface Slice {
  rows: number;
  taken: number;
  last: SqlValue[] | undefined;
}

/** Moves rows of a source's tables to the target, inside its transaction. */
export class RowMover {
  readonly #from: ShardDb;
  readonly #view: ShardView;
  readonly #target: ShardDb;
  readonly #applier: Applier;
  readonly #log: CopyLog;
  /** Columns found to hold bytes that are not text: `table.column`. */
  readonly #bytes = new Set<string>();

  constructor(from: ShardDb, view: ShardView, target: ShardDb, applier: Applier, log: CopyLog) {
    this.#from = from;
    this.#view = view;
    this.#target = target;
    this.#applier = applier;
    this.#log = log;
  }

  /**
   * Copies a table on from a key, until it ends or the timer says so: at least one slice. Returns how many rows were taken, and
   * the key reached, undefined at the end of the table.
   */
  move(filter: TableFilter, lastpk: string | null, timer: ChunkTimer): { count: number; lastpk: string | undefined } {
    throwProblem(filter);
    const def = this.#from.table(filter.table, this.#view);
    const table: Table = { filter, def, columns: def.columns.map((column) => column.name), keys: keyColumns(def), large: largeColumns(def) };
    const direct = this.#isDirect(table);
    let last = lastpk === null ? undefined : parseValues<Value[]>(lastpk).map(asStored);
    let count = 0;
    do {
      const size = this.#fitting(table, last, timer.begin());
      const slice = direct ? this.#moveInside(table, last, size) : this.#moveThrough(table, last, size);
      timer.end(slice.rows);
      count += slice.taken;
      last = slice.last;
    } while (last !== undefined && !timer.spent());
    return { count, lastpk: last === undefined ? undefined : stringifyValues(last.map(narrowInteger)) };
  }

  /** How many of the next rows fit into a slice by their bytes: what those before took says nothing of them. At least 1. */
  #fitting({ def, keys, large }: Table, after: readonly SqlValue[] | undefined, size: number): number {
    if (large.length === 0 || def.primaryKey.length === 0) return size;
    const order = keys.map(sqliteName).join(', ');
    const where = after === undefined ? '' : `WHERE (${order}) > (${keys.map(() => '?').join(', ')})`;
    const bytes = large.map((column) => `coalesce(octet_length(${sqliteName(column)}), 0)`).join(' + ');
    const sql = `SELECT ${bytes} FROM ${this.#view.schema}.${sqliteName(def.name)} ${where} ORDER BY ${order} LIMIT ?`;
    const sizes = this.#view.db.allStored(sql, ...(after ?? []), BigInt(size));
    let total = 0;
    const most = sizes.findIndex(([one]) => (total += Number(one)) > BYTES_PER_SLICE);
    return most < 0 ? size : Math.max(1, most);
  }

  /** Whether SQLite can do it alone. A REAL would lose digits in SQLite's JSON. */
  #isDirect({ filter, def, columns }: Table): boolean {
    if (filter.accepts !== undefined || filter.convert !== undefined || filter.shape !== undefined || filter.target !== filter.table) return false;
    if (this.#view.schema === 'main' || this.#applier.rowLocks || def.primaryKey.length === 0) return false;
    const there = new Set(this.#target.findTable(def.name)?.columns.map((column) => column.name));
    return columns.every((column) => there.has(column)) && def.columns.every((column) => columnFamily(column.type) !== 'real');
  }

  #moveInside(table: Table, after: readonly SqlValue[] | undefined, size: number): Slice {
    const { def, columns, keys } = table;
    const { db, schema } = this.#view;
    const [order, marks] = [keys.map(sqliteName).join(', '), keys.map(() => '?').join(', ')];
    const source = `${schema}.${sqliteName(def.name)}`;
    const lower = after === undefined ? '' : `(${order}) > (${marks})`;
    const bound = lower === '' ? '' : `WHERE ${lower}`;
    const [last] = db.allStored(`SELECT ${order} FROM ${source} ${bound} ORDER BY ${order} LIMIT 1 OFFSET ?`, ...(after ?? []), BigInt(size - 1));
    const upper = last === undefined ? '' : `(${order}) <= (${marks})`;
    const ends = [lower, upper].filter((end) => end !== '').join(' AND ');
    const where = ends === '' ? '' : `WHERE ${ends}`;
    const params = [...(after ?? []), ...(last ?? [])];
    const rows = this.#applier.insertFrom(this.#target.table(def.name), columns, schema, `${where} ORDER BY ${order}`, params);
    if (!this.#log.images) {
      this.#log.count(def.name, rows);
    } else if (rows > 0) {
      const run = last === undefined ? undefined : this.#firstOfRun(table, source, bound, after ?? [], last[0]!, rows);
      // An order that is that of the rows on disk: without the hint an index that has all columns could be read instead.
      const from = `FROM ${source} ${run === undefined ? '' : 'NOT INDEXED '}${where}`;
      this.#log.add(rawText(def.name, columns, this.#valuesText(table, run, rows, from, params)), rows, true);
    }
    return { rows, taken: rows, last };
  }

  /** The first id of a slice whose ids have no gap, where ids are SQLite's rowid; else undefined. */
  #firstOfRun({ def, keys }: Table, source: string, bound: string, after: readonly SqlValue[], last: SqlValue, rows: number): number | undefined {
    if (rowidColumn(def) === undefined) return undefined;
    const key = sqliteName(keys[0]!);
    const [row] = this.#view.db.allStored(`SELECT ${key} FROM ${source} ${bound} ORDER BY ${key} LIMIT 1`, ...after);
    const [first, end] = [Number(row?.[0]), Number(last)];
    return Number.isSafeInteger(first) && Number.isSafeInteger(end) && end - first + 1 === rows ? first : undefined;
  }

  /** Each column's values as a JSON array, with commas between the arrays; bytes as value-json.ts tags them. */
  #valuesText({ def, columns, keys }: Table, first: number | undefined, rows: number, from: string, params: readonly SqlValue[]): string {
    const run = first === undefined ? [] : [runText(first, rows)];
    const read = (): string => {
      const arrays = columns.map((column) => {
        const name = sqliteName(column);
        if (first !== undefined && column === keys[0]) return '?';
        if (!this.#bytes.has(`${def.name}.${column}`)) return `json_group_array(${name})`;
        const tagged = `CASE typeof(${name}) WHEN 'blob' THEN '{"$hex":"' || lower(hex(${name})) || '"}' ELSE json_quote(${name}) END`;
        return `'[' || group_concat(${tagged}) || ']'`;
      });
      return this.#view.db.get<{ text: string }>(`SELECT concat_ws(',', ${arrays.join(', ')}) AS text ${from}`, ...run, ...params)!.text;
    };
    try {
      return read();
    } catch (error) {
      // JSON has no bytes, and most binary columns hold text. Those that may hold others are then written with more care.
      const binary = def.columns.filter((column) => columnFamily(column.type) === 'binary').map((column) => `${def.name}.${column.name}`);
      if (binary.every((column) => this.#bytes.has(column))) throw error;
      for (const column of binary) this.#bytes.add(column);
      return read();
    }
  }

  #moveThrough(table: Table, after: readonly SqlValue[] | undefined, size: number): Slice {
    const { filter, def, columns, keys } = table;
    const { accepts, convert } = filter;
    const { db, schema } = this.#view;
    const order = keys.map(sqliteName).join(', ');
    const where = after === undefined ? '' : `WHERE (${order}) > (${keys.map(() => '?').join(', ')})`;
    // Without a key there is no place to go on from that neither skips a row nor takes one twice: such a table is one slice.
    const whole = def.primaryKey.length === 0;
    const stored = db.allStored(
      `SELECT ${columns.map(sqliteName).join(', ')} FROM ${schema}.${sqliteName(def.name)} ${where} ORDER BY ${order} LIMIT ?`,
      ...(after ?? []),
      whole ? -1n : BigInt(size),
    );
    const rowOf = (values: readonly SqlValue[]): Row => toRow(columns, values);
    const taken = accepts === undefined ? stored : stored.filter((values) => accepts(rowOf(values)));
    const rows = convert === undefined ? undefined : taken.map((values) => convert(rowOf(values)));
    if (filter.shape !== undefined) this.#shape(filter, rows ?? taken.map(rowOf));
    else this.#insert(filter.target, columns, rows === undefined ? taken : rows.map((row) => columns.map((column) => asStored(row[column] ?? null))), rowOf);
    const end = whole || stored.length < size ? undefined : stored.at(-1);
    return { rows: stored.length, taken: taken.length, last: end === undefined ? undefined : keys.map((key) => end[columns.indexOf(key)] ?? null) };
  }

  #insert(target: string, columns: readonly string[], rows: readonly SqlValue[][], rowOf: (stored: readonly SqlValue[]) => Row): void {
    this.#applier.insertStored(this.#target.table(target), columns, rows, rowOf);
    if (!this.#log.images) this.#log.count(target, rows.length);
    for (let at = 0; this.#log.images && at < rows.length; at += MOST_ROWS_PER_SLICE) {
      const part = rows.slice(at, at + MOST_ROWS_PER_SLICE);
      this.#log.add(packedText(target, columns, columns.map((_, i) => part.map((values) => narrowInteger(values[i] ?? null)))), part.length, false);
    }
  }

  /** Rows that are made from those of the source, one by one: a group may have several of them. */
  #shape({ target, shape }: TableFilter, rows: readonly Row[]): void {
    const { events } = this.#applier;
    const before = events.length;
    const table = shape!.on(this.#applier, this.#target.table(target));
    for (const row of rows) table.change(undefined, row);
    const made = events.splice(before);
    if (!this.#log.images) this.#log.count(target, made.length);
    else for (const event of made) this.#log.add(eventText(event), 1, false);
  }
}

function largeColumns(def: TableDef): string[] {
  return def.columns.filter(({ type }) => isLarge(type)).map((column) => column.name);
}

function isLarge(type: ColumnType): boolean {
  const family = columnFamily(type);
  if (family !== 'text' && family !== 'binary' && family !== 'json') return false;
  return type.name.startsWith('tiny') ? false : typeArg(type, 0, /char|^binary/.test(type.name) ? 1 : Number.POSITIVE_INFINITY) > LARGE_COLUMN;
}

function toRow(columns: readonly string[], stored: readonly SqlValue[]): Row {
  const row: Row = {};
  for (let i = 0; i < columns.length; i++) row[columns[i]!] = narrowInteger(stored[i] ?? null);
  return row;
}

/** A key's value as it is bound: the driver takes every number for a REAL. */
function asStored(value: Value): SqlValue {
  return typeof value === 'number' && Number.isInteger(value) ? BigInt(value) : value;
}
