/**
 * The rows that a select makes of its sources' rows, for workflows that change them (Materialize): worked out into a temporary table
 * that is in the order of the key. Groups are added up over all sources.
 */
import { checkKept } from '../../sql/check-value.ts';
import { rowidName, type TableDef } from '../../sql/schema.ts';
import { isNocase } from '../../sql/schema-sqlite.ts';
import { decodeValue, encodeValue, sqliteName } from '../../sql/storage.ts';
import type { Row } from '../../sql/value.ts';
import type { Database, SqlValue } from '../../store/database.ts';
import { narrowInteger } from '../value-json.ts';
import { add } from '../vreplication/apply-shape.ts';
import type { StreamTable } from './rules.ts';
import type { Pacer } from './pacer.ts';
import type { TablePlan } from './plan.ts';
import { type Rows, type RowSource, rowsOf } from './rows.ts';

type Shape = NonNullable<StreamTable['shape']>;

/** Rows that are read of a source at once. */
const ROWS_PER_PIECE = 500;
const SHAPED = 'temp._shaped';

/** Opens the rows behind a key, as `openRows` does. The temporary table is on the first source's snapshot. */
export async function openShaped(sources: readonly RowSource[], shape: Shape, plan: TablePlan, after: string | null, pacer: Pacer): Promise<Rows> {
  const { snapshot } = sources[0]!;
  const order = plan.keys.map((at) => sqliteName(plan.columns[at]!.name)).join(', ');
  const columns = plan.columns.map((column) => `${sqliteName(column.name)}${isNocase(column) ? ' COLLATE NOCASE' : ''}`).join(', ');
  snapshot.exec(`DROP TABLE IF EXISTS ${SHAPED}; CREATE TEMP TABLE _shaped (${columns}); CREATE INDEX temp._shaped_key ON _shaped (${order})`);
  for (const source of sources) {
    if (source.def !== undefined) await shapeAll(source, source.def, snapshot, shape, plan, pacer);
  }
  return rowsOf(snapshot, SHAPED, plan, after, { accepts: undefined }, pacer);
}

async function shapeAll({ snapshot, accepts }: RowSource, def: TableDef, into: Database, shape: Shape, plan: TablePlan, pacer: Pacer): Promise<void> {
  const rowid = rowidName(def);
  const names = def.columns.map((column) => sqliteName(column.name)).join(', ');
  const sql = `SELECT ${rowid}, ${names} FROM main.${sqliteName(def.name)} WHERE ${rowid} > ? ORDER BY ${rowid} LIMIT ${ROWS_PER_PIECE}`;
  const target = new ShapedRows(into, shape, plan);
  for (let last: SqlValue = -(2n ** 63n); ; ) {
    const piece = snapshot.allStored(sql, last);
    for (const [id, ...stored] of piece) {
      last = id!;
      const row: Row = {};
      def.columns.forEach((column, at) => (row[column.name] = narrowInteger(stored[at] ?? null)));
      if (accepts === undefined || accepts(row)) target.add(row);
    }
    if (piece.length < ROWS_PER_PIECE) return;
    await pacer.turn();
  }
}

/** Writes rows as a stream would have. */
class ShapedRows {
  readonly #into: Database;
  readonly #shape: Shape;
  readonly #plan: TablePlan;
  readonly #find: string;
  readonly #insert: string;
  readonly #update: string;

  constructor(into: Database, shape: Shape, plan: TablePlan) {
    const names = plan.columns.map((column) => sqliteName(column.name));
    const key = plan.keys.map((at) => `${names[at]} IS ?`).join(' AND ');
    this.#into = into;
    this.#shape = shape;
    this.#plan = plan;
    this.#find = `SELECT ${names.join(', ')} FROM ${SHAPED} WHERE ${key} LIMIT 1`;
    this.#insert = `INSERT INTO ${SHAPED} VALUES (${names.map(() => '?').join(', ')})`;
    this.#update = `UPDATE ${SHAPED} SET ${names.map((name) => `${name} = ?`).join(', ')} WHERE ${key}`;
  }

  add(row: Row): void {
    const { columns, grouping } = this.#shape;
    const made = columns.map(({ what, read }) => (what === 'sum' ? (read(row) ?? 0n) : read(row)));
    const stored = made.map((value, at) => this.#stored(at, value));
    const key = this.#plan.keys.map((at) => stored[at] ?? null);
    const [there] = grouping === 'none' ? [] : this.#into.allStored(this.#find, ...key);
    if (there === undefined) {
      this.#into.run(this.#insert, ...stored);
    } else if (grouping === 'add') {
      const sums = columns.map(({ what }, at) => {
        if (what !== 'count' && what !== 'sum') return stored[at]!;
        return this.#stored(at, add('+', decodeValue(this.#plan.columns[at]!.type, there[at]), made[at]!));
      });
      this.#into.run(this.#update, ...sums, ...key);
    }
  }

  #stored(at: number, value: Parameters<typeof checkKept>[1]): SqlValue {
    const column = this.#plan.columns[at]!;
    return encodeValue(column.type, checkKept(column, value));
  }
}
