import { errorText, UserError, wrapError } from '../../lib/errors.ts';
import { ExitFault } from '../../lib/exit-fault.ts';
import { type Context, withoutCancel } from '../../runtime/context.ts';
import { runStep, type StepScope } from '../../runtime/step.ts';
import type { Cluster } from '../../tablet/cluster.ts';
import { shardText } from '../../topo/keyspaces.ts';
import { holdsKeyspace, holdsName, type Locked, lockKeyspace, lockName, noteStep } from '../../topo/locks.ts';
import { dropIntent, putStep } from '../intent/record.ts';
import { refuseInterrupted } from '../intent/stand-back.ts';
import { type CreateIntent, type CreateSubject, recordCreate } from './intent.ts';
import type { Member } from './request.ts';
import { CREATE_STEPS, type CreateStep, type CreateStepName, STARTS } from './steps.ts';
import { takeBack } from './take-back.ts';

/** A create under way. */
export interface CreateRun {
  cluster: Cluster;
  /** Of `hardened`: what it is about. Undefined on a release, which writes nothing down. */
  subject: CreateSubject | undefined;
  /** Written with the first step, struck with the last. */
  intent: CreateIntent | undefined;
  /** Streams may run: there is no way back. */
  started: boolean;
}

/**
 * Runs a create with what it needs on `hardened`: the locks of the workflow and of the target keyspace, so that nobody comes between
 * its steps, and its intent. What it has made when it fails is taken back. `subject` is asked under the locks, after `refuse`
 * has looked once more. A release runs it as it is (K32, K33, K35).
 */
export async function runCreate<T>(
  ctx: Context,
  cluster: Cluster,
  what: { workflow: string; sourceKeyspace: string; targetKeyspace: string; action: string },
  subject: (ctx: Context) => Promise<CreateSubject>,
  make: (ctx: Context, run: CreateRun) => Promise<T>,
): Promise<T> {
  const run: CreateRun = { cluster, subject: undefined, intent: undefined, started: false };
  if (!cluster.release.behaviours.rollbackRestoresAll) return make(ctx, run);
  return underCreateLocks(ctx, cluster, what, async (locked) => {
    // Whoever held them before may have died in the middle, or been quicker.
    await refuseInterrupted(locked, cluster, [what.sourceKeyspace, what.targetKeyspace]);
    run.subject = await subject(locked);
    try {
      return await make(locked, run);
    } catch (error) {
      if (error instanceof ExitFault) throw error;
      throw await afterFailure(locked, run, error);
    }
  });
}

async function underCreateLocks<T>(
  ctx: Context,
  { topo }: Cluster,
  { workflow, targetKeyspace, action }: { workflow: string; targetKeyspace: string; action: string },
  body: (ctx: Context) => Promise<T>,
): Promise<T> {
  const held: Locked[] = [];
  let current = ctx;
  let failure: unknown;
  const hold = (locked: Locked): void => {
    held.push(locked);
    current = locked.ctx;
  };
  try {
    const name = `${targetKeyspace}/${workflow}`;
    try {
      if (!holdsName(current, name)) hold(await lockName(current, topo, name, action));
    } catch (error) {
      throw wrapError(error, `failed to lock the ${name} workflow`);
    }
    if (!holdsKeyspace(current, targetKeyspace)) hold(await lockKeyspace(current, topo, targetKeyspace, action));
    return await body(current);
  } catch (error) {
    failure = error;
    throw error;
  } finally {
    for (const lock of held.reverse()) await lock.unlock(failure);
  }
}

/** What a create that failed is told of: its error, once everything is taken back; or what is left. */
async function afterFailure(ctx: Context, run: CreateRun, error: unknown): Promise<unknown> {
  const { cluster, intent, started } = run;
  if (intent === undefined) return error;
  const next = `finish it by running it again, once the cause is cured: switchtraffic ${intent.line}`;
  if (started) return new UserError(`${errorText(error)}; everything is made, and not all streams are started`, { next, cause: error });
  try {
    await takeBack(withoutCancel(ctx), cluster, intent);
    run.intent = undefined;
    // Whoever told it to stop wants to know what that has come to; any other failure speaks for itself.
    if (ctx.err() !== undefined) cluster.world.events.emit({ kind: 'warning', text: `what ${intent.command} had made is taken back: everything is as it was before it` });
    return error;
  } catch (failure) {
    if (failure instanceof ExitFault) return failure;
    return new UserError(`${errorText(error)}; and taking back what was made failed: ${errorText(failure)}`, { next, cause: error });
  }
}

/** Runs a step of a create; `members` are the shards that it touches. The last of the plan strikes the intent. */
export async function createStep<T>(
  ctx: Context,
  run: CreateRun,
  name: CreateStepName,
  members: readonly Pick<Member, 'info'>[],
  effect: (scope: StepScope) => Promise<T>,
): Promise<T> {
  const { cluster, subject } = run;
  if (subject !== undefined && run.intent === undefined) run.intent = await recordCreate(ctx, cluster, subject, name);
  else await noteStep(ctx, cluster.topo, name, run.intent && ((writer) => putStep(ctx, writer, cluster, run.intent!, name)));
  const { perTarget }: CreateStep = CREATE_STEPS[name];
  return runStep(ctx, cluster.world, { name, targets: members.map(({ info }) => shardText(info)), perTarget: perTarget === true }, async (scope) => {
    run.started = name === STARTS;
    const result = await effect(scope);
    if (run.intent !== undefined && name === run.intent.plan.at(-1)) {
      await dropIntent(withoutCancel(ctx), cluster, run.intent);
      run.intent = undefined;
    }
    return result;
  });
}
