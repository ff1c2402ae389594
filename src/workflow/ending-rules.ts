/** Which routing rules go with a workflow, by what it moves. Vitess: traffic_switcher.go deleteRoutingRules, deleteShardRoutingRules, deleteKeyspaceRoutingRules. */
import type { Context } from '../runtime/context.ts';
import type { Cluster } from '../tablet/cluster.ts';
import { changeKeyspaceRoutingRules, changeRoutingRules, changeShardRoutingRules } from '../topo/rules.ts';
import { dropShardRules, isMoveUnderWay, moveOf } from './partial-moves.ts';
import { keyspaceRuleKeys, ruleKeys } from './switch/intent-images.ts';
import type { TrafficSwitcher } from './switcher.ts';

/** Removes the rules, guarded by the locks of these keyspaces. */
export async function deleteRulesOf(ctx: Context, cluster: Cluster, sw: TrafficSwitcher, keyspaces: readonly string[]): Promise<void> {
  const hardened = cluster.release.behaviours.partialWrites === 'by its shards';
  // A release takes the rules of the tables along whatever the kind, and leaves those of the other shards behind.
  if (sw.kind === 'partial' && hardened) {
    if (await isMoveUnderWay(ctx, cluster, moveOf(sw), sw.workflow)) return;
  }
  if (sw.kind !== 'multi-tenant' || !hardened) {
    await changeRoutingRules(ctx, cluster.topo, keyspaces, (rules) => {
      for (const from of ruleKeys(sw)) rules.delete(from);
    });
  }
  if (sw.kind === 'partial') {
    await changeShardRoutingRules(ctx, cluster.topo, keyspaces, (rules) => {
      if (hardened) dropShardRules(rules, moveOf(sw));
      else for (const { info } of sw.targets) rules.delete(`${sw.targetKeyspace}.${info.name}`);
    });
  }
  if (sw.kind === 'multi-tenant') {
    await changeKeyspaceRoutingRules(ctx, cluster.topo, keyspaces, `Deleting rules for ${sw.sourceKeyspace}`, (rules) => {
      for (const from of keyspaceRuleKeys(sw)) rules.delete(from);
    });
  }
}
