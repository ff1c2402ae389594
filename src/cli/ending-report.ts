import { nextOf } from '../lib/errors.ts';
import { EndFailed } from '../workflow/end/run.ts';
import { END_STEPS } from '../workflow/end/steps.ts';
import { commandAgain } from './command-again.ts';
import { CommandFailure } from './command-failure.ts';
import type { Invocation } from './spec.ts';

/** Runs a complete or a cancel; one that fails in the middle says what is left to do. */
export async function withEndingNotes<T>(inv: Invocation, end: () => Promise<T>): Promise<T> {
  try {
    return await end();
  } catch (error) {
    if (!(error instanceof EndFailed)) throw error;
    throw new CommandFailure(error.cause, inv.flags.bool('quiet') ? [] : notes(inv, error));
  }
}

function notes(inv: Invocation, { cause, left, repeatable }: EndFailed): string[] {
  const [cut, ...rest] = left.map((name) => END_STEPS[name].about);
  return [
    '',
    'state: what was done before the failure stays done',
    ...(cut === undefined ? [] : [`  failed: ${cut}`]),
    ...(rest.length === 0 ? [] : ['  left:', ...rest.map((about) => `    ${about}`)]),
    next(inv, cause, repeatable, rest.length > 0),
  ];
}

function next(inv: Invocation, cause: unknown, repeatable: boolean, more: boolean): string {
  const told = nextOf(cause);
  if (told !== undefined) return `next: ${told}`;
  if (!repeatable) return `next: it cannot be run again: ${more ? 'put right by hand what is left' : 'see whether this was done: switchtraffic show keyspace'}`;
  return `next: cure the cause, then run it again, which does the rest: switchtraffic ${commandAgain(inv)}`;
}
