import type { Context } from '../../runtime/context.ts';
import type { Row } from '../../sql/value.ts';
import type { BinlogSource } from '../../topo/proto/types-workflow.ts';
import type { Cluster } from '../cluster.ts';
import type { ShardDb } from '../shard-db.ts';
import { compileFilters } from '../vreplication/filter.ts';

/** A table of a stream: where its rows come from, and which of them. */
export interface StreamTable {
  /** The target's name. */
  table: string;
  sourceTable: string;
  /** Undefined takes every row of the source. */
  accepts: ((row: Row) => boolean) | undefined;
}

/**
 * The tables that a stream fills, of those that its target has: a diff is driven by the target's schema, as in Vitess.
 * Everything that VDiff knows of rules comes from here.
 */
export async function streamTables(ctx: Context, cluster: Cluster, source: BinlogSource, target: ShardDb): Promise<StreamTable[]> {
  const filters = await compileFilters(ctx, cluster.topo, source);
  const there = new Set(target.tableNames());
  return filters.filter(({ table }) => there.has(table)).map(({ table, accepts }) => ({ table, sourceTable: table, accepts }));
}
