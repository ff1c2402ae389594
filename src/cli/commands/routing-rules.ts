import { errorText, wrapError } from '../../lib/errors.ts';
import { protojson } from '../../topo/proto/encode.ts';
import { KeyspaceRoutingRules, MirrorRules, RoutingRules, ShardRoutingRules } from '../../topo/proto/messages-vschema.ts';
import { getKeyspaceRoutingRules, getMirrorRules, getRoutingRules, getShardRoutingRules, saveRoutingRules } from '../../topo/rules.ts';
import { findRuleMistakes } from '../../topo/rules-check.ts';
import { rebuildSrvVSchema } from '../../topo/vschema.ts';
import { unknownCell } from '../../workflow/admin.ts';
import { withCluster } from '../cluster.ts';
import type { CommandScope } from '../scope.ts';
import { letPass } from '../deviations.ts';
import { refuseLaterCommand } from '../later-flags.ts';
import { type ReadRules, readRules } from '../rules-input.ts';
import type { Invocation } from '../spec.ts';
import { printRecord } from '../vtctl-output.ts';

/** Prints rules of one kind, or replaces the routing rules of tables. */
export function run(inv: Invocation): Promise<number> {
  return inv.path.at(-1) === 'ApplyRoutingRules' ? apply(inv) : withCluster(inv, {}, (scope) => print(inv, scope));
}

async function print(inv: Invocation, { ctx, cluster: { topo, release } }: CommandScope): Promise<number> {
  switch (inv.path.at(-1)) {
    case 'GetShardRoutingRules':
      printRecord(inv, ShardRoutingRules, await getShardRoutingRules(ctx, topo));
      break;
    case 'GetKeyspaceRoutingRules':
      printRecord(inv, KeyspaceRoutingRules, (await getKeyspaceRoutingRules(ctx, topo)) ?? null);
      break;
    case 'GetMirrorRules':
      refuseLaterCommand(inv, release.behaviours.mirrorTraffic);
      printRecord(inv, MirrorRules, await getMirrorRules(ctx, topo));
      break;
    default:
      printRecord(inv, RoutingRules, await getRoutingRules(ctx, topo));
  }
  return 0;
}

function apply(inv: Invocation): Promise<number> {
  const read = readRules(inv, RoutingRules);
  const dryRun = inv.flags.bool('dry-run');
  return withCluster(inv, { history: !dryRun }, async (scope) => {
    await checkRules(inv, scope, read);
    const json = protojson(RoutingRules, read.rules, { compact: inv.flags.bool('compact') });
    if (!dryRun) await save(inv, scope, read);
    inv.io.stdout.write(dryRun ? dryRunText(inv, json) : appliedText(inv, json));
    return 0;
  });
}

async function save(inv: Invocation, { ctx, cluster: { topo } }: CommandScope, { rules }: ReadRules): Promise<void> {
  await saveRoutingRules(ctx, topo, rules);
  if (inv.flags.bool('skip-rebuild')) return;
  const cells = inv.flags.strings('cells');
  try {
    await rebuildSrvVSchema(ctx, topo, cells);
  } catch (error) {
    throw wrapError(error, `RebuildSrvVSchema([${cells.join(' ')}]) failed: ${errorText(error)}`);
  }
}

/** What Vitess saves without looking. */
async function checkRules(inv: Invocation, { ctx, cluster }: CommandScope, read: ReadRules): Promise<void> {
  for (const path of read.unknownFields) letPass(cluster, 'rule-unknown-field', `the rules hold a field that does not exist: ${path}`);
  for (const { kind, text } of await findRuleMistakes(ctx, cluster.topo, read.rules)) letPass(cluster, `rule-${kind}`, text);
  const mistake = await unknownCell(ctx, cluster.topo, inv.flags.strings('cells'));
  if (mistake !== undefined) letPass(cluster, mistake.kind, mistake.text);
}

function dryRunText({ flags }: Invocation, json: string): string {
  const cells = flags.strings('cells');
  const where = cells.length === 0 ? 'in all cells' : `in the following cells: ${cells.join(', ')}.`;
  const rebuild = flags.bool('skip-rebuild')
    ? 'Would not have rebuilt VSchema graph, would have required operator to run RebuildVSchemaGraph for changes to take effect'
    : `Would have rebuilt the VSchema graph ${where}`;
  return `[DRY RUN] Would have saved new RoutingRules object:\n${json}\n[DRY RUN] ${rebuild}\n`;
}

function appliedText({ flags }: Invocation, json: string): string {
  const skipped = 'Skipping rebuild of VSchema graph, will need to run RebuildVSchemaGraph for changes to take effect.\n';
  const advice = 'If this is not what you expected, check the input data (as JSON parsing will skip unexpected fields).';
  return `New RoutingRules object:\n${json}\n${advice}\n${flags.bool('skip-rebuild') ? skipped : ''}`;
}
