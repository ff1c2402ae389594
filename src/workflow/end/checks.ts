import { plainError, UserError } from '../../lib/errors.ts';
import type { Context } from '../../runtime/context.ts';
import type { Cluster } from '../../tablet/cluster.ts';
import { FROZEN, readStreams } from '../../tablet/vreplication/streams.ts';
import { getKeyspaceRoutingRules, getRoutingRules, getShardRoutingRules, keyspaceRoutingMap, routingMap, shardRoutingMap } from '../../topo/rules.ts';
import { renamedTable } from '../ending.ts';
import { isMoveUnderWay, moveOf } from '../partial-moves.ts';
import { areWritesSwitched, type WorkflowState, type WorkflowWithState } from '../state.ts';
import { keyspaceRuleKeys, ruleKeys } from '../switch/intent-images.ts';
import { commandOf, type TrafficSwitcher } from '../switcher.ts';

/** What is looked at before a workflow ends. */

/** Throws unless all traffic is switched, or a complete of `hardened` was at it before. */
export async function checkSwitched(ctx: Context, cluster: Cluster, { sw, state }: WorkflowWithState, keepData: boolean): Promise<void> {
  if (areWritesSwitched(cluster, state) && state.replicaNotSwitched.length === 0 && state.rdonlyNotSwitched.length === 0) return;
  if (cluster.release.behaviours.completeOrder === 'streams-last' && (await wasInterrupted(ctx, cluster, sw, keepData))) return;
  throw plainError('cannot complete workflow because you have not yet switched all read and write traffic');
}

/**
 * True if a complete has come as far as the rules, which is all that it does before it deletes the streams: they are frozen, there
 * are no rules, and the source has nothing left that could be lost.
 */
async function wasInterrupted(ctx: Context, cluster: Cluster, sw: TrafficSwitcher, keepData: boolean): Promise<boolean> {
  if (sw.kind === 'shards' || frozenProblems(sw).length > 0) return false;
  if (sw.sources.some(({ db }) => readStreams(db, sw.reverseWorkflow).length > 0)) return false;
  if (!keepData && sw.sources.some(({ db }) => sw.tables.some((table) => db.findTable(table) !== undefined))) return false;
  return !(await hasRules(ctx, cluster, sw));
}

async function hasRules(ctx: Context, { topo }: Cluster, sw: TrafficSwitcher): Promise<boolean> {
  if (sw.kind === 'multi-tenant') {
    const rules = keyspaceRoutingMap(await getKeyspaceRoutingRules(ctx, topo));
    return keyspaceRuleKeys(sw).some((from) => rules.has(from));
  }
  const shards = shardRoutingMap(await getShardRoutingRules(ctx, topo));
  if (sw.kind === 'partial' && sw.sources.some(({ info }) => shards.has(`${sw.sourceKeyspace}.${info.name}`))) return true;
  const rules = routingMap(await getRoutingRules(ctx, topo));
  return ruleKeys(sw).some((from) => rules.has(from));
}

/** Throws if a stream is not frozen, or something still leads to the source. Vitess: validateWorkflowHasCompleted. */
export async function validateCompleted(ctx: Context, cluster: Cluster, sw: TrafficSwitcher): Promise<void> {
  const problems = sw.kind === 'shards' ? unfinishedShards(cluster, sw) : frozenProblems(sw);
  // Shard by shard, rules that lead to the source keyspace are as they should be: those of its shards lead on.
  if (sw.kind === 'tables' || sw.kind === 'multi-tenant') problems.push(...(await rulesToSource(ctx, cluster, sw)));
  if (problems.length > 0) throw plainError(problems.join('\n'));
}

/** What forbids to complete a Reshard: a source shard that serves, a stream that is not frozen. */
function unfinishedShards(cluster: Cluster, sw: TrafficSwitcher): string[] {
  const serving = sw.sources.filter(({ info }) => info.record.is_primary_serving === true).map(({ info }) => `shard ${info.name} is still serving`);
  // Vitess looks at the streams of MoveTables alone; one that runs on would follow the shards that are about to go.
  return cluster.release.vitess ? serving : [...serving, ...frozenProblems(sw)];
}

/** A line for each target that still has a stream that is not frozen. */
function frozenProblems(sw: TrafficSwitcher): string[] {
  return sw.targets
    .filter((target) => readStreams(target.db, sw.workflow).some((row) => row.message !== FROZEN))
    .map((target) => `vreplication streams are not frozen on tablet ${target.primary.alias?.uid ?? 0}`);
}

async function rulesToSource(ctx: Context, { topo }: Cluster, sw: TrafficSwitcher): Promise<string[]> {
  const rules = [...routingMap(await getRoutingRules(ctx, topo))];
  return sw.tables.flatMap((table) =>
    rules
      .filter(([, to]) => to[0] === `${sw.sourceKeyspace}.${table}`)
      .map(([from]) => `routing still exists from keyspace ${sw.sourceKeyspace} table ${table} to ${from}`),
  );
}

