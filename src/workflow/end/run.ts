import { errorText, wrapError } from '../../lib/errors.ts';
import { ExitFault } from '../../lib/exit-fault.ts';
import { type Context, withoutCancel } from '../../runtime/context.ts';
import { NO_FAULTS, runStep, type StepScope } from '../../runtime/step.ts';
import type { Cluster } from '../../tablet/cluster.ts';
import { readStreams } from '../../tablet/vreplication/streams.ts';
import { shardText } from '../../topo/keyspaces.ts';
import { holdsKeyspace, holdsName, type Locked, lockKeyspace, lockName } from '../../topo/locks.ts';
import { dropIntent } from '../intent/record.ts';
import type { WorkflowWithState } from '../state.ts';
import { refuseInterrupted } from '../intent/stand-back.ts';
import type { MigrationTarget } from '../switcher.ts';
import { refuseTakenNames, validateCompleted } from './checks.ts';
import { END_EFFECTS } from './effects.ts';
import { type EndIntent, noteEnding, recordEnding } from './intent.ts';
import { END_STEPS, type Ending, type EndStep, type EndStepName, type EndVerb, endZoneOf, type PlannedEnd, planEnding } from './steps.ts';

/** A shard whose streams an ending deletes. */
export type EndMember = Pick<MigrationTarget, 'info' | 'primary' | 'db'>;

/** An ending under way. */
export interface EndRun {
  cluster: Cluster;
  ending: Ending;
  /** The workflow; `hardened` reads it again under the lock. */
  found: WorkflowWithState;
  /** Reads the workflow. */
  read(ctx: Context): Promise<WorkflowWithState>;
  /** Throws unless the workflow may end like this. */
  check(ctx: Context, found: WorkflowWithState): Promise<void>;
  renameTables: boolean;
  /** Shards whose streams a cancel deletes; all where none is named. */
  shards: readonly string[];
  /** Rows of a tenant that are deleted at a time. */
  batch: number;
  /** Holds the locks that are held. */
  ctx: Context;
  held: { lock: Locked; before: Context }[];
  /** Where a cancel has looked for streams, and whether there were any. */
  deleted: { member: EndMember; had: boolean }[];
  /** Of `hardened`, once it is going to change something. One that finishes what another began has it from the start. */
  intent: EndIntent | undefined;
  /** It finishes what another began: what was looked at then is not looked at again. */
  resumes: boolean;
}

/** An ending of which nothing has run yet. */
export function newEndRun(run: Omit<EndRun, 'held' | 'deleted' | 'intent' | 'resumes'>): EndRun {
  return { ...run, held: [], deleted: [], intent: undefined, resumes: false };
}

/** Thrown when an ending failed after it had begun to change things: the error of the step, and what is left to do. */
export class EndFailed extends Error {
  /** The step that failed, which may have done a part, and those after it, as far as they change anything. */
  readonly left: readonly EndStepName[];
  /** The same command does the rest. */
  readonly repeatable: boolean;

  constructor(cause: unknown, left: readonly EndStepName[], repeatable: boolean) {
    super(errorText(cause), { cause });
    this.name = 'EndFailed';
    this.left = left;
    this.repeatable = repeatable;
  }
}

/** The actions that the locks are taken for. */
const ACTIONS: Readonly<Record<EndVerb, { workflow: string; keyspaces: string }>> = {
  complete: { workflow: 'MoveTablesComplete', keyspaces: 'DropSources' },
  cancel: { workflow: 'WorkflowDelete', keyspaces: 'DropTargets' },
};

/** Runs the steps of an ending in order. The first error ends it, as an EndFailed once anything may have changed; what is held is let go. */
export async function runEnding(run: EndRun): Promise<void> {
  await refuseHalfDone(run);
  const last = planEnding(run.ending, run.cluster.release.behaviours).findLast(({ name }) => !onlyLooks(name));
  let changing = run.resumes;
  const visit = async (step: PlannedEnd): Promise<void> => {
    await writeDown(run, step);
    const { side, perTarget }: EndStep = END_STEPS[step.name];
    const { sources, targets } = run.found.sw;
    const members = [...(side === 'target' ? [] : sources), ...(side === 'source' ? [] : targets)];
    const call = { ...step, targets: members.map(({ info }) => shardText(info)), perTarget: perTarget === true };
    try {
      await runStep(run.ctx, run.cluster.world, call, async (scope) => {
        changing ||= !onlyLooks(step.name);
        await perform(run, step.name, scope);
        if (step.name === last?.name && step.occurrence === last.occurrence) await strikeIntent(run);
      });
    } catch (error) {
      // Nothing was touched yet: there is nothing to be finished.
      if (!changing && !(error instanceof ExitFault)) await strikeIntent(run);
      throw error;
    }
  };
  await walk(run, visit, (steps, at, error) =>
    changes(steps.slice(0, at + 1)).length === 0 || error instanceof ExitFault ? error : failed(run, steps, at, error),
  );
}

/** Writes the intent with the first step that changes anything, on `hardened`; then each step into it. */
async function writeDown(run: EndRun, step: PlannedEnd): Promise<void> {
  if (run.intent !== undefined || onlyLooks(step.name) || !run.cluster.release.behaviours.rollbackRestoresAll) return noteEnding(run, step);
  // Whoever held the keyspaces before may have died in the middle.
  await refuseHalfDone(run);
  run.intent = await recordEnding(run, step);
}

