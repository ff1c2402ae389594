import type { KeyspaceRoutingRules, MirrorRules, RoutingRules, ShardRoutingRules } from '../../src/topo/proto/types.ts';

/** Rules as cases write them: maps. */

export function ruleMap(rules: RoutingRules): Record<string, string[]> {
  return Object.fromEntries((rules.rules ?? []).map((rule) => [rule.from_table ?? '', [...(rule.to_tables ?? [])]]));
}

/** From `keyspace.shard` to a keyspace. */
export function shardRoutingMap(rules: ShardRoutingRules): Record<string, string> {
  return Object.fromEntries((rules.rules ?? []).map((rule) => [`${rule.from_keyspace ?? ''}.${rule.shard ?? ''}`, rule.to_keyspace ?? '']));
}

export function keyspaceRoutingMap(rules: KeyspaceRoutingRules): Record<string, string> {
  return Object.fromEntries((rules.rules ?? []).map((rule) => [rule.from_keyspace ?? '', rule.to_keyspace ?? '']));
}

/** From a table to where it is mirrored, and the percentage. */
export function mirrorMap(rules: MirrorRules): Record<string, Record<string, number>> {
  const map: Record<string, Record<string, number>> = {};
  for (const rule of rules.rules ?? []) (map[rule.from_table ?? ''] ??= {})[rule.to_table ?? ''] = rule.percent ?? 0;
  return map;
}
