import { isTopoError } from '../lib/errors.ts';
import type { Context } from '../runtime/context.ts';
import type { Writer } from './conn/conn.ts';
import { guarded, type Locked, lockRoutingRules } from './locks.ts';
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

/** Shard routing rules by `keyspace.shard`, or keyspace routing rules by `keyspace[@type]`: where each leads. */
export type KeyspaceMap = Map<string, string>;

/** Shard routing rules as a map. Vitess: go/vt/topotools/shard_routing_rules.go. */
export function shardRoutingMap(rules: ShardRoutingRules): KeyspaceMap {
  return new Map((rules.rules ?? []).map(({ from_keyspace: from = '', shard = '', to_keyspace: to = '' }) => [`${from}.${shard}`, to]));
}

export function shardRoutingRecord(map: KeyspaceMap): ShardRoutingRules {
  const rules = [...map].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([key, to]) => {
    const dot = key.indexOf('.');
    return { from_keyspace: key.slice(0, dot), to_keyspace: to, shard: key.slice(dot + 1) };
  });
  return rules.length === 0 ? {} : { rules };
}

/** Keyspace routing rules as a map. Vitess: go/vt/topotools/keyspace_routing_rules.go. */
export function keyspaceRoutingMap(rules: KeyspaceRoutingRules | undefined): KeyspaceMap {
  return new Map((rules?.rules ?? []).map(({ from_keyspace: from = '', to_keyspace: to = '' }) => [from, to]));
}

export function keyspaceRoutingRecord(map: KeyspaceMap): KeyspaceRoutingRules {
  const rules = [...map].toSorted(([a], [b]) => (a < b ? -1 : 1));
  return rules.length === 0 ? {} : { rules: rules.map(([from, to]) => ({ from_keyspace: from, to_keyspace: to })) };
}

/**
 * Changes some shard routing rules on behalf of a workflow between these keyspaces; none left removes the file. A release overwrites
 * without a lock (K38), `hardened` in one guarded transaction.
 */
export async function changeShardRoutingRules(
  ctx: Context,
  topo: TopoServer,
  keyspaces: readonly string[],
  change: (rules: KeyspaceMap) => void,
): Promise<void> {
  if (!topo.release.behaviours.routingRulesGuarded) {
    const map = shardRoutingMap(await getShardRoutingRules(ctx, topo));
    change(map);
    await saveShardRoutingRules(ctx, topo, shardRoutingRecord(map));
    return;
  }
  await guarded(ctx, topo, keyspaces, (options) =>
    topo.conn.atomically(ctx, options, (writer) => {
      const map = readShardRoutingMap(writer);
      change(map);
      writeShardRoutingMap(writer, map);
    }),
  );
}

/** The shard routing rules inside a transaction. */
export function readShardRoutingMap(writer: Writer): KeyspaceMap {
  const node = writer.get('global', paths.shardRoutingRules);
  return shardRoutingMap(node === undefined ? {} : (JSON.parse(node.contents) as ShardRoutingRules));
}

export function writeShardRoutingMap(writer: Writer, map: KeyspaceMap): void {
  if (map.size === 0) writer.remove('global', paths.shardRoutingRules);
  else writer.put('global', paths.shardRoutingRules, encodeRecord(shardRoutingRecord(map)));
}

/** The keyspace routing rules inside a transaction. */
export function readKeyspaceRoutingMap(writer: Writer): KeyspaceMap {
  const node = writer.get('global', paths.keyspaceRoutingRules);
  return keyspaceRoutingMap(node === undefined ? undefined : (JSON.parse(node.contents) as KeyspaceRoutingRules));
}

/** Unlike that of the others, their file stays when it is empty. */
export function writeKeyspaceRoutingMap(writer: Writer, map: KeyspaceMap): void {
  writer.put('global', paths.keyspaceRoutingRules, encodeRecord(keyspaceRoutingRecord(map)));
}

/**
 * Changes some keyspace routing rules under their lock, the only rules that have one; the file is made where it is missing, and stays
 * when it is empty. Vitess: go/vt/topotools/keyspace_routing_rules.go UpdateKeyspaceRoutingRules.
 */
export async function changeKeyspaceRoutingRules(
  ctx: Context,
  topo: TopoServer,
  keyspaces: readonly string[],
  action: string,
  change: (rules: KeyspaceMap) => void,
): Promise<void> {
  const edit = async (inner: Context): Promise<void> => {
    if (!topo.release.behaviours.routingRulesGuarded) {
      const map = keyspaceRoutingMap(await getKeyspaceRoutingRules(inner, topo));
      change(map);
      await topo.conn.update(inner, paths.keyspaceRoutingRules, encodeRecord(keyspaceRoutingRecord(map)), null);
      return;
    }
    // In one transaction as the others: a roll-back puts rules back without this lock.
    await guarded(inner, topo, keyspaces, (options) =>
      topo.conn.atomically(inner, options, (writer) => {
        const map = readKeyspaceRoutingMap(writer);
        change(map);
        writeKeyspaceRoutingMap(writer, map);
      }),
    );
  };
  if (!topo.release.behaviours.keyspaceRulesLock) return edit(ctx);
  const locked = await lockExisting(ctx, topo, action);
  let failure: unknown;
  try {
    await edit(locked.ctx);
  } catch (error) {
    failure = error;
    throw error;
  } finally {
    await locked.unlock(failure);
  }
}

/** The rules' directory can be locked once there are rules; the first ones are made empty. */
async function lockExisting(ctx: Context, topo: TopoServer, action: string): Promise<Locked> {
  try {
    return await lockRoutingRules(ctx, topo, action);
  } catch (error) {
    if (!isTopoError(error, 'NoNode')) throw error;
  }
  try {
    await topo.conn.create(ctx, paths.keyspaceRoutingRules, encodeRecord({}));
  } catch (error) {
    if (!isTopoError(error, 'NodeExists')) throw error;
  }
  return lockRoutingRules(ctx, topo, action);
}
