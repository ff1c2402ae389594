import { errorText, UserError, VtError } from '../lib/errors.ts';

/** Reads an argument as vtctldclient itself does: what is wrong with it never looks like an answer of the server. */
export function clientSide<T>(read: () => T, { prefix = '', exit = 1 } = {}): T {
  try {
    return read();
  } catch (error) {
    throw error instanceof VtError ? new UserError(prefix + errorText(error), { cause: error, exit }) : error;
  }
}
