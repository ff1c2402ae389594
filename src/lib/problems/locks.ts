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
  'lease-run-out': {
    code: 'SWT0102',
    title: 'a lease has run out and stands there still',
    severity: 'leftover',
    meaning: "A lock's lease is over and nobody has asked for the lock since. It keeps nobody out; whoever held it has lost it, and writes under it are refused on `hardened`.",
    causes: ['a process that was stopped, or could not renew its lease in time (vitessio/vitess#20340)'],
    cure: 'Nothing: the next command that needs the lock takes it.',
  },
  'waiting-behind-dead': {
    code: 'SWT0103',
    title: 'commands wait behind a dead process',
    severity: 'pending',
    meaning: 'The holder of a lock is dead, its lease still runs, and others wait for it.',
    causes: ['a vtctld that was killed or crashed in the middle of a command, on a topology server that knows no dead'],
    cure: 'The lease ends by itself; or release the lock, if you are sure of the death.',
  },
  'named-lock-of-dead': {
    code: 'SWT0106',
    title: 'the lock of a workflow is left for up to 24 hours',
    severity: 'pending',
    meaning: 'From v21 on the commands on a workflow take a lock with its name, with a lease of 24 hours that nobody but its holder ends. The holder is dead: every command on the workflow waits 45 seconds and fails.',
    causes: ['a vtctld that was killed or crashed in the middle of a command (vitessio/vitess#16260)'],
    cure: "Remove the lock's entry in the topology server, for which Vitess has no command; here `lock release` does it.",
  },
} as const satisfies Record<string, ProblemEntry>;
