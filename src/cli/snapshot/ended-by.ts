import { UserError } from '../../lib/errors.ts';

/** Throws once the process was told to stop: what is being written is removed then. */
export function endedBy(signal: AbortSignal): () => void {
  return () => {
    if (signal.aborted) throw new UserError('stopped before it was done; nothing was changed', { exit: 2 });
  };
}
