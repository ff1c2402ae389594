import type { Context } from '../../runtime/context.ts';
import type { Cluster } from '../../tablet/cluster.ts';
import type { Writer } from '../../topo/conn/conn.ts';
import { guarded } from '../../topo/locks.ts';
import { sortMirrors } from '../../topo/mirror-rules.ts';
import { paths } from '../../topo/paths.ts';
import type {
  KeyspaceRoutingRules,
  MirrorRule,
  MirrorRules,
  RoutingRules,
  Shard,
  ShardRoutingRules,
  SrvVSchema,
  TabletControl,
} from '../../topo/proto/types.ts';
import {
  type KeyspaceMap,
  keyspaceRoutingMap,
  keyspaceRoutingRecord,
  routingMap,
  routingRecord,
  type RoutingMap,
  shardRoutingMap,
  shardRoutingRecord,
} from '../../topo/rules.ts';
import { encodeRecord } from '../../topo/server.ts';
import type { SwitchIntent } from './intent.ts';
import { type CellImage, isOwnMirror, type MemberImage, read, readShard } from './intent-images.ts';
import { removeSequenceEntries } from './sequences-undo.ts';
import { restoreServing } from './undo-serving.ts';

/**
 * Puts the records of a switch back: denied tables, rules of every kind, the serving graph, the cells' copies; all or nothing. Only
 * what is the switch's own: what others changed meanwhile, while a lock was lost, stays as they have it. Cells that cannot be
 * reached are left out.
 */
export async function revertRecords(ctx: Context, cluster: Cluster, intent: SwitchIntent, unreachable: readonly string[]): Promise<void> {
  const { topo } = cluster;
  const foreign: string[] = [];
  await guarded(ctx, topo, [intent.sourceKeyspace, intent.targetKeyspace], (options) =>
    topo.conn.atomically(ctx, options, (writer) => {
      for (const member of [...intent.sources, ...intent.targets]) restoreControls(writer, member, intent.tables);
      restoreGlobalRules(writer, intent, (from) => foreign.push(from));
      removeSequenceEntries(writer, intent);
      for (const [cell, image] of Object.entries(intent.cells)) {
        if (!unreachable.includes(cell)) restoreCell(writer, cell, intent, image);
      }
    }),
  );
  if (foreign.length === 0) return;
  const text = `routing rules of ${foreign.join(', ')} were changed by somebody else meanwhile and are left as they are`;
  cluster.world.events.emit({ kind: 'warning', text });
}

/**
 * Denies exactly those of the workflow's tables that were denied before. What somebody else denied or freed meanwhile,
 * while the lock was lost, stays as they have it.
 */
export function restoreControls(writer: Writer, member: Pick<MemberImage, 'keyspace' | 'shard' | 'controls'>, tables: readonly string[]): void {
  const record = readShard(writer, member.keyspace, member.shard);
  if (record === undefined) return;
  const now = record.tablet_controls ?? [];
  const controls = sameButFor(now, member.controls, tables) ? member.controls : mergeControls(now, member.controls, tables);
  const restored: Shard = { ...record, tablet_controls: controls };
  if (controls.length === 0) delete restored.tablet_controls;
  writer.put('global', paths.shard(member.keyspace, member.shard), encodeRecord(restored));
}

/** True if two lists of controls differ in nothing but these tables. */
function sameButFor(a: readonly TabletControl[], b: readonly TabletControl[], tables: readonly string[]): boolean {
  const others = (controls: readonly TabletControl[]): string =>
    JSON.stringify(
      controls
        .map((control) => [control.tablet_type, control.cells ?? [], deniedBy(control).filter((table) => !tables.includes(table)).toSorted()])
        .filter(([type, cells, denied]) => type !== 'PRIMARY' || (cells as string[]).length > 0 || (denied as string[]).length > 0),
    );
  return others(a) === others(b);
}

function mergeControls(now: readonly TabletControl[], before: readonly TabletControl[], tables: readonly string[]): TabletControl[] {
  const wanted = deniedBy(before.find((control) => control.tablet_type === 'PRIMARY')).filter((table) => tables.includes(table));
  const primary = now.find((control) => control.tablet_type === 'PRIMARY');
  const others = deniedBy(primary).filter((table) => !tables.includes(table));
  const denied = [...others, ...wanted].toSorted();
  const rest = now.filter((control) => control !== primary);
  if (denied.length === 0) return rest;
  const merged = { ...(primary ?? { tablet_type: 'PRIMARY' }), denied_tables: denied } as TabletControl;
  // The mirror rules that it was for come back too.
  if (before.some((control) => control.tablet_type === 'PRIMARY' && control.allow_reads === true)) merged.allow_reads = true;
  return [...rest, merged];
}

