/** What is looked at before a workflow ends. */
import { UserError } from '../lib/errors.ts';
import type { Cluster } from '../tablet/cluster.ts';
import { FROZEN, readStreams } from '../tablet/vreplication/streams.ts';
import { areWritesSwitched, type WorkflowState } from './state.ts';
import type { TrafficSwitcher } from './switcher.ts';

/** A line for each target that still has a stream that is not frozen. Vitess: validateWorkflowHasCompleted. */
export function frozenProblems(sw: TrafficSwitcher): string[] {
  return sw.targets
    .filter((target) => readStreams(target.db, sw.workflow).some((row) => row.message !== FROZEN))
    .map((target) => `vreplication streams are not frozen on tablet ${target.primary.alias?.uid ?? 0}`);
}

/** Cancelling a partial move whose shards are switched drops the tables that serve them: releases do not know (K30). Throws UserError. */
export function refuseSwitchedShards(cluster: Cluster, sw: TrafficSwitcher, state: WorkflowState): void {
  const switched = state.partial?.own.switched ?? [];
  if (switched.length === 0 || cluster.release.behaviours.partialWrites === 'never known') return;
  const reverse = sw.workflow.endsWith('_reverse');
  const [workflow, keyspace] = reverse ? [sw.reverseWorkflow, sw.sourceKeyspace] : [sw.workflow, sw.targetKeyspace];
  const why = reverse ? `would delete the rules that lead traffic of shard ${switched.join(', ')} to ${keyspace}` : `would drop ${sw.tables.join(', ')} of shard ${switched.join(', ')} in ${keyspace}, which serves them`;
  throw new UserError(`cancelling ${sw.workflow} ${why}`, {
    next: `to keep the switch: switchtraffic MoveTables --workflow ${workflow} --target-keyspace ${keyspace} complete; to take it back: the same with reversetraffic, then cancel`,
  });
}

/** True if everything is switched that complete needs switched. */
export function isFullySwitched(cluster: Cluster, state: WorkflowState): boolean {
  return areWritesSwitched(cluster, state) && state.replicaNotSwitched.length === 0 && state.rdonlyNotSwitched.length === 0;
}
