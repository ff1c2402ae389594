/** Expressions, names and literals as SQL text that parses back to the same tree. */
import type { Expr, TableRef } from './ast.ts';
import { isReserved } from './keywords.ts';

const ESCAPES: Record<string, string> = {
  '\0': '\\0',
  '\n': '\\n',
  '\r': '\\r',
  '\u001a': '\\Z',
  '\\': '\\\\',
  "'": "''",
};

/** A string literal of MySQL in single quotes. */
export function quoteString(text: string): string {
  return `'${text.replace(/[\0\n\r\u001a\\']/g, (char) => ESCAPES[char] ?? char)}'`;
}

/** An identifier in back-ticks. */
export function quoteName(name: string): string {
  return `\`${name.replaceAll('`', '``')}\``;
}

/** An identifier, in back-ticks only where MySQL needs them. */
export function formatName(name: string): string {
  return /^[A-Za-z_][A-Za-z0-9_$]*$/.test(name) && !isReserved(name) ? name : quoteName(name);
}

/** A table as it is referred to: `t`, `ks.t`, `` `customer:-80`.t ``. */
export function formatTable(table: TableRef): string {
  const name = formatName(table.name);
  return table.qualifier === undefined ? name : `${formatName(table.qualifier)}.${name}`;
}

/** How tightly each construct binds; see parser-expr.ts. */
const LEVEL = { or: 1, xor: 2, and: 3, not: 4, compare: 5, predicate: 6, sum: 7, product: 8, unary: 9, primary: 10 };

function levelOf(expr: Expr): number {
  switch (expr.kind) {
    case 'logic':
      return LEVEL[expr.op];
    case 'not':
      return LEVEL.not;
    case 'compare':
    case 'is':
      return LEVEL.compare;
    case 'in':
    case 'between':
    case 'like':
      return LEVEL.predicate;
    case 'arithmetic':
      return expr.op === '+' || expr.op === '-' ? LEVEL.sum : LEVEL.product;
    case 'unary':
      return LEVEL.unary;
    default:
      return LEVEL.primary;
  }
}

/** An expression in a place that takes this level or tighter. */
function at(level: number, expr: Expr): string {
  const text = formatExpr(expr);
  return levelOf(expr) < level ? `(${text})` : text;
}

function commaList(exprs: readonly Expr[]): string {
  return exprs.map(formatExpr).join(', ');
}

function formatCall(expr: Extract<Expr, { kind: 'call' }>): string {
  const distinct = expr.distinct === true ? 'distinct ' : '';
  return `${expr.name}(${expr.star === true ? '*' : distinct + commaList(expr.args)})`;
}

function formatCase(expr: Extract<Expr, { kind: 'case' }>): string {
  const operand = expr.operand === undefined ? '' : ` ${formatExpr(expr.operand)}`;
  const whens = expr.whens.map(({ when, then }) => ` when ${formatExpr(when)} then ${formatExpr(then)}`).join('');
  const otherwise = expr.otherwise === undefined ? '' : ` else ${formatExpr(expr.otherwise)}`;
  return `case${operand}${whens}${otherwise} end`;
}

function formatPredicate(expr: Extract<Expr, { kind: 'in' | 'between' | 'like' }>): string {
  const start = `${at(LEVEL.sum, expr.expr)}${expr.not ? ' not' : ''}`;
  if (expr.kind === 'in') return `${start} in (${commaList(expr.list)})`;
  if (expr.kind === 'between') return `${start} between ${at(LEVEL.sum, expr.low)} and ${at(LEVEL.sum, expr.high)}`;
  const escape = expr.escape === undefined ? '' : ` escape ${quoteString(expr.escape)}`;
  return `${start} like ${at(LEVEL.sum, expr.pattern)}${escape}`;
}

/** `left op right`, left-associative. */
function binary(level: number, left: Expr, op: string, right: Expr): string {
  return `${at(level, left)} ${op} ${at(level + 1, right)}`;
}

/** An expression as SQL text, with no more parentheses than needed. */
export function formatExpr(expr: Expr): string {
  switch (expr.kind) {
    case 'null':
      return 'null';
    case 'bool':
      return String(expr.value);
    case 'number':
      return expr.text;
    case 'string':
      return quoteString(expr.value);
    case 'hex':
      return `X'${expr.digits}'`;
    case 'bit':
      return `b'${expr.digits}'`;
    case 'column':
      return [expr.qualifier, expr.table, expr.name].filter((part) => part !== undefined).map(formatName).join('.');
    case 'call':
      return formatCall(expr);
    case 'unary':
      // Two signs in a row could read as a comment.
      return `${expr.op}${at(expr.expr.kind === 'unary' ? LEVEL.primary : LEVEL.unary, expr.expr)}`;
    case 'not':
      return `not ${at(LEVEL.not, expr.expr)}`;
    case 'logic':
    case 'arithmetic':
      return binary(levelOf(expr), expr.left, expr.op, expr.right);
    case 'compare':
      return binary(LEVEL.compare, expr.left, expr.op, expr.right);
    case 'is':
      return `${at(LEVEL.compare, expr.expr)} is ${expr.not ? 'not ' : ''}${expr.test}`;
    case 'in':
    case 'between':
    case 'like':
      return formatPredicate(expr);
    case 'case':
      return formatCase(expr);
    case 'default':
      return expr.column === undefined ? 'default' : `default(${formatName(expr.column)})`;
  }
}
