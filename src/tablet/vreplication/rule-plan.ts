/**
 * What a rule's select asks for, checked as Vitess checks it: rows of one table, conditions that a binlog event can be held
 * against, and columns, expressions, `count(*)` and `sum(column)`.
 * Vitess: go/vt/vttablet/tabletmanager/vreplication/table_plan_builder.go, go/vt/vttablet/tabletserver/vstreamer/planbuilder.go.
 */
import { errorText, plainError, vtError } from '../../lib/errors.ts';
import type { Expr, Select, SelectItem } from '../../sql/ast.ts';
import { formatExpr } from '../../sql/format-expr.ts';
import { parseStatement } from '../../sql/parser.ts';
import { tokenize } from '../../sql/tokenizer.ts';
import { isAggregate, someExpr } from '../../sql/walk.ts';

/** A column of the target and where its value comes from. */
export interface PlannedColumn {
  name: string;
  what: 'expression' | 'count' | 'sum' | 'keyspace_id';
  /** Of a sum: what is added. Of count and keyspace_id: nothing. */
  expr: Expr | undefined;
  grouped: boolean;
}

/** A rule's select. */
export interface RulePlan {
  /** The source's table. */
  from: string;
  /** Undefined for `*`. */
  columns: PlannedColumn[] | undefined;
  /** Conditions that all have to hold. */
  where: Expr[];
  /** `add` counts and sums up; `first` keeps the first row of each group. */
  grouping: 'none' | 'add' | 'first';
}

/**
 * Reads and checks a select. Throws INVALID_ARGUMENT `… in query: …` for what no stream can do, and the syntax errors of
 * the parser.
 */
export function planRule(query: string): RulePlan {
  try {
    const { select, groupBy } = parseQuery(query);
    const columns = planColumns(select.items);
    const where = splitAnd(select.where);
    for (const condition of where) checkCondition(condition);
    return { from: select.from!.name, columns, where, grouping: group(columns ?? [], groupBy) };
  } catch (error) {
    throw vtError('INVALID_ARGUMENT', `${errorText(error)} in query: ${query}`);
  }
}

/** A rule's select and the columns of its GROUP BY. The parser knows none, since no query here has one: it is taken off first. */
export function parseQuery(query: string): { select: Select; groupBy: string[] | undefined } {
  const { text, groupBy } = cutGroupBy(query);
  const select = parseStatement(text);
  if (select.kind !== 'select') throw plainError('unsupported non-select statement');
  if (select.distinct) throw plainError('unsupported distinct clause');
  if (select.from === undefined) throw plainError('unsupported from source');
  if (select.orderBy.length > 0 || select.limit !== undefined || select.lock !== undefined) {
    throw plainError('unsupported: order by, limit and locks');
  }
  return { select, groupBy };
}

function cutGroupBy(query: string): { text: string; groupBy: string[] | undefined } {
  const tokens = tokenize(query);
  const word = (at: number, wanted: string): boolean => tokens[at]?.type === 'word' && tokens[at].text.toLowerCase() === wanted;
  const at = tokens.findIndex((_, index) => word(index, 'group') && word(index + 1, 'by'));
  if (at < 0) return { text: query, groupBy: undefined };
  const names = parseStatement(`select ${query.slice(tokens[at + 1]!.end)}`);
  if (names.kind !== 'select' || names.from !== undefined || names.where !== undefined || names.orderBy.length > 0) {
    throw plainError(`unsupported group by clause: ${query.slice(tokens[at]!.start)}`);
  }
  const groupBy = names.items.map((item) => {
    if (item.kind === 'expr' && item.alias === undefined && item.expr.kind === 'column' && item.expr.table === undefined) return item.expr.name;
    throw plainError(`unsupported non-column name or alias in group by clause: ${itemText(item)}`);
  });
  return { text: query.slice(0, tokens[at]!.start), groupBy };
}

function planColumns(items: readonly SelectItem[]): PlannedColumn[] | undefined {
  const [first] = items;
  if (first?.kind === 'star') {
    if (items.length > 1) throw plainError("unsupported mix of '*' and columns");
    if (first.table !== undefined) throw plainError("unsupported qualifier for '*' expression");
    return undefined;
  }
  return items.map(planColumn);
}

