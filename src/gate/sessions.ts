import type { Context } from '../runtime/context.ts';
import type { Cluster } from '../tablet/cluster.ts';
import {
  closeTransaction,
  hasSession,
  inTransaction,
  isReadOnly,
  openTransaction,
  releaseLockTables,
} from '../tablet/query/sessions.ts';
import type { ShardDb } from '../tablet/shard-db.ts';
import { keyspaceNames } from '../topo/keyspaces.ts';
import { paths } from '../topo/paths.ts';
import { listNames } from '../topo/server.ts';

/**
 * A client's session. The gate keeps nothing of it: it is what the shards know of it, so that a session lives on
 * between commands and dies with `session kill` on every shard.
 */
export class GateSession {
  readonly name: string;
  /** Every shard of the cluster, by keyspace and name. */
  readonly #shards: ShardDb[];

  private constructor(name: string, shards: ShardDb[]) {
    this.name = name;
    this.#shards = shards;
  }

  /** Looks for a session on every shard. */
  static async find(ctx: Context, cluster: Cluster, name: string): Promise<GateSession> {
    const shards: ShardDb[] = [];
    for (const keyspace of await keyspaceNames(ctx, cluster.topo)) {
      for (const shard of await listNames(ctx, cluster.topo.conn, paths.shards(keyspace))) {
        shards.push(cluster.shards.open(keyspace, shard));
      }
    }
    return new GateSession(name, shards);
  }

  /** The shards that know the session. */
  known(): ShardDb[] {
    return this.#shards.filter((shard) => hasSession(shard, this.name));
  }

  /** The shards on which it has a transaction open. */
  open(): ShardDb[] {
    return this.#shards.filter((shard) => inTransaction(shard, this.name));
  }

  /** Opens a transaction where the session lives, or on the first shard, which then stands for it until others join. */
  async begin(cluster: Cluster, readOnly: boolean): Promise<void> {
    const known = this.known();
    for (const shard of known.length > 0 ? known : this.#shards.slice(0, 1)) await this.#openOn(cluster, shard, readOnly);
  }

  /** Takes a shard into the session's transaction, if it has one. */
  async join(cluster: Cluster, shard: ShardDb): Promise<void> {
    const [open] = this.open();
    if (open === undefined || inTransaction(shard, this.name)) return;
    await this.#openOn(cluster, shard, isReadOnly(open, this.name));
  }

  /** ROLLBACK. It needs no tablet and no context: it also cleans up after one that has ended. */
  async rollBack(cluster: Cluster): Promise<void> {
    for (const shard of this.open()) await shard.db.write(cluster.world.clock, () => closeTransaction(shard, this.name));
  }

  /** UNLOCK TABLES, which needs as little. */
  async unlockTables(cluster: Cluster): Promise<void> {
    for (const shard of this.known()) await shard.db.write(cluster.world.clock, () => releaseLockTables(shard, this.name));
  }

  #openOn(cluster: Cluster, shard: ShardDb, readOnly: boolean): Promise<void> {
    const { clock } = cluster.world;
    return shard.db.write(clock, () => openTransaction(shard, this.name, clock.now(), readOnly));
  }
}

/** True if the session has a transaction open on any shard; false without a session. */
export async function hasOpenTransaction(ctx: Context, cluster: Cluster, session: string | undefined): Promise<boolean> {
  return session !== undefined && (await GateSession.find(ctx, cluster, session)).open().length > 0;
}
