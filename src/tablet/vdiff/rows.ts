/** The rows of a table in the order of a key, one by one, from a snapshot. */
import { type ColumnDef, findColumn, rowidName, type TableDef } from '../../sql/schema.ts';
import { isNocase } from '../../sql/schema-sqlite.ts';
import { sqliteName } from '../../sql/storage.ts';
import type { Row, Value } from '../../sql/value.ts';
import type { Database, SqlValue } from '../../store/database.ts';
import { narrowInteger, parseValues, stringifyValues } from '../value-json.ts';
import type { RowOrder, StoredRow } from './order.ts';
import type { Pacer } from './pacer.ts';
import type { TablePlan } from './plan.ts';

/** Rows in order. `row` is the one at hand, undefined past the last. */
export interface Rows {
  readonly row: StoredRow | undefined;
  /** Goes on to the next row. False if `load` has to be awaited before `row` is right. */
  step(): boolean;
  load(): Promise<void>;
  close(): void;
}

/** Rows read from SQLite at once: no call takes long. */
const ROWS_PER_BATCH = 256;
/** Rows that are put in order at once, where no index does it. */
const ROWS_PER_SORT = 5000;

/** What is read of a table. */
export interface RowSource {
  snapshot: Database;
  /** Undefined where the table is not there: no rows. */
  def: TableDef | undefined;
  accepts: ((row: Row) => boolean) | undefined;
  /** What a stream does to a row before it writes it. */
  convert?: ((row: Row) => Row) | undefined;
}

/** Which rows are taken, and how they are changed. */
type Taking = Pick<RowSource, 'accepts' | 'convert'>;

/** Opens the rows of a table behind a key (`after`, as `keyText` gives it), and loads the first. */
export async function openRows(source: RowSource, plan: TablePlan, after: string | null, pacer: Pacer): Promise<Rows> {
  const { def } = source;
  if (def === undefined) return NO_ROWS;
  return rowsOf(source.snapshot, await sortedBy(source.snapshot, def, plan, pacer), plan, after, source, pacer);
}

/** The same of a table, by its name in SQL, that has an index for the order and the columns of the plan. */
export async function rowsOf(
  snapshot: Database,
  from: string,
  plan: TablePlan,
  after: string | null,
  taking: Taking,
  pacer: Pacer,
): Promise<Rows> {
  const rows = new TableRows(snapshot, from, plan, after, taking, pacer);
  await rows.load();
  return rows;
}

const NO_ROWS: Rows = { row: undefined, step: () => true, load: () => Promise.resolve(), close: () => {} };

/** The key of a row as text. */
export function keyText(row: StoredRow, plan: TablePlan): string {
  return stringifyValues(plan.keys.map((at) => narrowInteger(row[at] ?? null)));
}

class TableRows implements Rows {
  row: StoredRow | undefined;
  readonly #iterator: IterableIterator<SqlValue[]>;
  readonly #taking: Taking;
  readonly #columns: readonly ColumnDef[];
  readonly #pacer: Pacer;
  #batch: StoredRow[] = [];
  #at = 0;
  #ended = false;

  constructor(snapshot: Database, from: string, plan: TablePlan, after: string | null, taking: Taking, pacer: Pacer) {
    const keys = plan.keys.map((at) => sqliteName(plan.columns[at]!.name));
    const bound = after === null ? undefined : behind(keys, parseValues<Value[]>(after).map(asStored));
    const columns = plan.columns.map((column) => sqliteName(column.name)).join(', ');
    const sql = `SELECT ${columns} FROM ${from} ${bound === undefined ? '' : `WHERE ${bound.sql}`} ORDER BY ${keys.join(', ')}`;
    this.#iterator = snapshot.iterateStored(sql, ...(bound?.params ?? []));
    this.#taking = taking;
    this.#columns = plan.columns;
    this.#pacer = pacer;
  }

  step(): boolean {
    if (this.#at < this.#batch.length) {
      this.row = this.#batch[this.#at++];
      return true;
    }
    if (!this.#ended) return false;
    this.row = undefined;
    return true;
  }

  async load(): Promise<void> {
    this.#fill();
    // A filter may take none of very many.
    while (this.#batch.length === 0 && !this.#ended) {
      await this.#pacer.turn();
      this.#fill();
    }
    this.step();
  }

  #fill(): void {
    this.#batch = [];
    this.#at = 0;
    for (let read = 0; read < ROWS_PER_BATCH; read++) {
      const next = this.#iterator.next();
      if (next.done === true) {
        this.#ended = true;
        return;
      }
      const taken = this.#take(next.value);
      if (taken !== undefined) this.#batch.push(taken);
    }
  }

