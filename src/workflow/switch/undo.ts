import { UserError } from '../../lib/errors.ts';
import { type Context, withTimeout } from '../../runtime/context.ts';
import { runStep, type StepScope } from '../../runtime/step.ts';
import { type Cluster, epochSeconds } from '../../tablet/cluster.ts';
import { callTablet, writeTablet } from '../../tablet/manager.ts';
import type { ShardDb } from '../../tablet/shard-db.ts';
import { deleteWorkflowStreams, readJournal, readStream, readStreams, restoreStream, type StreamRow, updateStream } from '../../tablet/vreplication/streams.ts';
import { getShard, type ShardInfo, shardText } from '../../topo/keyspaces.ts';
import { forgetLostLocks, holdsKeyspace, lockKeyspace, type Locked, noteStep } from '../../topo/locks.ts';
import type { Tablet } from '../../topo/proto/types.ts';
import { getTablet } from '../../topo/tablets.ts';
import { refreshOrFail } from '../denied.ts';
import { forAll } from '../fan-out.ts';
import { dropIntent, isOwn, putStep } from '../intent/record.ts';
import { CATALOGUE, type StepEntry, type StepName } from './catalogue.ts';
import type { SwitchIntent } from './intent.ts';
import type { MemberImage } from './intent-images.ts';
import { planRollback } from './plan.ts';
import { undoSequences } from './sequences-undo.ts';
import { refuseForgotten, unreachableCells } from './undo-cells.ts';
import { revertRecords } from './undo-records.ts';

/** What each step of the roll-back of `hardened` does. It holds the locks already, but for the first, which takes those that were lost. */
const UNDOS: Partial<Record<StepName, (ctx: Context, cluster: Cluster, intent: SwitchIntent, scope: StepScope) => Promise<void>>> = {
  'switchTraffic/rollback/revertDeniedTables': revertTopology,
  'switchTraffic/rollback/revertShardAccess': revertTopology,
  'switchTraffic/rollback/cancelStreamMigrations': restoreOthers,
  'switchTraffic/rollback/restartTargetStreams': restoreTargets,
  'switchTraffic/rollback/deleteReverseVReplication': restoreSources,
  'switchTraffic/rollback/restoreSequences': undoSequences,
};

/**
 * The roll-back of `hardened`: puts everything back that the intent says was, in the reverse order of importance.
 * The topology is one transaction; the tablets' part can be repeated until it is done. `onServed`: the source serves again.
 * Throws UserError where somebody else took the intent over while a lock was lost.
 */
