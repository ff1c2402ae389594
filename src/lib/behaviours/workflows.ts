import { row, yesNo } from './row.ts';

/** Rows on the life of a workflow outside its switches, and on the records it shares with others. */
export const WORKFLOWS = {
  deniedTablesOnTargetAtCreate: yesNo('create', 'create denies the tables on the target', '#15977', true, {
    '18.0.0': false,
    '20.0.0': true,
  }),
  createBesideFrozen: yesNo('create', 'a workflow can be created in a keyspace that has a frozen one', 'planetscale/vitess-operator#169', true, {
    '18.0.0': false,
    '20.0.0': true,
  }),
  deferByDefault: yesNo('create', 'create defers secondary keys until the copy is done, unless told otherwise', '#18006', true, {
    '18.0.0': false,
    '22.0.0': true,
  }),
  configOverrides: yesNo('create', 'create and `Workflow update` take settings of VReplication for one workflow (--config-overrides)', '#16583', true, {
    '18.0.0': false,
    '21.0.0': true,
  }),
  referenceTables: yesNo('create', '`Materialize create` takes reference tables by name (--reference-tables)', '#16787', true, {
    '18.0.0': false,
    '21.0.0': true,
  }),
  targetWithoutPrimary: row<'panic' | 'error'>(
    'reshard',
    '`Reshard create` to a shard without a primary tablet',
    '#16283, #16284',
    { panic: 'panics in vtctld', error: 'is an error' },
    'error',
    { '18.0.0': 'panic', '18.0.6': 'error', '19.0.0': 'panic', '19.0.5': 'error', '20.0.0': 'panic', '20.0.1': 'error', '21.0.0': 'error' },
  ),

  cancelOrder: row<'unstopped' | 'stream-first' | 'stopped'>(
    'ending',
    'what cancel does with the streams while it cleans up',
    '#15963, #15977',
    { unstopped: 'lets them run, and deletes them last', 'stream-first': 'deletes them before anything else', stopped: 'stops them, and deletes them last' },
    'stopped',
    { '18.0.0': 'unstopped', '20.0.0': 'stream-first', '22.0.0': 'stopped' },
  ),
  missingTables: row<'error' | 'warning'>(
    'ending',
    'cancel and complete meet a table that is gone already',
    '#16505',
    { error: 'fail, with the rest left to do', warning: 'go on' },
    'warning',
    { '18.0.0': 'error', '20.0.2': 'warning', '21.0.0': 'warning' },
  ),
  cancelAfterReads: yesNo('ending', 'a workflow can be cancelled after only reads were switched', '#17127, #17128', true, {
    '18.0.0': false,
    '22.0.0': true,
  }),
  ignoreSourceKeyspace: yesNo('ending', 'cancel and complete can do without the source keyspace (--ignore-source-keyspace)', '#17517, #17729', true, {
    '18.0.0': false,
    '22.0.0': true,
  }),

  completeOrder: row<'streams-first' | 'streams-last'>(
    'ending',
    'where complete deletes the streams',
    'K41, K42, #20135; never in Vitess',
    {
      'streams-first': 'before the rules, so that it cannot be repeated when it fails after them; the reverse streams meet tables that are gone',
      'streams-last': 'last of all, so that it can be repeated; those of the reverse workflow before it drops what they read',
    },
    'streams-last',
    { '18.0.0': 'streams-first' },
  ),
  completeDryRun: row<'publishes' | 'looks'>(
    'ending',
    'a dry run of complete',
    'never in Vitess',
    { publishes: 'rebuilds the serving VSchema of every cell', looks: 'changes nothing' },
    'looks',
    { '18.0.0': 'publishes' },
  ),
  cancelReads: row<'left' | 'led back'>(
    'ending',
    'reads that are switched when a workflow is cancelled',
    '#17128; never in Vitess',
    { left: 'meet tables that are dropped, until the rules go; of a Reshard for ever', 'led back': 'are led back to the source first; a Reshard is not cancelled' },
    'led back',
    { '18.0.0': 'left' },
  ),
  endingMirrors: row<'stay' | 'go'>(
    'ending',
    'mirror rules of a workflow that ends',
    'never in Vitess',
    { stay: 'stay, and reads are mirrored to tables that are gone', go: 'go with it' },
    'go',
    { '18.0.0': 'stay' },
  ),

  workflowShards: row<'unknown' | 'ignored' | 'obeyed'>(
    'streams',
    '`Workflow start` and `stop` with --shards',
    '#17581',
    { unknown: 'there is no such flag', ignored: 'takes the flag and means every shard', obeyed: 'means those shards' },
    'obeyed',
    { '18.0.0': 'unknown', '19.0.0': 'obeyed', '19.0.3': 'ignored', '20.0.0': 'ignored', '22.0.0': 'obeyed' },
  ),
  moveTablesShards: row<'unknown' | 'obeyed'>(
    'streams',
    '`MoveTables start` and `stop` with --shards',
    '#18949, #19023',
    { unknown: 'there is no such flag', obeyed: 'means those shards' },
    'obeyed',
    { '18.0.0': 'unknown', '24.0.0': 'obeyed' },
  ),
  updateShards: row<'unknown' | 'ignored' | 'obeyed'>(
    'streams',
    '`Workflow update` with --shards',
    '#17581',
    { unknown: 'there is no such flag', ignored: 'takes the flag and means every shard', obeyed: 'means those shards' },
    'obeyed',
    { '18.0.0': 'unknown', '19.0.0': 'obeyed', '19.0.3': 'ignored', '20.0.0': 'ignored' },
  ),
  filteredUpdates: row<'one image' | 'both images'>(
    'streams',
    'an UPDATE that moves a row into or out of what a stream takes, other than by key range',
    '#18319',
    { 'one image': 'is an insert or a delete there', 'both images': 'is an UPDATE there: a row that leaves stays, one that comes is missed' },
    'one image',
    { '18.0.0': 'one image', '23.0.0': 'both images' },
  ),

  denyEntries: row<'error' | 'warning'>(
    'rules',
    'denying a table twice, or freeing one that is not denied',
    '#13998, #15977',
    { error: 'is an error', warning: 'is a warning' },
    'warning',
    { '18.0.0': 'error', '20.0.0': 'warning' },
  ),
  mirrorTraffic: yesNo('rules', 'reads can be mirrored to the target (MirrorTraffic)', '#15945', true, { '18.0.0': false, '21.0.0': true }),
  mirrorLocks: yesNo('rules', "MirrorTraffic locks the workflow's name and the target keyspace", '#18775', true, {
    '18.0.0': false,
    '24.0.0': true,
  }),
  mirrorSets: row<'whole' | 'any'>(
    'rules',
    'what mirror rules there have to be for MirrorTraffic, and for a switch that removes them',
    '#15945; always in Vitess (K39)',
    { whole: 'none, or those of every table and tablet type that is meant', any: 'any' },
    'any',
    { '18.0.0': 'whole' },
  ),
  allowReads: yesNo('rules', 'a denied table may still be read (allow_reads), as mirrored traffic does', '#18774, #18775', true, {
    '18.0.0': false,
    '24.0.0': true,
  }),
  allowReadsKept: yesNo('rules', 'another change of denied tables leaves it alone that they may be read', 'never in Vitess (K12)', true, {
    '18.0.0': false,
  }),
  mirrorRemoval: row<'none' | 'always' | 'when-mirrored'>(
    'rules',
    'when a switch removes mirror rules, which also publishes all rules',
    '#15945, #18775',
    { none: 'never: there are none', always: 'always', 'when-mirrored': 'where traffic is mirrored' },
    'when-mirrored',
    { '18.0.0': 'none', '21.0.0': 'always', '24.0.0': 'when-mirrored' },
  ),
  mirrorEntry: row<'none' | 'whole' | 'own'>(
    'rules',
    'which mirror rules of its tables a switch removes',
    '#15945, #19121',
    { none: 'none', whole: 'those to other keyspaces too', own: 'those to its own target' },
    'own',
    { '18.0.0': 'none', '21.0.0': 'whole', '22.0.3': 'own', '24.0.0': 'own' },
  ),
};
