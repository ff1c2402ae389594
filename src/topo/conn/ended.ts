import { TopoError } from '../../lib/errors.ts';
import type { Context, ContextError } from '../../runtime/context.ts';

/** What a store answers on a context that has ended. Vitess: go/vt/topo/etcd2topo/error.go. */
export function endedError(ended: ContextError, node: string): TopoError {
  return new TopoError(ended.reason === 'deadline' ? 'Timeout' : 'Interrupted', node);
}

/** Throws Timeout or Interrupted, naming the node, if the context has ended. */
export function checkCall(ctx: Context, node: () => string): void {
  const ended = ctx.err();
  if (ended !== undefined) throw endedError(ended, node());
}
