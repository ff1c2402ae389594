import { errorText, wrapError } from '../../lib/errors.ts';
import { checkContext, withoutCancel, withTimeout } from '../../runtime/context.ts';
import { ExitFault } from '../../lib/exit-fault.ts';
import { NO_FAULTS, runStep } from '../../runtime/step.ts';
import type { Writer } from '../../topo/conn/conn.ts';
import { shardText } from '../../topo/keyspaces.ts';
import { noteStep } from '../../topo/locks.ts';
import { dropIntent, type ProgressMarks, putStep, stepText } from '../intent/record.ts';
import { cancelMigration, withCancelError } from './cancel-migration.ts';
import type { StepName } from './catalogue.ts';
import { EFFECTS } from './effects.ts';
import { tailMs, unlockRest } from './effects-locks.ts';
import { areReadsSwitched, isJournaledBySources } from './effects-reads.ts';
import { areKeyspaceReadsSwitched } from './effects-routing.ts';
import { areShardReadsSwitched } from './effects-shards.ts';
import { recordIntent } from './intent.ts';
import { isDecidedByLooking, type PlannedStep, planSteps } from './plan.ts';
import { countRefused } from './outage.ts';
import type { SwitchRun } from './run.ts';
import { forgetSequenceNotes } from './sequences-undo.ts';

/** How a switch ended, whatever became of it. */
export interface SwitchEnd {
  error: unknown;
  /** The step that failed. */
  failedAt: PlannedStep | undefined;
  /** What was done about it. `exited`: a fault ended the command, so nothing was done. */
  end: 'exited' | 'switched' | 'rolled back' | 'roll-back failed' | 'nothing changed' | 'left as is' | 'stranded' | 'forward only';
  stepsDone: PlannedStep[];
}

/** Runs the steps of a switch in order; a failure leads where the step says. Never throws. */
export async function runSwitch(run: SwitchRun): Promise<SwitchEnd> {
  const steps = planSteps(run.path, run.cluster.release.behaviours);
  const stepsDone: PlannedStep[] = [];
  let tail: { end(): void } | undefined;
  for (const step of steps) {
    try {
      if (!(await writeIntent(run, steps, step))) await note(run, steps, step);
      // A switch that only completes an earlier one is past the journal from its first look at it.
      if (step.pointOfNoReturn || step.name === 'switchTraffic/writes/gatherPositions') tail ??= detach(run);
      await runPlanned(run, step);
      stepsDone.push(step);
      if (step.name === lastChange(steps)) await strikeIntent(run);
    } catch (error) {
      const decided = error instanceof ExitFault ? 'exits' : await decide(run, step, withOuter(run, step, error));
      if (decided === 'go on') {
        stepsDone.push(step);
        if (step.name === lastChange(steps)) await strikeIntent(run);
        continue;
      }
      const ended = await fail(run, step, error, decided);
      await unlockRest(run, ended.error);
      tail?.end();
      return { ...ended, failedAt: step, stepsDone };
    }
  }
  tail?.end();
  await unlockRest(run, undefined);
  return { error: undefined, failedAt: undefined, end: 'switched', stepsDone };
}

async function runPlanned(run: SwitchRun, step: PlannedStep): Promise<void> {
  const { side, perTarget = false } = step.entry;
  const members = [...(side === 'target' ? [] : run.sw.sources), ...(side === 'source' ? [] : run.sw.targets)];
  const targets = members.map((member) => shardText(member.info));
  const effect = EFFECTS[step.name as keyof typeof EFFECTS];
  const call = { name: step.name, occurrence: step.occurrence, targets, perTarget };
  await runStep(run.ctx, run.cluster.world, call, (scope) => effect(run, scope));
}

/** The first steps that change anything but locks: before them an intent is written (`hardened`). */
function changesFirst(name: StepName): boolean {
  return (
    name === 'switchTraffic/reads/mirrorOff' ||
    name === 'switchTraffic/reads/switchTableReads' ||
    name === 'switchTraffic/reads/switchKeyspaceReads' ||
    name === 'switchTraffic/reads/switchShardReads' ||
    name === 'switchTraffic/writes/mirrorOff' ||
    name === 'switchTraffic/writes/getTargetSequenceMetadata' ||
    name === 'switchTraffic/writes/stopSourceWrites' ||
    name === 'switchTraffic/writes/stopStreams'
  );
}

/** Writes the intent before the first step that changes anything, and that step into it. False where it is not to be written now. */
async function writeIntent(run: SwitchRun, steps: readonly PlannedStep[], step: PlannedStep): Promise<boolean> {
  if (!changesFirst(step.name) || !run.cluster.release.behaviours.rollbackRestoresAll || run.intent !== undefined) return false;
  run.intent = await recordIntent(run, steps, step, marksOf(run, step));
  return true;
}

const STOP: StepName = 'switchTraffic/writes/stopSourceWrites';

/** Says beside the locks, and in the intent, that a step begins: one commit. */
async function note(run: SwitchRun, steps: readonly PlannedStep[], step: PlannedStep): Promise<void> {
  const { intent, ctx, cluster } = run;
  const also = intent === undefined ? undefined : (writer: Writer): void => putStep(ctx, writer, cluster, intent, stepText(steps, step), marksOf(run, step));
  await noteStep(ctx, cluster.topo, step.name, also);
}

