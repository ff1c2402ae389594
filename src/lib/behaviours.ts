/**
 * What the releases of Vitess do differently, as one table. Code asks for a behaviour, never for a version.
 *
 * `since` maps a release to the value from there on. An entry `N.0.0` holds for line N and every later line;
 * an entry with a patch (`21.0.3`) holds from that patch to the end of its own line only, since the same change
 * reached each line in a patch of its own.
 *
 * Facts: Vitess at the tags named, and the pull requests in `refs`.
 */
export interface BehaviourRow<T> {
  about: string;
  refs: string;
  since: Readonly<Record<string, T>>;
  hardened: T;
}

function row<T>(about: string, refs: string, hardened: T, since: Readonly<Record<string, T>>): BehaviourRow<T> {
  return { about, refs, since, hardened };
}

type RollbackContext = 'caller' | 'detached' | 'inherited';
type RollbackDirection = 'source-only' | 'forward' | 'backward';
type LockTtl = 'none' | '3T' | '3T+tail';

export const BEHAVIOURS = {
  rollbackContext: row<RollbackContext>(
    "the context a roll-back runs on: the caller's own, a fresh one without locks, or one that inherits the locks",
    '#17340, #17616, #17620',
    'inherited',
    {
      '18.0.0': 'caller',
      '19.0.9': 'detached',
      '19.0.10': 'inherited',
      '20.0.5': 'detached',
      '20.0.6': 'inherited',
      '21.0.2': 'detached',
      '21.0.3': 'inherited',
      '22.0.0': 'inherited',
    },
  ),
  rollbackTimeoutMs: row<number>("how long a roll-back may take in all; 0 is as long as the caller's context", '#17340, #17616', 120_000, {
    '18.0.0': 0,
    '19.0.9': 60_000,
    '19.0.10': 120_000,
    '20.0.5': 60_000,
    '20.0.6': 120_000,
    '21.0.2': 60_000,
    '21.0.3': 120_000,
    '22.0.0': 120_000,
  }),
  rollbackErrorsReturned: row<boolean>('whether a failed roll-back reaches the client, or only the log', '#17616', true, {
    '18.0.0': false,
    '19.0.10': true,
    '20.0.6': true,
    '21.0.3': true,
    '22.0.0': true,
  }),
  rollbackDirection: row<RollbackDirection>(
    'what a roll-back does with denied tables: free the source, switch forward again, or revert both sides',
    '#15977, #17616',
    'backward',
    { '18.0.0': 'source-only', '20.0.0': 'forward', '20.0.6': 'backward', '21.0.3': 'backward', '22.0.0': 'backward' },
  ),
  rollbackRestoresAll: row<boolean>(
    'whether a roll-back also restores switched reads, mirror rules and streams as they were',
    'never in Vitess (K11-K13)',
    true,
    { '18.0.0': false },
  ),
  notLockedCode: row<'INVALID_ARGUMENT' | 'INTERNAL'>('the code of "is not locked" errors', '#16260', 'INTERNAL', {
    '18.0.0': 'INVALID_ARGUMENT',
    '21.0.0': 'INTERNAL',
  }),
  deniedTablesOnTargetAtCreate: row<boolean>('whether create denies the tables on the target', '#15977', true, {
    '18.0.0': false,
    '20.0.0': true,
  }),
  stopWritesFreesTarget: row<boolean>("whether stopping source writes already lifts the target's denial", '#15977', true, {
    '18.0.0': false,
    '20.0.0': true,
  }),
  denyEntries: row<'error' | 'warning'>('adding a denied table twice, or removing one that is not there', '#15977', 'warning', {
    '18.0.0': 'error',
    '20.0.0': 'warning',
  }),
  rebuildOnStopWrites: row<boolean>('whether SrvVSchema is rebuilt when writes stop and on roll-back', '#15977', false, {
    '18.0.0': true,
    '20.0.0': false,
  }),
  rebuildAfterReads: row<'always' | 'reads-only'>(
    'whether switching reads rebuilds SrvVSchema although writes follow in the same command',
    '#15701',
    'reads-only',
    { '18.0.0': 'always', '20.0.0': 'reads-only' },
  ),
  mirrorRemoval: row<'none' | 'always' | 'when-mirrored'>(
    'whether a switch removes mirror rules, which also rebuilds SrvVSchema',
    '#15945, #18775',
    'when-mirrored',
    { '18.0.0': 'none', '21.0.0': 'always', '24.0.0': 'when-mirrored' },
  ),
  stopOrder: row<'streams-first' | 'writes-first'>('whether writes or other streams are stopped first', '#15536', 'writes-first', {
    '18.0.0': 'streams-first',
    '20.0.0': 'writes-first',
  }),
  positions: row<'at-stop' | 'after-lock-tables'>('when source positions are recorded', '#16572', 'after-lock-tables', {
    '18.0.0': 'at-stop',
    '21.0.0': 'after-lock-tables',
  }),
  positionsErrorRollsBack: row<boolean>('whether a failure to record positions rolls back', '#16572', true, {
    '18.0.0': true,
    '21.0.0': false,
  }),
  namedLock: row<'none' | 'writes' | 'command'>('how long the lock on the workflow is held', '#16260, #16906', 'command', {
    '18.0.0': 'none',
    '21.0.0': 'writes',
    '22.0.0': 'command',
  }),
  keyspaceLockTtl: row<LockTtl>('the life of the keyspace locks of a write switch, T being --timeout', '#16260, #19672', '3T+tail', {
    '18.0.0': 'none',
    '21.0.0': '3T',
    '23.0.4': '3T+tail',
    '24.0.0': '3T+tail',
  }),
  readsLockTtl: row<'none' | 'T'>('the life of the keyspace locks of a read switch', '#16260', 'T', {
    '18.0.0': 'none',
    '21.0.0': 'T',
  }),
  lockChecks: row<boolean>('whether the switch asks between steps if its locks are still held', '#16260', true, {
    '18.0.0': false,
    '21.0.0': true,
  }),
  lockCheckAsks: row<boolean>(
    'whether a write that needs a lock asks the topology server for it, or only the books of the call itself',
    '#16260',
    true,
    { '18.0.0': false, '21.0.0': true },
  ),
  lostLockRollsBack: row<boolean>('whether a lock found lost before the journal rolls back', 'never in Vitess (K2, #20340)', true, {
    '18.0.0': false,
  }),
  leases: row<'renewed' | 'etcd'>(
    'whether a held lock is kept alive, or only by a check, as on etcd',
    '#11811, #20340',
    'renewed',
    { '18.0.0': 'etcd' },
  ),
  fencedWrites: row<boolean>('whether the store refuses a write whose lock is gone', 'never in Vitess', true, {
    '18.0.0': false,
  }),
  readsLocks: row<'source' | 'both'>('which keyspaces a read switch locks', '#18775', 'both', {
    '18.0.0': 'source',
    '24.0.0': 'both',
  }),
  lag: row<'time-updated' | 'transaction'>('what the lag check measures', '#17616', 'transaction', {
    '18.0.0': 'time-updated',
    '19.0.10': 'transaction',
    '20.0.6': 'transaction',
    '21.0.0': 'time-updated',
    '21.0.3': 'transaction',
    '22.0.0': 'transaction',
  }),
  resumeChecksLag: row<boolean>('whether re-running a switch past its journal is held up by lag', 'always in Vitess (K28)', false, {
    '18.0.0': true,
  }),
  reverseChecked: row<boolean>('whether ReverseTraffic makes the pre-checks', '#16920', true, {
    '18.0.0': false,
    '21.0.0': true,
  }),
  readsOnlyReversal: row<boolean>('whether reads alone can be reversed before writes were switched', '#16920', true, {
    '18.0.0': false,
    '21.0.0': true,
  }),
  cancelAfterReads: row<boolean>('whether a workflow can be cancelled after only reads were switched', '#17128', true, {
    '18.0.0': false,
    '22.0.0': true,
  }),
  reversePrivileges: row<boolean>('whether the right to manage the reverse workflow is checked first', '#16762', true, {
    '18.0.0': false,
    '21.0.0': true,
  }),
  postJournal: row<'caller' | 'bounded'>("the context after the journal: the caller's, or one that outlives it", '#19672', 'bounded', {
    '18.0.0': 'caller',
    '23.0.4': 'bounded',
    '24.0.0': 'bounded',
  }),
  writesSwitchedRule: row<'table' | 'source.table'>('which routing rule tells that writes are switched', '#16731', 'source.table', {
    '18.0.0': 'table',
    '21.0.0': 'source.table',
  }),
  sameKeyspace: row<'accepted' | 'switch-refuses' | 'refused'>('a workflow whose source is its target', '#19012, #19672', 'refused', {
    '18.0.0': 'accepted',
    '23.0.4': 'switch-refuses',
    '24.0.0': 'refused',
  }),
  reverseDeletesOriginal: row<boolean>(
    'whether a failed ReverseTraffic may delete the original workflow',
    'open: #14276',
    false,
    { '18.0.0': true },
  ),
} satisfies Record<string, BehaviourRow<unknown>>;

export type BehaviourName = keyof typeof BEHAVIOURS;

/** The behaviours of one release. */
export type Behaviours = { readonly [K in BehaviourName]: (typeof BEHAVIOURS)[K]['hardened'] };
