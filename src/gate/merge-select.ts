import type { Expr, OrderTerm, Select, SelectItem } from '../sql/ast.ts';
import { formatExpr } from '../sql/format-expr.ts';
import { isCaseSensitive, type TableDef } from '../sql/schema.ts';
import type { Value } from '../sql/value.ts';
import { isAggregate, someExpr } from '../sql/walk.ts';
import { stringifyValues } from '../tablet/value-json.ts';
import type { QueryResult } from '../tablet/query/request.ts';
import { addValues, columnOf, compareValues } from './merge-values.ts';
import { gateUnsupported } from './vitess-errors.ts';

/** A SELECT for several shards: what each of them is asked, and how the answers become one. */
export interface MergedSelect {
  statement: Select;
  merge: (results: readonly QueryResult[]) => QueryResult;
}

/**
 * Splits a SELECT over several shards. `def` gives ORDER BY and MIN/MAX their collations. Throws VT12001 for what
 * cannot be put together again from the shards' answers.
 */
export function splitSelect(select: Select, def: TableDef | undefined): MergedSelect {
  const aggregated = select.items.some((item) => item.kind === 'expr' && someExpr(item.expr, isAggregate));
  return aggregated ? splitAggregates(select, def) : splitRows(select, def);
}

function splitAggregates(select: Select, def: TableDef | undefined): MergedSelect {
  const folds = select.items.map((item) => foldOf(item, def));
  const { limit: _, ...rest } = select;
  const statement: Select = { ...rest, orderBy: [], distinct: false };
  return {
    statement,
    merge: (results) => {
      const rows = results.flatMap((result) => result.rows);
      const row = folds.map((fold, index) => rows.map((values) => values[index] ?? null).reduce(fold));
      return { columns: results[0]?.columns ?? [], rows: limited([row], select), rowsAffected: 0 };
    },
  };
}

type Fold = (left: Value, right: Value) => Value;

function foldOf(item: SelectItem, def: TableDef | undefined): Fold {
  const expr = item.kind === 'expr' ? item.expr : undefined;
  if (expr?.kind !== 'call' || !isAggregate(expr)) throw gateUnsupported('in scatter query: complex aggregate expression');
  const [arg] = expr.args;
  const column = arg === undefined ? undefined : columnOf(def, arg);
  if (expr.name === 'min') return (left, right) => extreme(left, right, compareValues(column, left, right) <= 0);
  if (expr.name === 'max') return (left, right) => extreme(left, right, compareValues(column, left, right) >= 0);
  if (expr.distinct === true || expr.name === 'avg') {
    throw gateUnsupported(`in scatter query: aggregation function '${formatExpr(expr)}'`);
  }
  return addValues;
}

/** Aggregates pass NULL by. */
function extreme(left: Value, right: Value, leftFirst: boolean): Value {
  if (left === null || right === null) return left ?? right;
  return leftFirst ? left : right;
}

/** What rows are sorted by: where in the result it stands, or how far behind its own columns. */
type SortKey = { index: number } | { hidden: number };

function splitRows(select: Select, def: TableDef | undefined): MergedSelect {
  const hidden: SelectItem[] = [];
  const keys = select.orderBy.map((term) => sortKey(select, term, hidden));
  if (select.distinct && hidden.length > 0) {
    throw gateUnsupported('in scatter query: DISTINCT with an ORDER BY that is not in the select list');
  }
  const { limit, ...rest } = select;
  const asked = limit === undefined ? {} : { limit: { count: String(BigInt(limit.count) + BigInt(limit.offset ?? '0')) } };
  return {
    statement: { ...rest, ...asked, items: [...select.items, ...hidden] },
    merge: (results) => {
      const width = (results[0]?.columns.length ?? 0) - hidden.length;
      const compare = comparison(select, keys, width, def);
      const rows = results.flatMap((result) => result.rows);
      const sorted = select.orderBy.length === 0 ? rows : rows.toSorted(compare);
      const own = sorted.map((row) => row.slice(0, width));
      const distinct = select.distinct ? distinctRows(own, select, def) : own;
      return { columns: results[0]?.columns.slice(0, width) ?? [], rows: limited(distinct, select), rowsAffected: 0 };
    },
  };
}

/** A term by position stays one; others are read as columns of their own, behind the rest. */
function sortKey(select: Select, { expr }: OrderTerm, hidden: SelectItem[]): SortKey {
  if (expr.kind === 'number' && /^\d+$/.test(expr.text)) return { index: Number(expr.text) - 1 };
  const stars = select.items.some((item) => item.kind === 'star');
  const shown = select.items.findIndex((item) => item.kind === 'expr' && isShownAs(item, expr));
  if (!stars && shown >= 0) return { index: shown };
  hidden.push({ kind: 'expr', expr: orderedExpr(select, expr), alias: `order ${hidden.length + 1}` });
  return { hidden: hidden.length - 1 };
}

function isShownAs(item: Extract<SelectItem, { kind: 'expr' }>, expr: Expr): boolean {
  if (formatExpr(item.expr) === formatExpr(expr)) return true;
  return expr.kind === 'column' && expr.table === undefined && item.alias?.toLowerCase() === expr.name.toLowerCase();
}

/** What a term of ORDER BY means: an alias stands for its expression. */
function orderedExpr(select: Select, expr: Expr): Expr {
  if (expr.kind === 'number' && /^\d+$/.test(expr.text)) {
    const item = select.items[Number(expr.text) - 1];
    return item?.kind === 'expr' ? item.expr : expr;
  }
  const item = select.items.find((candidate) => candidate.kind === 'expr' && isShownAs(candidate, expr));
  return item?.kind === 'expr' ? item.expr : expr;
}

function comparison(
  select: Select,
  keys: readonly SortKey[],
  width: number,
  def: TableDef | undefined,
): (a: Value[], b: Value[]) => number {
  const terms = select.orderBy.map(({ expr, descending }, index) => {
    const key = keys[index] ?? { index: 0 };
    const at = 'index' in key ? key.index : width + key.hidden;
    return { at, sign: descending ? -1 : 1, column: columnOf(def, orderedExpr(select, expr)) };
  });
  return (a, b) => {
    for (const { at, sign, column } of terms) {
      const order = compareValues(column, a[at] ?? null, b[at] ?? null);
      if (order !== 0) return order * sign;
    }
    return 0;
  };
}

/** Rows that differ in more than the case of texts that do not tell it. */
function distinctRows(rows: readonly Value[][], select: Select, def: TableDef | undefined): Value[][] {
  const exact = select.items.flatMap((item) => {
    if (item.kind === 'star') return (def?.columns ?? []).map(({ type }) => isCaseSensitive(type));
    const column = columnOf(def, item.expr);
    return [column !== undefined && isCaseSensitive(column.type)];
  });
  const fold = (value: Value, index: number): Value =>
    typeof value === 'string' && exact[index] !== true ? value.toLowerCase() : value;
  const seen = new Set<string>();
  return rows.filter((row) => {
    const key = stringifyValues(row.map(fold));
    return !seen.has(key) && seen.add(key);
  });
}

function limited(rows: Value[][], { limit }: Select): Value[][] {
  if (limit === undefined) return rows;
  const offset = Number(limit.offset ?? '0');
  return rows.slice(offset, offset + Number(limit.count));
}
