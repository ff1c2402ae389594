import { UserError } from '../../lib/errors.ts';
import type { ProblemKind } from '../../lib/problems.ts';
import type { Invocation } from '../spec.ts';

/** Repairs what a diagnosis finds. Throws UserError: it is not built yet. */
export async function runFix(inv: Invocation, _wanted: { only: readonly ProblemKind[]; skip: readonly ProblemKind[] }): Promise<number> {
  throw new UserError(`${inv.path.join(' ')} --fix is not built yet`, { next: 'run the commands that it prints: switchtraffic doctor' });
}
