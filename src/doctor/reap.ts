import { isTopoError } from '../lib/errors.ts';
import { type Context, withTimeout } from '../runtime/context.ts';
import type { ReapedLock } from '../report/doctor/fixing.ts';
import { lockText } from '../topo/lock-names.ts';
import type { TopoServer } from '../topo/server.ts';

/** Long enough to be asked at all: whoever asks for a lock first clears the queue of the dead. */
const ASK_MS = 1;
const TTL_MS = 2_000;

/** A lock of a dead process, and what tells it from any other. */
export type LockOfDead = ReapedLock & { id: string };

/** What processes that are proved dead hold or wait for. */
export function locksOfDead({ conn }: TopoServer): LockOfDead[] {
  return conn
    .locks()
    .filter(({ alive }) => alive === 'dead')
    .map(({ resource, owner, token }) => ({ id: `${resource} ${owner} ${token ?? ''}`, name: lockText(resource), resource, owner, held: token !== undefined }));
}

/**
 * Takes that away, and leases that have run out. On etcd nobody does, so that a killed command's named lock stands for a day: the
 * connection must have been opened to repair.
 */
export async function reapDead(ctx: Context, topo: TopoServer): Promise<void> {
  const over = topo.conn.locks().filter(({ alive, expiresMs }) => alive === 'dead' || expiresMs <= 0);
  for (const resource of new Set(over.map((view) => view.resource))) await ask(ctx, topo, resource);
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
