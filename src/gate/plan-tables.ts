import type { DdlStatement, SessionStatement, Statement, TableLock, TableRef } from '../sql/ast.ts';
import { done, type QueryResult } from '../tablet/query/request.ts';
import type { Piece, Plan } from './plan-types.ts';
import type { QueryScope, ResolvedTable } from './query-scope.ts';
import { places } from './route.ts';
import { anyShard, destinationShards } from './shards.ts';
import { changingSchema, gateUnsupported, noDatabaseSelected, tableDoesNotExist } from './vitess-errors.ts';

const DIFFERENT = 'Tables or Views specified in the query do not belong to the same destination';

/** Where a statement that defines tables goes: to every shard of the keyspace, or those the target names. */
export async function planDdl(scope: QueryScope, statement: DdlStatement): Promise<Plan> {
  const { target } = scope;
  if (target.destination !== undefined) {
    const keyspace = scope.neededKeyspace();
    for (const ref of refsOf(statement)) scope.checkBypass(ref);
    const names = destinationShards(await scope.shards(keyspace, target.tabletType), target.destination);
    return onAll(scope, keyspace, names, withNames(statement, ({ name }) => name));
  }
  const resolved = existing(statement).map((ref) => ({ ref, found: scope.resolveOrNew(ref) }));
  const [first] = resolved;
  if (first === undefined) return { pieces: [], merge: () => done() };
  const { keyspace } = first.found.table;
  if (resolved.some(({ found }) => found.table.keyspace !== keyspace)) throw gateUnsupported(DIFFERENT);
  checkNewNames(scope, statement, keyspace);
  const names = await ddlShards(scope, first.found);
  const nameOf = (ref: TableRef): string => resolved.find((one) => one.ref === ref)?.found.table.name ?? ref.name;
  return onAll(scope, keyspace, names, withNames(statement, nameOf));
}

async function ddlShards(scope: QueryScope, { table, destination }: ResolvedTable): Promise<string[]> {
  const shards = await scope.shards(table.keyspace, scope.target.tabletType);
  return destination === undefined ? shards.map(({ name }) => name) : destinationShards(shards, destination);
}

function onAll(scope: QueryScope, keyspace: string, names: readonly string[], statement: Statement): Plan {
  const there = places(scope, keyspace, names, scope.target.tabletType);
  return { pieces: there.map((place) => ({ place, statement })), merge: () => done() };
}

/** A table renamed stays in its keyspace. */
function checkNewNames(scope: QueryScope, statement: DdlStatement, keyspace: string): void {
  const renamed = statement.kind === 'rename-table' ? statement.renames.map(({ to }) => to) : [];
  const actions = statement.kind === 'alter-table' ? statement.actions : [];
  const altered = actions.flatMap((action) => (action.action === 'rename-table' ? [action.to] : []));
  for (const { qualifier } of [...renamed, ...altered]) {
    if (qualifier === undefined) continue;
    const to = scope.neededKeyspace(qualifier);
    if (to !== keyspace) throw changingSchema(keyspace, to);
  }
}

/** The tables that a statement finds, as opposed to the names that it gives. */
function existing(statement: DdlStatement): TableRef[] {
  if (statement.kind === 'drop-table') return statement.tables;
  if (statement.kind === 'rename-table') return statement.renames.map(({ from }) => from);
  if (statement.kind === 'create-table' && statement.like !== undefined) return [statement.table, statement.like];
  return [statement.table];
}

function refsOf(statement: DdlStatement): TableRef[] {
  if (statement.kind === 'rename-table') return statement.renames.flatMap(({ from, to }) => [from, to]);
  return existing(statement);
}

