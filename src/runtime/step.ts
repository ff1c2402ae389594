import type { Context } from './context.ts';
import type { Edge } from './edges.ts';
import { offerFault } from './offer-fault.ts';
import type { World } from './world.ts';

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
 * A fault at `before` has no effect behind it; one at `mid` leaves that on some targets, and ends the step for the others;
 * one at `after` leaves the effect and fails the caller. `commit` is offered by whoever writes (`atCommit`).
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
  let done = 0;
  let ended: { by: unknown } | undefined;
  const between = async (target: string): Promise<void> => {
    if (ended !== undefined) throw ended.by;
    if (done === 0) return;
    try {
      await edge('mid', undefined);
      await edge('mid', target);
    } catch (error) {
      ended = { by: error };
      throw error;
    }
  };
  const scope: StepScope = {
    step: name,
    occurrence,
    onTarget: async (target, run) => {
      if (!world.faults.concerns(name)) return run();
      await between(target);
      await edge('before', target);
      const result = await run();
      done++;
      await edge('after', target);
      return result;
    },
  };
  const { faults } = world;
  const outer = faults.current;
  faults.current = { name, occurrence };
  world.events.emit({ kind: 'step', step: name, state: 'begin', targets });
  try {
    // Steps that only wait for SQLite never let the loop turn by themselves, and a switch has dozens of commits.
    if (!world.clock.virtual) await world.clock.turn();
    if (world.faults.concerns(name)) await wholeStep('before');
    const result = await effect(scope);
    if (faults.exited !== undefined) throw faults.exited;
    if (world.faults.concerns(name)) await wholeStep('after');
    world.events.emit({ kind: 'step', step: name, state: 'done', targets });
    return result;
  } catch (error) {
    world.events.emit({ kind: 'step', step: name, state: 'failed', targets, text: String((error as Error).message) });
    throw faults.exited ?? error;
  } finally {
    faults.current = outer;
  }
}
