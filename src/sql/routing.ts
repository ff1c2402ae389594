/** What the gate reads from a statement to find its shards. */
import type { Expr } from './ast.ts';
import { evaluate, type EvalScope } from './evaluate.ts';
import type { Value } from './value.ts';
import { isConstant } from './walk.ts';

const isColumn = (expr: Expr, name: string): boolean =>
  expr.kind === 'column' && expr.name.toLowerCase() === name.toLowerCase();

/** The values one condition pins the column to; undefined when it does not. */
function pinned(expr: Expr, column: string, scope: EvalScope): Value[] | undefined {
  if (expr.kind === 'compare' && (expr.op === '=' || expr.op === '<=>')) {
    const other = isColumn(expr.left, column) ? expr.right : isColumn(expr.right, column) ? expr.left : undefined;
    if (other === undefined || !isConstant(other)) return undefined;
    const values = withoutNull([other], scope);
    // `<=> null` finds rows, wherever they are.
    return values.length === 0 && expr.op === '<=>' ? undefined : values;
  }
  if (expr.kind !== 'in' || expr.not || !isColumn(expr.expr, column) || !expr.list.every(isConstant)) return undefined;
  return withoutNull(expr.list, scope);
}

/** The distinct values; NULL pins no shard, for no row is equal to it. */
function withoutNull(exprs: readonly Expr[], scope: EvalScope): Value[] {
  const values = exprs.map((expr) => evaluate(expr, scope)).filter((value) => value !== null);
  return values.filter((value, i) => values.findIndex((other) => sameValue(value, other)) === i);
}

/** Equal as literals are: `1` and `'1'` name the same value. */
function sameValue(left: Value, right: Value): boolean {
  if (left instanceof Uint8Array || right instanceof Uint8Array)
    return left instanceof Uint8Array && right instanceof Uint8Array && Buffer.compare(left, right) === 0;
  return String(left) === String(right);
}

/**
 * The values a WHERE clause leaves for a column: it must be compared by `=` or `IN` with constants, under AND only;
 * several such conditions leave what all of them allow. An empty list matches no row (`id = null`).
 * Undefined when the clause does not pin the column. `scope` gives now() and last_insert_id() their values.
 */
export function equalityValues(where: Expr | undefined, column: string, scope: EvalScope = {}): Value[] | undefined {
  if (where === undefined) return undefined;
  if (where.kind !== 'logic' || where.op !== 'and') return pinned(where, column, scope);
  const left = equalityValues(where.left, column, scope);
  const right = equalityValues(where.right, column, scope);
  if (left === undefined || right === undefined) return left ?? right;
  return left.filter((value) => right.some((other) => sameValue(value, other)));
}
