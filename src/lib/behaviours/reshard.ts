import { row } from './row.ts';

/** Rows on Reshard alone. */
export const RESHARD = {
  reshardCancel: row<'removes shards' | 'drops tables'>(
    'reshard',
    'what cancelling a Reshard does to the new shards',
    '#17965, #18020',
    { 'removes shards': 'removes them from the topology', 'drops tables': 'drops their tables' },
    'drops tables',
    { '18.0.0': 'removes shards', '20.0.7': 'drops tables', '21.0.0': 'removes shards', '21.0.4': 'drops tables', '22.0.0': 'drops tables' },
  ),
};