/** The statement without keyspaces, its tables called as they are after routing. */
function withNames(statement: DdlStatement, nameOf: (ref: TableRef) => string): DdlStatement {
  const table = (ref: TableRef): TableRef => ({ name: nameOf(ref) });
  switch (statement.kind) {
    case 'drop-table':
      return { ...statement, tables: statement.tables.map(table) };
    case 'rename-table': {
      const renames = statement.renames.map(({ from, to }) => ({ from: table(from), to: { name: to.name } }));
      return { ...statement, renames };
    }
    case 'create-table': {
      const like = statement.like === undefined ? {} : { like: table(statement.like) };
      return { ...statement, table: table(statement.table), ...like };
    }
    case 'alter-table': {
      const actions = statement.actions.map((action) =>
        action.action === 'rename-table' ? { ...action, to: { name: action.to.name } } : action,
      );
      return { ...statement, table: table(statement.table), actions };
    }
    default:
      return { ...statement, table: table(statement.table) };
  }
}

/**
 * Where LOCK TABLES goes: each table to all shards of its keyspace, one statement per shard. A real vtgate logs the
 * statement and does nothing; here it is how a session is made to hold up a cutover.
 */
export async function planLockTables(scope: QueryScope, locks: readonly TableLock[]): Promise<Piece[]> {
  const byShard = new Map<string, Piece & { statement: { kind: 'lock-tables'; locks: TableLock[] } }>();
  for (const lock of locks) {
    const resolved = scope.target.destination === undefined ? scope.resolve(lock.table) : bypassed(scope, lock.table);
    const { table, destination } = resolved;
    const part = scope.target.destination ?? destination;
    const shards = await scope.shards(table.keyspace, resolved.tabletType);
    const names = part === undefined ? shards.map(({ name }) => name) : destinationShards(shards, part);
    for (const place of places(scope, table.keyspace, names, resolved.tabletType)) {
      const key = `${place.keyspace}/${place.shard}`;
      const piece = byShard.get(key) ?? { place, statement: { kind: 'lock-tables', locks: [] } };
      piece.statement.locks.push({ ...lock, table: { name: table.name } });
      byShard.set(key, piece);
    }
  }
  return [...byShard.values()];
}

function bypassed(scope: QueryScope, ref: TableRef): ResolvedTable {
  scope.checkBypass(ref);
  const keyspace = scope.neededKeyspace();
  const table = { keyspace, sharded: true, name: ref.name, entry: {}, primary: undefined };
  return { table, tabletType: scope.target.tabletType };
}

/** Where SHOW goes: to any shard, or the one that the target names. */
export async function planShow(scope: QueryScope, statement: Extract<SessionStatement, { kind: 'show' }>): Promise<Plan> {
  const { tabletType, destination } = scope.target;
  const found = statement.what === 'create-table' ? shownTable(scope, statement.table) : undefined;
  const keyspace = found?.table.keyspace ?? scope.neededKeyspace(statement.what === 'tables' ? statement.from : undefined);
  const shards = await scope.shards(keyspace, tabletType);
  const name = destination === undefined ? anyShard(shards) : destinationShards(shards, destination)[0];
  if (name === undefined) throw noDatabaseSelected();
  const plain: Statement =
    statement.what === 'create-table'
      ? { kind: 'show', what: 'create-table', table: { name: found?.table.name ?? statement.table.name } }
      : { kind: 'show', what: 'tables', ...(statement.like === undefined ? {} : { like: statement.like }) };
  const pieces = places(scope, keyspace, [name], tabletType).map((place) => ({ place, statement: plain }));
  // vtgate shows the keyspace in place of the MySQL database.
  const merge = ([result]: readonly QueryResult[]): QueryResult => {
    const { columns, ...rest } = result ?? done();
    return { ...rest, columns: columns.map((column) => column.replace(`Tables_in_vt_${keyspace}`, `Tables_in_${keyspace}`)) };
  };
  return { pieces, merge };
}

function shownTable(scope: QueryScope, ref: TableRef): ResolvedTable | undefined {
  if (scope.target.destination !== undefined) return undefined;
  try {
    return scope.resolve(ref);
  } catch (error) {
    if (error instanceof Error && error.message === `table ${ref.name} not found`) throw tableDoesNotExist(ref.name);
    throw error;
  }
}
