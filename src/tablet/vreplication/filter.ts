import { containsId, idToHex, type KeyRange } from '../../lib/key-range.ts';
import { plainError } from '../../lib/errors.ts';
import { validateShardName } from '../../lib/names.ts';
import type { Context } from '../../runtime/context.ts';
import type { Row } from '../../sql/value.ts';
import type { VSchemaKeyspace } from '../../topo/proto/types.ts';
import type { BinlogSource } from '../../topo/proto/types-workflow.ts';
import type { TopoServer } from '../../topo/server.ts';
import { getVSchema } from '../../topo/vschema.ts';
import { loading } from '../../lib/loading.ts';

/** Which rows of one table a stream takes. Vitess: go/vt/vttablet/tabletserver/vstreamer/planbuilder.go. */
export interface TableFilter {
  table: string;
  /** Undefined takes every row. */
  accepts: ((row: Row) => boolean) | undefined;
}

/** A name in a rule, in back-ticks or bare: tables of other people's dumps are called `order details`. */
const NAME = /`(?:[^`]|``)+`|[^\s`,]+/;
const SELECT = new RegExp(`^select \\* from (?:${NAME.source})(?: where (.*))?$`, 'is');
const KEYRANGE = /^in_keyrange\(\s*(.+?)\s*,\s*'([^'.]+)\.([^']+)'\s*,\s*'([^']*)'\s*\)$/is;

/** A rule as text says it; `where` is undefined if it takes every row. */
interface Rule {
  table: string;
  where: string | undefined;
}

/** Rules of sources seen before: those of a thousand tables are asked for at every chunk. */
const known = new WeakMap<BinlogSource, readonly Rule[]>();

/**
 * Turns a stream's rules into filters, one per table. Vindexes are read from the vschema that the rule names.
 * Throws for a rule that is not `select * from t [where in_keyrange(column, 'keyspace.vindex', 'range')]`.
 */
export async function compileFilters(ctx: Context, topo: TopoServer, source: BinlogSource): Promise<TableFilter[]> {
  let rules = known.get(source);
  if (rules === undefined) {
    rules = (source.filter?.rules ?? []).map((rule) => parseRule(rule.match, rule.filter ?? ''));
    known.set(source, rules);
  }
  const read = new Map<string, Promise<VSchemaKeyspace>>();
  const vschemaOf = (keyspace: string): Promise<VSchemaKeyspace> => {
    const vschema = read.get(keyspace) ?? getVSchema(ctx, topo, keyspace).then(({ record }) => record);
    read.set(keyspace, vschema);
    return vschema;
  };
  const filters: TableFilter[] = [];
  for (const { table, where } of rules) {
    filters.push({ table, accepts: where === undefined ? undefined : await compileWhere(where, vschemaOf) });
  }
  return filters;
}

function parseRule(match: string, filter: string): Rule {
  const select = SELECT.exec(filter);
  if (match.startsWith('/') || select === null) throw plainError(`unrecognised stream rule: match "${match}" filter "${filter}"`);
  return { table: match, where: select[1]?.trim() };
}

function unquote(name: string): string {
  return name.startsWith('`') ? name.slice(1, -1).replaceAll('``', '`') : name;
}

async function compileWhere(
  where: string,
  vschemaOf: (keyspace: string) => Promise<VSchemaKeyspace>,
): Promise<(row: Row) => boolean> {
  const match = KEYRANGE.exec(where);
  if (match === null) throw plainError(`unrecognised condition in a stream rule: ${where}`);
  const [, columnText, keyspace, vindexName, rangeText] = match;
  const columns = [...columnText!.matchAll(new RegExp(NAME, 'g'))].map(([name]) => unquote(name));
  const spec = (await vschemaOf(keyspace!)).vindexes?.[vindexName!];
  if (spec === undefined) throw plainError(`vindex ${vindexName} not found in keyspace ${keyspace}`);
  const { createVindex } = await loading(import('../../vindex/registry.ts'));
  const vindex = createVindex(vindexName!, spec.type ?? '', spec.params ?? {});
  const range: KeyRange | undefined = validateShardName(rangeText!).keyRange;
  return (row) => {
    const id = vindex.map(columns.map((column) => row[column] ?? null));
    return id !== undefined && containsId(range, idToHex(id));
  };
}
