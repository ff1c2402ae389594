import type { Context } from '../runtime/context.ts';
import { formatCreateTable } from '../sql/schema-format.ts';
import { cellNames } from '../topo/cells.ts';
import { findAllShards, getKeyspace, keyspaceNames } from '../topo/keyspaces.ts';
import { getKeyspaceRoutingRules, getMirrorRules, getRoutingRules, getShardRoutingRules } from '../topo/rules.ts';
import { aliasText, allTablets } from '../topo/tablets.ts';
import { getVSchema } from '../topo/vschema.ts';
import type { ClusterSpec, KeyspaceSpec } from './bootstrap.ts';
import type { Cluster } from './cluster.ts';

/** What would make this cluster again, without its rows, streams and sessions. Reads only. */
export async function describeCluster(ctx: Context, cluster: Cluster): Promise<ClusterSpec> {
  const { topo } = cluster;
  const tablets = await allTablets(ctx, topo);
  const keyspaces: KeyspaceSpec[] = [];
  for (const name of await keyspaceNames(ctx, topo)) {
    const shards = await findAllShards(ctx, topo, name);
    const waits = shards.some((shard) => shard.record.is_primary_serving !== true);
    keyspaces.push({
      name,
      record: await getKeyspace(ctx, topo, name),
      vschema: (await getVSchema(ctx, topo, name)).record,
      shards: shards.map((shard) => {
        const own = tablets.filter((tablet) => tablet.keyspace === name && tablet.shard === shard.name);
        const controls = shard.record.tablet_controls ?? [];
        return {
          name: shard.name,
          tablets: own.map(({ alias, type }) => ({ alias: aliasText(alias), type })),
          ...(waits && { serving: shard.record.is_primary_serving === true }),
          ...(controls.length > 0 && { controls }),
        };
      }),
      schema: schemaOf(cluster, name, shards[0]?.name),
      rows: [],
    });
  }
  const keyspaceRules = await getKeyspaceRoutingRules(ctx, topo);
  return {
    cells: await cellNames(ctx, topo),
    keyspaces,
    routingRules: await getRoutingRules(ctx, topo),
    shardRoutingRules: await getShardRoutingRules(ctx, topo),
    ...(keyspaceRules !== undefined && { keyspaceRoutingRules: keyspaceRules }),
    mirrorRules: await getMirrorRules(ctx, topo),
  };
}

/** The tables of a keyspace's first shard: all of its shards have the same. */
function schemaOf(cluster: Cluster, keyspace: string, shard: string | undefined): KeyspaceSpec['schema'] {
  if (shard === undefined) return [];
  const database = cluster.shards.open(keyspace, shard);
  const tables = database.tableNames().map((name) => `${formatCreateTable(database.table(name))};\n`);
  return tables.length === 0 ? [] : [{ name: keyspace, chunks: () => [new TextEncoder().encode(tables.join('\n'))] }];
}
