import type { RowStatement } from '../tablet/query/request.ts';
import { planInsert } from './plan-insert.ts';
import { planSelect } from './plan-select.ts';
import { mergeWrites, type Plan } from './plan-types.ts';
import type { QueryScope } from './query-scope.ts';
import { plainStatement, renamedTable } from './rewrite.ts';
import { checkVindexUpdate, places, rowPlaces } from './route.ts';
import { destinationShards } from './shards.ts';
import { gateUnsupported, insertIntoRange, replicaTarget } from './vitess-errors.ts';

/** Where a statement about rows goes. Throws what vtgate's planner says. */
export async function planRows(scope: QueryScope, statement: RowStatement): Promise<Plan> {
  if (scope.target.destination !== undefined) return planBypass(scope, statement);
  if (statement.kind === 'select') return planSelect(scope, statement);
  const resolved = scope.resolve(statement.table);
  if (resolved.tabletType !== 'PRIMARY') throw replicaTarget(statement.kind);
  if (statement.kind === 'insert' || statement.kind === 'replace') return planInsert(scope, statement, resolved);
  const { table } = resolved;
  if (statement.kind === 'update') checkVindexUpdate(table, statement.set.map(({ column }) => column.name));
  const there = await rowPlaces(scope, resolved, statement.where);
  if (there.length > 1 && statement.limit !== undefined) {
    throw gateUnsupported(`multi shard ${statement.kind.toUpperCase()} with LIMIT`);
  }
  const renamed = renamedTable(plainStatement(statement), table.name);
  return { pieces: there.map((place) => ({ place, statement: renamed })), merge: mergeWrites };
}

/** A target that names a part of a keyspace goes there as it is: no rules but those for shards. */
async function planBypass(scope: QueryScope, statement: RowStatement): Promise<Plan> {
  const { destination, tabletType } = scope.target;
  if (destination === undefined) return { pieces: [], merge: mergeWrites };
  const keyspace = scope.neededKeyspace();
  if (statement.kind === 'insert' && destination.kind === 'range') throw insertIntoRange(scope.query.target ?? '');
  scope.checkBypass(statement.kind === 'select' ? statement.from : statement.table);
  const names = destinationShards(await scope.shards(keyspace, tabletType), destination);
  const there = places(scope, keyspace, names, tabletType);
  if (statement.kind === 'select') return planSelect(scope, statement, { keyspace, places: there });
  const plain = plainStatement(statement);
  return { pieces: there.map((place) => ({ place, statement: plain })), merge: mergeWrites };
}
