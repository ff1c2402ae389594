import type { TabletAlias, TabletType } from '../lib/names.ts';
import type { Context } from '../runtime/context.ts';
import type { TableRef } from '../sql/ast.ts';
import type { EvalScope } from '../sql/evaluate.ts';
import type { TableDef } from '../sql/schema.ts';
import type { Cluster } from '../tablet/cluster.ts';
import { mysqlTime } from '../tablet/query/mysql-time.ts';
import type { SrvVSchema } from '../topo/proto/types.ts';
import { getSrvKeyspace, partitionOf } from '../topo/srv-keyspace.ts';
import { getSrvVSchema } from '../topo/vschema.ts';
import { servingShardsOf, type ServingShard } from './shards.ts';
import { type Destination, parseTarget, type Target } from './target.ts';
import { gateUnsupported, noDatabaseSelected } from './vitess-errors.ts';
import { type GateTable, GateVSchema } from './vschema.ts';

/** What a client sends. */
export interface Query {
  sql: string;
  /** A session that lives on after the statement. */
  session?: string;
  /** The target, as of `USE`: `customer`, `customer:-80@replica`. */
  target?: string;
  /** The cell of the vtgate: its SrvVSchema and SrvKeyspace are the ones read. */
  cell: string;
  /** False for a vtgate that was started without --enable-partial-keyspace-migration, as it is by default: it has no shard routing rules. */
  shardRules?: boolean;
  /** Who asks; `user` when not given. */
  caller?: string;
}

/** A place that part of a statement goes to. */
export interface Place {
  keyspace: string;
  shard: string;
  tabletType: TabletType;
  /** The one tablet to use. */
  alias?: TabletAlias;
}

/** A table of a statement: what it is after routing, and where its rows are to be looked for. */
export interface ResolvedTable {
  table: GateTable;
  /** The type of the tablets asked: the qualifier's, else the target's. */
  tabletType: TabletType;
  /** A part of the keyspace that the qualifier names. */
  destination?: Destination;
}

/** One statement on its way through the gate. */
export class QueryScope {
  readonly ctx: Context;
  readonly cluster: Cluster;
  readonly query: Query;
  readonly vschema: GateVSchema;
  readonly target: Target;

  private constructor(ctx: Context, cluster: Cluster, query: Query, vschema: GateVSchema, target: Target) {
    this.ctx = ctx;
    this.cluster = cluster;
    this.query = query;
    this.vschema = vschema;
    this.target = target;
  }

  /** Reads the cell's VSchema and the target. Throws what is wrong with the target, VT05003. */
  static async open(ctx: Context, cluster: Cluster, query: Query): Promise<QueryScope> {
    const record = (await getSrvVSchema(ctx, cluster.topo, query.cell)) ?? {};
    const target = parseTarget(query.target ?? '');
    const tracked = target.keyspace === '' ? await trackedTables(ctx, cluster, query.cell, record) : new Map<string, string[]>();
    const vschema = new GateVSchema(record, (keyspace) => tracked.get(keyspace) ?? []);
    if (target.keyspace !== '') vschema.keyspace(target.keyspace);
    return new QueryScope(ctx, cluster, query, vschema, target);
  }

  /** What now() is in expressions that the gate works out itself. */
  get evalScope(): EvalScope {
    return { now: mysqlTime(this.cluster.world.clock.now()), writing: true };
  }

  /** The keyspace that the target selects; empty where there is none. */
  selectedKeyspace(): string {
    return this.target.keyspace === '' ? (this.vschema.onlyKeyspace() ?? '') : this.target.keyspace;
  }

  /** The keyspace for a statement that needs one: the qualifier's, else the selected one. Throws VT09005, VT05003. */
  neededKeyspace(qualifier?: string): string {
    const named = qualifier === undefined ? '' : parseTarget(qualifier, this.target.tabletType).keyspace;
    const keyspace = named === '' ? this.selectedKeyspace() : named;
    if (keyspace === '') throw noDatabaseSelected();
    this.vschema.keyspace(keyspace);
    return keyspace;
  }

  /**
   * A table as written. The type that rules are looked up for is the target's, as in Vitess, whatever the qualifier
   * says; unlike there, the qualifier's type chooses the tablet. Throws as `GateVSchema.findRoutedTable`.
   */
  resolve(ref: TableRef): ResolvedTable {
    const { keyspace, ...rest } = this.#qualified(ref);
    return { table: this.vschema.findRoutedTable(keyspace, ref.name, this.target.tabletType), ...rest };
  }

  /** As `resolve`; a table that no rule or VSchema knows is one of the selected keyspace. Throws VT09005. */
  resolveOrNew(ref: TableRef): ResolvedTable {
    const { keyspace, ...rest } = this.#qualified(ref);
    const table = this.vschema.findIfAny(keyspace, ref.name, this.target.tabletType);
    if (table !== undefined) return { table, ...rest };
    const needed = this.neededKeyspace(ref.qualifier);
    const sharded = this.vschema.keyspace(needed).sharded === true;
    return { table: { keyspace: needed, sharded, name: ref.name, entry: {}, primary: undefined }, ...rest };
  }

  #qualified(ref: TableRef): { keyspace: string; tabletType: TabletType; destination?: Destination } {
    const parsed = parseTarget(ref.qualifier ?? '', this.target.tabletType);
    const keyspace = parsed.keyspace === '' ? this.selectedKeyspace() : parsed.keyspace;
    const { tabletType, destination } = parsed;
    return { keyspace, tabletType, ...(destination === undefined ? {} : { destination }) };
  }

  /** The shards of a keyspace that serve a tablet type here. */
  shards(keyspace: string, type: TabletType): Promise<ServingShard[]> {
    return servingShardsOf(this.ctx, this.cluster, this.query.cell, keyspace, type);
  }

  /** A shard as a place, after the shard routing rules. */
  place(keyspace: string, shard: string, tabletType: TabletType): Place {
    const { alias } = this.target;
    const routed = this.query.shardRules === false ? keyspace : this.vschema.routedShard(keyspace, shard);
    return { keyspace: routed, shard, tabletType, ...(alias === undefined ? {} : { alias }) };
  }

  /** A table's columns as the tablets have them: what vtgate learns by schema tracking. */
  async definition(table: GateTable, type: TabletType): Promise<TableDef | undefined> {
    const [first] = await this.shards(table.keyspace, type);
    if (first === undefined) return undefined;
    const { keyspace, shard } = this.place(table.keyspace, first.name, type);
    return this.cluster.shards.open(keyspace, shard).findTable(table.name);
  }

  /** Refuses a table of another keyspace beside a target that names a part of one. */
  checkBypass(ref: TableRef | undefined): void {
    const { qualifier } = ref ?? {};
    if (qualifier === undefined || qualifier === this.selectedKeyspace()) return;
    throw gateUnsupported(`a table of ${qualifier} with the target ${this.query.target ?? ''}`);
  }
}

/** The tables that exist in each unsharded keyspace. */
async function trackedTables(
  ctx: Context,
  cluster: Cluster,
  cell: string,
  record: SrvVSchema,
): Promise<Map<string, string[]>> {
  const found = new Map<string, string[]>();
  for (const [keyspace, { sharded }] of Object.entries(record.keyspaces ?? {})) {
    if (sharded === true) continue;
    const serving = partitionOf(await getSrvKeyspace(ctx, cluster.topo, cell, keyspace), 'PRIMARY');
    const [first] = serving?.shard_references ?? [];
    if (first !== undefined) found.set(keyspace, cluster.shards.open(keyspace, first.name).tableNames());
  }
  return found;
}
