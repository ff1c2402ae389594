import { plainError } from '../../lib/errors.ts';
import { formatKeyRange } from '../../lib/key-range.ts';
import type { ColumnRef, Expr, Select } from '../../sql/ast.ts';
import { formatExpr, formatName } from '../../sql/format-expr.ts';
import { formatStatement } from '../../sql/rewrite.ts';
import { parseQuery } from '../../tablet/vreplication/rule-plan.ts';
import { bestColumnVindex } from '../../topo/primary-vindex.ts';
import type { Rule } from '../../topo/proto/types-workflow.ts';
import type { VSchemaKeyspace } from '../../topo/proto/types.ts';
import type { TableSettings } from './materialize-request.ts';
import type { Member } from './request.ts';
import { rangeOf } from './reshard-checks.ts';

/**
 * The rule of a table for one target shard: its select, with the shard's key range where rows choose their shard.
 * Throws where the select does not give the columns of the table's vindex. Vitess: materializer.generateRule.
 */
export function materializeRule(
  settings: TableSettings,
  target: { keyspace: string; vschema: VSchemaKeyspace; member: Member; whole: boolean },
): Rule {
  const { select, groupBy } = parseQuery(settings.source_expression);
  const definition = target.vschema.tables?.[settings.target_table];
  const byRange = !target.whole && target.vschema.sharded === true && definition?.type !== 'reference';
  const filter = byRange ? keyRangeOf(settings.target_table, select, target) : undefined;
  return { match: settings.target_table, filter: selectText(filter === undefined ? select : withCondition(select, filter), groupBy) };
}

function keyRangeOf(
  table: string,
  select: Select,
  { keyspace, vschema, member }: { keyspace: string; vschema: VSchemaKeyspace; member: Member },
): Expr {
  const { name, columns } = bestColumnVindex(vschema, table, vschema.tables?.[table] ?? {});
  const text = (value: string): Expr => ({ kind: 'string', value });
  const args = [...columns.map((column) => sourceColumn(column, select)), text(`${keyspace}.${name}`), text(formatKeyRange(rangeOf(member)))];
  return { kind: 'call', name: 'in_keyrange', args };
}

/** The source's column behind a column of the target. Vitess: matchColInSelect. */
function sourceColumn(column: string, { items }: Select): ColumnRef {
  for (const item of items) {
    if (item.kind === 'star') return { kind: 'column', name: column };
    const name = item.alias ?? (item.expr.kind === 'column' ? item.expr.name : undefined);
    if (name?.toLowerCase() !== column.toLowerCase()) continue;
    if (item.expr.kind === 'column') return item.expr;
    throw plainError(`vindex column cannot be a complex expression: ${formatExpr(item.expr)} as ${formatName(name)}`);
  }
  throw plainError(`could not find vindex column ${column}`);
}

/** What is added comes first. */
function withCondition(select: Select, condition: Expr): Select {
  const { where } = select;
  return { ...select, where: where === undefined ? condition : { kind: 'logic', op: 'and', left: condition, right: where } };
}

function selectText(select: Select, groupBy: readonly string[] | undefined): string {
  const group = groupBy === undefined ? '' : ` group by ${groupBy.map(formatName).join(', ')}`;
  return `${formatStatement(select)}${group}`;
}
