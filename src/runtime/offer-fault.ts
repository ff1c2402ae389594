import type { Context } from './context.ts';
import type { Edge } from './edges.ts';
import { type Delivery, type FaultAction, formatAction, isDelivery } from './fault-actions.ts';
import { exitFault, type FailAs, injectedError, performFault } from './perform-fault.ts';
import type { World } from './world.ts';

/** Does what is armed at a place, one fault after another. Throws the error that it is to fail with, or ExitFault. */
export async function offerFault(
  ctx: Context,
  world: World,
  step: string,
  edge: Edge,
  occurrence: number,
  target: string | undefined,
): Promise<void> {
  const point = pointText(step, edge, target);
  for await (const action of world.faults.due(step, edge, occurrence, target)) {
    world.events.emit({ kind: 'fault', point, action: formatAction(action) });
    await performFault(ctx, world, action, { point, target });
  }
}

/** One call that a step makes, as faults meet it: by its name for any of its kind, and by its target. */
export class MetCall {
  readonly #ctx: Context;
  readonly #world: World;
  readonly #name: string;
  readonly #target: string;
  readonly #fail: FailAs | undefined;
  /** Which call of its kind it is, and which of those to its target. */
  readonly #numbers: readonly [number, number];

  constructor(ctx: Context, world: World, call: { name: string; target: string; fail?: FailAs }) {
    this.#ctx = ctx;
    this.#world = world;
    this.#name = call.name;
    this.#target = call.target;
    this.#fail = call.fail;
    this.#numbers = [world.faults.nextCall(call.name), world.faults.nextCall(`${call.name}@${call.target}`)];
  }

  /** Does what is armed at an edge of it. Resolves to what becomes of the call, if a fault says so. Throws as `offerFault`. */
  async meet(edge: 'before' | 'after'): Promise<Delivery | undefined> {
    const { faults, events } = this.#world;
    for (const [index, target] of [undefined, this.#target].entries()) {
      for await (const action of faults.due(this.#name, edge, this.#numbers[index]!, target)) {
        const point = pointText(this.#name, edge, this.#target);
        events.emit({ kind: 'fault', point, action: formatAction(action) });
        if (isDelivery(action)) return action.kind;
        await performFault(this.#ctx, this.#world, action, { point, target: undefined, fail: this.#fail });
      }
    }
    return undefined;
  }
}

/** A place as people name it. */
export function pointText(step: string, edge: Edge, target: string | undefined): string {
  return `${step}:${edge}${target === undefined ? '' : `@${target}`}`;
}

/** What a transaction throws to be rolled back by a fault. */
class Struck extends Error {}

/** A transaction, and the same with what has to be called in it once all is written: it throws. */
export interface Writing<T> {
  plain(): Promise<T>;
  struck(strike: () => never): Promise<T>;
}

/**
 * Runs a transaction of the step that is under way, and lets a fault strike in it when all is written and nothing committed.
 * `targets` is what it writes on.
 */
export async function atCommit<T>(ctx: Context, world: World, targets: readonly string[], writing: Writing<T>): Promise<T> {
  const { faults } = world;
  const { current } = faults;
  if (current === undefined || !faults.awaits(current.name, 'commit')) return writing.plain();
  const { name, occurrence } = current;
  for (const target of [undefined, ...targets]) {
    const point = pointText(name, 'commit', target);
    for await (const action of faults.due(name, 'commit', occurrence, target)) {
      world.events.emit({ kind: 'fault', point, action: formatAction(action) });
      if (action.kind === 'return' || action.kind === 'exit' || action.kind === 'panic') return strikeIn(world, action, point, writing);
      await performFault(ctx, world, action, { point, target });
    }
  }
  return writing.plain();
}

type Striking = Extract<FaultAction, { kind: 'return' | 'exit' | 'panic' }>;

async function strikeIn<T>(world: World, action: Striking, point: string, { struck }: Writing<T>): Promise<T> {
  const by = new Struck();
  let death: Promise<never> | undefined;
  try {
    return await struck(() => {
      // A real process ends in here, with the transaction open.
      if (action.kind === 'panic') death = world.processes.die();
      throw by;
    });
  } catch (error) {
    if (error !== by) throw error;
    if (death !== undefined) return death;
    throw action.kind === 'return' ? injectedError(action, point) : exitFault(world, (action as { status: number }).status, point);
  }
}
