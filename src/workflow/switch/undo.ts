import { type Context, withTimeout } from '../../runtime/context.ts';
import { runStep } from '../../runtime/step.ts';
import { type Cluster, epochSeconds } from '../../tablet/cluster.ts';
import { callTablet, writeTablet } from '../../tablet/manager.ts';
import type { ShardDb } from '../../tablet/shard-db.ts';
import { deleteWorkflowStreams, readJournal, readStream, restoreStream, type StreamRow, updateStream } from '../../tablet/vreplication/streams.ts';
import { getShard, type ShardInfo, shardText } from '../../topo/keyspaces.ts';
import { forgetLostLocks, holdsKeyspace, lockKeyspace, type Locked } from '../../topo/locks.ts';
import { getTablet } from '../../topo/tablets.ts';
import { refreshOrFail } from '../denied.ts';
import type { StepName } from './catalogue.ts';
import { dropIntent, type Intent } from './intent.ts';
import type { MemberImage } from './intent-images.ts';
import { planRollback } from './plan.ts';
import { revertRecords } from './undo-records.ts';

/** What each step of the roll-back of `hardened` does. It holds the locks already, but for the first, which takes those that were lost. */
const UNDOS: Partial<Record<StepName, (ctx: Context, cluster: Cluster, intent: Intent) => Promise<void>>> = {
  'switchTraffic/rollback/revertDeniedTables': revertTopology,
  'switchTraffic/rollback/revertShardAccess': revertTopology,
  'switchTraffic/rollback/cancelStreamMigrations': restoreOthers,
  'switchTraffic/rollback/restartTargetStreams': restoreTargets,
  'switchTraffic/rollback/deleteReverseVReplication': restoreSources,
};

/**
 * The roll-back of `hardened`: puts everything back that the intent says was, in the reverse order of importance.
 * The topology is one transaction; the tablets' part can be repeated until it is done.
 */
export async function undoIntent(ctx: Context, cluster: Cluster, intent: Intent): Promise<void> {
  const { behaviours } = cluster.release;
  const limited = withTimeout(ctx, cluster.world.clock, behaviours.rollbackTimeoutMs);
  const again: Locked[] = [];
  const targets = [...new Set([intent.sourceKeyspace, intent.targetKeyspace])];
  let failure: unknown;
  try {
    let current = limited.ctx;
    for (const name of planRollback(intent.kind, behaviours)) {
      await runStep(ctx, cluster.world, { name, targets }, async () => {
        if (name === 'switchTraffic/rollback/relock') current = await relock(current, cluster, intent, again);
        else await UNDOS[name]?.(current, cluster, intent);
      });
    }
    await dropIntent(current, cluster, intent);
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

/** The records, all or nothing; then every tablet notices. */
async function revertTopology(ctx: Context, cluster: Cluster, intent: Intent): Promise<void> {
  await revertRecords(ctx, cluster, intent);
  for (const [side, members] of [['source', intent.sources], ['target', intent.targets]] as const) {
    for (const member of members) await refreshOrFail(ctx, cluster, await shardOf(ctx, cluster, member), side);
  }
}

function shardOf(ctx: Context, cluster: Cluster, member: MemberImage): Promise<ShardInfo> {
  return getShard(ctx, cluster.topo, member.keyspace, member.shard);
}

/** The other streams of a Reshard's shards as they were: those made on the targets go, those stopped on the sources go on. */
async function restoreOthers(ctx: Context, cluster: Cluster, intent: Intent): Promise<void> {
  const moved = new Set(intent.sources.flatMap((member) => (member.others ?? []).map((row) => row.workflow)));
  for (const member of intent.targets) {
    const known = new Set((member.others ?? []).map((row) => row.id));
    await onPrimary(ctx, cluster, member, (db, at) => {
      const made = db.db
        .all<{ id: number; workflow: string }>('SELECT id, workflow FROM "_vt.vreplication" ORDER BY id')
        .filter(({ id, workflow }) => moved.has(workflow) && !known.has(id));
      for (const workflow of new Set(made.map((row) => row.workflow))) deleteWorkflowStreams(db, workflow);
      putBack(db, member.others ?? [], at);
    });
  }
  for (const member of intent.sources) await onPrimary(ctx, cluster, member, (db, at) => putBack(db, member.others ?? [], at));
}

/** Streams as they were: one that the operator had stopped stays stopped. Positions stay where they have come to. */
function putBack(db: ShardDb, rows: readonly StreamRow[], at: number): void {
  for (const row of rows) {
    const { state, message, stop_pos, cell, tablet_types } = row;
    if (readStream(db, row.id) === undefined) restoreStream(db, row);
    else updateStream(db, row.id, { state, message, stop_pos, cell, tablet_types }, at);
  }
}

/** The forward streams as they were. */
async function restoreTargets(ctx: Context, cluster: Cluster, intent: Intent): Promise<void> {
  for (const member of intent.targets) await onPrimary(ctx, cluster, member, (db, at) => putBack(db, member.streams, at));
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
  change: (db: ShardDb, at: number) => void,
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