/** Since when writes are refused, and served again. They stop somewhere in the step that stops them: it says when it began. */
function marksOf(run: SwitchRun, { name }: PlannedStep): ProgressMarks {
  if (name === STOP && run.writesStopped === undefined) return { writesStopped: run.cluster.world.clock.now(), refusedBefore: countRefused(run) };
  if (run.writesStopped === undefined) return {};
  return { writesStopped: run.writesStopped, refusedBefore: run.refusedBefore, ...(run.writesServed !== undefined && { writesServed: run.writesServed }) };
}

/** The last step that changes anything: after it only locks are let go. */
function lastChange(steps: readonly PlannedStep[]): StepName | undefined {
  return steps.findLast((step) => !step.name.includes('/unlock'))?.name;
}

async function strikeIntent(run: SwitchRun): Promise<void> {
  if (run.intent === undefined) return;
  await forgetSequenceNotes(run.cluster, run.intent);
  await dropIntent(withoutCancel(run.ctx), run.cluster, run.intent);
  run.intent = undefined;
}

/** From the journal on the caller's end no longer matters, on releases that know this (#19672). */
function detach(run: SwitchRun): { end(): void } | undefined {
  const { postJournal, rollbackRestoresAll } = run.cluster.release.behaviours;
  if (postJournal === 'caller' || !run.path.writes) return undefined;
  // An end that came before the journal still counts where a roll-back can answer it.
  if (rollbackRestoresAll) checkContext(run.ctx);
  const tail = withTimeout(withoutCancel(run.ctx), run.cluster.world.clock, tailMs(run.request.timeoutMs));
  run.ctx = tail.ctx;
  return tail;
}

/** Puts Vitess's words before a step's error. */
export function withOuter(run: SwitchRun, step: PlannedStep, error: unknown): unknown {
  const { outer } = step.entry;
  if (outer === undefined) return error;
  return wrapError(error, fillIn(run, step, typeof outer === 'string' ? outer : outer(run.cluster.release.behaviours)));
}

function fillIn(run: SwitchRun, step: PlannedStep, text: string): string {
  const { sw } = run;
  return text
    .replaceAll('{source}', sw.sourceKeyspace)
    .replaceAll('{target}', sw.targetKeyspace)
    // Until v20 the error named the wrong side.
    .replaceAll('{streamed}', run.cluster.release.behaviours.noTabletsNames === 'source' ? sw.sourceKeyspace : sw.targetKeyspace)
    .replaceAll('{workflow}', `${sw.targetKeyspace}/${sw.workflow}`)
    .replaceAll('{name}', sw.workflow)
    .replaceAll('{n}', String(step.occurrence));
}

type Decision = 'go on' | 'exits' | PlannedStep['leadsTo'];

/**
 * What a failure leads to. The catalogue says, but for one case: on `hardened` the outcome of the step that cannot be
 * undone is decided by looking. Not there, back; there, forward.
 */
async function decide(run: SwitchRun, step: PlannedStep, outer: unknown): Promise<Decision> {
  const { behaviours } = run.cluster.release;
  if (!behaviours.rollbackRestoresAll) return step.leadsTo;
  if (isDecidedByLooking(step, behaviours, run.path)) {
    if (!(await isCommitted(run, step))) return back(run);
    run.warnings.push(`${errorText(outer)}; its effect is there, so the switch goes on`);
    return goOn(run, step);
  }
  return step.leadsTo === 'rolls back' ? back(run) : step.leadsTo;
}

/** Without an intent nothing was changed, so there is nothing to go back from. */
function back(run: SwitchRun): Decision {
  return run.intent === undefined ? 'nothing changed' : 'rolls back';
}

async function isCommitted(run: SwitchRun, step: PlannedStep): Promise<boolean> {
  switch (step.name) {
    case 'switchTraffic/writes/createJournals':
      return isJournaledBySources(run);
    case 'switchTraffic/reads/switchShardReads':
      return areShardReadsSwitched(run);
    case 'switchTraffic/reads/switchKeyspaceReads':
      return areKeyspaceReadsSwitched(run);
    default:
      return areReadsSwitched(run);
  }
}

/** Does once more, and for every source, what may have been done for some. */
async function goOn(run: SwitchRun, step: PlannedStep): Promise<Decision> {
  try {
    await EFFECTS[step.name as keyof typeof EFFECTS](run, NO_FAULTS);
    return 'go on';
  } catch {
    return 'forward only';
  }
}

async function fail(run: SwitchRun, step: PlannedStep, error: unknown, decision: Decision): Promise<Pick<SwitchEnd, 'error' | 'end'>> {
  switch (decision) {
    case 'exits':
      return { error, end: 'exited' };
    case 'rolls back':
      return rollBack(run, step, error);
    case 'nothing changed':
      return { error: withOuter(run, step, error), end: 'nothing changed' };
    case 'left as is':
      return { error: withOuter(run, step, error), end: 'left as is' };
    case 'strands':
      return { error: withOuter(run, step, error), end: 'stranded' };
    default:
      return { error: withOuter(run, step, error), end: 'forward only' };
  }
}

async function rollBack(run: SwitchRun, step: PlannedStep, error: unknown): Promise<Pick<SwitchEnd, 'error' | 'end'>> {
  try {
    const cancelError = await cancelMigration(run);
    const combined = withOuter(run, step, withCancelError(error, cancelError));
    return { error: combined, end: cancelError === undefined ? 'rolled back' : 'roll-back failed' };
  } catch (exit) {
    if (exit instanceof ExitFault) return { error: exit, end: 'exited' };
    throw exit;
  }
}
