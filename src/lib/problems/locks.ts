import type { ProblemEntry } from './entry.ts';

/** SWT01xx. */
export const LOCK_PROBLEMS = {
  'dead-lock-holder': {
    code: 'SWT0101',
    title: 'a dead process holds locks',
    severity: 'pending',
    meaning: 'A process took locks of the topology and is gone. On etcd nobody but the clock takes a lease away; on `hardened` the next command that needs the locks does.',
    causes: ['a vtctld that was killed or crashed in the middle of a command'],
    cure: 'Nothing on `hardened`. On a release the keyspace locks end by themselves within their lease.',
  },
} as const satisfies Record<string, ProblemEntry>;
