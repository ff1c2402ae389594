import { type Context, withTimeout } from '../../runtime/context.ts';
import { runStep } from '../../runtime/step.ts';
import { type Cluster, epochSeconds } from '../../tablet/cluster.ts';
import { callTablet, writeTablet } from '../../tablet/manager.ts';
import { deleteWorkflowStreams, readJournal, readStream, restoreStream, updateStream } from '../../tablet/vreplication/streams.ts';
import type { Writer } from '../../topo/conn/conn.ts';
import { getShard, type ShardInfo, shardText } from '../../topo/keyspaces.ts';
import { forgetLostLocks, guarded, holdsKeyspace, lockKeyspace, type Locked } from '../../topo/locks.ts';
import { sortMirrors } from '../../topo/mirror-rules.ts';
import { paths } from '../../topo/paths.ts';
import type { MirrorRule, MirrorRules, Shard, SrvVSchema, TabletControl } from '../../topo/proto/types.ts';
import { readRoutingMap, routingMap, routingRecord, type RoutingMap, writeRoutingMap } from '../../topo/rules.ts';
import { encodeRecord } from '../../topo/server.ts';
import { getTablet } from '../../topo/tablets.ts';
import { refreshOrFail } from '../denied.ts';
import { dropIntent, type Intent, isOwnMirror, type MemberImage, read, readShard } from './intent.ts';

/**
 * The roll-back of `hardened`: puts everything back that the intent says was, in the reverse order of importance.
 * The topology is one transaction; the tablets' part can be repeated until it is done.
 */
export async function undoIntent(ctx: Context, cluster: Cluster, intent: Intent): Promise<void> {
  const limited = withTimeout(ctx, cluster.world.clock, cluster.release.behaviours.rollbackTimeoutMs);
  const again: Locked[] = [];
  let failure: unknown;
  try {
    const step = <T>(name: string, effect: (ctx: Context) => Promise<T>): Promise<T> =>
      runStep(ctx, cluster.world, { name: `switchTraffic/rollback/${name}`, targets: [intent.sourceKeyspace, intent.targetKeyspace] }, () =>
        effect(limited.ctx),
      );
    const locked = await step('relock', (inner) => relock(inner, cluster, intent, again));
    await step('revertDeniedTables', () => revertTopology(locked, cluster, intent));
    await step('restartTargetStreams', () => restoreTargets(locked, cluster, intent));
    await step('deleteReverseVReplication', () => restoreSources(locked, cluster, intent));
    await dropIntent(locked, cluster, intent);
  } catch (error) {
    failure = error;
    throw error;
  } finally {
    limited.end();
    for (const lock of again.reverse()) await lock.unlock(failure ?? 'rolled back');
  }
}

/**
 * A context that surely holds both keyspace locks: one that was lost is taken again. What others changed meanwhile is
 * not touched, since only the workflow's own rules, controls and streams are put back.
 */
async function relock(ctx: Context, cluster: Cluster, intent: Intent, again: Locked[]): Promise<Context> {
  await forgetLostLocks(ctx, cluster.topo);
  let current = ctx;
  for (const keyspace of new Set([intent.sourceKeyspace, intent.targetKeyspace])) {
    if (holdsKeyspace(current, keyspace)) continue;
    const locked = await lockKeyspace(current, cluster.topo, keyspace, 'RollBack');
    again.push(locked);
    current = locked.ctx;
  }
  return current;
}

/** Denied tables, routing rules, mirror rules and the cells' copies, all or nothing; then every tablet notices. */
async function revertTopology(ctx: Context, cluster: Cluster, intent: Intent): Promise<void> {
  const { topo } = cluster;
  const foreign: string[] = [];
  await guarded(ctx, topo, [intent.sourceKeyspace, intent.targetKeyspace], (options) =>
    topo.conn.atomically(ctx, options, (writer) => {
      for (const member of [...intent.sources, ...intent.targets]) restoreControls(writer, member, intent.tables);
      const rules = readRoutingMap(writer);
      putBack(rules, intent.rules, intent, (from) => foreign.push(from));
      writeRoutingMap(writer, rules);
      restoreMirrors(writer, intent);
      for (const [cell, image] of Object.entries(intent.cells)) restoreCell(writer, cell, intent, image);
    }),
  );
  if (foreign.length > 0) {
    const text = `routing rules of ${foreign.join(', ')} were changed by somebody else meanwhile and are left as they are`;
    cluster.world.events.emit({ kind: 'warning', text });
  }
  for (const [side, members] of [['source', intent.sources], ['target', intent.targets]] as const) {
    for (const member of members) await refreshOrFail(ctx, cluster, await shardOf(ctx, cluster, member), side);
  }
}

