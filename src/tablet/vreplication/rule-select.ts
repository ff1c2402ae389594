/** Filters of rules that are more than a table and a key range: conditions, select lists, groups. */
import { plainError, vtError } from '../../lib/errors.ts';
import type { Expr } from '../../sql/ast.ts';
import { evaluateScalar } from '../../sql/evaluate.ts';
import { formatExpr } from '../../sql/format-expr.ts';
import { truthOf } from '../../sql/scalar.ts';
import { findColumn, type TableDef } from '../../sql/schema.ts';
import type { Row } from '../../sql/value.ts';
import { columnsOf } from '../../sql/walk.ts';
import type { Applier } from './apply.ts';
import { type ShapedColumn, ShapedTable } from './apply-shape.ts';
import { type RuleScope, type TableFilter, wholeTable } from './filter.ts';
import { inRange, keyspaceIdOf, namedVindex, rangeOfRule, type RowVindex, vindexOfTable } from './row-vindex.ts';
import { isKeyRange, type PlannedColumn, type RulePlan } from './rule-plan.ts';

/** What a stream makes of rows. */
export interface RowShape {
  columns: readonly ShapedColumn[];
  grouping: RulePlan['grouping'];
  /** The target's table as this applier fills it. Throws where its columns or its key do not fit. */
  on: (applier: Applier, def: TableDef) => ShapedTable;
}

function rowShape(columns: readonly ShapedColumn[], grouping: RulePlan['grouping']): RowShape {
  const tables = new WeakMap<Applier, ShapedTable>();
  const on = (applier: Applier, def: TableDef): ShapedTable => {
    const table = tables.get(applier) ?? new ShapedTable(applier, def, columns, grouping);
    tables.set(applier, table);
    return table;
  };
  return { columns, grouping, on };
}

type Test = (row: Row) => boolean;

/** Makes the filter of a planned select for one of the target's tables. */
export async function compileSelect(target: string, plan: RulePlan, scope: RuleScope): Promise<TableFilter> {
  const def = scope.from.findTable(plan.from);
  scope.defs.set(plan.from, def);
  const tests: Test[] = [];
  for (const condition of plan.where) tests.push(await compileCondition(condition, plan.from, def, scope));
  const shape = plan.columns === undefined ? undefined : rowShape(await compileColumns(plan.columns, plan.from, def, scope), plan.grouping);
  const accepts = tests.length === 0 ? undefined : (row: Row): boolean => tests.every((test) => test(row));
  return { ...wholeTable(plan.from, target), accepts, byRange: plan.where.some(isKeyRange), shape };
}

async function compileCondition(expr: Expr, table: string, def: TableDef | undefined, scope: RuleScope): Promise<Test> {
  if (isKeyRange(expr)) return compileKeyRange(expr.args, table, scope);
  requireColumns(expr, table, def);
  return (row) => truthOf(evaluateScalar(expr, withDef(row, def))) === true;
}

/** `in_keyrange('-80')`, with the table's own vindex, or `in_keyrange(columns, 'vindex', '-80')`. */
async function compileKeyRange(args: readonly Expr[], table: string, scope: RuleScope): Promise<Test> {
  const text = (arg: Expr | undefined): string => {
    if (arg?.kind !== 'string') throw plainError(`unsupported: ${arg === undefined ? '' : formatExpr(arg)}`);
    return arg.value;
  };
  if (args.length !== 1 && args.length < 3) throw vtError('INTERNAL', `[BUG] unexpected in_keyrange parameters: ${args.map(formatExpr).join(', ')}`);
  const range = rangeOfRule(text(args.at(-1)));
  if (args.length === 1) return inRange(await ownVindex(table, scope), range);
  const columns = args.slice(0, -2).map((arg) => {
    if (arg.kind !== 'column') throw vtError('INTERNAL', `[BUG] unexpected: ${formatExpr(arg)}`);
    if (arg.table !== undefined) throw vtError('UNIMPLEMENTED', `unsupported qualifier for column: ${formatExpr(arg)}`);
    return arg.name;
  });
  return inRange(await namedVindex(table, columns, text(args.at(-2)), scope.keyspace, scope.vschemaOf), range);
}

async function ownVindex(table: string, { keyspace, vschemaOf }: RuleScope): Promise<RowVindex> {
  return vindexOfTable(await vschemaOf(keyspace), table);
}

async function compileColumns(
  columns: readonly PlannedColumn[],
  table: string,
  def: TableDef | undefined,
  scope: RuleScope,
): Promise<ShapedColumn[]> {
  const shaped: ShapedColumn[] = [];
  for (const { name, what, grouped, expr } of columns) {
    if (expr !== undefined) requireColumns(expr, table, def);
    if (what === 'keyspace_id') {
      const idOf = keyspaceIdOf(await ownVindex(table, scope));
      shaped.push({ name, what, grouped, read: (row) => new Uint8Array(Buffer.from(idOf(row), 'hex')) });
    } else if (expr === undefined) {
      shaped.push({ name, what, grouped, read: () => 1n });
    } else {
      shaped.push({ name, what, grouped, read: (row) => evaluateScalar(expr, withDef(row, def)) });
    }
  }
  return shaped;
}

function withDef(row: Row, def: TableDef | undefined): { row: Row; def?: TableDef } {
  return def === undefined ? { row } : { row, def };
}

/** Throws for a column that the source's table does not have. */
function requireColumns(expr: Expr, table: string, def: TableDef | undefined): void {
  if (def === undefined) return;
  for (const name of columnsOf(expr)) {
    if (findColumn(def, name) === undefined) throw vtError('FAILED_PRECONDITION', `column ${name} not found in table ${table}`);
  }
}
