/** Where writes of a tenant, or of single shards, really go: by the rules of their kind, in the first cell. */
import type { KeyspaceMap } from '../topo/rules.ts';
import { keyspaceRoutingMap, routingMap, shardRoutingMap } from '../topo/rules.ts';
import { moveOf } from './partial-moves.ts';
import type { MigrationSource, MigrationTarget, TrafficSwitcher } from './switcher.ts';
import type { SrvVSchema } from '../topo/proto/types.ts';

type Member = MigrationSource | MigrationTarget;

/** A table's writes, and who turns them away. */
export interface PartTraffic {
  /** Where they arrive: a keyspace, or shards of one or several. */
  places: string[];
  refusing: string[];
}

/** A tenant's writes follow the rule of its keyspace. */
export function tenantTraffic(sw: TrafficSwitcher, served: SrvVSchema, refuses: (member: Member) => boolean): PartTraffic {
  const { sourceKeyspace } = moveOf(sw);
  const keyspace = keyspaceRoutingMap(served.keyspace_routing_rules).get(sourceKeyspace) ?? sourceKeyspace;
  const refused = membersOf(sw, keyspace).some(refuses);
  return { places: [keyspace], refusing: refused ? [keyspace] : [] };
}

/** Those of the workflow's shards follow the rule of the table, and then each its own. */
export function partialTraffic(sw: TrafficSwitcher, table: string, served: SrvVSchema, refuses: (member: Member) => boolean): PartTraffic {
  const { sourceKeyspace } = moveOf(sw);
  const [to = ''] = routingMap(served.routing_rules ?? {}).get(table) ?? [];
  const keyspace = to === '' ? sourceKeyspace : to.slice(0, to.indexOf('.'));
  const rules: KeyspaceMap = shardRoutingMap(served.shard_routing_rules ?? {});
  const places: string[] = [];
  const refusing: string[] = [];
  for (const shard of sw.targets.map(({ info }) => info.name)) {
    const there = rules.get(`${keyspace}.${shard}`) ?? keyspace;
    const place = `${there}/${shard}`;
    places.push(place);
    if (membersOf(sw, there).some((member) => member.info.name === shard && refuses(member))) refusing.push(place);
  }
  return { places, refusing };
}

function membersOf(sw: TrafficSwitcher, keyspace: string): Member[] {
  if (keyspace === sw.targetKeyspace) return sw.targets;
  return keyspace === sw.sourceKeyspace ? sw.sources : [];
}
