import { grpcCodeName, vtError } from '../lib/errors.ts';
import { type Cancellable, type Context, contextKey } from './context.ts';
import type { Edge, FaultAction } from './fault-grammar.ts';
import type { World } from './world.ts';

/** The caller's own context, so that a fault can end it as a Ctrl-C or a deadline would. */
export const CALLER = contextKey<Cancellable>('caller');

/** One step being run: what a fan-out inside it needs to offer faults per target. */
export interface StepScope {
  readonly step: string;
  readonly occurrence: number;
  /** Runs the effect on one target between its two edges. */
  onTarget<T>(target: string, effect: () => Promise<T>): Promise<T>;
}

/** A scope that offers no fault: for what a step does, done outside of the step. */
export const NO_FAULTS: StepScope = { step: '', occurrence: 1, onTarget: (_target, effect) => effect() };

/** A step to run: its name, its place among equals, what it touches. */
export interface StepCall {
  name: string;
  occurrence?: number;
  /** Keyspaces or shards. */
  targets?: readonly string[];
  /** True: the effect offers the edges of each target itself. */
  perTarget?: boolean;
}

/**
 * The only way a workflow changes anything: reports the step, offers a fault at each edge, and runs it.
 * A fault at `before` has no effect behind it; one at `after` leaves the effect and fails the caller.
 */
export async function runStep<T>(
  ctx: Context,
  world: World,
  call: StepCall,
  effect: (scope: StepScope) => Promise<T>,
): Promise<T> {
  const { name, occurrence = 1, targets = [], perTarget = false } = call;
  const edge = (which: Edge, target: string | undefined): Promise<void> =>
    offerFault(ctx, world, name, which, occurrence, target);
  const wholeStep = async (which: Edge): Promise<void> => {
    await edge(which, undefined);
    if (!perTarget) for (const target of targets) await edge(which, target);
  };
  const scope: StepScope = {
    step: name,
    occurrence,
    onTarget: async (target, run) => {
      await edge('before', target);
      const result = await run();
      await edge('after', target);
      return result;
    },
  };
  world.events.emit({ kind: 'step', step: name, state: 'begin', targets });
  try {
    // Steps that only wait for SQLite never let the loop turn by themselves, and a switch has dozens of commits.
    if (!world.clock.virtual) await world.clock.turn();
    await wholeStep('before');
    const result = await effect(scope);
    await wholeStep('after');
    world.events.emit({ kind: 'step', step: name, state: 'done', targets });
    return result;
  } catch (error) {
    world.events.emit({ kind: 'step', step: name, state: 'failed', targets, text: String((error as Error).message) });
    throw error;
  }
}

async function offerFault(
  ctx: Context,
  world: World,
  step: string,
  edge: Edge,
  occurrence: number,
  target: string | undefined,
): Promise<void> {
  const action = world.faults.evaluate(step, edge, occurrence, target);
  if (action === undefined) return;
  const point = `${step}:${edge}${target === undefined ? '' : `@${target}`}`;
  world.events.emit({ kind: 'fault', point, action: describe(action) });
  await perform(ctx, world, action, point, target);
}

function describe(action: FaultAction): string {
  switch (action.kind) {
    case 'return':
      return `return(${action.code})`;
    case 'sleep':
      return `sleep(${action.ms}ms)`;
    case 'ctx':
      return `ctx(${action.reason === 'canceled' ? 'cancel' : 'deadline'})`;
    case 'lease':
      return `lease(${action.how})`;
    default:
      return action.kind;
  }
}

async function perform(
  ctx: Context,
  world: World,
  action: FaultAction,
  point: string,
  target: string | undefined,
): Promise<void> {
  switch (action.kind) {
    case 'off':
      return;
    case 'return':
      throw injectedError(action, point);
    case 'panic':
      return world.processes.die();
    case 'sleep':
      return world.clock.sleep(action.ms, ctx);
    case 'ctx':
      ctx.value(CALLER)?.end(action.reason);
      return;
    case 'lease':
      if (action.how === 'expire') await world.faults.leases?.expire(target);
      else await world.faults.leases?.steal(target);
  }
}

/** An injected failure looks like the tablet call that would have failed. Vitess: go/vt/vterrors ToGRPC. */
function injectedError(action: FaultAction & { kind: 'return' }, point: string): Error {
  const desc =
    action.message ??
    (action.code === 'DEADLINE_EXCEEDED'
      ? 'context deadline exceeded'
      : action.code === 'CANCELED'
        ? 'context canceled'
        : `injected at ${point}`);
  return vtError(action.code, `rpc error: code = ${grpcCodeName(action.code)} desc = ${desc}`);
}
