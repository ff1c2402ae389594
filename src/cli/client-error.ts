import { errorText, errorVerbose, UserError, VtError } from '../lib/errors.ts';
import type { Invocation } from './spec.ts';

/** Reads an argument as vtctldclient itself does: what is wrong with it never looks like an answer of the server. */
export function clientSide<T>(read: () => T, { prefix = '', exit = 1 } = {}): T {
  try {
    return read();
  } catch (error) {
    throw error instanceof VtError ? new UserError(prefix + errorText(error), { cause: error, exit }) : error;
  }
}

/** What vtctldclient says around an answer of the server that is an error; `verbose` where it prints that with `%v`. */
export function aroundServer(inv: Invocation, error: unknown, around: (text: string) => string, { verbose = false } = {}): unknown {
  if (!(error instanceof VtError)) return error;
  const server = inv.flags.str('server');
  const over = server === '' || server === 'internal' ? '' : 'rpc error: code = Unknown desc = ';
  const text = server === 'internal' && verbose ? errorVerbose(error).replace(/\n$/, '') : errorText(error);
  return new UserError(around(over + text), { cause: error });
}
