import type { ProblemKind } from '../../lib/problems.ts';

/** One way to put a problem right. */
export interface Repair {
  /** A few words: `go back`, `finish forward`, `free the tables`. */
  title: string;
  /** What is true afterwards, and what is lost. */
  consequence: string;
  /** Command lines without the program's name, complete, to be run in this order; each may be run again. */
  commands: readonly string[];
  /** What to look at afterwards, and how to take it back; without placeholders too. */
  undo: readonly string[];
}

/** Something that is wrong with the cluster. */
export interface Problem {
  kind: ProblemKind;
  /** What it is about: `customer.commerce2customer`, `commerce/0`, `lock on commerce`. */
  object: string;
  /** Every keyspace, and every workflow as `keyspace/workflow`, whose lock a repair needs. */
  keyspaces: readonly string[];
  workflows: readonly string[];
  /** The records, and the event of the history, that show it. */
  evidence: readonly string[];
  /** In the user's terms: which tables refuse what, since when. */
  impact: readonly string[];
  /** Who is at work on it, so that it may pass. */
  atWork: string | undefined;
  /**
   * None: nothing can be done (data is gone), or time alone helps; `note` says which. One: it is proved, and `--fix` does it.
   * Several: the operator has to choose, and `--fix` leaves it alone.
   */
  repairs: readonly Repair[];
  note: string | undefined;
}

/** What a doctor found. Healthy: no problem at all. */
export interface Diagnosis {
  /** The verdict in one line. */
  verdict: string;
  healthy: boolean;
  /** The worst first; those whose repair has to come first before the others. */
  problems: readonly Problem[];
  /** What was looked at, and how much of it is well: `locks 6/6`. */
  areas: readonly { name: string; looked: number; well: number }[];
}
