import { plainError, vtError } from '../../lib/errors.ts';
import { loading } from '../../lib/loading.ts';
import type { Context } from '../../runtime/context.ts';
import { findColumn, type TableDef } from '../../sql/schema.ts';
import type { Row } from '../../sql/value.ts';
import type { BinlogSource } from '../../topo/proto/types-workflow.ts';
import type { Cluster } from '../cluster.ts';
import type { ShardDb } from '../shard-db.ts';
import { compileFilters, type TableFilter } from '../vreplication/filter.ts';
import { parseRule } from '../vreplication/rule.ts';

/** A table of a stream: where its rows come from, which of them, and what becomes of them. */
export interface StreamTable {
  /** The target's name. */
  table: string;
  sourceTable: string;
  /** Undefined takes every row of the source. */
  accepts: ((row: Row) => boolean) | undefined;
  /** Done to a row that was taken: DATETIMEs of one time zone become those of another. */
  convert: TableFilter['convert'];
  /** Undefined where rows stay as they are. */
  shape: TableFilter['shape'];
  /** Which rows of the target the stream is about: one tenant's. Undefined: all. */
  isOurs: ((row: Row) => boolean) | undefined;
  /** What is wrong with the rule: the table cannot be compared. */
  problem: unknown;
}

/**
 * The tables that a stream fills, of those that its target has: a diff is driven by the target's schema, as in Vitess.
 * Everything that VDiff knows of rules comes from here. Throws for rules that cannot be read.
 */
export async function streamTables(ctx: Context, cluster: Cluster, source: BinlogSource, target: ShardDb): Promise<StreamTable[]> {
  const from = cluster.shards.open(source.keyspace, source.shard);
  const filters = await compileFilters(ctx, cluster.topo, source, from, target);
  const how = cluster.release.behaviours.vdiffTargetRows;
  const tables: StreamTable[] = [];
  for (const { table, target: name, accepts, convert, shape, problem } of filters.all) {
    const def = target.findTable(name);
    if (def === undefined) continue;
    const stream: StreamTable = { table: name, sourceTable: table, accepts, convert, shape, isOurs: undefined, problem };
    tables.push(stream);
    try {
      if (how === 'as written' || (how === 'where it fits' && shape === undefined)) stream.isOurs = await ownRows(source, def);
    } catch (error) {
      stream.problem ??= error;
    }
  }
  return tables;
}

/**
 * The conditions of a rule, key ranges apart, which hold for the target's rows too.
 * Vitess: go/vt/vttablet/tabletmanager/vdiff/utils.go copyNonKeyRangeExpressions.
 */
async function ownRows(source: BinlogSource, def: TableDef): Promise<((row: Row) => boolean) | undefined> {
  const rule = (source.filter?.rules ?? []).map(parseRule).find(({ match, pattern }) => (pattern === undefined ? match === def.name : pattern.test(def.name)));
  if (rule === undefined || rule.simple !== undefined || !/^select\b/i.test(rule.filter)) return undefined;
  const [{ isKeyRange, planRule }, { evaluateScalar }, { truthOf }, { columnsOf }] = await Promise.all([
    loading(import('../vreplication/rule-plan.ts')),
    loading(import('../../sql/evaluate.ts')),
    loading(import('../../sql/scalar.ts')),
    loading(import('../../sql/walk.ts')),
  ]);
  const conditions = planRule(rule.filter).where.filter((condition) => !isKeyRange(condition));
  if (conditions.length === 0) return undefined;
  for (const name of conditions.flatMap((condition) => [...columnsOf(condition)])) {
    if (findColumn(def, name) === undefined) throw vtError('FAILED_PRECONDITION', `column ${name} not found in table ${def.name}`);
  }
  return (row) => conditions.every((condition) => truthOf(evaluateScalar(condition, { row, def })) === true);
}

/** Throws what is wrong with a table's rule. */
export function refuseProblem({ problem }: StreamTable): void {
  if (problem !== undefined) throw problem instanceof Error ? problem : plainError(String(problem));
}
