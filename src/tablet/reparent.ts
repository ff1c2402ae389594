import type { Context } from '../runtime/context.ts';
import { updateShardFields } from '../topo/keyspaces.ts';
import type { Tablet } from '../topo/proto/types.ts';
import { aliasText, changeRecordType } from '../topo/tablets.ts';
import type { Cluster } from './cluster.ts';
import { recordTime, startType, takeType } from './life.ts';
import { readProcess } from './process.ts';
import { loseTransactions } from './query/sessions.ts';
import { readView, replaceView } from './view.ts';

/** What tablets do in a reparent. Each is the body of one call: see `callTablet`. Vitess: go/vt/vttablet/tabletmanager/rpc_replication.go. */

/** DemotePrimary: a primary stops to serve, and what clients had open on it is rolled back. A tablet that is no primary has nothing to do. */
export async function demotePrimary(cluster: Cluster, tablet: Tablet): Promise<void> {
  const shard = cluster.shards.open(tablet.keyspace, tablet.shard);
  const alias = aliasText(tablet.alias);
  const view = readView(shard, alias);
  if (view?.type !== 'PRIMARY') return;
  await shard.db.write(cluster.world.clock, () => replaceView(shard, alias, { ...view, serving: false, reason: 'demotion in progress' }));
  await loseTransactions(shard, cluster.world);
}

/**
 * PromoteReplica, InitPrimary: the tablet is primary from now on, and says so in its record and in its shard's. What is
 * written from here on carries the id of its own server. `before` is the primary until now, whose server wrote the rest.
 */
export async function promoteReplica(ctx: Context, cluster: Cluster, tablet: Tablet, before: Tablet | undefined): Promise<void> {
  const { topo, world } = cluster;
  const { keyspace, shard: name, alias } = tablet;
  const start = recordTime(world.clock.now());
  const record = await changeRecordType(ctx, topo, alias, 'PRIMARY', start);
  await takeType(ctx, cluster, record, 'PRIMARY');
  const shard = cluster.shards.open(keyspace, name);
  await shard.db.write(world.clock, () => {
    shard.beginTerm(before === undefined ? undefined : aliasText(before.alias), aliasText(alias), () => world.random.uuid());
    // The first thing it writes is its row in the reparent journal.
    shard.skip();
  });
  // The tablet writes it for itself, whoever has the keyspace locked: go/vt/vttablet/tabletmanager/shard_sync.go.
  await updateShardFields(
    ctx,
    topo,
    keyspace,
    name,
    (shardRecord) => {
      shardRecord.primary_alias = alias;
      shardRecord.primary_term_start_time = start;
      return true;
    },
    [],
  );
}

/** SetReplicationSource: a tablet that was primary becomes what it starts as; any other stays what it is. */
export async function setReplicationSource(ctx: Context, cluster: Cluster, tablet: Tablet): Promise<void> {
  const shard = cluster.shards.open(tablet.keyspace, tablet.shard);
  const alias = aliasText(tablet.alias);
  if (readView(shard, alias)?.type !== 'PRIMARY' && tablet.type !== 'PRIMARY') return;
  const type = readProcess(shard, alias).base ?? startType('REPLICA');
  await takeType(ctx, cluster, await changeRecordType(ctx, cluster.topo, tablet.alias, type), type);
}
