import { grpcCodeName, InvariantError, vtError } from '../lib/errors.ts';
import { type Cancellable, type Context, contextKey } from './context.ts';
import { ExitFault } from '../lib/exit-fault.ts';
import type { FaultAction } from './fault-actions.ts';
import type { World } from './world.ts';

/** The caller's own context, so that a fault can end it as a Ctrl-C or a deadline would. */
export const CALLER = contextKey<Cancellable>('caller');

/** The error that `return` gives, where it is not that of a call to a tablet. */
export type FailAs = (action: FaultAction & { kind: 'return' }, point: string) => Error;

/** Does what a fault does, at a place. Throws the error that the step is to fail with, or ExitFault. */
export async function performFault(
  ctx: Context,
  world: World,
  action: FaultAction,
  at: { point: string; target: string | undefined; fail?: FailAs | undefined },
): Promise<void> {
  switch (action.kind) {
    case 'off':
      return;
    case 'return':
      throw (at.fail ?? injectedError)(action, at.point);
    case 'panic':
      return world.processes.die();
    case 'exit':
      throw exitFault(world, action.status, at.point);
    case 'sleep':
      return world.clock.sleep(action.ms, ctx);
    case 'pause':
      await world.faults.pauses.wait(ctx, world.clock, at.point, () => world.events.emit({ kind: 'paused', point: at.point }));
      return world.faults.lookAgain?.();
    case 'yield':
      return world.clock.turn();
    case 'print':
      world.events.emit({ kind: 'print', point: at.point, text: action.message });
      return;
    case 'ctx':
      ctx.value(CALLER)?.end(action.reason);
      return;
    case 'lease':
      return touchLeases(world, action, at.target);
    case 'drop':
    case 'dup':
    case 'reorder':
      throw new InvariantError(`${action.kind} at ${at.point}, which is no call to a tablet`);
  }
}

/** The error by which a fault ends the command. What wraps or passes over the errors of calls does not keep it from that. */
export function exitFault({ faults }: World, status: number, point: string): ExitFault {
  const fault = new ExitFault(status, point);
  faults.exited = fault;
  return fault;
}

async function touchLeases({ faults }: World, action: FaultAction & { kind: 'lease' }, target: string | undefined): Promise<void> {
  if (action.how === 'stall') await faults.leases?.stall(target, action.ms);
  else await faults.leases?.[action.how](target);
}

/** An injected failure looks like the tablet call that would have failed. Vitess: go/vt/vterrors ToGRPC. */
export function injectedError(action: FaultAction & { kind: 'return' }, point: string): Error {
  const desc =
    action.message ??
    (action.code === 'DEADLINE_EXCEEDED'
      ? 'context deadline exceeded'
      : action.code === 'CANCELED'
        ? 'context canceled'
        : `injected at ${point}`);
  return vtError(action.code, `rpc error: code = ${grpcCodeName(action.code)} desc = ${desc}`);
}
