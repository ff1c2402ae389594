/** How much a problem hurts: queries are refused now; something will be refused, fall behind or be lost if nothing is done; nothing waits for it. */
export type Severity = 'blocking' | 'pending' | 'leftover';

/** What can be wrong with a cluster, for the page of codes, `doctor --explain`, and whoever names a code. */
export interface ProblemEntry {
  /** `SWTnnnn`, for ever: 01 locks, 02 traffic, 03 workflows, 04 leftovers, 05 data, 09 environment. */
  code: string;
  /** A few words, lower case. */
  title: string;
  severity: Severity;
  /** What it is, for somebody who has just read the code. */
  meaning: string;
  /** What brings it about, with the ids of the issues in which Vitess's users met it. */
  causes: readonly string[];
  /** What puts it right, in words; the commands are printed by `doctor`, which knows the names. */
  cure: string;
}

/** The one table of problem codes, by the kind that the code reads. A code is never given to another kind. */
export const PROBLEMS = {
  refused: {
    code: 'SWT0201',
    title: 'queries are routed to where they are refused',
    severity: 'blocking',
    meaning: 'The routing rules or the serving graph send queries to a shard whose tablets turn them away: nobody serves them.',
    causes: ['a switch that broke off between refusing writes on the source and routing them to the target (vitessio/vitess#17620, #17326)'],
    cure: 'Before the journal: back, by freeing the source again. Past it: forward, by running the switch again.',
  },
} as const satisfies Record<string, ProblemEntry>;

/** What can be wrong. */
export type ProblemKind = keyof typeof PROBLEMS;
