import { wrapError } from '../../lib/errors.ts';
import { checkKeyspaceLocked, checkLock, heldLocks, holdsKeyspace, holdsName, lockKeyspace, lockName, type Locked } from '../../topo/locks.ts';
import type { StepName } from './catalogue.ts';
import { lockedKeyspaces, type SwitchRun } from './run.ts';

/** Locks the workflow's name, so that no other command touches it. A run that finishes another's switch may inherit the lock. */
export async function lockWorkflow(run: SwitchRun, unlockedBy: StepName): Promise<void> {
  const { sw } = run;
  const name = `${sw.targetKeyspace}/${sw.workflow}`;
  if (run.intent !== undefined && holdsName(run.ctx, name)) return;
  hold(run, unlockedBy, await lockName(run.ctx, run.cluster.topo, name, 'WorkflowSwitchTraffic'));
}

/** Locks a keyspace for the reads or the writes. One that finishes another's switch may inherit the lock. */
export async function lockSide(
  run: SwitchRun,
  keyspace: string,
  action: 'SwitchReads' | 'SwitchWrites',
  unlockedBy: StepName,
): Promise<void> {
  if (run.intent !== undefined && holdsKeyspace(run.ctx, keyspace)) return;
  const ttlMs = lockTtlMs(run, action);
  const options = ttlMs === undefined ? {} : { ttlMs };
  hold(run, unlockedBy, await lockKeyspace(run.ctx, run.cluster.topo, keyspace, action, options));
}

function hold(run: SwitchRun, unlockedBy: StepName, locked: Locked): void {
  run.ctx = locked.ctx;
  run.held.push({ unlockedBy, locked });
}

/** How long the tail after the journal may take: at least 30 s. */
export function tailMs(timeoutMs: number): number {
  return Math.max(timeoutMs, 30_000);
}

function lockTtlMs(run: SwitchRun, action: 'SwitchReads' | 'SwitchWrites'): number | undefined {
  const { behaviours } = run.cluster.release;
  const { timeoutMs } = run.request;
  if (action === 'SwitchReads') return behaviours.readsLockTtl === 'T' ? timeoutMs : undefined;
  if (behaviours.keyspaceLockTtl === 'none') return undefined;
  return 3 * timeoutMs + (behaviours.keyspaceLockTtl === '3T+tail' ? tailMs(timeoutMs) : 0);
}

/** Releases the lock that this step ends; nothing if it was never taken. */
export async function unlockStep(run: SwitchRun, step: StepName): Promise<void> {
  const index = run.held.findLastIndex((held) => held.unlockedBy === step);
  if (index < 0) return;
  const [held] = run.held.splice(index, 1);
  await held!.locked.unlock(undefined);
}

/** Releases whatever is still held, newest first. Never throws: the switch has an outcome already. */
export async function unlockRest(run: SwitchRun, failure: unknown): Promise<void> {
  for (const held of run.held.splice(0).reverse()) await held.locked.unlock(failure);
}

/** Throws `KS keyspace lock was lost: …` unless every lock is still held. On etcd this also renews them. */
export async function confirmLocks(run: SwitchRun): Promise<void> {
  for (const keyspace of lockedKeyspaces(run.sw)) {
    try {
      await checkKeyspaceLocked(run.ctx, run.cluster.topo, keyspace);
    } catch (error) {
      throw wrapError(error, `${keyspace} keyspace lock was lost`);
    }
  }
  // Vitess never asks after the workflow's own lock.
  if (!run.cluster.release.behaviours.fencedWrites) return;
  for (const lock of heldLocks(run.ctx)) await checkLock(run.ctx, run.cluster.topo, lock);
}