function planColumn(item: SelectItem): PlannedColumn {
  if (item.kind === 'star') throw plainError(`invalid expression: ${itemText(item)}`);
  const { expr, alias } = item;
  const own = expr.kind === 'column' && expr.table === undefined ? expr.name : undefined;
  const name = alias ?? own;
  if (name === undefined) throw plainError(`expression needs an alias: ${itemText(item)}`);
  if (expr.kind === 'call' && expr.name === 'keyspace_id') {
    if (expr.args.length > 0) throw plainError(`unsupported multiple keyspace_id expressions: ${formatExpr(expr)}`);
    return { name, what: 'keyspace_id', expr: undefined, grouped: false };
  }
  if (isAggregate(expr)) return { name, grouped: false, ...planAggregate(expr) };
  checkExpression(expr);
  return { name, what: 'expression', expr, grouped: false };
}

function planAggregate(expr: Expr): Pick<PlannedColumn, 'what' | 'expr'> {
  const text = formatExpr(expr);
  if (expr.kind !== 'call') throw plainError(`unsupported aggregation function: ${text}`);
  if (expr.distinct === true) throw plainError(`unsupported distinct expression usage: ${text}`);
  if (expr.name === 'count') {
    if (expr.star !== true) throw plainError(`only count(*) is supported: ${text}`);
    return { what: 'count', expr: undefined };
  }
  if (expr.name !== 'sum') throw plainError(`unsupported aggregation function: ${text}`);
  const [arg] = expr.args;
  if (arg?.kind !== 'column') throw plainError(`unsupported non-column name in sum clause: ${text}`);
  if (arg.table !== undefined) throw plainError(`unsupported qualifier for column: ${formatExpr(arg)}`);
  return { what: 'sum', expr: arg };
}

function checkExpression(expr: Expr): void {
  someExpr(expr, (inner) => {
    if (isAggregate(inner)) throw plainError(`unsupported aggregation function: ${formatExpr(inner)}`);
    if (inner.kind === 'column' && inner.table !== undefined) throw plainError(`unsupported qualifier for column: ${formatExpr(inner)}`);
    return false;
  });
}

/** Marks the grouped columns, and says what a group is for. */
function group(columns: readonly PlannedColumn[], groupBy: readonly string[] | undefined): RulePlan['grouping'] {
  if (groupBy === undefined) return 'none';
  for (const name of groupBy) {
    const column = columns.find((candidate) => candidate.name.toLowerCase() === name.toLowerCase());
    if (column === undefined) throw plainError(`group by expression does not reference an alias in the select list: ${name}`);
    if (column.what === 'count' || column.what === 'sum') {
      throw plainError(`group by expression is not allowed to reference an aggregate expression: ${name}`);
    }
    column.grouped = true;
  }
  return columns.every((column) => column.grouped) ? 'first' : 'add';
}

/** The conditions that AND joins. */
export function splitAnd(expr: Expr | undefined): Expr[] {
  if (expr === undefined) return [];
  return expr.kind === 'logic' && expr.op === 'and' ? [...splitAnd(expr.left), ...splitAnd(expr.right)] : [expr];
}

/** True for a call of in_keyrange. */
export function isKeyRange(expr: Expr): expr is Extract<Expr, { kind: 'call' }> {
  return expr.kind === 'call' && expr.name === 'in_keyrange';
}

const LITERALS: readonly Expr['kind'][] = ['number', 'string', 'hex', 'bit'];

/** Throws for a condition that a stream cannot hold a row of the binlog against. */
function checkCondition(expr: Expr): void {
  const literal = (side: Expr): void => {
    if (!LITERALS.includes(side.kind)) throw plainError(`unexpected: ${formatExpr(side)}`);
  };
  switch (expr.kind) {
    case 'compare':
      if (expr.op === '<=>') throw plainError('comparison operator <=> not supported');
      checkColumn(expr.left, expr);
      literal(expr.right);
      return;
    case 'in':
      if (expr.not) throw plainError('comparison operator not in not supported');
      checkColumn(expr.expr, expr);
      expr.list.forEach(literal);
      return;
    case 'between':
      checkColumn(expr.expr, expr);
      literal(expr.low);
      literal(expr.high);
      return;
    case 'is':
      if (expr.test !== 'null') throw plainError(`unsupported constraint: ${formatExpr(expr)}`);
      checkColumn(expr.expr, expr);
      return;
    case 'like':
      throw plainError(`comparison operator ${expr.not ? 'not like' : 'like'} not supported`);
    default:
      if (!isKeyRange(expr)) throw plainError(`unsupported constraint: ${formatExpr(expr)}`);
  }
}

function checkColumn(side: Expr, whole: Expr): void {
  if (side.kind !== 'column') throw plainError(`unexpected: ${formatExpr(whole)}`);
  if (side.table !== undefined) throw plainError(`unsupported qualifier for column: ${formatExpr(side)}`);
}

function itemText(item: SelectItem): string {
  return item.kind === 'star' ? '*' : formatExpr(item.expr);
}
