import { idToHex } from '../lib/key-range.ts';
import type { TabletType } from '../lib/names.ts';
import type { Expr } from '../sql/ast.ts';
import { equalityValues } from '../sql/routing.ts';
import type { Value } from '../sql/value.ts';
import type { Place, QueryScope, ResolvedTable } from './query-scope.ts';
import { anyShard, destinationShards, type ServingShard, shardOfId } from './shards.ts';
import { gateUnsupported } from './vitess-errors.ts';
import type { GateTable } from './vschema.ts';

/** Rows stay in their shard: the columns that choose it cannot change. */
export function checkVindexUpdate(table: GateTable, columns: readonly string[]): void {
  const { primary } = table;
  const lower = columns.map((column) => column.toLowerCase());
  if (primary?.columns.some((column) => lower.includes(column.toLowerCase())) !== true) return;
  throw gateUnsupported(`you cannot UPDATE primary vindex columns; invalid update on vindex: ${primary.name}`);
}

/** The places whose rows a WHERE clause can match, in the order of the shards. */
export async function rowPlaces(scope: QueryScope, resolved: ResolvedTable, where: Expr | undefined): Promise<Place[]> {
  const { table, tabletType, destination } = resolved;
  const shards = await scope.shards(table.keyspace, tabletType);
  const names = destination === undefined ? rowShards(scope, table, shards, where) : destinationShards(shards, destination);
  return places(scope, table.keyspace, names, tabletType);
}

/** Shards as places. */
export function places(scope: QueryScope, keyspace: string, names: readonly string[], type: TabletType): Place[] {
  return names.map((name) => scope.place(keyspace, name, type));
}

function rowShards(
  scope: QueryScope,
  table: GateTable,
  shards: readonly ServingShard[],
  where: Expr | undefined,
): string[] {
  if (!table.sharded) return [anyShard(shards)];
  const { pinned = '' } = table.entry;
  if (pinned !== '') return [shardOfId(shards, pinned.toLowerCase())];
  const all = shards.map(({ name }) => name);
  const ids = keyspaceIds(scope, table, where);
  if (ids === undefined) return all;
  const hit = new Set(ids.map((id) => shardOfId(shards, id)));
  const found = all.filter((name) => hit.has(name));
  // A statement that matches no row still has columns to answer with.
  return found.length > 0 ? found : [anyShard(shards)];
}

/** More keyspace ids than this are looked for everywhere. */
const MOST_IDS = 1000;

/** The keyspace ids that a WHERE clause leaves; undefined when it does not pin the primary vindex. */
function keyspaceIds(scope: QueryScope, table: GateTable, where: Expr | undefined): string[] | undefined {
  const { primary } = table;
  if (primary === undefined) return undefined;
  let tuples: Value[][] = [[]];
  for (const column of primary.columns) {
    const values = equalityValues(where, column, scope.evalScope);
    if (values === undefined || values.length * tuples.length > MOST_IDS) return undefined;
    tuples = tuples.flatMap((tuple) => values.map((value) => [...tuple, value]));
  }
  return tuples.flatMap((tuple) => {
    const id = primary.vindex.map(tuple);
    return id === undefined ? [] : [idToHex(id)];
  });
}
