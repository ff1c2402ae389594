import { UserError } from '../../lib/errors.ts';
import type { Invocation } from '../spec.ts';

/** The handler of a command that is listed, so that its flags are checked, and does nothing yet. Throws UserError. */
export async function notBuiltYet(inv: Invocation): Promise<number> {
  throw new UserError(`${inv.path.join(' ')} is not built yet`);
}

export const run = notBuiltYet;
