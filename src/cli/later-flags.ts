import { UserError } from '../lib/errors.ts';
import type { Invocation } from './spec.ts';

/** Refuses a flag that a release does not know yet, with the words in which its vtctldclient does. Throws UserError. */
export function refuseLaterFlag(inv: Invocation, flag: string, known: boolean): void {
  if (known || !inv.flags.given(flag)) return;
  throw new UserError(`unknown flag: --${flag}`, { next: `leave it out; see since when there is such a flag: switchtraffic versions` });
}
