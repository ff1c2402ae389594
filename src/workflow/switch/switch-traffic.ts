import { errorText, UserError, vtError } from '../../lib/errors.ts';
import { reverseWorkflowName } from '../../lib/names.ts';
import { formatRfc822 } from '../../lib/go-time.ts';
import { type Context, withoutCancel } from '../../runtime/context.ts';
import type { Cluster } from '../../tablet/cluster.ts';
import { interrupted } from '../intent/stand-back.ts';
import { refuseSomeShards } from '../some-shards.ts';
import { areWritesSwitched, getWorkflowState, stateText, type WorkflowWithState } from '../state.ts';
import { WORKFLOW_TYPES } from '../switcher.ts';
import { dryRunLines } from './dry-run.ts';
import { requestOf, type SwitchIntent } from './intent.ts';
import { refuseOldJournal } from './old-journal.ts';
import { refusePartialReads, refuseTenantReversal, stateAfter } from './part-moves.ts';
import { type Chosen, prepareRun } from './prepare-run.ts';
import type { SwitchRequest, SwitchRun } from './run.ts';
import { runSwitch, type SwitchEnd } from './runner.ts';
import { type Awaited, continueOutage, refuseOtherCommand, settleIntent } from './settle.ts';
import { isStale } from './stale.ts';
import { SwitchFailed } from './switch-failed.ts';

/** The answer of SwitchTraffic and ReverseTraffic. */
export interface SwitchResult {
  summary: string;
  startState: string;
  currentState: string;
  dryRunResults: string[];
  /** How the switch went; undefined for a dry run. */
  end: SwitchEnd | undefined;
  run: SwitchRun | undefined;
}

const SWITCHABLE = new Set(['PRIMARY', 'REPLICA', 'RDONLY']);
const LEAST_TIMEOUT_MS = 1000;
/** How often a switch reads its workflow anew because it changed while the lock was waited for. */
const MOST_READINGS = 5;

/**
 * Switches a workflow's traffic, or reverses it. A reversal that involves writes is a forward switch of the reverse
 * workflow. Throws SwitchFailed once steps have begun, Vitess's own errors before.
 * Vitess: go/vt/vtctl/workflow/server.go WorkflowSwitchTraffic.
 */
export async function switchTraffic(ctx: Context, cluster: Cluster, request: SwitchRequest): Promise<SwitchResult> {
  const command = request.direction === 'forward' ? 'SwitchTraffic' : 'ReverseTraffic';
  // Vitess wraps a nil error here: an empty answer and no error, with nothing done (D6). Until v20 there is no check.
  if (request.timeoutMs < LEAST_TIMEOUT_MS && cluster.release.behaviours.leastTimeout !== 'none') {
    return { summary: '', startState: '', currentState: '', dryRunResults: [], end: undefined, run: undefined };
  }
  const wrong = request.tabletTypes.find((type) => !SWITCHABLE.has(type));
  if (wrong !== undefined) throw vtError('INVALID_ARGUMENT', `invalid tablet type passed ${wrong}`);
  let run = await prepare(ctx, cluster, request, command);
  if (request.dryRun) return dryRun(run, command);
  let end = await runSwitch(run);
  for (let again = 1; isStale(end.error) && again < MOST_READINGS; again++) {
    run = await prepare(ctx, cluster, request, command);
    end = await runSwitch(run);
  }
  if (end.error !== undefined) throw new SwitchFailed(end, run);
  return {
    summary: `${command} was successful for workflow ${request.keyspace}.${request.workflow}`,
    startState: stateText(run.startState),
    // Who told a switch to stop that could only be completed wants to know what has become of it.
    currentState: await reloadState(cluster.release.vitess ? ctx : withoutCancel(ctx), cluster, run),
    dryRunResults: [],
    end,
    run,
  };
}

