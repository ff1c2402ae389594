/** SELECT, and the clauses that UPDATE and DELETE share with it, as SQLite text. */
import type { Expr, Limit, OrderTerm, Select, SelectItem } from './ast.ts';
import { type CompileScope, compileExpr } from './compile-expr.ts';
import { orderTerms } from './compile-order.ts';
import { formatExpr } from './format-expr.ts';
import { asCondition, bound, columnType, type Fragment, joinSql, resultParam, sqlOf } from './fragment.ts';
import { nonAggregated, unknownColumn, unsupported } from './mysql-errors.ts';
import type { ColumnDef, ColumnType, TableDef } from './schema.ts';
import { decodeValue, sqliteName } from './storage.ts';
import type { CompileContext, SqlText, Value } from './value.ts';
import { isAggregate, someExpr } from './walk.ts';

/** A compiled SELECT. Read it with `raw(true).safeIntegers(true)` and `decodeResult`: labels may repeat. */
export interface SelectPlan extends SqlText {
  /** The result's column labels: aliases, column names, or the expression as text. */
  columns: string[];
  /** The type of each result column that is a table's column as such, or its MIN or MAX. */
  types: (ColumnType | undefined)[];
}

/** What is read: a label and a fragment, with the expression it came from (none for `*`). */
interface Output {
  label: string;
  fragment: Fragment;
  type: ColumnType | undefined;
  expr?: Expr;
  alias?: string;
}

/** How a table is named in SQLite and what its columns may be qualified with. */
export function scopeOf(def: TableDef | undefined, context: CompileContext, alias?: string): CompileScope {
  return { def, tableName: alias ?? def?.name, context, clause: 'field list', aggregates: false };
}

/** ` WHERE ..`, or nothing. */
export function whereClause(where: Expr | undefined, scope: CompileScope): SqlText {
  if (where === undefined) return sqlOf``;
  return sqlOf` WHERE ${asCondition(compileExpr(where, { ...scope, clause: 'where clause', aggregates: false }))}`;
}

/**
 * The condition of a WHERE clause alone, for a query of the caller's own over the table; `1` when there is none.
 * Throws 1054, UNIMPLEMENTED.
 */
export function compileWhere(where: Expr | undefined, def: TableDef, context: CompileContext, alias?: string): SqlText {
  const scope: CompileScope = { ...scopeOf(def, context, alias), clause: 'where clause' };
  return where === undefined ? { sql: '1', params: [] } : { ...sqlOf`${asCondition(compileExpr(where, scope))}` };
}

/** ` LIMIT n OFFSET m`, or nothing. SQLite's integers end below MySQL's customary "no limit". */
export function limitClause(limit: Limit | undefined): string {
  if (limit === undefined) return '';
  const capped = (text: string): string => (BigInt(text) >= 2n ** 63n ? '9223372036854775807' : BigInt(text).toString());
  return ` LIMIT ${capped(limit.count)}${limit.offset === undefined ? '' : ` OFFSET ${capped(limit.offset)}`}`;
}

/** ` ORDER BY ..`, or nothing, for terms that are expressions over the table. */
export function orderClause(terms: readonly OrderTerm[], scope: CompileScope): SqlText {
  const ordered: CompileScope = { ...scope, clause: 'order clause' };
  const parts = terms.flatMap(({ expr, descending }) => orderTerms(compileExpr(expr, ordered), descending));
  return parts.length === 0 ? sqlOf`` : sqlOf` ORDER BY ${joinSql(parts, ', ')}`;
}

function starOutputs(item: Extract<SelectItem, { kind: 'star' }>, scope: CompileScope): Output[] {
  if (scope.def === undefined) throw unsupported('SELECT * without a table');
  if (item.table !== undefined && item.table !== scope.tableName) throw unknownColumn(`${item.table}.*`, 'field list');
  return scope.def.columns.map((column) => ({ label: column.name, fragment: columnFragment(column), type: column.type }));
}

function columnFragment(column: ColumnDef): Fragment {
  return { sql: sqliteName(column.name), params: [], type: columnType(column), column };
}