async function strikeIntent(run: EndRun): Promise<void> {
  if (run.intent !== undefined) await dropIntent(withoutCancel(run.ctx), run.cluster, run.intent);
  run.intent = undefined;
}

/** Goes through the steps without faults and history: for what a dry run does in earnest. */
export function walkEnding(run: EndRun, visit: (name: EndStepName, perform: () => Promise<void>) => Promise<void>): Promise<void> {
  return walk(run, ({ name }) => visit(name, () => perform(run, name, NO_FAULTS)), (_steps, _at, error) => error);
}

async function walk(
  run: EndRun,
  visit: (step: PlannedEnd) => Promise<void>,
  thrown: (steps: readonly PlannedEnd[], at: number, error: unknown) => unknown,
): Promise<void> {
  const steps = planEnding(run.ending, run.cluster.release.behaviours);
  let failure: unknown;
  let at = 0;
  try {
    for (; at < steps.length; at++) await visit(steps[at]!);
  } catch (error) {
    failure = error;
    throw thrown(steps, at, error);
  } finally {
    await letGo(run, 0, failure);
  }
}

function failed(run: EndRun, steps: readonly PlannedEnd[], at: number, error: unknown): EndFailed {
  const zone = endZoneOf(run.cluster.release.behaviours, run.ending, { ...steps[at]!, edge: 'before' });
  return new EndFailed(error, changes(steps.slice(at)), run.intent !== undefined || (zone !== 'half done' && isFound(run)));
}

/** Whether the command would find the workflow again and, on a release that needs them, its tables: the step that failed may have taken them. */
function isFound({ cluster, ending, found: { sw } }: EndRun): boolean {
  if (sw.targets.every(({ db }) => readStreams(db, sw.workflow).length === 0)) return false;
  if (cluster.release.behaviours.missingTables !== 'error' || sw.kind === 'shards' || ending.keepData) return true;
  return (ending.verb === 'complete' ? sw.sources : sw.targets).every(({ db }) => sw.tables.every((table) => db.findTable(table) !== undefined));
}

function changes(steps: readonly PlannedEnd[]): EndStepName[] {
  return steps.flatMap(({ name }) => (onlyLooks(name) ? [] : [name]));
}

function onlyLooks(name: EndStepName): boolean {
  return 'looks' in END_STEPS[name];
}

function perform(run: EndRun, name: EndStepName, scope: StepScope): Promise<void> {
  switch (name.slice(name.indexOf('/') + 1)) {
    case 'lockWorkflow':
      return lockWorkflow(run);
    case 'check':
      return check(run);
    case 'lockSource':
      return lock(run, run.found.sw.sourceKeyspace);
    case 'lockTarget':
      return lock(run, run.found.sw.targetKeyspace);
    case 'unlockKeyspaces':
      return letGo(run, run.cluster.release.behaviours.namedLock === 'none' ? 0 : 1, undefined);
    case 'validate':
      return run.resumes ? Promise.resolve() : validate(run);
    default:
      return END_EFFECTS[name as keyof typeof END_EFFECTS](run, scope);
  }
}

/** On `hardened` what was read before the lock is not relied on: another command may have held it. */
async function check(run: EndRun): Promise<void> {
  if (run.resumes) return;
  if (!run.cluster.release.vitess) {
    run.found = await run.read(run.ctx);
    await refuseHalfDone(run);
  }
  await run.check(run.ctx, run.found);
}

function refuseHalfDone({ ctx, cluster, found: { sw }, intent }: EndRun): Promise<void> {
  return refuseInterrupted(ctx, cluster, [sw.sourceKeyspace, sw.targetKeyspace], intent);
}

async function validate({ ctx, cluster, found: { sw }, ending, renameTables }: EndRun): Promise<void> {
  await validateCompleted(ctx, cluster, sw);
  if (renameTables && !ending.keepData && sw.kind !== 'shards') refuseTakenNames(cluster, sw);
}

async function lockWorkflow(run: EndRun): Promise<void> {
  const { sw } = run.found;
  const name = `${sw.targetKeyspace}/${sw.workflow}`;
  // One that finishes what another began may have it already.
  if (holdsName(run.ctx, name)) return;
  const { namedLock } = run.cluster.release.behaviours;
  const { workflow, keyspaces } = ACTIONS[run.ending.verb];
  const action = namedLock === 'command' ? workflow : keyspaces;
  await take(run, `${name} workflow`, lockName(run.ctx, run.cluster.topo, name, action));
}

async function lock(run: EndRun, keyspace: string): Promise<void> {
  // Within one keyspace it is there already, and where another's ending is finished.
  if (holdsKeyspace(run.ctx, keyspace)) return;
  await take(run, `${keyspace} keyspace`, lockKeyspace(run.ctx, run.cluster.topo, keyspace, ACTIONS[run.ending.verb].keyspaces));
}

async function take(run: EndRun, what: string, locking: Promise<Locked>): Promise<void> {
  try {
    const locked = await locking;
    run.held.push({ lock: locked, before: run.ctx });
    run.ctx = locked.ctx;
  } catch (error) {
    // Until v20 it was passed on as it is.
    throw run.cluster.release.behaviours.namedLock === 'none' ? error : wrapError(error, `failed to lock the ${what}`);
  }
}

async function letGo(run: EndRun, kept: number, failure: unknown): Promise<void> {
  while (run.held.length > kept) {
    const { lock: locked, before } = run.held.pop()!;
    run.ctx = before;
    await locked.unlock(failure);
  }
}
