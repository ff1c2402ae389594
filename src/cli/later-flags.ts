import { UserError } from '../lib/errors.ts';
import type { Invocation } from './spec.ts';

/** Refuses a command that a release does not know yet. Throws UserError. */
export function refuseLaterCommand({ path }: Invocation, known: boolean): void {
  if (known) return;
  const [name, ...parents] = path.toReversed();
  throw new UserError(`unknown command "${name}" for "${['vtctldclient', ...parents.toReversed()].join(' ')}"`, {
    next: 'see since when there is such a command: switchtraffic versions',
  });
}

/** Refuses a flag that a release does not know yet, with the words in which its vtctldclient does. Throws UserError. */
export function refuseLaterFlag(inv: Invocation, flag: string, known: boolean): void {
  if (known || !inv.flags.given(flag)) return;
  throw new UserError(`unknown flag: --${flag}`, { next: `leave it out; see since when there is such a flag: switchtraffic versions` });
}
