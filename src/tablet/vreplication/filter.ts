import { plainError, wrapError } from '../../lib/errors.ts';
import { isValidKeyRange } from '../../lib/key-range.ts';
import { loading } from '../../lib/loading.ts';
import type { Context } from '../../runtime/context.ts';
import type { Row } from '../../sql/value.ts';
import type { TableDef } from '../../sql/schema.ts';
import { paths } from '../../topo/paths.ts';
import type { VSchemaKeyspace } from '../../topo/proto/types.ts';
import type { BinlogSource } from '../../topo/proto/types-workflow.ts';
import type { TopoServer } from '../../topo/server.ts';
import type { ShardDb } from '../shard-db.ts';
import { EXCLUDE, type ParsedRule, parseRule } from './rule.ts';
import type { RulePlan } from './rule-plan.ts';
import type { RowShape } from './rule-select.ts';

/** Which rows of one table a stream takes, and what it makes of them. Vitess: go/vt/vttablet/tabletserver/vstreamer/planbuilder.go. */
export interface TableFilter {
  /** The source's table. */
  table: string;
  /** The target's, which a Materialize may call otherwise. */
  target: string;
  /** Undefined takes every row. Throws for a row without a keyspace id. */
  accepts: ((row: Row) => boolean) | undefined;
  /** True if a key range is part of what `accepts` asks. */
  byRange: boolean;
  /** Done to a row that was taken, before anything else is made of it. */
  convert: ((row: Row) => Row) | undefined;
  /** Undefined leaves rows as they are. */
  shape: RowShape | undefined;
  /** What is wrong with the rule, told where it is used: the stream's other tables go on until then. */
  problem: unknown;
}

/** The filter that takes a table as it is. */
export function wholeTable(table: string, target = table): TableFilter {
  return { table, target, accepts: undefined, byRange: false, convert: undefined, shape: undefined, problem: undefined };
}

/** The filters of a stream: one for each table that it takes. */
export class StreamFilters {
  readonly all: readonly TableFilter[];
  readonly #bySource: ReadonlyMap<string, TableFilter>;
  readonly #byTarget: ReadonlyMap<string, TableFilter>;

  constructor(all: readonly TableFilter[]) {
    this.all = all;
    this.#bySource = new Map(all.map((filter) => [filter.table, filter]));
    this.#byTarget = new Map(all.map((filter) => [filter.target, filter]));
  }

  /** The filter for rows of a source's table. */
  of(table: string): TableFilter | undefined {
    return this.#bySource.get(table);
  }

  /** The filter for rows that end in a target's table. */
  into(target: string): TableFilter | undefined {
    return this.#byTarget.get(target);
  }
}

/** Filters of sources seen before, and what they were made from: a stream asks for them at every chunk. */
interface Compiled {
  targets: string;
  vschemas: ReadonlyMap<string, string>;
  defs: ReadonlyMap<string, TableDef | undefined>;
  filters: StreamFilters;
}

const known = new WeakMap<BinlogSource, Compiled>();
const parsed = new WeakMap<BinlogSource, readonly ParsedRule[]>();

/**
 * Turns a stream's rules into filters. `/regular expression/` rules stand for the tables that the target has, as in Vitess:
 * one that appears on the source alone is passed over. The first rule that matches a table counts; `exclude` takes none of it.
 * Vindexes are those of the VSchema of the source's keyspace, or of the one that the rule names.
 * Throws for a rule that cannot be read; what is wrong with one table alone is that filter's `problem`.
 */
export async function compileFilters(
  ctx: Context,
  topo: TopoServer,
  source: BinlogSource,
  from: ShardDb,
  target: Pick<ShardDb, 'tableNames' | 'findTable'>,
): Promise<StreamFilters> {
  const rules = rulesOf(source);
  const targets = rules.some(({ pattern }) => pattern !== undefined) ? target.tableNames() : [];
  const before = known.get(source);
  if (before !== undefined && (await isCurrent(ctx, topo, before, targets, from))) return before.filters;

  const vschemas = new Map<string, string>();
  const vschemaOf = async (keyspace: string): Promise<VSchemaKeyspace> => {
    const text = vschemas.get(keyspace) ?? (await topo.conn.get(ctx, paths.vschema(keyspace))).contents;
    vschemas.set(keyspace, text);
    return readVSchema(text);
  };
  const defs = new Map<string, TableDef | undefined>();
  const filters: TableFilter[] = [];
  for (const { match, rule } of matches(rules, targets)) {
    const filter = await compileRule(match, rule, { keyspace: source.keyspace, from, target, vschemaOf, defs });
    filters.push(await withTimeZones(filter, source, from, defs));
  }
  const compiled = { targets: targets.join('\0'), vschemas, defs, filters: new StreamFilters(filters) };
  known.set(source, compiled);
  return compiled.filters;
}