/** Throws if a name under which a table is to be kept is taken: MySQL would say so in the middle, a shard at a time. */
export function refuseTakenNames({ release }: Cluster, sw: TrafficSwitcher): void {
  if (release.vitess) return;
  for (const { db } of sw.sources) {
    const taken = sw.tables.find((table) => db.findTable(table) !== undefined && db.findTable(renamedTable(table)) !== undefined);
    if (taken === undefined) continue;
    throw new UserError(`${db.keyspace}/${db.shard} has a table ${renamedTable(taken)} already: ${taken} cannot be kept under that name`, {
      next: 'drop it if nobody needs it, or complete without --rename-tables',
    });
  }
}

/** Throws if cancelling would take away what serves. */
export function checkUnswitched(cluster: Cluster, { sw, state }: WorkflowWithState, keepData: boolean): void {
  refuseOldReleases(cluster, state);
  if (state.writesSwitched) throw plainError('cannot delete workflow because you have already switched write traffic');
  refuseSwitchedShards(cluster, sw, state);
  refuseReverse(cluster, sw, keepData);
  if (cluster.release.behaviours.cancelReads === 'led back') refuseReadShards(sw, state);
  if (!cluster.release.vitess) refuseFrozen(sw, keepData);
}

/** Until v21 any switched traffic blocks a cancel, reads alone too, with one text for all (#17128). */
function refuseOldReleases(cluster: Cluster, state: WorkflowState): void {
  if (cluster.release.behaviours.cancelAfterReads) return;
  if (state.writesSwitched || state.replicaSwitched.length > 0 || state.rdonlySwitched.length > 0) {
    throw plainError('cannot cancel workflow because you have already switched some or all read and write traffic');
  }
}

/** Cancelling a partial move whose shards are switched drops the tables that serve them: releases do not know (K30). */
function refuseSwitchedShards(cluster: Cluster, sw: TrafficSwitcher, state: WorkflowState): void {
  const switched = state.partial?.own.switched ?? [];
  if (switched.length === 0 || cluster.release.behaviours.partialWrites === 'never known') return;
  const reverse = sw.workflow.endsWith('_reverse');
  const [workflow, keyspace] = reverse ? [sw.reverseWorkflow, sw.sourceKeyspace] : [sw.workflow, sw.targetKeyspace];
  const why = reverse ? `would delete the rules that lead traffic of shard ${switched.join(', ')} to ${keyspace}` : `would drop ${sw.tables.join(', ')} of shard ${switched.join(', ')} in ${keyspace}, which serves them`;
  throw new UserError(`cancelling ${sw.workflow} ${why}`, {
    next: `to keep the switch: switchtraffic MoveTables --workflow ${workflow} --target-keyspace ${keyspace} complete; to take it back: the same with reversetraffic, then cancel`,
  });
}

/** Cancelling a reverse workflow drops the live tables of its target, the original source (K31, #19903). */
function refuseReverse(cluster: Cluster, sw: TrafficSwitcher, keepData: boolean): void {
  if (cluster.release.behaviours.reverseCancel === 'drops' || keepData || !sw.workflow.endsWith('_reverse')) return;
  throw new UserError(`cancelling ${sw.workflow} would drop ${sw.tables.join(', ')} in ${sw.targetKeyspace}, which serves them`, {
    next: `cancel the workflow ${sw.reverseWorkflow} in ${sw.sourceKeyspace} instead, or add --keep-data`,
  });
}

/** A frozen workflow has had its writes switched, whatever the rules say by now: the target may have the only rows there are. */
function refuseFrozen(sw: TrafficSwitcher, keepData: boolean): void {
  if (!sw.frozen || keepData) return;
  throw new UserError(`${sw.workflow} is frozen: its writes were switched, and cancelling it would drop ${sw.tables.join(', ')} in ${sw.targetKeyspace}`, {
    next: `complete it: switchtraffic ${commandOf(sw.kind)} --workflow ${sw.workflow} --target-keyspace ${sw.targetKeyspace} complete; or add --keep-data`,
  });
}

/** Cancelling a Reshard empties its target shards, and nothing else leads reads back. */
function refuseReadShards(sw: TrafficSwitcher, state: WorkflowState): void {
  if (sw.kind !== 'shards') return;
  const types = [...(state.replicaSwitched.length > 0 ? ['replica'] : []), ...(state.rdonlySwitched.length > 0 ? ['rdonly'] : [])];
  if (types.length === 0) return;
  throw new UserError(`cancelling ${sw.workflow} would empty shards that serve ${types.join(' and ')} reads of ${sw.targetKeyspace}`, {
    next: `lead them back first: switchtraffic Reshard --workflow ${sw.workflow} --target-keyspace ${sw.targetKeyspace} reversetraffic --tablet-types ${types.join(',')}`,
  });
}

/** True for a partial workflow whose end is not that of its move: the rules stay, and the VSchema of the source. Releases cannot complete one (K50). */
export async function isPartOfMove(ctx: Context, cluster: Cluster, sw: TrafficSwitcher): Promise<boolean> {
  // Without its source there is nothing that the rest could wait for.
  return sw.kind === 'partial' && sw.sources.length > 0 && (await isMoveUnderWay(ctx, cluster, moveOf(sw), sw.workflow));
}
