/**
 * How much a problem hurts: queries are refused now (`blocking`); something will be refused, fall behind or be lost if nothing is done
 * (`pending`); nothing waits for it (`leftover`).
 */
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
