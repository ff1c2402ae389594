/** Which rows are a tenant's: the condition that streams, their reverses and cancel pick them by. */
import { plainError } from '../lib/errors.ts';
import type { Expr } from '../sql/ast.ts';
import { formatName, quoteString } from '../sql/format-expr.ts';
import { parseStatement } from '../sql/parser.ts';
import { formatStatement } from '../sql/rewrite.ts';
import type { MultiTenantSpec, VSchemaKeyspace } from '../topo/proto/types.ts';

/** Go's zero value of the type. */
const NO_TYPE = 'NULL_TYPE';

/** Throws unless a tenant's id fits the column that a VSchema names for it. Vitess: go/vt/vtctl/workflow/utils.go validateTenantId. */
export function validateTenantId(spec: MultiTenantSpec, id: string): void {
  const type = spec.tenant_id_column_type ?? NO_TYPE;
  if (type !== 'INT64' && type !== 'VARCHAR') throw plainError(`unsupported data type: ${type}`);
  if (type === 'INT64' && !isInt64(id)) throw plainError(`value ${id} is not a valid int`);
}

/**
 * The condition that picks a tenant's rows, by the VSchema of the keyspace that holds those of many. Vitess puts the id into the SQL
 * as it is; with `quoted` a quote in it stays one. Throws Vitess's errors and the parser's. Vitess: getTenantClause.
 */
export function tenantPredicate(id: string, vschema: VSchemaKeyspace | undefined, quoted: boolean): Expr {
  const spec = vschema?.multi_tenant_spec;
  if (spec === undefined) throw plainError('target keyspace not defined, or it does not have multi-tenant spec');
  const { tenant_id_column_name: column = '', tenant_id_column_type: type = NO_TYPE } = spec;
  if (column === '') throw plainError('tenant column name not defined in multi-tenant spec');
  if (type !== 'INT64' && type !== 'VARCHAR') throw plainError(`unsupported tenant column type: ${type}`);
  if (type === 'INT64' && !isInt64(id)) throw plainError(`tenant id is not a valid int: ${id}`);
  const text = quoted ? quoteString(id) : `'${id}'`;
  const statement = parseStatement(`select * from t where ${quoted ? formatName(column) : column} = ${type === 'INT64' ? id : text}`);
  if (statement.kind !== 'select' || statement.where === undefined) throw plainError(`error getting select: ${id}`);
  return statement.where;
}

/** The select with a tenant's condition before its own. Vitess: go/vt/vtctl/workflow/traffic_switcher.go addTenantFilter. */
export function addTenantFilter(select: string, predicate: Expr): string {
  const statement = parseStatement(select);
  if (statement.kind !== 'select') throw plainError(`unrecognized statement: ${select}`);
  const { where } = statement;
  return formatStatement({ ...statement, where: where === undefined ? predicate : { kind: 'logic', op: 'and', left: predicate, right: where } });
}

/** What Go's strconv.Atoi takes. */
function isInt64(text: string): boolean {
  if (!/^[+-]?\d+$/.test(text)) return false;
  const value = BigInt(text.replace(/^\+/, ''));
  return value >= -(2n ** 63n) && value < 2n ** 63n;
}
