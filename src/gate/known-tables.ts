import type { Context } from '../runtime/context.ts';
import type { TableRef } from '../sql/ast.ts';
import type { TableDef } from '../sql/schema.ts';
import { type Cluster, watchedCluster } from '../tablet/cluster.ts';
import { QueryScope } from './query-scope.ts';

/** A table as an application reaches it by its name alone. */
export interface KnownTable {
  name: string;
  /** The keyspace that it is asked for in; undefined for a name that is enough alone. */
  qualifier: string | undefined;
  /** Where the rules send its writes now. */
  keyspace: string;
  def: TableDef;
  /** Columns that choose a shard, here or in any other keyspace that has a table of the name. */
  vindexColumns: string[];
}

/** Finds a table by its name, `customer` or `commerce.customer`. Throws what a query on it would. */
export async function findKnownTable(ctx: Context, cluster: Cluster, cell: string, name: string): Promise<KnownTable | undefined> {
  return knownTable(await QueryScope.open(ctx, watchedCluster(cluster), { sql: '', cell }), refOf(name));
}

function refOf(text: string): TableRef {
  const dot = text.indexOf('.');
  return dot < 0 ? { name: text } : { qualifier: text.slice(0, dot), name: text.slice(dot + 1) };
}

/** Every table that a name alone reaches, by name. Sequences are left out. */
export async function allKnownTables(ctx: Context, cluster: Cluster, cell: string): Promise<KnownTable[]> {
  const scope = await QueryScope.open(ctx, watchedCluster(cluster), { sql: '', cell });
  const names = new Set<string>();
  for (const [keyspace, { tables = {} }] of scope.vschema.keyspaces) {
    for (const name of Object.keys(tables)) names.add(name);
    const [first] = await scope.shards(keyspace, 'PRIMARY').catch(() => []);
    if (first !== undefined) for (const name of cluster.shards.open(keyspace, first.name).tableNames()) names.add(name);
  }
  const found: KnownTable[] = [];
  for (const name of [...names].toSorted()) {
    // A name that is ambiguous, or of a table that is not there, is nothing to write to.
    const table = await knownTable(scope, { name }).catch(() => undefined);
    if (table !== undefined) found.push(table);
  }
  return found;
}

/** The shards that hold a table's rows where its writes go now. Throws what a query on it would. */
export async function shardsOfTable(ctx: Context, cluster: Cluster, cell: string, name: string): Promise<{ keyspace: string; shard: string }[]> {
  const scope = await QueryScope.open(ctx, watchedCluster(cluster), { sql: '', cell });
  const { table } = scope.resolve(refOf(name));
  return (await scope.shards(table.keyspace, 'PRIMARY')).map((shard) => {
    const place = scope.place(table.keyspace, shard.name, 'PRIMARY');
    return { keyspace: place.keyspace, shard: place.shard };
  });
}

async function knownTable(scope: QueryScope, ref: TableRef): Promise<KnownTable | undefined> {
  const { table } = scope.resolve(ref);
  const def = await scope.definition(table, 'PRIMARY');
  if (def === undefined || (table.entry.type ?? '') === 'sequence') return undefined;
  const vindexColumns = [...scope.vschema.keyspaces.values()].flatMap((keyspace) =>
    (keyspace.tables?.[table.name]?.column_vindexes ?? []).flatMap(({ column, columns = [] }) => [
      ...(column === undefined || column === '' ? [] : [column]),
      ...columns,
    ]),
  );
  return { name: ref.name, qualifier: ref.qualifier, keyspace: table.keyspace, def, vindexColumns: [...new Set(vindexColumns)] };
}
