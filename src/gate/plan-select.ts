import type { Select } from '../sql/ast.ts';
import type { TableDef } from '../sql/schema.ts';
import type { QueryResult } from '../tablet/query/request.ts';
import { type MergedSelect, splitSelect } from './merge-select.ts';
import type { Plan } from './plan-types.ts';
import type { Place, QueryScope, ResolvedTable } from './query-scope.ts';
import { plainStatement, renamedTable } from './rewrite.ts';
import { places, rowPlaces } from './route.ts';
import { anyShard } from './shards.ts';
import { targetNotAllowed } from './vitess-errors.ts';

/** Where a SELECT with a target that names shards goes. */
interface Bypass {
  keyspace: string;
  places: Place[];
}

/** Where a SELECT goes, and how the rows of several shards become one answer. Throws what vtgate's planner says. */
export async function planSelect(scope: QueryScope, select: Select, bypass?: Bypass): Promise<Plan> {
  const plain = plainStatement(select);
  if (bypass !== undefined) {
    const { keyspace } = bypass;
    const table = { keyspace, sharded: true, name: select.from?.name ?? '', entry: {}, primary: undefined };
    const def = select.from === undefined ? undefined : await scope.definition(table, scope.target.tabletType);
    return planOf(plain, bypass.places, def);
  }
  if (select.from === undefined) return planOf(plain, [await anyPlace(scope)], undefined);
  return planResolved(scope, select, scope.resolve(select.from));
}

/** Where a SELECT about this table goes. */
export async function planResolved(scope: QueryScope, select: Select, resolved: ResolvedTable): Promise<Plan> {
  if (resolved.destination !== undefined) throw targetNotAllowed('SELECT');
  const { table, tabletType } = resolved;
  const there = await rowPlaces(scope, resolved, select.where);
  const used = table.entry.type === 'reference' ? there.slice(0, 1) : there;
  const def = used.length > 1 ? await scope.definition(table, tabletType) : undefined;
  return planOf(renamedTable(plainStatement(select), table.name), used, def);
}

/** A SELECT without a table is answered by any shard. */
async function anyPlace(scope: QueryScope): Promise<Place> {
  const selected = scope.selectedKeyspace();
  const keyspace = selected === '' ? (scope.vschema.anyKeyspace() ?? scope.neededKeyspace()) : selected;
  const type = scope.target.tabletType;
  const [place] = places(scope, keyspace, [anyShard(await scope.shards(keyspace, type))], type);
  return place!;
}

function planOf(select: Select, there: readonly Place[], def: TableDef | undefined): Plan {
  if (there.length === 1) {
    return { pieces: there.map((place) => ({ place, statement: select })), merge: onlyResult };
  }
  const { statement, merge }: MergedSelect = splitSelect(select, def);
  return { pieces: there.map((place) => ({ place, statement })), merge };
}

function onlyResult(results: readonly QueryResult[]): QueryResult {
  return results[0] ?? { columns: [], rows: [], rowsAffected: 0 };
}