function exprOutput(item: Extract<SelectItem, { kind: 'expr' }>, scope: CompileScope): Output {
  const { expr, alias } = item;
  const fragment = compileExpr(expr, { ...scope, aggregates: true });
  const label = alias ?? (expr.kind === 'column' ? expr.name : formatExpr(expr));
  const shown = fragment.constant === undefined ? fragment : { ...fragment, ...bound(resultParam(fragment.constant)) };
  return { label, fragment: shown, type: resultType(expr, fragment, scope), expr, ...(alias === undefined ? {} : { alias }) };
}

/** MIN and MAX answer in the column's own form: a wide integer must be decoded. */
function resultType(expr: Expr, fragment: Fragment, scope: CompileScope): ColumnType | undefined {
  const extreme = expr.kind === 'call' && (expr.name === 'min' || expr.name === 'max') ? expr.args[0] : undefined;
  return extreme?.kind === 'column' ? compileExpr(extreme, scope).column?.type : fragment.column?.type;
}

/** Without GROUP BY an aggregate leaves one row: a plain column beside it has no value. */
function refuseMixed(outputs: readonly Output[], def: TableDef | undefined): void {
  if (!outputs.some(({ expr }) => expr !== undefined && someExpr(expr, isAggregate))) return;
  outputs.forEach(({ expr, label }, i) => {
    const name = expr === undefined ? label : plainColumn(expr);
    if (name !== undefined) throw nonAggregated(i + 1, `${def?.name ?? ''}.${name}`);
  });
}

/** A column that an expression reads outside of any aggregate. */
function plainColumn(expr: Expr): string | undefined {
  if (isAggregate(expr)) return undefined;
  if (expr.kind === 'column') return expr.name;
  let found: string | undefined;
  if (!someExpr(expr, isAggregate)) someExpr(expr, (inner) => inner.kind === 'column' && ((found = inner.name), true));
  return found;
}

/** ORDER BY may name a column of the result by position or alias; an alias goes before a column. */
function selectOrder(select: Select, outputs: readonly Output[], scope: CompileScope): SqlText {
  const parts = select.orderBy.flatMap(({ expr, descending }) => {
    const output = orderedOutput(expr, outputs);
    const fragment = output ?? compileExpr(expr, { ...scope, clause: 'order clause', aggregates: true });
    return orderTerms(fragment, descending);
  });
  return parts.length === 0 ? sqlOf`` : sqlOf` ORDER BY ${joinSql(parts, ', ')}`;
}

function orderedOutput(expr: Expr, outputs: readonly Output[]): Fragment | undefined {
  if (expr.kind === 'number' && /^\d+$/.test(expr.text)) {
    const output = outputs[Number(expr.text) - 1];
    if (output === undefined) throw unknownColumn(expr.text, 'order clause');
    return output.fragment;
  }
  if (expr.kind !== 'column' || expr.table !== undefined) return undefined;
  const name = expr.name.toLowerCase();
  return outputs.find(({ alias }) => alias?.toLowerCase() === name)?.fragment;
}

/**
 * A SELECT over one table, or over none (`def` undefined). FOR UPDATE and the like are left to the caller.
 * Throws 1054, 1140, 1582, UNIMPLEMENTED.
 */
export function compileSelect(select: Select, def: TableDef | undefined, context: CompileContext): SelectPlan {
  const scope = scopeOf(def, context, select.alias);
  const outputs = select.items.flatMap((item) => (item.kind === 'star' ? starOutputs(item, scope) : [exprOutput(item, scope)]));
  refuseMixed(outputs, def);
  const list = outputs.map(({ fragment, label }) => sqlOf`${fragment} AS ${sqliteName(label)}`);
  const from = def === undefined ? '' : ` FROM ${sqliteName(context.storedAs ?? def.name)}`;
  const where = whereClause(select.where, scope);
  const order = selectOrder(select, outputs, scope);
  const distinct = select.distinct ? 'DISTINCT ' : '';
  const text = sqlOf`SELECT ${distinct}${joinSql(list, ', ')}${from}${where}${order}${limitClause(select.limit)}`;
  return { ...text, columns: outputs.map(({ label }) => label), types: outputs.map(({ type }) => type) };
}

/** One raw row of a SELECT as values. */
export function decodeResult(plan: SelectPlan, raw: readonly unknown[]): Value[] {
  return raw.map((value, i) => decodeValue(plan.types[i], value));
}
