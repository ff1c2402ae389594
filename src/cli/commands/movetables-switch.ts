import { UserError } from '../../lib/errors.ts';
import { WorkflowSwitchTrafficResponse } from '../../topo/proto/messages-vtctldata-workflow.ts';
import { forgottenSequences } from '../../workflow/switch/sequences/forgotten.ts';
import { SwitchFailed } from '../../workflow/switch/switch-failed.ts';
import { switchTraffic, type SwitchResult } from '../../workflow/switch/switch-traffic.ts';
import type { Cluster } from '../../tablet/cluster.ts';
import { withCluster } from '../cluster.ts';
import { letPass, SHORT_TIMEOUT } from '../deviations.ts';
import type { CommandScope } from '../scope.ts';
import { CommandFailure } from '../command-failure.ts';
import { boolOf, hasFlag, outputFormat } from '../flags.ts';
import type { Invocation } from '../spec.ts';
import { refuseLaterFlag } from '../later-flags.ts';
import { refuseUnknownCells } from '../places.ts';
import { unsentShards } from '../sent-shards.ts';
import { watchSteps } from '../step-progress.ts';
import { failureNotes, outageNotes } from '../switch-report.ts';
import { printRecord } from '../vtctl-output.ts';

const SEQUENCES = 'initialize-target-sequences';

/** Switches traffic, or reverses it. */
export async function run(inv: Invocation): Promise<number> {
  const { flags } = inv;
  const format = outputFormat(inv);
  const forward = inv.path.at(-1) === 'switchtraffic';
  return withCluster(inv, { history: true }, async (scope) => {
    const { ctx, cluster } = scope;
    checkTimeout(inv, cluster, forward);
    await refuseUnknownCells(ctx, cluster, flags.strings('cells'));
    if (hasFlag(inv, SEQUENCES) && !flags.bool(SEQUENCES)) await checkSequences(inv, scope);
    const watch = await watchSteps(inv, scope, format === 'json');
    let result: SwitchResult;
    try {
      result = await switchTraffic(ctx, cluster, {
        keyspace: flags.str('target-keyspace'),
        workflow: flags.str('workflow'),
        direction: forward ? 'forward' : 'backward',
        tabletTypes: flags.tabletTypes('tablet-types'),
        cells: flags.strings('cells'),
        timeoutMs: flags.duration('timeout'),
        maxLagMs: flags.duration('max-replication-lag-allowed'),
        enableReverseReplication: flags.bool('enable-reverse-replication'),
        // Reshard, and a reversal, have no such flag: their sequences are in use.
        initializeSequences: boolOf(inv, SEQUENCES),
        dryRun: flags.bool('dry-run'),
        force: sentForce(inv, cluster),
        shards: unsentShards(inv, cluster),
      });
    } catch (error) {
      watch.fail();
      if (!(error instanceof SwitchFailed)) throw error;
      throw new CommandFailure(error.cause, inv.flags.bool('quiet') ? [] : await failureNotes(inv, scope, error));
    }
    watch.done();
    await print(inv, scope, result, format);
    return 0;
  });
}

/** `--force`, as far as it gets anywhere. */
function sentForce(inv: Invocation, { release, world }: Cluster): boolean {
  const { vitess, name, behaviours } = release;
  refuseLaterFlag(inv, 'force', behaviours.forceRefresh);
  if (!inv.flags.bool('force') || !vitess) return inv.flags.bool('force');
  world.events.emit({ kind: 'warning', text: `vtctldclient ${name} does not send --force: nothing is passed over` });
  return false;
}

/** Refuses a time limit that the release refuses; from v21 on a reversal with one too short does nothing (D6). Throws UserError. */
function checkTimeout({ flags }: Invocation, { release, world }: Cluster, forward: boolean): void {
  const { leastTimeout } = release.behaviours;
  if (flags.duration('timeout') >= 1000 || leastTimeout === 'none') return;
  if (forward || leastTimeout === 'both') throw new UserError(SHORT_TIMEOUT);
  world.events.emit({ kind: 'warning', text: SHORT_TIMEOUT });
}

/** What an operator who switches writes may have forgotten. */
async function checkSequences({ flags }: Invocation, { ctx, cluster }: CommandScope): Promise<void> {
  if (!flags.tabletTypes('tablet-types').includes('PRIMARY')) return;
  const problem = await forgottenSequences(ctx, cluster, flags.str('target-keyspace'), flags.str('workflow'));
  if (problem !== undefined) letPass(cluster, 'sequences-forgotten', `${problem}: add --${SEQUENCES}`);
}

async function print(inv: Invocation, scope: CommandScope, result: SwitchResult, format: string): Promise<void> {
  if (format === 'json') {
    printRecord(inv, WorkflowSwitchTrafficResponse, {
      summary: result.summary,
      start_state: result.startState,
      current_state: result.currentState,
      dry_run_results: result.dryRunResults,
    });
  } else if (result.dryRunResults.length > 0) {
    inv.io.stdout.write(`${result.summary}\n\n${result.dryRunResults.join('\n')}\n\n`);
  } else {
    inv.io.stdout.write(`${result.summary}\n\nStart State: ${result.startState}\nCurrent State: ${result.currentState}\n\n`);
  }
  if (result.run === undefined) return;
  if (inv.signal.aborted) inv.io.stderr.write('state: it was past the point of no return when it was told to stop, and is completed\n');
  const outage = await outageNotes(scope, result.run);
  if (inv.flags.bool('quiet')) return;
  for (const warning of result.run.warnings) inv.io.stderr.write(`warning: ${warning}\n`);
  for (const line of outage) inv.io.stderr.write(`${line}\n`);
}
