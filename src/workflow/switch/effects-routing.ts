import { changeKeyspaceRoutingRules, changeRoutingRules, changeShardRoutingRules, getKeyspaceRoutingRules, keyspaceRoutingMap, type RoutingMap } from '../../topo/rules.ts';
import { rebuildSrvVSchema } from '../../topo/vschema.ts';
import type { TrafficSwitcher } from '../switcher.ts';
import { readTypes } from './effects-reads.ts';
import { changeShardRouting } from './effects-shards.ts';
import { writesServe } from './outage.ts';
import type { SwitchRun } from './run.ts';

/** The rules of the writes after the switch. Those of the reads are not touched. */
export function switchWriteRules(rules: RoutingMap, sw: TrafficSwitcher): void {
  for (const table of sw.tables) {
    rules.delete(`${sw.targetKeyspace}.${table}`);
    rules.set(table, [`${sw.targetKeyspace}.${table}`]);
    rules.set(`${sw.sourceKeyspace}.${table}`, [`${sw.targetKeyspace}.${table}`]);
  }
}

/** Points the writes at the target, in every cell. Vitess: trafficSwitcher.changeRouting. */
export async function changeRouting(run: SwitchRun): Promise<void> {
  const { cluster, sw, ctx } = run;
  const keyspaces = [sw.sourceKeyspace, sw.targetKeyspace];
  switch (sw.kind) {
    case 'shards':
      return changeShardRouting(run);
    case 'tables':
      await changeRoutingRules(ctx, cluster.topo, keyspaces, (rules) => switchWriteRules(rules, sw));
      break;
    case 'partial':
      await changeShardRoutingRules(ctx, cluster.topo, keyspaces, (rules) => {
        for (const { info } of sw.sources) {
          rules.delete(`${sw.targetKeyspace}.${info.name}`);
          rules.set(`${sw.sourceKeyspace}.${info.name}`, sw.targetKeyspace);
        }
      });
      break;
    case 'multi-tenant':
      await changeKeyspaceRoutingRules(ctx, cluster.topo, keyspaces, 'SwitchWrites', (rules) => rules.set(sw.sourceKeyspace, sw.targetKeyspace));
  }
  await rebuildSrvVSchema(ctx, cluster.topo);
  writesServe(run, sw.targetKeyspace);
}

/** The keyspace routing rules of the reads after a switch, or a reversal of one. A release points them at the target either way (K24). */
async function wantedKeyspaceRules(run: SwitchRun): Promise<[string, string][]> {
  const { cluster, sw, direction } = run;
  const back = direction === 'backward' && cluster.release.behaviours.tenantReversal === 'works';
  const to = back ? sw.sourceKeyspace : sw.targetKeyspace;
  return (await readTypes(run)).map((type) => [`${sw.sourceKeyspace}@${type.toLowerCase()}`, to]);
}

/** Switches the reads of a tenant, in every cell. Vitess: trafficSwitcher.switchKeyspaceReads. */
export async function changeKeyspaceReads(run: SwitchRun): Promise<void> {
  const { cluster, sw, ctx } = run;
  const wanted = await wantedKeyspaceRules(run);
  await changeKeyspaceRoutingRules(ctx, cluster.topo, [sw.sourceKeyspace, sw.targetKeyspace], 'SwitchReads', (rules) => {
    for (const [from, to] of wanted) rules.set(from, to);
  });
  await rebuildSrvVSchema(ctx, cluster.topo);
}

/** True if the keyspace rules of the reads stand where this switch wants them. */
export async function areKeyspaceReadsSwitched(run: SwitchRun): Promise<boolean> {
  const now = keyspaceRoutingMap(await getKeyspaceRoutingRules(run.ctx, run.cluster.topo));
  return (await wantedKeyspaceRules(run)).every(([from, to]) => now.get(from) === to);
}