function shardOf(ctx: Context, cluster: Cluster, member: MemberImage): Promise<ShardInfo> {
  return getShard(ctx, cluster.topo, member.keyspace, member.shard);
}

/**
 * Denies exactly those of the workflow's tables that were denied before. What somebody else denied or freed meanwhile,
 * while the lock was lost, stays as they have it.
 */
function restoreControls(writer: Writer, member: MemberImage, tables: readonly string[]): void {
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

/** Puts the workflow's rules back; one that points where no step of a switch points it was changed by somebody else. */
function putBack(map: RoutingMap, before: Intent['rules'], intent: Intent, foreign: (from: string) => void): void {
  const sides = [intent.sourceKeyspace, intent.targetKeyspace];
  for (const [from, to] of Object.entries(before)) {
    const now = map.get(from);
    const ours = now === undefined || (now.length === 1 && sides.some((keyspace) => now[0]!.startsWith(`${keyspace}.`)));
    if (!ours && now.join() !== (to ?? []).join()) foreign(from);
    else if (to === null) map.delete(from);
    else map.set(from, to);
  }
}

function mirrorsBack(intent: Intent, now: readonly MirrorRule[], before: readonly MirrorRule[]): MirrorRule[] {
  return sortMirrors([...now.filter((rule) => !isOwnMirror(intent, rule)), ...before]);
}

function restoreMirrors(writer: Writer, intent: Intent): void {
  const now = read<MirrorRules>(writer, 'global', paths.mirrorRules)?.rules ?? [];
  const rules = mirrorsBack(intent, now, intent.mirrorRules);
  if (rules.length === 0) writer.remove('global', paths.mirrorRules);
  else writer.put('global', paths.mirrorRules, encodeRecord({ rules }));
}

function restoreCell(writer: Writer, cell: string, intent: Intent, image: Intent['cells'][string]): void {
  const served = read<SrvVSchema>(writer, cell, paths.srvVSchema);
  if (served === undefined) return;
  const map = routingMap(served.routing_rules ?? {});
  putBack(map, image.rules, intent, () => {});
  const mirrors = mirrorsBack(intent, served.mirror_rules?.rules ?? [], image.mirrorRules);
  const restored: SrvVSchema = {
    ...served,
    routing_rules: map.size === 0 ? {} : routingRecord(map),
    mirror_rules: mirrors.length === 0 ? {} : { rules: mirrors },
  };
  writer.put(cell, paths.srvVSchema, encodeRecord(restored));
}

/** The forward streams as they were: one that the operator had stopped stays stopped. */
async function restoreTargets(ctx: Context, cluster: Cluster, intent: Intent): Promise<void> {
  for (const member of intent.targets) {
    await onPrimary(ctx, cluster, member, (db, at) => {
      for (const row of member.streams) {
        const { state, message, stop_pos, cell, tablet_types } = row;
        if (readStream(db, row.id) === undefined) restoreStream(db, row);
        else updateStream(db, row.id, { state, message, stop_pos, cell, tablet_types }, at);
      }
    });
  }
}

/** The reverse workflow is gone if this switch made it, and as it was if it was there before. */
async function restoreSources(ctx: Context, cluster: Cluster, intent: Intent): Promise<void> {
  for (const member of intent.sources) {
    await onPrimary(ctx, cluster, member, (db) => {
      const known = new Set(member.streams.map((row) => row.id));
      const now = db.db.all<{ id: number }>('SELECT id FROM "_vt.vreplication" WHERE workflow = ?', intent.reverseWorkflow);
      const untouched = now.length === known.size && now.every((row) => known.has(row.id));
      if (untouched) return;
      deleteWorkflowStreams(db, intent.reverseWorkflow);
      for (const row of member.streams) restoreStream(db, row);
    });
  }
}

async function onPrimary(
  ctx: Context,
  cluster: Cluster,
  member: MemberImage,
  change: (db: ReturnType<Cluster['shards']['open']>, at: number) => void,
): Promise<void> {
  const info = await shardOf(ctx, cluster, member);
  const alias = info.record.primary_alias;
  if (alias === undefined) throw new Error(`shard ${shardText(info)} has no primary`);
  const db = cluster.shards.open(member.keyspace, member.shard);
  const primary = await getTablet(ctx, cluster.topo, alias);
  await callTablet(ctx, primary, 'VReplicationExec', () => writeTablet(ctx, cluster, db, () => change(db, epochSeconds(cluster))));
}

/** True if any source of the intent has its journal: then the only way is forward. */
export function isJournaled(cluster: Cluster, intent: Intent): boolean {
  return intent.sources.some((member) => readJournal(cluster.shards.open(member.keyspace, member.shard), intent.journal) !== undefined);
}
