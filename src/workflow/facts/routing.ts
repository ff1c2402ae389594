import type { Context } from '../../runtime/context.ts';
import { type Cluster, observing } from '../../tablet/cluster.ts';
import { cellNames } from '../../topo/cells.ts';
import { keyspaceNames } from '../../topo/keyspaces.ts';
import { paths } from '../../topo/paths.ts';
import type { SrvVSchema, VSchemaKeyspace } from '../../topo/proto/types.ts';
import { getKeyspaceRoutingRules, getRoutingRules, getShardRoutingRules, keyspaceRoutingMap, shardRoutingMap } from '../../topo/rules.ts';
import { findRecord, listNames } from '../../topo/server.ts';
import { getSrvVSchema } from '../../topo/vschema.ts';

/** The tablet types that queries ask for. */
export const ROUTED_TYPES = ['PRIMARY', 'REPLICA', 'RDONLY'] as const;
export type RoutedType = (typeof ROUTED_TYPES)[number];

/** Where a name leads for a tablet type. */
export interface RouteFacts {
  /** As a query would write it: `customer`, `commerce.customer`. */
  from: string;
  table: string;
  type: RoutedType;
  /** `keyspace.table` by the saved rules; '' where the name leads nowhere. */
  global: string;
  /** The same by each cell's serving copy, which is what queries follow. */
  cells: Record<string, string>;
  /** Some cell's copy disagrees with the saved rules. */
  differs: boolean;
}

/** Where a shard's queries go after the rules for tables: the keyspace that has its rows by the shard routing rules. */
export interface ShardRouteFacts {
  keyspace: string;
  shard: string;
  /** By the saved rules; the keyspace itself where there is none. */
  global: string;
  cells: Record<string, string>;
  differs: boolean;
}

/** Rules that stand in one place and not, or not so, in the other. */
export interface UnpublishedRule {
  cell: string;
  /** Of which kind they are, other than table routing rules. */
  of?: 'shards' | 'keyspaces';
  from: string;
  /** Undefined where there is none. */
  saved: string | undefined;
  published: string | undefined;
}

/** Every table's routes, by name, and what the cells have not been told. */
export interface RoutingFacts {
  cells: string[];
  routes: RouteFacts[];
  /** Shards that some rule is about. */
  shards: ShardRouteFacts[];
  unpublished: UnpublishedRule[];
}

/** Reads the saved rules and each cell's copy, and follows every table through both. */
export async function gatherRouting(ctx: Context, looked: Cluster): Promise<RoutingFacts> {
  const cluster = observing(looked);
  const { topo } = cluster;
  const cells = await cellNames(ctx, topo);
  const tracked = await readTables(ctx, cluster);
  const saved = await savedRules(ctx, cluster, [...tracked.keys()]);
  const global = new Router(saved, tracked);
  const routers = new Map<string, Router>();
  for (const cell of cells) routers.set(cell, new Router((await getSrvVSchema(ctx, topo, cell)) ?? {}, tracked));
  const routes = names(saved, tracked).flatMap(({ from, table }) =>
    ROUTED_TYPES.map((type) => {
      const to = global.follow(from, type);
      const byCell = Object.fromEntries([...routers].map(([cell, router]) => [cell, router.follow(from, type)]));
      return { from, table, type, global: to, cells: byCell, differs: Object.values(byCell).some((other) => other !== to) };
    }),
  );
  const unpublished = cells.flatMap((cell) => [
    ...differences(cell, global.rules, routers.get(cell)!.rules),
    ...differences(cell, global.shards, routers.get(cell)!.shards, 'shards'),
    ...differences(cell, global.keyspaces, routers.get(cell)!.keyspaces, 'keyspaces'),
  ]);
  return { cells, routes, shards: shardRoutes(global, routers), unpublished };
}

function shardRoutes(global: Router, routers: ReadonlyMap<string, Router>): ShardRouteFacts[] {
  const keys = new Set([global, ...routers.values()].flatMap((router) => [...router.shards.keys()]));
  return [...keys].toSorted().map((key) => {
    const [keyspace, shard] = [key.slice(0, key.indexOf('.')), key.slice(key.indexOf('.') + 1)];
    const to = (router: Router): string => router.shards.get(key) ?? keyspace;
    const cells = Object.fromEntries([...routers].map(([cell, router]) => [cell, to(router)]));
    return { keyspace, shard, global: to(global), cells, differs: Object.values(cells).some((other) => other !== to(global)) };
  });
}

/** The tables that each keyspace has, by what its shards hold: what vtgate's schema tracking finds. */
async function readTables(ctx: Context, cluster: Cluster): Promise<Map<string, Set<string>>> {
  const tables = new Map<string, Set<string>>();
  for (const keyspace of await keyspaceNames(ctx, cluster.topo)) {
    const shards = await listNames(ctx, cluster.topo.conn, paths.shards(keyspace));
    tables.set(keyspace, new Set(shards.flatMap((shard) => cluster.shards.open(keyspace, shard).tableNames())));
  }
  return tables;
}

