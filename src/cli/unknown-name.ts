import { UserError } from '../lib/errors.ts';
import { suggest } from '../lib/suggest.ts';

/** The error for a name that is not there: says so, with the nearest that is, and ends with 2. */
export function unknownName(kind: string, name: string, known: readonly string[], next?: string): UserError {
  const near = suggest(name, known);
  const hint = near === undefined ? '' : ` (did you mean "${near}"?)`;
  const rest = next ?? (known.length === 0 ? undefined : `there ${known.length === 1 ? 'is' : 'are'} ${known.slice(0, 12).join(', ')}`);
  return new UserError(`there is no ${kind} "${name}"${hint}`, { exit: 2, ...(rest === undefined ? {} : { next: rest }) });
}
