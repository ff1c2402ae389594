import { splitQualified } from '../lib/sqlescape.ts';
import type { Expr, Insert, Replace } from '../sql/ast.ts';
import { evaluate } from '../sql/evaluate.ts';
import { nextSequenceValues } from '../tablet/query/sequence.ts';
import type { QueryScope } from './query-scope.ts';
import { anyShard, shardOfId } from './shards.ts';
import { chooseTablet, gateError } from './tablets.ts';
import type { GateTable } from './vschema.ts';

/** A statement whose ids are filled in, and the first of them. */
export interface Numbered {
  statement: Insert | Replace;
  insertId?: number | bigint;
}

/**
 * Gives rows without an id the next ones of the table's sequence, where the VSchema names one. The sequence is found
 * as a table is, rules included. Vitess: go/vt/vtgate/engine/insert_common.go.
 */
export async function withSequence(scope: QueryScope, statement: Insert | Replace, table: GateTable): Promise<Numbered> {
  const { auto_increment: auto } = table.entry;
  if (auto === undefined) return { statement };
  const { columns = [] } = statement;
  const found = columns.findIndex((column) => column.toLowerCase() === auto.column.toLowerCase());
  const index = found < 0 ? columns.length : found;
  const missing = statement.rows.filter((row) => wantsId(scope, row[index])).length;
  if (missing === 0) return { statement };
  const first = await reserve(scope, auto.sequence, missing);
  let next = BigInt(first);
  const rows = statement.rows.map((row) => {
    if (!wantsId(scope, row[index])) return row;
    const id: Expr = { kind: 'number', text: String(next++) };
    return found < 0 ? [...row, id] : row.toSpliced(index, 1, id);
  });
  return { statement: { ...statement, columns: found < 0 ? [...columns, auto.column] : columns, rows }, insertId: first };
}

function wantsId(scope: QueryScope, expr: Expr | undefined): boolean {
  if (expr === undefined || expr.kind === 'default') return true;
  const value = evaluate(expr, scope.evalScope);
  return value === null || value === 0;
}

async function reserve(scope: QueryScope, sequence: string, count: number): Promise<number | bigint> {
  const named = splitQualified(sequence);
  const table = scope.vschema.findRoutedTable(named.keyspace, named.table, 'PRIMARY');
  const shards = await scope.shards(table.keyspace, 'PRIMARY');
  const { pinned = '' } = table.entry;
  const shard = pinned === '' ? anyShard(shards) : shardOfId(shards, pinned.toLowerCase());
  const { alias: _, ...place } = scope.place(table.keyspace, shard, 'PRIMARY');
  const { ctx, cluster, query } = scope;
  const tablet = await chooseTablet(ctx, cluster, query.cell, place);
  try {
    const caller = query.caller === undefined ? {} : { caller: query.caller };
    return await nextSequenceValues(ctx, cluster, tablet, { table: table.name, count, ...caller });
  } catch (error) {
    throw gateError(error, place);
  }
}
