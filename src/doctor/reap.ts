import { isTopoError } from '../lib/errors.ts';
import { type Context, withTimeout } from '../runtime/context.ts';
import type { ReapedLock } from '../report/doctor/fixing.ts';
import type { LockView } from '../topo/conn/conn.ts';
import type { TopoServer } from '../topo/server.ts';

/** Long enough to be asked at all: whoever asks for a lock first clears the queue of the dead. */
const ASK_MS = 1;
const TTL_MS = 2_000;

/**
 * Takes away what processes that are proved dead hold or wait for, and leases that have run out; returns those of the dead. On etcd
 * nobody does, so that a killed command's named lock stands for a day: the connection must have been opened to reap.
 */
export async function reapDead(ctx: Context, topo: TopoServer): Promise<ReapedLock[]> {
  const before = topo.conn.locks().filter(isOver);
  for (const resource of new Set(before.map((view) => view.resource))) await ask(ctx, topo, resource);
  const left = topo.conn.locks();
  return before
    .filter((view) => view.alive === 'dead' && !left.some((other) => isSame(other, view)))
    .map(({ resource, owner, token }) => ({ resource, owner, held: token !== undefined }));
}

function isOver({ alive, expiresMs }: LockView): boolean {
  return alive === 'dead' || expiresMs <= 0;
}

function isSame(a: LockView, b: LockView): boolean {
  return a.resource === b.resource && a.owner === b.owner && a.token === b.token;
}

async function ask(ctx: Context, topo: TopoServer, resource: string): Promise<void> {
  const limited = withTimeout(ctx, topo.world.clock, ASK_MS);
  try {
    const lock = await topo.conn.lock(limited.ctx, { dir: resource, contents: '{}', ttlMs: TTL_MS, mustExist: false });
    await lock.unlock(ctx);
  } catch (error) {
    // Somebody who lives has it, or was faster: the dead are gone all the same.
    if (!isTopoError(error, 'Timeout') && !isTopoError(error, 'NoNode')) throw error;
  } finally {
    limited.end();
  }
}
