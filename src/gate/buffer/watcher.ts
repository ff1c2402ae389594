import type { Context } from '../../runtime/context.ts';
import type { Cluster } from '../../tablet/cluster.ts';
import { isStopped } from '../../tablet/process.ts';
import { readView } from '../../tablet/view.ts';
import { paths } from '../../topo/paths.ts';
import type { Shard, SrvKeyspace, SrvVSchema } from '../../topo/proto/types.ts';
import { keyspaceRoutingMap, routingMap, shardRoutingMap } from '../../topo/rules.ts';
import { findRecord } from '../../topo/server.ts';
import { partitionOf } from '../../topo/srv-keyspace.ts';
import { aliasText } from '../../topo/tablets.ts';
import { listNames } from '../../topo/server.ts';

/** What the watcher of a keyspace sees at one moment. */
export interface KeyspaceSight {
  /** Changes whenever anything changes that an end of a failover shows in. */
  mark: string;
  /** Nothing is going on any more. */
  consistent: boolean;
  /** The shards whose primaries serve. */
  serving: ReadonlySet<string>;
  /** Version of the cell's SrvVSchema. */
  vschema: number;
}

/**
 * Looks at a keyspace as vtgate's keyspace event watcher does. It is consistent when its PRIMARY partition is there
 * without a disabled query service, exactly its shards serve, and no shard denies a table that is still routed here: a
 * MoveTables under way. vtgate is told of changes by watches and health checks; here they are looked for, and only
 * while statements are held. Unlike there a tablet's view counts as soon as it is refreshed.
 * Vitess: go/vt/discovery/keyspace_events.go.
 */
export async function lookAt(ctx: Context, cluster: Cluster, cell: string, keyspace: string): Promise<KeyspaceSight> {
  const local = cluster.topo.conn.forCell(cell);
  const srv = await findRecord<SrvKeyspace>(ctx, local, paths.srvKeyspace(keyspace));
  const vschema = await findRecord<SrvVSchema>(ctx, local, paths.srvVSchema);
  const shards = await Promise.all(
    (await listNames(ctx, cluster.topo.conn, paths.shards(keyspace))).map((name) => lookAtShard(ctx, cluster, keyspace, name)),
  );
  const partition = srv === undefined ? undefined : partitionOf(srv.record, 'PRIMARY');
  const wanted = new Set((partition?.shard_references ?? []).map(({ name }) => name));
  const serving = new Set(shards.filter((shard) => shard.serving).map((shard) => shard.name));
  const sameShards = [...wanted].every((name) => serving.has(name)) && [...serving].every((name) => wanted.has(name));
  const seen = cluster.release.behaviours.switchSeenBy === 'every rule' ? isEveryMoved : isSwitched;
  const moving = !seen(keyspace, shards, vschema?.record ?? {});
  return {
    mark: JSON.stringify([partition ?? null, vschema?.version ?? 0, shards.map(({ name, view }) => [name, view])]),
    consistent: partition !== undefined && (partition.shard_tablet_controls ?? []).length === 0 && sameShards && !moving,
    serving,
    vschema: vschema?.version ?? 0,
  };
}

interface ShardSight {
  name: string;
  serving: boolean;
  denied: readonly string[];
  /** What its primary believes. */
  view: unknown;
}

async function lookAtShard(ctx: Context, cluster: Cluster, keyspace: string, name: string): Promise<ShardSight> {
  const record = (await findRecord<Shard>(ctx, cluster.topo.conn, paths.shard(keyspace, name)))?.record ?? {};
  const alias = record.primary_alias;
  const db = cluster.shards.open(keyspace, name);
  const view = alias === undefined || isStopped(db, aliasText(alias)) ? undefined : readView(db, aliasText(alias));
  const denied = (record.tablet_controls ?? []).flatMap((control) => control.denied_tables ?? []);
  const seen = view === undefined ? undefined : [view.serving, view.deniedTables];
  return { name, serving: view?.serving === true, denied, view: seen };
}

/** True unless a table that a shard denies is looked for there still, by whatever rules. One table stands for all of a shard. */
function isEveryMoved(keyspace: string, shards: readonly ShardSight[], vschema: SrvVSchema): boolean {
  const rules = routingMap(vschema.routing_rules ?? {});
  const byShard = shardRoutingMap(vschema.shard_routing_rules ?? {});
  const byKeyspace = keyspaceRoutingMap(vschema.keyspace_routing_rules).get(keyspace);
  return shards.every(({ name, denied: [table] }) => {
    if (table === undefined) return true;
    const own = byShard.get(`${keyspace}.${name}`);
    const [to] = rules.get(table) ?? [];
    const known = [own, byKeyspace, to?.slice(0, to.indexOf('.'))].filter((there) => there !== undefined);
    const arriving = [...byShard].some(([from, there]) => there === keyspace && from.endsWith(`.${name}`));
    // Denied, and no rule about it: somebody's own doing, which does not end by itself.
    if (known.length === 0) return !arriving;
    return known.some((there) => there !== keyspace);
  });
}

/** What releases make of it: true unless a table that a shard denies is routed to this keyspace still. One table stands for all, as in vtgate. */
function isSwitched(keyspace: string, shards: readonly ShardSight[], vschema: SrvVSchema): boolean {
  const denying = shards.filter((shard) => shard.denied.length > 0);
  const table = denying.at(-1)?.denied[0];
  if (table === undefined) return true;
  const byShard = vschema.shard_routing_rules?.rules ?? [];
  if (byShard.length > 0) {
    // Shard by shard: a rule for the denied shard means that it has not been switched.
    return !denying.some(({ name }) => byShard.some((rule) => rule.from_keyspace === keyspace && rule.shard === name));
  }
  const rules = vschema.routing_rules ?? {};
  if ((rules.rules ?? []).length === 0) return true;
  const [to] = routingMap(rules).get(table) ?? [];
  return to !== undefined && to !== `${keyspace}.${table}`;
}
