import { row, waiting, yesNo } from './row.ts';

/** Rows of features that are not built: sequences, Reshard, two-phase commit, the gate's buffer and start-up. */
export const NOT_BUILT = {
  sequenceErrorRollsBack: waiting(
    'sequences',
    yesNo('sequences', 'a failure to initialise sequences rolls back', '#15289, #15295', true, { '18.0.0': false, '18.0.3': true, '19.0.0': true }),
  ),
  sequenceNullMaximum: waiting(
    'sequences',
    yesNo('sequences', 'a shard without a largest value (NULL) is coped with', '#15289, #15295', true, { '18.0.0': false, '18.0.3': true, '19.0.0': true }),
  ),
  sequenceEmptyTables: waiting(
    'sequences',
    yesNo('sequences', 'a query for the largest value that returns no row is coped with', '#19226', true, {
      '18.0.0': false,
      '22.0.3': true,
      '23.0.1': true,
      '24.0.0': true,
    }),
  ),
  sequenceNames: waiting(
    'sequences',
    row<'plain' | 'escaped' | 'qualified'>(
      'sequences',
      'names of sequence tables in the VSchema',
      '#16160, #16169, #17174',
      { plain: 'without escapes', escaped: 'escaped too', qualified: 'escaped, and without their keyspace too' },
      'qualified',
      { '18.0.0': 'plain', '20.0.0': 'escaped', '21.0.1': 'qualified', '22.0.0': 'qualified' },
    ),
  ),
  sequenceAutoReplace: waiting(
    'sequences',
    yesNo('sequences', 'AUTO_INCREMENT can be replaced by sequences', '#16860', true, { '18.0.0': false, '21.0.0': true }),
  ),
  sequenceCacheReset: waiting(
    'sequences',
    yesNo('sequences', "the sequence tablet's cached values are dropped after the change", '#18415', true, {
      '18.0.0': false,
      '21.0.6': true,
      '22.0.2': true,
      '23.0.0': true,
    }),
  ),
  sequenceDryRun: waiting(
    'sequences',
    row<'silent' | 'reported' | 'right'>(
      'sequences',
      'what a dry run says of sequences',
      '#17842, #21165, #21166, #21179',
      { silent: 'nothing', reported: 'what it would do; it fails where a database name is overridden', right: 'what it would do' },
      'right',
      { '18.0.0': 'silent', '22.0.0': 'reported', '23.0.7': 'right', '24.0.4': 'right' },
    ),
  ),
  sequenceRpcs: waiting(
    'sequences',
    row<'one by one' | 'batched'>(
      'sequences',
      'how the values of many sequences are asked for, while writes are stopped',
      '#17831, #17871, #18172',
      { 'one by one': 'one by one', batched: 'together' },
      'batched',
      { '18.0.0': 'one by one', '23.0.0': 'batched' },
    ),
  ),

  preparedTransactions: waiting(
    'two-phase commit',
    row<'ignored' | 'participants' | 'all'>(
      'reshard',
      'which prepared transactions Reshard waits for',
      '#16844, #20002 (open)',
      { ignored: 'none', participants: 'those in which the shard takes part', all: 'those that the shard coordinates too' },
      'all',
      { '18.0.0': 'ignored', '21.0.0': 'participants' },
    ),
  ),


  gateBuildsMissing: waiting(
    'start-up of the gate',
    yesNo('gate', 'a gate builds a SrvKeyspace or SrvVSchema that its cell lacks', '#17909, #17915', true, { '18.0.0': false, '22.0.0': true }),
  ),
};
