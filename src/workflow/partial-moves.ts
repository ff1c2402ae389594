/**
 * Shard by shard, several workflows make one move between two keyspaces: what one of them may take away depends on where the others
 * are. Vitess looks at each alone (K30, K50).
 */
import { reverseWorkflowName } from '../lib/names.ts';
import type { Context } from '../runtime/context.ts';
import type { Cluster } from '../tablet/cluster.ts';
import { sourceOf } from '../tablet/vreplication/stream-source.ts';
import { readStreams } from '../tablet/vreplication/streams.ts';
import { findAllShards, servingShards } from '../topo/keyspaces.ts';
import { getShardRoutingRules, type KeyspaceMap, shardRoutingMap } from '../topo/rules.ts';
import { WORKFLOW_SUB_TYPES } from './switcher.ts';

/** The keyspaces of a move as it began, whichever of its workflows one looks at. */
export interface Move {
  sourceKeyspace: string;
  targetKeyspace: string;
}

/** A reverse workflow is the same move, seen from its end. */
export function moveOf({ workflow, sourceKeyspace, targetKeyspace }: Move & { workflow: string }): Move {
  return workflow.endsWith('_reverse') ? { sourceKeyspace: targetKeyspace, targetKeyspace: sourceKeyspace } : { sourceKeyspace, targetKeyspace };
}

/** True if the rules send a shard's traffic to the target. */
export function isShardSwitched(rules: KeyspaceMap, { sourceKeyspace, targetKeyspace }: Move, shard: string): boolean {
  return rules.get(`${sourceKeyspace}.${shard}`) === targetKeyspace;
}

/**
 * True while the move needs its rules without this workflow: others of it are there, or some of its shards have been switched and
 * some have not.
 */
export async function isMoveUnderWay(ctx: Context, cluster: Cluster, move: Move, workflow: string): Promise<boolean> {
  if ((await otherWorkflows(ctx, cluster, move, workflow)).length > 0) return true;
  const rules = shardRoutingMap(await getShardRoutingRules(ctx, cluster.topo));
  const shards = (await servingShards(ctx, cluster.topo, move.sourceKeyspace)).map((info) => info.name);
  const switched = shards.filter((shard) => isShardSwitched(rules, move, shard));
  return switched.length > 0 && switched.length < shards.length;
}

/** Names of the other workflows of a move, its reverses included. */
async function otherWorkflows(ctx: Context, cluster: Cluster, move: Move, workflow: string): Promise<string[]> {
  const own = [workflow, reverseWorkflowName(workflow)];
  const keyspaces = [move.sourceKeyspace, move.targetKeyspace];
  const names = new Set<string>();
  for (const keyspace of keyspaces) {
    for (const info of await findAllShards(ctx, cluster.topo, keyspace)) {
      const db = cluster.shards.open(keyspace, info.name);
      for (const row of readStreams(db)) {
        const partial = WORKFLOW_SUB_TYPES[row.workflow_sub_type] === 'Partial';
        if (partial && !own.includes(row.workflow) && keyspaces.includes(sourceOf(db, row).keyspace)) names.add(row.workflow);
      }
    }
  }
  return [...names].toSorted();
}

/** Takes the rules of all shards of a move away: it is over, one way or the other. */
export function dropShardRules(rules: KeyspaceMap, { sourceKeyspace, targetKeyspace }: Move): void {
  for (const [key, to] of rules) {
    const from = key.slice(0, key.indexOf('.'));
    if ((from === sourceKeyspace && to === targetKeyspace) || (from === targetKeyspace && to === sourceKeyspace)) rules.delete(key);
  }
}
