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
  reshardCancel: waiting(
    'Reshard',
    row<'removes shards' | 'drops tables'>(
      'reshard',
      'what cancelling a Reshard does to the new shards',
      '#17965, #18020',
      { 'removes shards': 'removes them from the topology', 'drops tables': 'drops their tables' },
      'drops tables',
      { '18.0.0': 'removes shards', '20.0.7': 'drops tables', '21.0.0': 'removes shards', '21.0.4': 'drops tables', '22.0.0': 'drops tables' },
    ),
  ),

  gateBuildsMissing: waiting(
    'start-up of the gate',
    yesNo('gate', 'a gate builds a SrvKeyspace or SrvVSchema that its cell lacks', '#17909, #17915', true, { '18.0.0': false, '22.0.0': true }),
  ),
};
