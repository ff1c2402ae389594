/**
 * Rows that a stream makes from those of its source: expressions, counts and sums. The target's table must have a key that
 * the select fills. Vitess: go/vt/vttablet/tabletmanager/vreplication/table_plan_builder.go generate…Statement.
 */
import { vtError } from '../../lib/errors.ts';
import { checkKept } from '../../sql/check-value.ts';
import { decimalArithmetic, isDecimal, readDecimal } from '../../sql/decimal.ts';
import { defaultValue } from '../../sql/defaults.ts';
import { unknownColumn } from '../../sql/mysql-errors.ts';
import { doubleOf, exactOf, leadingNumber, type Numeric, type Scalar } from '../../sql/scalar.ts';
import { findColumn, type TableDef } from '../../sql/schema.ts';
import type { Row, Value } from '../../sql/value.ts';
import type { Applier } from './apply.ts';
import type { PlannedColumn, RulePlan } from './rule-plan.ts';

/** A column that a stream writes. */
export interface ShapedColumn extends Pick<PlannedColumn, 'name' | 'what' | 'grouped'> {
  /** Its value for a row of the source; of a count 1, of a sum what is added. */
  read: (row: Row) => Scalar;
}

/** Applies changes of source rows to a table that is shaped otherwise. */
export class ShapedTable {
  readonly #applier: Applier;
  readonly #def: TableDef;
  readonly #grouping: RulePlan['grouping'];
  readonly #columns: readonly { column: TableDef['columns'][number]; shaped: ShapedColumn }[];

  /** Throws 1054 for a column that the target lacks, and where its key is not filled. */
  constructor(applier: Applier, def: TableDef, columns: readonly ShapedColumn[], grouping: RulePlan['grouping']) {
    this.#applier = applier;
    this.#def = def;
    this.#grouping = grouping;
    this.#columns = columns.map((shaped) => {
      const column = findColumn(def, shaped.name);
      if (column === undefined) throw unknownColumn(shaped.name, 'field list');
      return { column, shaped };
    });
    for (const key of def.primaryKey) this.#checkKey(key);
  }

  #checkKey(key: string): void {
    const found = this.#columns.find(({ column }) => column.name === key);
    if (found === undefined) {
      throw vtError('FAILED_PRECONDITION', `primary key column ${key} not found in table's select filter or the TableMap event within the GTID`);
    }
    if (found.shaped.what === 'count' || found.shaped.what === 'sum') {
      throw vtError('FAILED_PRECONDITION', `primary key column ${key} is not allowed to reference an aggregate expression`);
    }
  }

  /** `before` and `after` are the images of a source row that the stream takes. */
  change(before: Row | undefined, after: Row | undefined): void {
    if (before === undefined) {
      if (after !== undefined) this.#insert(after);
      return;
    }
    if (after === undefined) this.#delete(before);
    else this.#update(before, after);
  }

  #insert(row: Row): void {
    const made = this.#row(row);
    const there = this.#grouping === 'none' ? undefined : this.#applier.find(this.#def, made);
    if (there === undefined) this.#applier.insert(this.#def, made);
    else if (this.#grouping === 'add') this.#applier.update(this.#def, there, this.#merge(there, undefined, row));
  }

  #update(before: Row, after: Row): void {
    if (this.#grouping === 'first') {
      this.#insert(after);
      return;
    }
    const [old, made] = [this.#row(before), this.#row(after)];
    if (this.#grouping === 'none') {
      // An UPDATE that finds no row changes none.
      const there = this.#applier.find(this.#def, old);
      if (there !== undefined) this.#applier.update(this.#def, there, { ...there, ...this.#own(after) });
      return;
    }
    if (this.#def.primaryKey.some((key) => old[key] !== made[key])) {
      this.#delete(before);
      this.#insert(after);
      return;
    }
    const there = this.#applier.find(this.#def, old);
    if (there !== undefined) this.#applier.update(this.#def, there, this.#merge(there, before, after));
  }

  /** A group keeps its row when its last member goes: its count is then 0. */
  #delete(before: Row): void {
    if (this.#grouping === 'first') return;
    const made = this.#row(before);
    const there = this.#applier.find(this.#def, made);
    if (there === undefined) return;
    if (this.#grouping === 'none') this.#applier.delete(this.#def, there);
    else this.#applier.update(this.#def, there, this.#merge(there, before, undefined));
  }

  /** A new row of the target. */
  #row(row: Row): Row {
    const own = this.#own(row);
    const rest = this.#def.columns
      .filter((column) => !(column.name in own) && column.generated === undefined)
      .map((column) => [column.name, defaultValue(column, { now: this.#applier.now })]);
    return { ...own, ...(Object.fromEntries(rest) as Row) };
  }

  #own(row: Row): Row {
    const made: Row = {};
    for (const { column, shaped } of this.#columns) {
      const value = shaped.what === 'sum' ? (shaped.read(row) ?? 0n) : shaped.read(row);
      made[column.name] = checkKept(column, value);
    }
    return made;
  }

  /** The row of a group after one of its members came (`after`), went (`before`) or changed (both). */
  #merge(there: Row, before: Row | undefined, after: Row | undefined): Row {
    const merged = { ...there };
    for (const { column, shaped } of this.#columns) {
      if (shaped.grouped || this.#def.primaryKey.includes(column.name)) continue;
      const value = this.#mergedValue(shaped, there[column.name] ?? null, before, after);
      merged[column.name] = checkKept(column, value);
    }
    return merged;
  }

  #mergedValue({ what, read }: ShapedColumn, there: Value, before: Row | undefined, after: Row | undefined): Scalar {
    if (what !== 'count' && what !== 'sum') return after === undefined ? null : read(after);
    if (there === null) return null;
    const less = before === undefined ? there : add('-', there, read(before));
    return after === undefined ? less : add('+', less, read(after));
  }
}

/** NULL counts as 0, as in Vitess's `ifnull(column, 0)`. */
export function add(op: '+' | '-', left: Scalar, right: Scalar): Scalar {
  const [a, b] = [numberOf(left), numberOf(right)];
  if (typeof a === 'number' || typeof b === 'number') return op === '+' ? doubleOf(a) + doubleOf(b) : doubleOf(a) - doubleOf(b);
  return decimalArithmetic(op, exactOf(a), exactOf(b)) ?? null;
}

function numberOf(value: Scalar): Numeric {
  if (value === null) return 0n;
  if (typeof value === 'number') return Number.isInteger(value) ? BigInt(value) : value;
  if (typeof value === 'bigint' || isDecimal(value)) return value;
  const text = typeof value === 'string' ? value : Buffer.from(value).toString('utf8');
  return readDecimal(text)?.value ?? leadingNumber(text);
}
