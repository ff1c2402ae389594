import { row, waiting, yesNo } from './row.ts';

/** Rows of features that are not built: Reshard, two-phase commit, the gate's buffer and start-up. */
export const NOT_BUILT = {
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
