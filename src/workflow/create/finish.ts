import type { Context } from '../../runtime/context.ts';
import type { Cluster } from '../../tablet/cluster.ts';
import { dropIntent, findIntent, findProgress, type IntentHead } from '../intent/record.ts';
import { interrupted, isAtWork, underIntentLocks, waitForWorker } from '../intent/stand-back.ts';
import type { CreateIntent } from './intent.ts';
import { type CreateType, STARTS } from './steps.ts';
import { startMade, takeBack } from './take-back.ts';

/**
 * What a create finds left of one of its workflow that was interrupted: it is taken back, so that this one can start anew; or,
 * where streams may run already, it is finished, which is all that was asked for. One that is at work is waited for. Throws
 * UserError with the line that finishes it where something else is half done, or other streams run than are asked for.
 */
export async function finishLeftCreate(
  ctx: Context,
  cluster: Cluster,
  asked: { type: CreateType; targetKeyspace: string; workflow: string; request: object },
): Promise<'done' | undefined> {
  if (!cluster.release.behaviours.rollbackRestoresAll) return undefined;
  const find = (): Promise<IntentHead | undefined> => findIntent(ctx, cluster, asked.targetKeyspace, asked.workflow);
  let intent = await find();
  if (intent !== undefined && isAtWork(ctx, cluster, intent)) {
    await waitForWorker(ctx, cluster, intent);
    intent = await find();
  }
  if (intent === undefined) return undefined;
  if (!isCreate(intent) || intent.type !== asked.type) throw interrupted(intent);
  if ((await isStarting(ctx, cluster, intent)) && JSON.stringify(intent.request) !== JSON.stringify(asked.request)) throw interrupted(intent);
  return (await finishCreate(ctx, cluster, intent)) === 'forward' ? 'done' : undefined;
}

const isCreate = (intent: IntentHead): intent is CreateIntent => intent.verb === 'create';

/** True where everything is made and streams may run: then it goes forward. */
export async function isStarting(ctx: Context, cluster: Cluster, intent: IntentHead): Promise<boolean> {
  const { done, now } = await findProgress(ctx, cluster, intent);
  const begun = [...done.map(({ step }) => step), ...(now === undefined ? [] : [now.step])];
  return begun.includes(STARTS) && !begun.some((step) => step.startsWith('create/rollback/'));
}

/**
 * Finishes what a create that is gone has begun: back to the state before it, or forward where its streams may run. The locks that
 * it needs are taken, or inherited from the context. Throws what stands in the way, with the intent standing.
 */
export async function finishCreate(ctx: Context, cluster: Cluster, intent: CreateIntent): Promise<'back' | 'forward' | 'gone'> {
  const { events } = cluster.world;
  const forward = await isStarting(ctx, cluster, intent);
  const finish = async (locked: Context): Promise<'back' | 'forward'> => {
    if (!forward) {
      events.emit({ kind: 'warning', text: `${intent.command} was interrupted; going back to the state before it first` });
      await takeBack(locked, cluster, intent);
      return 'back';
    }
    events.emit({ kind: 'warning', text: `${intent.command} was interrupted while its streams were started; the rest of them is started` });
    await startMade(locked, cluster, intent);
    await dropIntent(locked, cluster, intent);
    return 'forward';
  };
  return (await underIntentLocks(ctx, cluster, intent, finish, [intent.targetKeyspace])) ?? 'gone';
}
