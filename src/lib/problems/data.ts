import type { ProblemEntry } from './entry.ts';

/** SWT05xx. */
export const DATA_PROBLEMS = {
  'rows-differ': {
    code: 'SWT0501',
    title: 'the newest VDiff found rows that differ',
    severity: 'pending',
    meaning: 'A VDiff compared both sides of the workflow row by row, and they were not the same. Until another one finds them so, that is what is known.',
    causes: ['writes that went to the side that did not serve', 'streams that ran both ways, or from a position that was too late (vitessio/vitess#7169, #16563)'],
    cure: 'Look at the rows, put right what is wrong, and compare again before anything is switched.',
  },
  'sequence-behind': {
    code: 'SWT0502',
    title: 'a sequence will give ids that are taken',
    severity: 'pending',
    meaning: 'The table that takes its ids from the sequence has larger ones already. The next inserts fail with duplicate keys.',
    causes: [
      'a switch without --initialize-target-sequences, or before v18',
      'a tablet that still gives from the block it had taken before the table was raised (vitessio/vitess#18415)',
    ],
    cure: "Raise the sequence's next_id above the largest id in use, and restart its tablet, which forgets its block.",
  },
  'data-gone': {
    code: 'SWT0503',
    title: 'tables that had the live rows were dropped',
    severity: 'blocking',
    meaning: 'A cancel or delete without --keep-data dropped the side that served the writes. No command brings the rows back.',
    causes: ['cancel of a switched workflow of single shards, which Vitess lets pass', 'delete of a _reverse workflow, whose target is where the live tables are (vitessio/vitess#19903)'],
    cure: 'Restore from a backup, or from a snapshot of this cluster; then see what of it is missing.',
  },
} as const satisfies Record<string, ProblemEntry>;
