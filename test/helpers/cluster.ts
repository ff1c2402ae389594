import { findRelease } from '../../src/lib/releases.ts';
import { background, type Context } from '../../src/runtime/context.ts';
import { VirtualMachine } from '../../src/runtime/world.ts';
import { parseStatement } from '../../src/sql/parser.ts';
import type { Cluster } from '../../src/tablet/cluster.ts';
import { execute } from '../../src/tablet/query/execute.ts';
import type { QueryResult } from '../../src/tablet/query/request.ts';
import { memoryShards, type ShardDb } from '../../src/tablet/shard-db.ts';
import { refreshView } from '../../src/tablet/view.ts';
import { addCell } from '../../src/topo/cells.ts';
import { ETCD_NAMES } from '../../src/topo/conn/directory.ts';
import { MemoryTopoStore, openMemoryConn } from '../../src/topo/conn/memory-conn.ts';
import { createShard, ensureKeyspace, getShard, shardText, updateShardFields } from '../../src/topo/keyspaces.ts';
import { lockKeyspace } from '../../src/topo/locks.ts';
import { keyRangeToProto } from '../../src/topo/proto/key-range.ts';
import { validateShardName } from '../../src/lib/names.ts';
import type { Tablet, TabletControl, TabletType, VSchemaKeyspace } from '../../src/topo/proto/types.ts';
import { rebuildKeyspaceGraph } from '../../src/topo/srv-keyspace.ts';
import { createTablet, setShardPrimary, shardTablets } from '../../src/topo/tablets.ts';
import { rebuildSrvVSchema, saveVSchema } from '../../src/topo/vschema.ts';

/** A keyspace of a test cluster. */
export interface KeyspaceShape {
  /** Shards by name, each with a primary and the tablets of `types`. */
  shards: readonly string[];
  vschema?: VSchemaKeyspace;
  types?: readonly TabletType[];
  /** SQL run on every shard's primary once it is there. */
  schema?: readonly string[];
}

/** A cluster in memory, in one cell, on virtual time. */
export class TestCluster {
  readonly ctx: Context = background();
  readonly machine = new VirtualMachine();
  readonly cluster: Cluster;
  readonly cell = 'zone1';
  #uid = 100;

  private constructor(release: string) {
    const world = this.machine.world();
    const found = findRelease(release);
    const policy = { renewed: true, reapDead: true, names: ETCD_NAMES };
    const conn = openMemoryConn(new MemoryTopoStore(), world, policy);
    this.cluster = {
      world,
      release: found,
      topo: { conn, release: found, world, lockTimeoutMs: 45_000, held: new Set() },
      shards: memoryShards(world),
    };
  }

  static async make(keyspaces: Record<string, KeyspaceShape>, release = 'hardened'): Promise<TestCluster> {
    const made = new TestCluster(release);
    await addCell(made.ctx, made.cluster.topo, made.cell);
    for (const [keyspace, shape] of Object.entries(keyspaces)) await made.#addKeyspace(keyspace, shape);
    await rebuildSrvVSchema(made.ctx, made.cluster.topo);
    for (const [keyspace, shape] of Object.entries(keyspaces)) {
      for (const shard of shape.shards) for (const sql of shape.schema ?? []) await made.run(keyspace, shard, sql);
    }
    return made;
  }

  async #addKeyspace(keyspace: string, shape: KeyspaceShape): Promise<void> {
    const { ctx, cluster } = this;
    await ensureKeyspace(ctx, cluster.topo, keyspace);
    if (shape.vschema !== undefined) await saveVSchema(ctx, cluster.topo, keyspace, shape.vschema, null);
    for (const shard of shape.shards) {
      await createShard(ctx, cluster.topo, keyspace, shard);
      const primary = await this.addTablet(keyspace, shard, 'PRIMARY');
      await setShardPrimary(ctx, cluster.topo, await getShard(ctx, cluster.topo, keyspace, shard), primary);
      for (const type of shape.types ?? []) await this.addTablet(keyspace, shard, type);
    }
    await rebuildKeyspaceGraph(ctx, cluster.topo, keyspace);
    for (const shard of shape.shards) await this.refresh(keyspace, shard);
  }

  /** Adds a tablet's record; `refresh` its shard before it answers. */
  async addTablet(keyspace: string, shard: string, type: TabletType): Promise<Tablet> {
    const { keyRange } = validateShardName(shard);
    const tablet: Tablet = {
      alias: { cell: this.cell, uid: this.#uid++ },
      hostname: 'localhost',
      keyspace,
      shard,
      type,
      ...(keyRange === undefined ? {} : { key_range: keyRangeToProto(keyRange) }),
    };
    await createTablet(this.ctx, this.cluster.topo, tablet);
    return tablet;
  }

  /** Makes every tablet of a shard read its shard again. */
  async refresh(keyspace: string, shard: string): Promise<void> {
    for (const tablet of await shardTablets(this.ctx, this.cluster.topo, { keyspace, name: shard })) {
      await refreshView(this.ctx, this.cluster, tablet);
    }
  }

  shard(keyspace: string, shard: string): ShardDb {
    return this.cluster.shards.open(keyspace, shard);
  }

  /** Sets the tablet controls of a shard and refreshes its tablets. */
  async control(keyspace: string, shard: string, controls: TabletControl[]): Promise<void> {
    const { topo } = this.cluster;
    const locked = await lockKeyspace(this.ctx, topo, keyspace, 'test');
    await updateShardFields(locked.ctx, topo, keyspace, shard, (record) => {
      record.tablet_controls = controls;
      return true;
    });
    await locked.unlock(undefined);
    await this.refresh(keyspace, shard);
  }

  /** Runs a statement on a shard's primary, or on its first tablet of another type. */
  async run(
    keyspace: string,
    shard: string,
    sql: string,
    options: { session?: string; type?: TabletType; ctx?: Context; as?: TabletType } = {},
  ): Promise<QueryResult> {
    const { type = 'PRIMARY', as = type, session, ctx = this.ctx } = options;
    const tablets = await shardTablets(this.ctx, this.cluster.topo, { keyspace, name: shard });
    const tablet = tablets.find((candidate) => candidate.type === type);
    if (tablet === undefined) throw new Error(`no ${type} in ${shardText({ keyspace, name: shard })}`);
    const alias = `${tablet.alias.cell}-${String(tablet.alias.uid).padStart(10, '0')}`;
    return execute(ctx, this.cluster, { alias, shard: this.shard(keyspace, shard) }, {
      statement: parseStatement(sql),
      tabletType: as,
      ...(session === undefined ? {} : { session }),
    });
  }

  /** The rows of a SELECT on a shard's primary. */
  async rows(keyspace: string, shard: string, sql: string, session?: string): Promise<unknown[][]> {
    return (await this.run(keyspace, shard, sql, session === undefined ? {} : { session })).rows;
  }
}
