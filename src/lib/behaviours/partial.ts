import { row } from './row.ts';

/** Rows on moves that are made shard by shard. */
export const PARTIAL = {
  partialWrites: row<'never known' | 'by its shards'>(
    'checks',
    "whether a partial move's traffic is switched: what cancel, complete, a reversal and a second switch go by",
    'never in Vitess (K30, K50)',
    {
      'never known': 'is never known: cancel drops the tables that serve, complete is impossible, a reversal is not checked, a second switch meets a frozen workflow',
      'by its shards': 'follows from the rules of its shards',
    },
    'by its shards',
    { '18.0.0': 'never known' },
  ),
};
