import { errorText, wrapError } from '../../lib/errors.ts';
import { protojson } from '../../topo/proto/encode.ts';
import { KeyspaceRoutingRules, ShardRoutingRules } from '../../topo/proto/messages-vschema.ts';
import { ApplyKeyspaceRoutingRulesResponse } from '../../topo/proto/messages-vtctldata.ts';
import type { KeyspaceRoutingRules as KeyspaceRules, ShardRoutingRules as ShardRules } from '../../topo/proto/types.ts';
import { findPartRuleMistakes } from '../../topo/part-rules-check.ts';
import { changeKeyspaceRoutingRules, getKeyspaceRoutingRules, keyspaceRoutingMap, saveShardRoutingRules } from '../../topo/rules.ts';
import { rebuildSrvVSchema } from '../../topo/vschema.ts';
import { unknownCell } from '../../workflow/admin.ts';
import { withCluster } from '../cluster.ts';
import { letPass } from '../deviations.ts';
import { refuseLaterCommand } from '../later-flags.ts';
import { type ReadRules, readRules } from '../rules-input.ts';
import type { CommandScope } from '../scope.ts';
import type { Invocation } from '../spec.ts';
import { printRecord } from '../vtctl-output.ts';

/** Replaces the rules of a kind that is not about tables. */
export function run(inv: Invocation): Promise<number> {
  return inv.path.at(-1) === 'ApplyShardRoutingRules' ? applyShardRules(inv) : applyKeyspaceRules(inv);
}

function applyShardRules(inv: Invocation): Promise<number> {
  const read = readRules<ShardRules>(inv, ShardRoutingRules);
  const dryRun = inv.flags.bool('dry-run');
  return withCluster(inv, { history: !dryRun }, async (scope) => {
    await checkRules(inv, scope, 'shard', read);
    const json = protojson(ShardRoutingRules, read.rules, { compact: inv.flags.bool('compact') });
    if (dryRun) {
      // vtctldclient reads the options of ApplyRoutingRules here, which are never set.
      inv.io.stdout.write(`[DRY RUN] Would have saved new ShardRoutingRules object:\n${json}\n[DRY RUN] Would have rebuilt the VSchema graph in all cells\n`);
      return 0;
    }
    await saveShardRoutingRules(scope.ctx, scope.cluster.topo, read.rules);
    await rebuild(inv, scope);
    const advice = 'If this is not what you expected, check the input data (as JSON parsing will skip unexpected fields).';
    inv.io.stdout.write(`New ShardRoutingRules object:\n${json}\n${advice}\n`);
    return 0;
  });
}

function applyKeyspaceRules(inv: Invocation): Promise<number> {
  const read = readRules<KeyspaceRules>(inv, KeyspaceRoutingRules, false);
  const dryRun = inv.flags.bool('dry-run');
  return withCluster(inv, { history: !dryRun }, async (scope) => {
    const { ctx, cluster } = scope;
    refuseLaterCommand(inv, cluster.release.behaviours.tenantMoves);
    await checkRules(inv, scope, 'keyspace', read);
    if (dryRun) {
      const json = protojson(KeyspaceRoutingRules, read.rules, { compact: inv.flags.bool('compact') });
      inv.io.stdout.write(`[DRY RUN] Would have saved new KeyspaceRoutingRules object:\n${json}\n[DRY RUN] ${rebuildText(inv)}\n`);
      return 0;
    }
    await changeKeyspaceRoutingRules(ctx, cluster.topo, [], 'ApplyKeyspaceRoutingRules', (rules) => {
      rules.clear();
      for (const [from, to] of keyspaceRoutingMap(read.rules)) rules.set(from, to);
    });
    const saved = await getKeyspaceRoutingRules(ctx, cluster.topo);
    await rebuild(inv, scope);
    printRecord(inv, ApplyKeyspaceRoutingRulesResponse, { keyspace_routing_rules: saved ?? {} });
    return 0;
  });
}

async function rebuild({ flags }: Invocation, { ctx, cluster }: CommandScope): Promise<void> {
  if (flags.bool('skip-rebuild')) return;
  const cells = flags.strings('cells');
  try {
    await rebuildSrvVSchema(ctx, cluster.topo, cells);
  } catch (error) {
    throw wrapError(error, `RebuildSrvVSchema([${cells.join(' ')}]) failed: ${errorText(error)}`);
  }
}

function rebuildText({ flags }: Invocation): string {
  const cells = flags.strings('cells');
  if (flags.bool('skip-rebuild')) {
    return 'Would not have rebuilt VSchema graph, would have required operator to run RebuildVSchemaGraph for changes to take effect.';
  }
  return `Would have rebuilt the VSchema graph ${cells.length === 0 ? 'in all cells' : `in the following cells: ${cells.join(', ')}.`}`;
}

/** What Vitess saves without looking. */
async function checkRules(inv: Invocation, { ctx, cluster }: CommandScope, kind: 'shard' | 'keyspace', { rules, unknownFields }: ReadRules<ShardRules | KeyspaceRules>): Promise<void> {
  for (const path of unknownFields) letPass(cluster, 'rule-unknown-field', `the rules hold a field that does not exist: ${path}`);
  for (const text of await findPartRuleMistakes(ctx, cluster.topo, kind, rules)) letPass(cluster, 'part-rules', text);
  const mistake = await unknownCell(ctx, cluster.topo, inv.flags.strings('cells'));
  if (mistake !== undefined) letPass(cluster, mistake.kind, mistake.text);
}