/** Loaded where a stream has them: hardly any does. */
async function withTimeZones(
  filter: TableFilter,
  { source_time_zone: zone = '', target_time_zone: to = '' }: BinlogSource,
  from: ShardDb,
  defs: Map<string, TableDef | undefined>,
): Promise<TableFilter> {
  if (zone === '' || to === '') return filter;
  const { rowConverter } = await loading(import('./time-zones.ts'));
  const def = from.findTable(filter.table);
  defs.set(filter.table, def);
  return def === undefined ? filter : { ...filter, convert: rowConverter(def, zone, to) };
}

async function isCurrent(ctx: Context, topo: TopoServer, before: Compiled, targets: readonly string[], from: ShardDb): Promise<boolean> {
  if (before.targets !== targets.join('\0')) return false;
  for (const [table, def] of before.defs) if (from.findTable(table) !== def) return false;
  for (const [keyspace, text] of before.vschemas) {
    if ((await topo.conn.find(ctx, paths.vschema(keyspace)))?.contents !== text) return false;
  }
  return true;
}

function rulesOf(source: BinlogSource): readonly ParsedRule[] {
  let rules = parsed.get(source);
  if (rules === undefined) {
    rules = (source.filter?.rules ?? []).map(parseRule);
    parsed.set(source, rules);
  }
  return rules;
}

let lastRead: { text: string; vschema: VSchemaKeyspace } | undefined;

/** The tables of one rule ask for the same VSchema, one after another. */
function readVSchema(text: string): VSchemaKeyspace {
  if (lastRead?.text !== text) lastRead = { text, vschema: JSON.parse(text) as VSchemaKeyspace };
  return lastRead.vschema;
}

/** Which rule stands for which table of the target. A table named outright counts even if the target lacks it. */
function matches(rules: readonly ParsedRule[], targets: readonly string[]): { match: string; rule: ParsedRule }[] {
  const taken = new Map<string, ParsedRule>();
  for (const rule of rules) {
    const tables = rule.pattern === undefined ? [rule.match] : targets.filter((table) => rule.pattern!.test(table));
    for (const table of tables) if (!taken.has(table)) taken.set(table, rule);
  }
  return [...taken].filter(([, rule]) => rule.filter !== EXCLUDE).map(([match, rule]) => ({ match, rule }));
}

/** What a rule is compiled with. */
export interface RuleScope {
  /** The keyspace that the stream reads. */
  keyspace: string;
  from: ShardDb;
  target: Pick<ShardDb, 'findTable'>;
  vschemaOf: (keyspace: string) => Promise<VSchemaKeyspace>;
  /** Definitions of source tables that the filter was made with: it is made anew when they change. */
  defs: Map<string, TableDef | undefined>;
}

async function compileRule(match: string, rule: ParsedRule, scope: RuleScope): Promise<TableFilter> {
  const filter = wholeTable(rule.simple?.table ?? match, match);
  const { simple } = rule;
  if (rule.filter === '' || (simple !== undefined && simple.where === undefined)) return filter;
  try {
    if (isValidKeyRange(rule.filter)) return { ...filter, accepts: await byRange(match, rule.filter, scope), byRange: true };
    if (simple?.where !== undefined) return { ...filter, accepts: await byNamedRange(simple.table, simple.where, scope), byRange: true };
  } catch (problem) {
    return { ...filter, problem };
  }
  return bySelect(match, rule.filter, scope);
}

/** Loaded where there is such a rule: it needs the whole of `sql`, and every command pumps. */
async function bySelect(match: string, query: string, scope: RuleScope): Promise<TableFilter> {
  const [{ planRule }, { compileSelect }] = await Promise.all([loading(import('./rule-plan.ts')), loading(import('./rule-select.ts'))]);
  let plan: RulePlan;
  try {
    plan = planRule(query);
  } catch (error) {
    throw wrapError(error, `failed to build table replication plan for ${match} table`);
  }
  try {
    return await compileSelect(match, plan, scope);
  } catch (problem) {
    return { ...wholeTable(plan.from, match), problem };
  }
}

async function byRange(table: string, range: string, scope: RuleScope): Promise<(row: Row) => boolean> {
  const { inRange, rangeOfRule, vindexOfTable } = await loading(import('./row-vindex.ts'));
  return inRange(vindexOfTable(await scope.vschemaOf(scope.keyspace), table), rangeOfRule(range));
}

async function byNamedRange(
  table: string,
  { columns, vindex, range }: { columns: readonly string[]; vindex: string; range: string },
  { keyspace, vschemaOf }: RuleScope,
): Promise<(row: Row) => boolean> {
  const { inRange, namedVindex, rangeOfRule } = await loading(import('./row-vindex.ts'));
  return inRange(await namedVindex(table, columns, vindex, keyspace, vschemaOf), rangeOfRule(range));
}

/** Throws what is wrong with a filter. */
export function throwProblem(filter: TableFilter | undefined): void {
  if (filter?.problem !== undefined) throw filter.problem instanceof Error ? filter.problem : plainError(String(filter.problem));
}
