import type { ProblemEntry } from './entry.ts';

/** SWT04xx. */
export const LEFTOVER_PROBLEMS = {
  'denied-left-over': {
    code: 'SWT0401',
    title: 'tables are denied for no workflow',
    severity: 'leftover',
    meaning: 'A shard record denies tables, and no workflow has a reason for it. Queries that name the shard or its keyspace are refused, and a later workflow with these tables stumbles over the entries.',
    causes: ['complete or cancel with --keep-data, which leaves them (vitessio/vitess#13998)', 'a roll-back that denies what was never denied: of single shards, or of a keyspace that tenants share (#17794)'],
    cure: 'Take the tables off the list and refresh the shard.',
  },
  'orphan-rules': {
    code: 'SWT0402',
    title: 'routing rules lead to what is not there',
    severity: 'pending',
    meaning: 'A routing rule leads to a keyspace, a shard or a table that does not exist. Queries for that name fail.',
    causes: ['a complete or cancel that failed at the rules, after it had dropped the tables', 'a keyspace or table that was removed by hand, with its rules left'],
    cure: 'Take the rules out; then the VSchema alone decides where the names lead.',
  },
  'mirror-rules-left-over': {
    code: 'SWT0403',
    title: 'mirror rules of no workflow',
    severity: 'leftover',
    meaning: 'Reads are sent to a second keyspace too, and no workflow is there that would have asked for it. Vitess has no command that takes mirror rules away without a workflow.',
    causes: ['a workflow that was deleted while its reads were mirrored'],
    cure: 'Create the workflow once more and run mirrortraffic --percent 0, or delete the record in the topology server.',
  },
  'old-journal': {
    code: 'SWT0404',
    title: 'an old journal has the id of a new workflow',
    severity: 'pending',
    meaning: "The journal's id is made of keyspace, shards and ids of streams. Ids have come again, in a database that was restored or emptied: the next switch takes the old journal for its own, and goes on behind it without stopping the writes. Rows are lost.",
    causes: ['a primary that was restored from a backup, or a sidecar database that was emptied'],
    cure: 'Delete the journal row before anything is switched.',
  },
  'controls-left-over': {
    code: 'SWT0405',
    title: 'tablet controls of a Reshard that did not happen',
    severity: 'leftover',
    meaning: 'The serving graph still has entries for the query service of shards, all switched on again. They refuse nothing, but a gate that buffers takes the keyspace for one that is being resharded: later failovers are buffered until the time is up.',
    causes: ['a Reshard switch that was cancelled: the roll-back switches the entries off and leaves them'],
    cure: 'RebuildKeyspaceGraph while no reads are switched; otherwise the next switch that succeeds clears them.',
  },
  'mirror-rules-lost': {
    code: 'SWT0406',
    title: 'a failed switch has taken the mirror rules away',
    severity: 'leftover',
    meaning: 'Reads were mirrored to the target, a switch took the rules away and failed, and its roll-back did not put them back. Mirroring is silently off.',
    causes: ['any switch of a release that fails after it has removed the mirror rules'],
    cure: 'Run mirrortraffic again.',
  },
} as const satisfies Record<string, ProblemEntry>;
