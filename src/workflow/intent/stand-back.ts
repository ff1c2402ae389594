import { UserError, wrapError } from '../../lib/errors.ts';
import type { Context } from '../../runtime/context.ts';
import type { Cluster } from '../../tablet/cluster.ts';
import { holdsKeyspace, holdsName, isHeldOrLent, type Locked, lockKeyspace, lockName } from '../../topo/locks.ts';
import { lockDirs, paths } from '../../topo/paths.ts';
import { allIntents, type IntentHead, takeOver } from './record.ts';

/** The name of the lock under which an intent is worked on. */
export function lockNameOf({ keyspace, workflow }: Pick<IntentHead, 'keyspace' | 'workflow'>): string {
  return `${keyspace}/${workflow}`;
}

/**
 * True while somebody may be carrying an intent out: its workflow's lock is held, by a process that is not known to be dead.
 * Of one on another host nothing is known but its lease, which ends if it is not renewed. Whoever holds the lock, or is lent it,
 * is nobody else.
 */
export function isAtWork(ctx: Context, cluster: Cluster, intent: IntentHead): boolean {
  const resource = lockDirs.named(lockNameOf(intent));
  if (isHeldOrLent(ctx, resource)) return false;
  return cluster.topo.conn.locks().some((view) => view.resource === resource && view.token !== undefined && view.expiresMs > 0 && view.alive !== 'dead');
}

/** Why another command has to stand back from a workflow that a command has left half done. */
export function interrupted(intent: IntentHead): UserError {
  return new UserError(`${intent.command} was interrupted, and what it had begun is not finished`, {
    next: `finish it by running it again: switchtraffic ${intent.line}`,
  });
}

/** Why another command has to wait for one that is at work. */
function atWork(intent: IntentHead): UserError {
  return new UserError(`${intent.command} is at work on these keyspaces`, { next: 'try again when it has ended; who it is: switchtraffic lock show' });
}

/**
 * Refuses to touch keyspaces in which something is half done, or under way; not because of `own`, which is the caller's. Only
 * `hardened` knows. Throws UserError with the command that finishes it.
 */
export async function refuseInterrupted(ctx: Context, cluster: Cluster, keyspaces: readonly string[], own?: IntentHead): Promise<void> {
  if (!cluster.release.behaviours.rollbackRestoresAll) return;
  for (const intent of await intentsAbout(ctx, cluster, keyspaces, own)) throw isAtWork(ctx, cluster, intent) ? atWork(intent) : interrupted(intent);
}

/** Every intent that touches one of these keyspaces, but for that of one workflow. */
export async function intentsAbout(
  ctx: Context,
  cluster: Cluster,
  keyspaces: readonly string[],
  but?: Pick<IntentHead, 'keyspace' | 'workflow'>,
): Promise<IntentHead[]> {
  const all = await allIntents(ctx, cluster, but);
  return all.filter((intent) => keyspaces.includes(intent.sourceKeyspace) || keyspaces.includes(intent.targetKeyspace));
}

/** Waits, as long as a lock is waited for, until nobody works on an intent. Throws `failed to lock the K/W workflow: …`. */
export async function waitForWorker(ctx: Context, cluster: Cluster, intent: IntentHead): Promise<void> {
  const locked = await named(ctx, cluster, intent);
  await locked.unlock(undefined);
}

async function named(ctx: Context, cluster: Cluster, intent: IntentHead): Promise<Locked> {
  const name = lockNameOf(intent);
  try {
    return await lockName(ctx, cluster.topo, name, 'FinishIntent');
  } catch (error) {
    throw wrapError(error, `failed to lock the ${name} workflow`);
  }
}

/**
 * Runs `body` with the locks under which an intent is finished: the workflow's, then the source keyspace's and the target's, as
 * every command takes them. Those that the context holds are inherited; the others are taken, which waits for an owner that is
 * at work, or of which nothing is known until its lease ends. Undefined, and nothing run, where the intent does not stand by
 * then: somebody else has finished it. `keyspaces`: those to be locked, both unless said.
 */
export async function underIntentLocks<T>(
  ctx: Context,
  cluster: Cluster,
  intent: IntentHead,
  body: (ctx: Context) => Promise<T>,
  keyspaces: readonly string[] = [intent.sourceKeyspace, intent.targetKeyspace],
): Promise<T | undefined> {
  const taken: Locked[] = [];
  let current = ctx;
  const hold = (locked: Locked): void => {
    taken.push(locked);
    current = locked.ctx;
  };
  let failure: unknown;
  try {
    if (!holdsName(current, lockNameOf(intent))) hold(await named(current, cluster, intent));
    for (const keyspace of new Set(keyspaces)) {
      // One that is gone has nothing that could be locked.
      if (holdsKeyspace(current, keyspace) || (await cluster.topo.conn.find(current, paths.keyspace(keyspace))) === undefined) continue;
      hold(await lockKeyspace(current, cluster.topo, keyspace, 'FinishIntent'));
    }
    if (!(await takeOver(current, cluster, intent))) return undefined;
    return await body(current);
  } catch (error) {
    failure = error;
    throw error;
  } finally {
    for (const locked of taken.reverse()) await locked.unlock(failure);
  }
}
