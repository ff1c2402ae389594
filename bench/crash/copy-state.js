// Copies a state that processes have open, while none of them writes.
import { cpSync, rmSync } from 'node:fs';

/** The shared memory of a write-ahead log belongs to the processes that have it open: SQLite makes it anew from the log. */
export function copyState(from, to) {
  rmSync(to, { recursive: true, force: true });
  cpSync(from, to, { recursive: true, filter: (path) => !path.endsWith('-shm') });
}