  #take(stored: StoredRow): StoredRow | undefined {
    const { accepts, convert } = this.#taking;
    if (accepts === undefined && convert === undefined) return stored;
    const row = toRow(this.#columns, stored);
    if (accepts !== undefined && !accepts(row)) return undefined;
    if (convert === undefined) return stored;
    const made = convert(row);
    return stored.map((value, at) => {
      const { name } = this.#columns[at]!;
      return made[name] === row[name] ? value : asStored(made[name] ?? null);
    });
  }

  close(): void {
    this.#iterator.return?.();
  }
}

function toRow(columns: readonly ColumnDef[], stored: readonly SqlValue[]): Row {
  const row: Row = {};
  for (let i = 0; i < columns.length; i++) row[columns[i]!.name] = narrowInteger(stored[i] ?? null);
  return row;
}

/** The driver takes every number for a REAL. */
function asStored(value: Value): SqlValue {
  return typeof value === 'number' && Number.isInteger(value) ? BigInt(value) : value;
}

/** The condition for rows whose key is greater. NULL comes first, and is greater than nothing. */
function behind(keys: readonly string[], last: readonly SqlValue[]): { sql: string; params: SqlValue[] } {
  // The form that an index can serve.
  if (!last.includes(null)) return { sql: `(${keys.join(', ')}) > (${keys.map(() => '?').join(', ')})`, params: [...last] };
  const params: SqlValue[] = [];
  const cases = keys.map((key, i) => {
    const same = keys.slice(0, i).map((before) => `${before} IS ?`);
    params.push(...last.slice(0, i));
    if (last[i] === null) return [...same, `${key} IS NOT NULL`].join(' AND ');
    params.push(last[i]!);
    return [...same, `${key} > ?`].join(' AND ');
  });
  return { sql: cases.map((one) => `(${one})`).join(' OR '), params };
}

/**
 * From where the rows come in order without a long call: from the table, if one of its indexes has that order; else from a
 * temporary table, filled in pieces.
 */
async function sortedBy(snapshot: Database, def: TableDef, plan: TablePlan, pacer: Pacer): Promise<string> {
  const table = `main.${sqliteName(def.name)}`;
  const keys = plan.keys.map((at) => plan.columns[at]!);
  const names = plan.columns.map((column) => sqliteName(column.name)).join(', ');
  const order = keys.map((key) => sqliteName(key.name)).join(', ');
  const steps = snapshot.all<{ detail: string }>(`EXPLAIN QUERY PLAN SELECT ${names} FROM ${table} ORDER BY ${order}`);
  if (!steps.some(({ detail }) => detail.includes('TEMP B-TREE'))) return table;

  const columns = plan.columns.map((column) => `${sqliteName(column.name)}${isNocase(findColumn(def, column.name) ?? column) ? ' COLLATE NOCASE' : ''}`);
  snapshot.exec(`DROP TABLE IF EXISTS temp._sorted; CREATE TEMP TABLE _sorted (${columns.join(', ')}); CREATE INDEX temp._sorted_key ON _sorted (${order})`);
  const rowid = rowidName(def);
  for (let last: bigint = -(2n ** 63n); ; ) {
    const piece = `FROM ${table} WHERE ${rowid} > ? ORDER BY ${rowid} LIMIT ${ROWS_PER_SORT}`;
    const [[end] = []] = snapshot.allStored(`SELECT max(id) FROM (SELECT ${rowid} AS id ${piece})`, last);
    if (typeof end !== 'bigint') return 'temp._sorted';
    snapshot.run(`INSERT INTO temp._sorted SELECT ${names} ${piece}`, last);
    last = end;
    await pacer.turn();
  }
}

/** The rows of several places as one, in order. */
export function mergeRows(parts: readonly Rows[], order: RowOrder): Rows {
  return parts.length === 1 ? parts[0]! : new MergedRows(parts, order);
}

class MergedRows implements Rows {
  readonly #parts: readonly Rows[];
  readonly #order: RowOrder;
  /** The one whose row is at hand. */
  #first: Rows | undefined;

  constructor(parts: readonly Rows[], order: RowOrder) {
    this.#parts = parts;
    this.#order = order;
    this.#choose();
  }

  get row(): StoredRow | undefined {
    return this.#first?.row;
  }

  step(): boolean {
    if (this.#first !== undefined && !this.#first.step()) return false;
    this.#choose();
    return true;
  }

  async load(): Promise<void> {
    await this.#first?.load();
    this.#choose();
  }

  #choose(): void {
    let first: Rows | undefined;
    for (const part of this.#parts) {
      if (part.row === undefined) continue;
      if (first === undefined || this.#order(part.row, first.row!) < 0) first = part;
    }
    this.#first = first;
  }

  close(): void {
    for (const part of this.#parts) part.close();
  }
}