export async function undoIntent(ctx: Context, cluster: Cluster, intent: SwitchIntent, onServed?: () => void): Promise<void> {
  const { behaviours } = cluster.release;
  const limited = withTimeout(ctx, cluster.world.clock, behaviours.rollbackTimeoutMs);
  const again: Locked[] = [];
  const targets = [...new Set([intent.sourceKeyspace, intent.targetKeyspace])];
  let failure: unknown;
  try {
    let current = limited.ctx;
    for (const name of planRollback(intent.kind, behaviours)) {
      await noteStep(current, cluster.topo, name, (writer) => putStep(current, writer, cluster, intent, name));
      const perTarget = (CATALOGUE[name] as StepEntry).perTarget === true;
      await runStep(ctx, cluster.world, { name, targets, perTarget }, async (scope) => {
        if (name === 'switchTraffic/rollback/relock') current = await relock(current, cluster, intent, again);
        else await UNDOS[name]?.(current, cluster, intent, scope);
        if (UNDOS[name] === revertTopology) onServed?.();
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
 * A context that surely holds both keyspace locks: one that was lost is taken again. What others changed meanwhile is not
 * touched, since only the workflow's own rules, controls and streams are put back; if they have taken the intent over, which
 * needs these locks, there is nothing to go back from. The workflow's own lock, if lost, is not waited for: whoever has it may
 * wait for these.
 */
async function relock(ctx: Context, cluster: Cluster, intent: SwitchIntent, again: Locked[]): Promise<Context> {
  await forgetLostLocks(ctx, cluster.topo);
  let current = ctx;
  for (const keyspace of new Set([intent.sourceKeyspace, intent.targetKeyspace])) {
    if (holdsKeyspace(current, keyspace)) continue;
    const locked = await lockKeyspace(current, cluster.topo, keyspace, 'RollBack');
    again.push(locked);
    current = locked.ctx;
  }
  if (await cluster.topo.conn.atomically(current, {}, (writer) => isOwn(writer, cluster, intent))) return current;
  throw new UserError(`somebody else has taken ${intent.command} over while its locks were lost`, {
    next: `see what became of it: switchtraffic show workflow ${intent.workflow}`,
  });
}

/** The records, all or nothing; then every tablet notices. */
async function revertTopology(ctx: Context, cluster: Cluster, intent: SwitchIntent): Promise<void> {
  const unreachable = await unreachableCells(ctx, cluster, Object.keys(intent.cells));
  await revertRecords(ctx, cluster, intent, unreachable);
  for (const [side, members] of [['source', intent.sources], ['target', intent.targets]] as const) {
    for (const member of members) await refreshOrFail(ctx, cluster, await shardOf(ctx, cluster, member), side, { passOver: true });
  }
  for (const cell of unreachable) await refuseForgotten(ctx, cluster, cell, intent);
}

function shardOf(ctx: Context, cluster: Cluster, member: MemberImage): Promise<ShardInfo> {
  return getShard(ctx, cluster.topo, member.keyspace, member.shard);
}

/** The other streams of a Reshard's shards as they were: those made on the targets go, those stopped on the sources go on. */
async function restoreOthers(ctx: Context, cluster: Cluster, intent: SwitchIntent, scope: StepScope): Promise<void> {
  const moved = new Set(intent.sources.flatMap((member) => (member.others ?? []).map((row) => row.workflow)));
  await onPrimaries(ctx, cluster, scope, intent.targets, (db, { others = [] }) => {
    const known = new Set(others.map((row) => row.id));
    const made = readStreams(db).filter(({ id, workflow }) => moved.has(workflow) && !known.has(id));
    const back = putBack(db, others);
    if (made.length === 0 && back === undefined) return undefined;
    return (at) => {
      for (const workflow of new Set(made.map((row) => row.workflow))) deleteWorkflowStreams(db, workflow);
      (back ?? putBack(db, others))?.(at);
    };
  });
  await onPrimaries(ctx, cluster, scope, intent.sources, (db, { others = [] }) => putBack(db, others));
}

type Change = (at: number) => void;

/**
 * Streams as they were: one that the operator had stopped stays stopped. Positions stay where they have come to. Undefined
 * where nothing has to be changed.
 */
function putBack(db: ShardDb, rows: readonly StreamRow[]): Change | undefined {
  if (rows.every((row) => isAsBefore(readStream(db, row.id), row))) return undefined;
  return (at) => {
    for (const row of rows) {
      const now = readStream(db, row.id);
      if (now === undefined) restoreStream(db, row);
      else if (!isAsBefore(now, row)) updateStream(db, row.id, kept(row), at);
    }
  };
}

/** What of a stream a switch changes. */
function kept({ state, message, stop_pos, cell, tablet_types }: StreamRow): Partial<StreamRow> {
  return { state, message, stop_pos, cell, tablet_types };
}

function isAsBefore(now: StreamRow | undefined, before: StreamRow): boolean {
  return now !== undefined && JSON.stringify(kept(now)) === JSON.stringify(kept(before));
}

/** The forward streams as they were. */
function restoreTargets(ctx: Context, cluster: Cluster, intent: SwitchIntent, scope: StepScope): Promise<void> {
  return onPrimaries(ctx, cluster, scope, intent.targets, (db, member) => putBack(db, member.streams));
}

/** The reverse workflow is gone if this switch made it, and as it was if it was there before. */
function restoreSources(ctx: Context, cluster: Cluster, intent: SwitchIntent, scope: StepScope): Promise<void> {
  return onPrimaries(ctx, cluster, scope, intent.sources, (db, member) => {
    const known = new Set(member.streams.map((row) => row.id));
    const now = readStreams(db, intent.reverseWorkflow);
    if (now.length === known.size && now.every((row) => known.has(row.id))) return undefined;
    return () => {
      deleteWorkflowStreams(db, intent.reverseWorkflow);
      for (const row of member.streams) restoreStream(db, row);
    };
  });
}

/** Changes each member by its primary; one where nothing is to be changed is not called, so that it may be down. */
async function onPrimaries(
  ctx: Context,
  cluster: Cluster,
  scope: StepScope,
  members: readonly MemberImage[],
  plan: (db: ShardDb, member: MemberImage) => Change | undefined,
): Promise<void> {
  const wanted: { db: ShardDb; primary: Tablet; change: Change }[] = [];
  for (const member of members) {
    const db = cluster.shards.open(member.keyspace, member.shard);
    const change = plan(db, member);
    if (change === undefined) continue;
    const info = await shardOf(ctx, cluster, member);
    const alias = info.record.primary_alias;
    if (alias === undefined) throw new Error(`shard ${shardText(info)} has no primary`);
    wanted.push({ db, change, primary: await getTablet(ctx, cluster.topo, alias) });
  }
  await forAll(wanted, ({ db, change, primary }) =>
    scope.onTarget(`${db.keyspace}/${db.shard}`, () =>
      callTablet(ctx, cluster, primary, 'VReplicationExec', () => writeTablet(ctx, cluster, db, () => change(epochSeconds(cluster)))),
    ),
  );
}

/** True if any source of the intent has its journal: then the only way is forward. */
export function isJournaled(cluster: Cluster, intent: SwitchIntent): boolean {
  return intent.sources.some((member) => readJournal(cluster.shards.open(member.keyspace, member.shard), intent.journal) !== undefined);
}
