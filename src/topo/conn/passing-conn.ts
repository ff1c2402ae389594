import type { Context } from '../../runtime/context.ts';
import type { Conn, LockDescriptor, LockView } from './conn.ts';
import type { LeasePolicy } from './lease-policy.ts';
import type { LockEvent } from './lock-events.ts';
import type { Broken, LockBreak } from './lock-view.ts';

/** What a connection that wraps another passes on as it is. */
export abstract class PassingConn {
  readonly cell: string;
  protected readonly inner: Conn;

  constructor(inner: Conn) {
    this.cell = inner.cell;
    this.inner = inner;
  }

  get policy(): LeasePolicy {
    return this.inner.policy;
  }

  has(path: string): boolean {
    return this.inner.has(path);
  }

  borrow(ctx: Context, lock: LockDescriptor): Promise<LockDescriptor> {
    return this.inner.borrow(ctx, lock);
  }

  locks(): LockView[] {
    return this.inner.locks();
  }

  lockEvents(most: number): LockEvent[] {
    return this.inner.lockEvents(most);
  }

  breakLock(order: LockBreak): Promise<Broken> {
    return this.inner.breakLock(order);
  }

  close(): void {
    this.inner.close();
  }
}
