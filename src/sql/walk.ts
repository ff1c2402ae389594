/** Looking through expressions. */
import type { Expr } from './ast.ts';
import { AGGREGATES } from './functions.ts';

/** True when an expression reads no column and no aggregate: `evaluate` works without a row. */
export function isConstant(expr: Expr): boolean {
  switch (expr.kind) {
    case 'column':
    case 'default':
      return false;
    case 'call':
      return !isAggregate(expr) && expr.name !== 'values' && expr.args.every(isConstant);
    default:
      return childrenOf(expr).every(isConstant);
  }
}

/** The expressions directly inside another. */
export function childrenOf(expr: Expr): Expr[] {
  switch (expr.kind) {
    case 'call':
      return expr.args;
    case 'unary':
    case 'not':
    case 'is':
      return [expr.expr];
    case 'logic':
    case 'arithmetic':
    case 'compare':
      return [expr.left, expr.right];
    case 'in':
      return [expr.expr, ...expr.list];
    case 'between':
      return [expr.expr, expr.low, expr.high];
    case 'like':
      return [expr.expr, expr.pattern];
    case 'case':
      return [expr.operand, ...expr.whens.flatMap(({ when, then }) => [when, then]), expr.otherwise].filter(
        (child) => child !== undefined,
      );
    default:
      return [];
  }
}

/** True for a call of an aggregate. */
export function isAggregate(expr: Expr): boolean {
  return expr.kind === 'call' && AGGREGATES.includes(expr.name);
}

/** True when an expression is, or has inside it, one that the test accepts. */
export function someExpr(expr: Expr, test: (inner: Expr) => boolean): boolean {
  return test(expr) || childrenOf(expr).some((child) => someExpr(child, test));
}

/** The names of the columns that an expression reads, each once. */
export function columnsOf(expr: Expr): string[] {
  const names = new Set<string>();
  someExpr(expr, (inner) => {
    if (inner.kind === 'column') names.add(inner.name);
    return false;
  });
  return [...names];
}
