import type { Context } from '../../../runtime/context.ts';
import type { Cluster } from '../../../tablet/cluster.ts';
import type { ShardDb } from '../../../tablet/shard-db.ts';
import { findAllShards, keyspaceNames, shardText } from '../../../topo/keyspaces.ts';
import { shardTablets } from '../../../topo/tablets.ts';

/** A shard and its database. */
export interface OpenShard {
  /** `commerce/0`. */
  name: string;
  db: ShardDb;
}

/** The shards of a cluster that have tablets: only those have a database. Throws UserError where one is gone. */
export async function shardsOf(ctx: Context, cluster: Cluster): Promise<OpenShard[]> {
  const found: OpenShard[] = [];
  for (const keyspace of await keyspaceNames(ctx, cluster.topo)) {
    for (const info of await findAllShards(ctx, cluster.topo, keyspace)) {
      const tablets = await shardTablets(ctx, cluster.topo, info);
      if (tablets.length > 0) found.push({ name: shardText(info), db: cluster.shards.open(keyspace, info.name) });
    }
  }
  return found;
}
