import { UserError } from '../../lib/errors.ts';
import type { Sink } from '../../store/snapshot/bytes.ts';

/** Throws once the process was told to stop: what is being written is removed then. */
export function endedBy(signal: AbortSignal): () => void {
  return () => {
    if (signal.aborted) throw new UserError('stopped before it was done; nothing was changed', { exit: 2 });
  };
}

/** A sink that stops when the command is told to. */
export function watched(sink: Sink, checkEnded: () => void): Sink {
  return {
    ...sink,
    write: (chunk) => {
      checkEnded();
      return sink.write(chunk);
    },
  };
}
