import { containsId, idToHex, type KeyRange } from '../../lib/key-range.ts';
import { plainError } from '../../lib/errors.ts';
import { validateShardName } from '../../lib/names.ts';
import type { Context } from '../../runtime/context.ts';
import type { Row } from '../../sql/value.ts';
import type { BinlogSource } from '../../topo/proto/types-workflow.ts';
import type { TopoServer } from '../../topo/server.ts';
import { getVSchema } from '../../topo/vschema.ts';
import { createVindex } from '../../vindex/registry.ts';

/** Which rows of one table a stream takes. Vitess: go/vt/vttablet/tabletserver/vstreamer/planbuilder.go. */
export interface TableFilter {
  table: string;
  /** Undefined takes every row. */
  accepts: ((row: Row) => boolean) | undefined;
}

const SELECT = /^select \* from `?([^\s`]+)`?(?: where (.*))?$/is;
const KEYRANGE = /^in_keyrange\(\s*(.+?)\s*,\s*'([^'.]+)\.([^']+)'\s*,\s*'([^']*)'\s*\)$/is;

/**
 * Turns a stream's rules into filters, one per table. Vindexes are read from the vschema that the rule names.
 * Throws for a rule that is not `select * from t [where in_keyrange(column, 'keyspace.vindex', 'range')]`.
 */
export async function compileFilters(ctx: Context, topo: TopoServer, source: BinlogSource): Promise<TableFilter[]> {
  const rules = source.filter?.rules ?? [];
  return Promise.all(rules.map((rule) => compileRule(ctx, topo, rule.match, rule.filter ?? '')));
}

async function compileRule(ctx: Context, topo: TopoServer, match: string, filter: string): Promise<TableFilter> {
  const select = SELECT.exec(filter);
  if (match.startsWith('/') || select === null) throw plainError(`unrecognised stream rule: match "${match}" filter "${filter}"`);
  const where = select[2]?.trim();
  return { table: match, accepts: where === undefined ? undefined : await compileWhere(ctx, topo, where) };
}

async function compileWhere(ctx: Context, topo: TopoServer, where: string): Promise<(row: Row) => boolean> {
  const match = KEYRANGE.exec(where);
  if (match === null) throw plainError(`unrecognised condition in a stream rule: ${where}`);
  const [, columnText, keyspace, vindexName, rangeText] = match;
  const columns = columnText!.split(',').map((column) => column.trim().replaceAll('`', ''));
  const { record } = await getVSchema(ctx, topo, keyspace!);
  const spec = record.vindexes?.[vindexName!];
  if (spec === undefined) throw plainError(`vindex ${vindexName} not found in keyspace ${keyspace}`);
  const vindex = createVindex(vindexName!, spec.type ?? '', spec.params ?? {});
  const range: KeyRange | undefined = validateShardName(rangeText!).keyRange;
  return (row) => {
    const id = vindex.map(columns.map((column) => row[column] ?? null));
    return id !== undefined && containsId(range, idToHex(id));
  };
}