async function savedRules(ctx: Context, cluster: Cluster, keyspaces: readonly string[]): Promise<SrvVSchema> {
  const { topo } = cluster;
  const vschemas: Record<string, VSchemaKeyspace> = {};
  for (const keyspace of keyspaces) {
    vschemas[keyspace] = (await findRecord<VSchemaKeyspace>(ctx, topo.conn, paths.vschema(keyspace)))?.record ?? {};
  }
  return {
    keyspaces: vschemas,
    routing_rules: await getRoutingRules(ctx, topo),
    shard_routing_rules: await getShardRoutingRules(ctx, topo),
    keyspace_routing_rules: (await getKeyspaceRoutingRules(ctx, topo)) ?? {},
  };
}

/** Each table under its bare name and under that of every keyspace that has it or has rules for it. */
function names(saved: SrvVSchema, tracked: ReadonlyMap<string, ReadonlySet<string>>): { from: string; table: string }[] {
  const found = new Map<string, string>();
  const add = (from: string): void => void found.set(from, from.slice(from.indexOf('.') + 1));
  for (const [keyspace, tables] of tracked) {
    for (const table of [...tables, ...Object.keys(saved.keyspaces?.[keyspace]?.tables ?? {})]) {
      add(table);
      add(`${keyspace}.${table}`);
    }
  }
  for (const { from_table: from } of saved.routing_rules?.rules ?? []) add(from.replace(/@.*$/, ''));
  return [...found]
    .map(([from, table]) => ({ from, table }))
    .toSorted((a, b) => compare(a.table, b.table) || compare(keyspaceOf(a.from), keyspaceOf(b.from)));
}

/** '' for a bare name, which is the first to be shown. */
function keyspaceOf(from: string): string {
  return from.includes('.') ? from.slice(0, from.indexOf('.')) : '';
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

type Rules = ReadonlyMap<string, readonly string[] | string>;

function differences(cell: string, saved: Rules, published: Rules, of?: UnpublishedRule['of']): UnpublishedRule[] {
  const keys = [...new Set([...saved.keys(), ...published.keys()])].toSorted();
  return keys.flatMap((from) => {
    const [one, other] = [saved.get(from)?.toString(), published.get(from)?.toString()];
    return one === other ? [] : [{ cell, ...(of !== undefined && { of }), from, saved: one, published: other }];
  });
}

/** Follows names as the gate does: keyspace rules, then table rules, then the VSchema. One step only. */
class Router {
  readonly rules: ReadonlyMap<string, readonly string[]>;
  readonly shards: ReadonlyMap<string, string>;
  readonly keyspaces: ReadonlyMap<string, string>;
  readonly #vschemas: Readonly<Record<string, VSchemaKeyspace>>;
  readonly #tracked: ReadonlyMap<string, ReadonlySet<string>>;

  constructor(record: SrvVSchema, tracked: ReadonlyMap<string, ReadonlySet<string>>) {
    this.rules = new Map((record.routing_rules?.rules ?? []).map((rule) => [rule.from_table, rule.to_tables ?? []]));
    this.shards = shardRoutingMap(record.shard_routing_rules ?? {});
    this.keyspaces = keyspaceRoutingMap(record.keyspace_routing_rules);
    this.#vschemas = record.keyspaces ?? {};
    this.#tracked = tracked;
  }

  /** `keyspace.table`, or '' where the name is unknown, ambiguous or disabled. */
  follow(from: string, type: RoutedType): string {
    const dot = from.indexOf('.');
    const table = from.slice(dot + 1);
    const keyspace = dot < 0 ? '' : this.#routedKeyspace(from.slice(0, dot), type);
    const qualified = dot < 0 ? table : `${keyspace}.${table}`;
    const rule = this.rules.get(`${qualified}@${type.toLowerCase()}`) ?? this.rules.get(qualified);
    if (rule !== undefined) return rule.length === 1 ? rule[0]! : '';
    if (dot >= 0) return this.#has(keyspace, table) ? qualified : '';
    const owners = Object.keys(this.#vschemas).filter((name) => this.#has(name, table) && this.#vschemas[name]?.require_explicit_routing !== true);
    const listed = owners.filter((name) => this.#vschemas[name]?.tables?.[table] !== undefined);
    const [owner, ...others] = listed.length > 0 ? listed : owners;
    return owner === undefined || others.length > 0 ? '' : `${owner}.${table}`;
  }

  #routedKeyspace(keyspace: string, type: RoutedType): string {
    const plain = this.keyspaces.get(keyspace) ?? keyspace;
    return type === 'PRIMARY' ? plain : (this.keyspaces.get(`${keyspace}@${type.toLowerCase()}`) ?? plain);
  }

  /** A sharded keyspace serves what its VSchema lists, another one whatever is there. */
  #has(keyspace: string, table: string): boolean {
    const vschema = this.#vschemas[keyspace];
    if (vschema?.tables?.[table] !== undefined) return true;
    return vschema?.sharded !== true && this.#tracked.get(keyspace)?.has(table) === true;
  }
}