/** Reads the workflow, and first carries out what an interrupted switch of it left behind. */
async function prepare(ctx: Context, cluster: Cluster, request: SwitchRequest, command: string): Promise<SwitchRun> {
  const awaited: Awaited = {};
  for (;;) {
    await refuseOtherCommand(ctx, cluster, request, awaited);
    const asked = await getWorkflowState(ctx, cluster, request.keyspace, request.workflow);
    refuseKind(asked, cluster, command);
    if (!cluster.release.vitess) refuseSomeShards(asked.sw, request.shards);
    const intent = await settleIntent(ctx, cluster, asked, request, awaited);
    // Whatever was at work or left behind is settled now: the workflow is read again.
    if (intent === 'settled') continue;
    const chosen = await chooseSwitcher(ctx, cluster, request, asked);
    refuseOtherWay(chosen, request, intent);
    if (intent !== undefined) cluster.world.events.emit({ kind: 'warning', text: `${intent.command} was interrupted past its journal; this run completes it` });
    const run = prepareRun(ctx, cluster, request, chosen, intent);
    if (intent !== undefined) await continueOutage(run, intent);
    refuseOldJournal(run);
    return run;
  }
}

/** Past its journal a switch can only be completed, and as it was asked for: another way, or with other flags, does not lead out. Throws UserError. */
function refuseOtherWay({ found: { sw } }: Chosen, request: SwitchRequest, intent: SwitchIntent | undefined): void {
  if (intent === undefined) return;
  const { enableReverseReplication, initializeSequences } = requestOf(intent);
  const sameWay = intent.keyspace === sw.targetKeyspace && intent.workflow === sw.workflow && request.tabletTypes.includes('PRIMARY');
  if (sameWay && request.enableReverseReplication === enableReverseReplication && request.initializeSequences === initializeSequences) return;
  throw interrupted(intent);
}

function refuseKind({ sw }: WorkflowWithState, cluster: Cluster, command: string): void {
  const type = WORKFLOW_TYPES[sw.workflowType];
  const { sameKeyspace } = cluster.release.behaviours;
  if (type === 'MoveTables' && sw.sourceKeyspace === sw.targetKeyspace && sameKeyspace !== 'accepted') {
    throw vtError(
      'FAILED_PRECONDITION',
      `workflow ${sw.targetKeyspace}.${sw.workflow} is invalid: MoveTables source keyspace matches target keyspace (${sw.sourceKeyspace})`,
    );
  }
  if (type === 'Migrate') throw vtError('INVALID_ARGUMENT', 'invalid action for Migrate workflow: SwitchTraffic');
  if (type !== 'MoveTables' && type !== 'Reshard') throw new UserError(`${command} is for MoveTables and Reshard; ${sw.workflow} is a ${type} workflow`);
}

async function chooseSwitcher(ctx: Context, cluster: Cluster, request: SwitchRequest, asked: WorkflowWithState): Promise<Chosen> {
  const { behaviours } = cluster.release;
  const backward = request.direction === 'backward';
  const writesSwitched = areWritesSwitched(cluster, asked.state);
  const onlyReads = !writesSwitched && !request.tabletTypes.includes('PRIMARY');
  const already = backward ? !writesSwitched : writesSwitched;
  refusePartialReads(cluster, asked, request);
  if (backward && asked.sw.kind === 'multi-tenant') await refuseTenantReversal(ctx, cluster, asked, onlyReads);
  // Until v20 a reversal made no checks at all (#16920).
  const writesAlreadySwitched = already || (backward && !behaviours.reverseChecked);
  if (!backward || (onlyReads && behaviours.readsOnlyReversal)) {
    return { found: asked, direction: request.direction, writesAlreadySwitched };
  }
  const found = await getWorkflowState(ctx, cluster, asked.sw.sourceKeyspace, reverseWorkflowName(asked.sw.workflow));
  return { found, direction: 'forward', writesAlreadySwitched };
}

async function dryRun(run: SwitchRun, command: string): Promise<SwitchResult> {
  const { keyspace, workflow } = run.request;
  const lines = await dryRunLines(run);
  return {
    summary: `${command} dry run results for workflow ${keyspace}.${workflow} at ${formatRfc822(run.cluster.world.clock.now())}`,
    startState: '',
    currentState: '',
    dryRunResults: lines.length > 0 ? lines : ['No changes required'],
    end: undefined,
    run: undefined,
  };
}

async function reloadState(ctx: Context, cluster: Cluster, run: SwitchRun): Promise<string> {
  try {
    const found = await getWorkflowState(ctx, cluster, run.sw.targetKeyspace, run.sw.workflow);
    return stateText(await stateAfter(ctx, run, found));
  } catch (error) {
    return `Error reloading workflow state after switching traffic: ${errorText(error)}`;
  }
}

