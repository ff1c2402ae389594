import { row, waiting, yesNo } from './row.ts';

/** Rows on locks, on what is checked before a switch, and on going back. */
export const LOCKS_AND_CHECKS = {
  notLockedCode: row<'INVALID_ARGUMENT' | 'INTERNAL'>(
    'locks',
    'the code of "is not locked" errors',
    '#16260',
    { INVALID_ARGUMENT: 'INVALID_ARGUMENT', INTERNAL: 'INTERNAL' },
    'INTERNAL',
    { '18.0.0': 'INVALID_ARGUMENT', '21.0.0': 'INTERNAL' },
  ),
  lockCheckAsks: yesNo('locks', 'a write that needs a lock asks the topology server for it, and not only the books of the call itself', '#16260', true, {
    '18.0.0': false,
    '21.0.0': true,
  }),
  namedLock: row<'none' | 'writes' | 'command'>(
    'locks',
    "what holds the lock on the workflow's name",
    '#16260, #16906',
    {
      none: 'nothing: there is no such lock',
      writes: 'the switch of the writes; create, cancel and complete',
      command: 'a switch from its beginning to its end; create, cancel and complete',
    },
    'command',
    { '18.0.0': 'none', '21.0.0': 'writes', '22.0.0': 'command' },
  ),
  namedLockElsewhere: waiting(
    'other topology servers',
    row<'none' | 'fails' | 'works'>(
      'locks',
      "the lock on the workflow's name on ZooKeeper and Consul",
      '#18407, #18606',
      { none: 'there is no such lock', fails: 'cannot be taken: no switch, cancel or complete', works: 'works' },
      'works',
      { '18.0.0': 'none', '21.0.0': 'fails', '22.0.2': 'works', '23.0.0': 'works' },
    ),
  ),
  keyspaceLockTtl: row<'none' | '3T' | '3T+tail'>(
    'locks',
    'the life of the keyspace locks of a write switch, unless they are renewed',
    '#16260, #19672, #19682',
    { none: "the topology server's own, 30s on etcd", '3T': '3 times --timeout', '3T+tail': '3 times --timeout, and again --timeout or 30s for what follows the journal' },
    '3T+tail',
    { '18.0.0': 'none', '21.0.0': '3T', '23.0.4': '3T+tail', '24.0.0': '3T+tail' },
  ),
  readsLockTtl: row<'none' | 'T'>(
    'locks',
    'the life of the keyspace locks of a read switch, unless they are renewed',
    '#16260',
    { none: "the topology server's own, 30s on etcd", T: '--timeout' },
    'T',
    { '18.0.0': 'none', '21.0.0': 'T' },
  ),
  leases: row<'renewed' | 'etcd'>(
    'locks',
    'how a held lock is kept alive',
    '#11811, #20340',
    { renewed: 'by the process that holds it, as long as it lives', etcd: 'by a check of it, and else it runs out, as on etcd' },
    'renewed',
    { '18.0.0': 'etcd' },
  ),
  lockChecks: yesNo('locks', 'the switch asks between steps whether its locks are still held', '#16260', true, {
    '18.0.0': false,
    '21.0.0': true,
  }),
  fencedWrites: yesNo('locks', 'the store refuses a write whose lock is gone', 'never in Vitess', true, { '18.0.0': false }),
  readsLocks: row<'source' | 'both'>(
    'locks',
    'which keyspaces a read switch locks',
    '#18775',
    { source: 'the source', both: 'source and target' },
    'both',
    { '18.0.0': 'source', '24.0.0': 'both' },
  ),
  routingRulesGuarded: yesNo(
    'locks',
    'routing rules are changed in one step, so that two workflows cannot undo each other',
    '#15807, never in Vitess for table and shard rules (K38)',
    true,
    { '18.0.0': false },
  ),
  keyspaceRulesLock: waiting(
    'multi-tenant moves',
    yesNo('locks', 'keyspace routing rules have a lock', '#15807', true, { '18.0.0': false, '20.0.0': true }),
  ),

  lag: row<'time-updated' | 'transaction'>(
    'checks',
    'what the lag check measures',
    '#17616',
    { 'time-updated': "a stream's last sign of life", transaction: 'the last transaction that a stream applied' },
    'transaction',
    {
      '18.0.0': 'time-updated',
      '19.0.10': 'transaction',
      '20.0.6': 'transaction',
      '21.0.0': 'time-updated',
      '21.0.3': 'transaction',
      '22.0.0': 'transaction',
    },
  ),
  reverseChecked: yesNo('checks', 'ReverseTraffic makes the checks that SwitchTraffic makes', '#16920', true, {
    '18.0.0': false,
    '21.0.0': true,
  }),
  forceRefresh: waiting(
    'the service of vtctld',
    yesNo('checks', '`force` in the request passes over tablets that cannot be refreshed (vtctldclient never sends it)', '#16709', true, {
      '18.0.0': false,
      '21.0.0': true,
    }),
  ),
  reversePrivileges: row<'none' | 'exact' | 'wildcards' | 'tried'>(
    'checks',
    "how the right to manage the reverse workflow (in the source's _vt) is checked",
    '#16762, #16794, #18348, #18580',
    {
      none: 'not at all: the switch fails when it creates the workflow',
      exact: 'by looking for grants; one on a pattern of databases counts for none',
      wildcards: 'by looking for grants, those on patterns of databases too',
      tried: 'by trying, in a transaction that is rolled back',
    },
    'tried',
    { '18.0.0': 'none', '21.0.0': 'exact', '23.0.0': 'wildcards', '24.0.0': 'tried' },
  ),
  tabletsForReverse: yesNo('checks', 'a switch needs tablets on the target that the reverse workflow can stream from', '#8142; the same on every release', true, {
    '18.0.0': true,
  }),
  noTabletsNames: row<'source' | 'target'>(
    'checks',
    'which keyspace the error names when there are none to stream from',
    '#16762',
    { source: 'the source, where none are wanted', target: 'the target' },
    'target',
    { '18.0.0': 'source', '21.0.0': 'target' },
  ),
  writesSwitchedRule: row<'table' | 'source.table'>(
    'checks',
    'which routing rule tells that writes are switched',
    '#16731',
    { table: 'that of the bare table, which other workflows write too', 'source.table': 'that of source.table' },
    'source.table',
    { '18.0.0': 'table', '21.0.0': 'source.table' },
  ),
  sameKeyspace: row<'accepted' | 'switch-refuses' | 'refused'>(
    'checks',
    'a workflow whose source is its target',
    '#19012, #19672, #20368',
    { accepted: 'is accepted, and cancelling it drops the source table', 'switch-refuses': 'is created, and cannot be switched', refused: 'is refused by create' },
    'refused',
    { '18.0.0': 'accepted', '23.0.4': 'switch-refuses', '24.0.0': 'refused' },
  ),

  readsOnlyReversal: yesNo('reverse', 'reads alone can be reversed before writes were switched', '#16918, #16920', true, {
    '18.0.0': false,
    '21.0.0': true,
  }),
  reverseCancel: row<'drops' | 'refused'>(
    'reverse',
    'cancelling a _reverse workflow without --keep-data',
    '#19903, #19906 (v25 keeps the data)',
    { drops: 'drops the tables that serve', refused: 'is refused' },
    'refused',
    { '18.0.0': 'drops' },
  ),
};
