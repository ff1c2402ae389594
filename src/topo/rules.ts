import { isTopoError } from '../lib/errors.ts';
import type { Context } from '../runtime/context.ts';
import type { Writer } from './conn/conn.ts';
import { guarded } from './locks.ts';
import { paths } from './paths.ts';
import type { KeyspaceRoutingRules, MirrorRules, RoutingRules, ShardRoutingRules } from './proto/types.ts';
import { encodeRecord, findRecord, type TopoServer } from './server.ts';

/** Table routing: from_table -> to_tables. Vitess: go/vt/topotools/routing_rules.go. */
export type RoutingMap = Map<string, readonly string[]>;

/** The stored rules, in stored order. A missing file is an empty list. */
export async function getRoutingRules(ctx: Context, topo: TopoServer): Promise<RoutingRules> {
  return (await findRecord<RoutingRules>(ctx, topo.conn, paths.routingRules))?.record ?? {};
}

export async function getShardRoutingRules(ctx: Context, topo: TopoServer): Promise<ShardRoutingRules> {
  return (await findRecord<ShardRoutingRules>(ctx, topo.conn, paths.shardRoutingRules))?.record ?? {};
}

/** Undefined where the file does not exist, unlike the other rules. */
export async function getKeyspaceRoutingRules(ctx: Context, topo: TopoServer): Promise<KeyspaceRoutingRules | undefined> {
  return (await findRecord<KeyspaceRoutingRules>(ctx, topo.conn, paths.keyspaceRoutingRules))?.record;
}

export async function getMirrorRules(ctx: Context, topo: TopoServer): Promise<MirrorRules> {
  return (await findRecord<MirrorRules>(ctx, topo.conn, paths.mirrorRules))?.record ?? {};
}

/** Rules as a map. A table that stands twice keeps its last entry, as Vitess's map does. */
export function routingMap(rules: RoutingRules): RoutingMap {
  return new Map((rules.rules ?? []).map((rule) => [rule.from_table ?? '', rule.to_tables ?? []]));
}

/** A map as rules, sorted: Vitess writes them in Go's random map order. */
export function routingRecord(map: RoutingMap): RoutingRules {
  const rules = [...map].toSorted(([a], [b]) => (a < b ? -1 : 1));
  return { rules: rules.map(([from, to]) => ({ from_table: from, to_tables: [...to] })) };
}

/** Replaces all rules, without a lock; an empty list removes the file. As ApplyRoutingRules does. */
export async function saveRoutingRules(ctx: Context, topo: TopoServer, rules: RoutingRules): Promise<void> {
  await saveRules(ctx, topo, paths.routingRules, rules);
}

export async function saveMirrorRules(ctx: Context, topo: TopoServer, rules: MirrorRules): Promise<void> {
  await saveRules(ctx, topo, paths.mirrorRules, rules);
}

export async function saveShardRoutingRules(ctx: Context, topo: TopoServer, rules: ShardRoutingRules): Promise<void> {
  await saveRules(ctx, topo, paths.shardRoutingRules, rules);
}

export async function saveKeyspaceRoutingRules(ctx: Context, topo: TopoServer, rules: KeyspaceRoutingRules): Promise<void> {
  await saveRules(ctx, topo, paths.keyspaceRoutingRules, rules);
}

async function saveRules(ctx: Context, topo: TopoServer, path: string, record: { rules?: unknown[] }): Promise<void> {
  if ((record.rules ?? []).length > 0) {
    await topo.conn.update(ctx, path, encodeRecord(record), null);
    return;
  }
  try {
    await topo.conn.delete(ctx, path, null);
  } catch (error) {
    if (!isTopoError(error, 'NoNode')) throw error;
  }
}

/**
 * Changes some rules on behalf of a workflow between these keyspaces. A release reads, edits and overwrites
 * without a lock, so two workflows can undo each other's change (#15807, K38); `hardened` does it in one guarded
 * transaction.
 */
export async function changeRoutingRules(
  ctx: Context,
  topo: TopoServer,
  keyspaces: readonly string[],
  change: (rules: RoutingMap) => void,
): Promise<void> {
  if (!topo.release.behaviours.routingRulesGuarded) {
    const map = routingMap(await getRoutingRules(ctx, topo));
    change(map);
    await saveRoutingRules(ctx, topo, routingRecord(map));
    return;
  }
  await guarded(ctx, topo, keyspaces, (options) =>
    topo.conn.atomically(ctx, options, (writer) => {
      const map = readRoutingMap(writer);
      change(map);
      writeRoutingMap(writer, map);
    }),
  );
}

/** The table routing rules inside a transaction. */
export function readRoutingMap(writer: Writer): RoutingMap {
  const node = writer.get('global', paths.routingRules);
  return routingMap(node === undefined ? {} : (JSON.parse(node.contents) as RoutingRules));
}

export function writeRoutingMap(writer: Writer, map: RoutingMap): void {
  if (map.size === 0) writer.remove('global', paths.routingRules);
  else writer.put('global', paths.routingRules, encodeRecord(routingRecord(map)));
}
