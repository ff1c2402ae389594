import type { Clock } from '../../runtime/clock.ts';
import type { Context } from '../../runtime/context.ts';
import type { LockDescriptor } from './conn.ts';

/** A grant. */
export interface Leased {
  resource: string;
  /** The ticket's place in the queue, and the id of its lease. */
  revision: number;
  token: number;
  chain: number;
  ttlMs: number;
}

/** What a descriptor has done in the table. */
export interface LeaseOperations {
  /** Throws NoNode `lease`, Timeout or Interrupted. */
  renew(ctx: Context): Promise<void>;
  /** What came of it; a store that is busy was not reached. */
  renewQuietly(): 'renewed' | 'busy' | 'gone';
  /** Throws NoNode `lease`. */
  release(): Promise<void>;
  expire(): void;
  steal(): void;
  note(step: string): void;
}

/**
 * A held lock, kept alive every third of its life where leases are renewed. The timer runs on the command's own thread: as no step
 * keeps that for long, a lease only runs out under a command that hangs in one, or that was stopped, which is as it should be. One
 * that waits without end has `--action-timeout`.
 */
export function makeDescriptor({ resource, token, chain, ttlMs }: Leased, clock: Clock, renewed: boolean, lease: LeaseOperations): LockDescriptor {
  let stopRenewal = (): void => {};
  const renewAt = (at: number): void => {
    stopRenewal = clock.at(at, () => {
      const came = lease.renewQuietly();
      if (came !== 'gone') renewAt(clock.now() + ttlMs / (came === 'busy' ? 30 : 3));
    });
  };
  if (renewed) renewAt(clock.now() + ttlMs / 3);
  return {
    resource,
    token,
    chain,
    check: async (ctx) => lease.renew(ctx),
    unlock: async () => {
      stopRenewal();
      await lease.release();
    },
    expire: () => {
      stopRenewal();
      lease.expire();
    },
    steal: () => {
      stopRenewal();
      lease.steal();
    },
    stall: (ms) => {
      if (!renewed) return;
      stopRenewal();
      renewAt(clock.now() + ms);
    },
    note: (step) => lease.note(step),
  };
}
