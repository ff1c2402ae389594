import type { ProblemKind } from '../lib/problems.ts';
import type { Diagnosis, Problem } from '../report/doctor/diagnosis.ts';
import type { CommandDone, FixEvent } from '../report/doctor/fixing.ts';
import type { Context } from '../runtime/context.ts';
import { runStep } from '../runtime/step.ts';
import type { World } from '../runtime/world.ts';
import { FIX_STEPS } from '../workflow/fix-steps.ts';

/** What a fix is given from above and beside it. */
export interface FixTools {
  /** Reads the cluster and says what is wrong. */
  diagnose(ctx: Context): Promise<Diagnosis>;
  /** Runs a literal command line under a context, with the locks that it lends. */
  run(ctx: Context, line: string): Promise<CommandDone>;
  /** Finishes the intent of a problem: back, or past its point of no return forward. Undefined where there is none to finish. */
  finish(ctx: Context, problem: Problem): Promise<string | undefined>;
  /** Saves the whole cluster; resolves to the name to restore it by. */
  snapshot(ctx: Context): Promise<string>;
  /** True for the kinds that are to be repaired. */
  wants(kind: ProblemKind): boolean;
  /** Hears of everything as it happens. */
  say(event: FixEvent): void;
}

/** The steps of one fix, each told apart by how often it came. */
export class FixSteps {
  readonly #ctx: Context;
  readonly #world: World;
  readonly #occurrences = new Map<string, number>();

  constructor(ctx: Context, world: World) {
    this.#ctx = ctx;
    this.#world = world;
  }

  /** Runs what a step does, between the places where a fault can be. */
  run<T>(step: keyof typeof FIX_STEPS, body: () => Promise<T>): Promise<T> {
    const name = FIX_STEPS[step];
    const occurrence = (this.#occurrences.get(name) ?? 0) + 1;
    this.#occurrences.set(name, occurrence);
    return runStep(this.#ctx, this.#world, { name, occurrence }, body);
  }
}