const deniedBy = (control: TabletControl | undefined): readonly string[] => control?.denied_tables ?? [];

function restoreGlobalRules(writer: Writer, intent: SwitchIntent, foreign: (from: string) => void): void {
  const rules = routingMap(read<RoutingRules>(writer, 'global', paths.routingRules) ?? {});
  putTables(rules, intent.rules, intent, foreign);
  putRecord(writer, paths.routingRules, rules.size === 0 ? undefined : routingRecord(rules));
  const mirrors = mirrorsBack(intent, read<MirrorRules>(writer, 'global', paths.mirrorRules)?.rules ?? [], intent.mirrorRules);
  putRecord(writer, paths.mirrorRules, mirrors.length === 0 ? undefined : { rules: mirrors });
  if (intent.shardRules !== undefined) {
    const map = shardRoutingMap(read<ShardRoutingRules>(writer, 'global', paths.shardRoutingRules) ?? {});
    putKeyspaces(map, intent.shardRules, intent, foreign);
    putRecord(writer, paths.shardRoutingRules, map.size === 0 ? undefined : shardRoutingRecord(map));
  }
  if (intent.keyspaceRules !== undefined) {
    const map = keyspaceRoutingMap(read<KeyspaceRoutingRules>(writer, 'global', paths.keyspaceRoutingRules));
    putKeyspaces(map, intent.keyspaceRules, intent, foreign);
    // Unlike the others this file stays when it is empty.
    putRecord(writer, paths.keyspaceRoutingRules, keyspaceRoutingRecord(map));
  }
}

function putRecord(writer: Writer, path: string, record: object | undefined): void {
  if (record === undefined) writer.remove('global', path);
  else writer.put('global', path, encodeRecord(record));
}

/** Puts the workflow's rules back; one that points where no step of a switch points it was changed by somebody else. */
function putTables(map: RoutingMap, before: SwitchIntent['rules'], intent: SwitchIntent, foreign: (from: string) => void): void {
  const sides = [intent.sourceKeyspace, intent.targetKeyspace];
  for (const [from, to] of Object.entries(before)) {
    const now = map.get(from);
    const ours = now === undefined || (now.length === 1 && sides.some((keyspace) => now[0]!.startsWith(`${keyspace}.`)));
    if (!ours && now.join() !== (to ?? []).join()) foreign(from);
    else if (to === null) map.delete(from);
    else map.set(from, to);
  }
}

/** The same for rules that lead to keyspaces. */
function putKeyspaces(map: KeyspaceMap, before: Record<string, string | null>, intent: SwitchIntent, foreign: (from: string) => void): void {
  for (const [from, to] of Object.entries(before)) {
    const now = map.get(from);
    const ours = now === undefined || now === intent.sourceKeyspace || now === intent.targetKeyspace;
    if (!ours && now !== to) foreign(from);
    else if (to === null) map.delete(from);
    else map.set(from, to);
  }
}

function mirrorsBack(intent: SwitchIntent, now: readonly MirrorRule[], before: readonly MirrorRule[]): MirrorRule[] {
  return sortMirrors([...now.filter((rule) => !isOwnMirror(intent, rule)), ...before]);
}

function restoreCell(writer: Writer, cell: string, intent: SwitchIntent, image: CellImage): void {
  if (image.serving !== undefined) restoreServing(writer, cell, intent, image.serving);
  const served = read<SrvVSchema>(writer, cell, paths.srvVSchema);
  if (served !== undefined) writer.put(cell, paths.srvVSchema, encodeRecord(restoredVSchema(served, intent, image)));
}

/** What a cell serves by, with the workflow's rules as they were. */
export function restoredVSchema(served: SrvVSchema, intent: SwitchIntent, image: CellImage): SrvVSchema {
  const map = routingMap(served.routing_rules ?? {});
  putTables(map, image.rules, intent, () => {});
  const mirrors = mirrorsBack(intent, served.mirror_rules?.rules ?? [], image.mirrorRules);
  const restored: SrvVSchema = {
    ...served,
    routing_rules: map.size === 0 ? {} : routingRecord(map),
    mirror_rules: mirrors.length === 0 ? {} : { rules: mirrors },
  };
  if (image.shardRules !== undefined) {
    const shards = shardRoutingMap(served.shard_routing_rules ?? {});
    putKeyspaces(shards, image.shardRules, intent, () => {});
    restored.shard_routing_rules = shardRoutingRecord(shards);
  }
  if (image.keyspaceRules !== undefined) {
    const keyspaces = keyspaceRoutingMap(served.keyspace_routing_rules);
    putKeyspaces(keyspaces, image.keyspaceRules, intent, () => {});
    restored.keyspace_routing_rules = keyspaceRoutingRecord(keyspaces);
  }
  return restored;
}
