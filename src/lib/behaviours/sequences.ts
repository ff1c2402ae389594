import { row, yesNo } from './row.ts';

/** Rows on sequences: how create names them, and what `--initialize-target-sequences` does with them. */
export const SEQUENCES = {
  sequenceStep: row<'past-journal' | 'before-journal' | 'resumed-too'>(
    'sequences',
    'when sequences are initialised',
    '#15289, #15295',
    {
      'past-journal': 'after the journal: what fails there can only be completed',
      'before-journal': 'before the journal, where a failure rolls back; never by a run that completes a switch',
      'resumed-too': 'before the journal, where a failure rolls back; also by a run that completes a switch',
    },
    'resumed-too',
    { '18.0.0': 'past-journal', '18.0.3': 'before-journal', '19.0.0': 'before-journal' },
  ),
  sequenceLookup: row<'by-name' | 'as-the-gate'>(
    'sequences',
    'which sequence tables are initialised',
    'always by name in Vitess',
    {
      'by-name': 'for each name one, in a keyspace that lists it; of several tables that use it the last one counts',
      'as-the-gate': 'those from which the gate will take ids, for every table that uses them',
    },
    'as-the-gate',
    { '18.0.0': 'by-name' },
  ),
  sequenceNullMaximum: yesNo('sequences', 'a shard without a largest value (NULL) is coped with', '#15289, #15295', true, {
    '18.0.0': false,
    '18.0.3': true,
    '19.0.0': true,
  }),
  sequenceEmptyTables: yesNo('sequences', 'the sequence of an empty table gets its row too', '#17842, #19226', true, {
    '18.0.0': true,
    '22.0.0': false,
    '22.0.3': true,
    '23.0.1': true,
    '24.0.0': true,
  }),
  sequenceNames: row<'plain' | 'escaped' | 'unquoted'>(
    'sequences',
    'names of sequence tables in the VSchema',
    '#16160, #16169, #18762',
    {
      plain: 'without backticks only',
      escaped: 'with and without backticks',
      unquoted: 'with and without backticks; one that needs them fails where the sequence is set',
    },
    'escaped',
    { '18.0.0': 'plain', '20.0.0': 'escaped', '22.0.0': 'unquoted', '22.0.2': 'escaped', '23.0.0': 'escaped' },
  ),
  sequenceAutoReplace: row<'left' | 'removed' | 'bare' | 'qualified'>(
    'sequences',
    'what create can do with AUTO_INCREMENT in a sharded target; with sequences goes that missing ones are made',
    '#15679, #16860, #17174',
    {
      left: 'nothing',
      removed: 'remove it',
      bare: 'remove it, or replace it by a sequence, named without its keyspace',
      qualified: 'remove it, or replace it by a sequence, named in full and with backticks',
    },
    'qualified',
    { '18.0.0': 'left', '20.0.0': 'removed', '21.0.0': 'bare', '21.0.1': 'qualified', '22.0.0': 'qualified' },
  ),
  sequenceCacheReset: row<'raised' | 'never' | 'always'>(
    'sequences',
    'when the sequence tablet drops the values it has cached',
    '#17842, #18415',
    {
      raised: 'where the table was changed: ids from a stale cache come twice',
      never: 'never: ids from a stale cache come twice',
      always: 'always',
    },
    'always',
    { '18.0.0': 'raised', '21.0.6': 'always', '22.0.0': 'never', '22.0.2': 'always', '23.0.0': 'always' },
  ),
  sequenceDryRun: row<'named' | 'reported' | 'right'>(
    'sequences',
    'what a dry run says of sequences',
    '#17842, #21165, #21166, #21179',
    {
      named: 'which ones it would set',
      reported: 'where each stands and would stand; it fails where a database name is overridden',
      right: 'where each stands and would stand',
    },
    'right',
    { '18.0.0': 'named', '22.0.0': 'reported', '23.0.7': 'right', '24.0.4': 'right' },
  ),
  sequenceDryRunMissing: row<'fails' | 'makes' | 'counts'>(
    'sequences',
    'what a dry run does about sequence tables that are missing',
    '#16860 (K49)',
    { fails: 'it fails, as the switch would', makes: 'makes them, for good', counts: 'counts them as made' },
    'counts',
    { '18.0.0': 'fails', '21.0.0': 'makes' },
  ),
  sequenceRpcs: row<'one by one' | 'batched'>(
    'sequences',
    'how the values of many sequences are asked for, while writes are stopped',
    '#17831, #17871, #18172',
    { 'one by one': 'one by one', batched: 'together' },
    'batched',
    { '18.0.0': 'one by one', '23.0.0': 'batched' },
  ),
};
