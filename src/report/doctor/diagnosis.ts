import { problemEntry, type ProblemKind, type Severity } from '../../lib/problems.ts';

/** One way to put a problem right. */
export interface Repair {
  /** A few words: `go back`, `finish forward`, `free the tables`. */
  title: string;
  /** What is true afterwards, and what is lost. */
  consequence: string;
  /** Command lines without the program's name, complete, to be run in this order; each may be run again. */
  commands: readonly string[];
  /** Command lines that take it back, in order and without placeholders; none where there is nothing to take back, or no way. */
  undo: readonly string[];
  /** Lines for the topology server's own client, where Vitess has no command: what one does on a real cluster instead of `commands`. */
  elsewhere?: { on: string; commands: readonly string[] };
}

/** Another thing that is found of the same cause. The problem's repair puts it right too. */
export interface AlsoFound {
  kind: ProblemKind;
  text: string;
}

/** Something that is wrong with the cluster: one cause, with all that it left, and one plan. */
export interface Problem {
  kind: ProblemKind;
  /** What it is about: `customer.commerce2customer`, `commerce/0`, `locks on commerce`. */
  object: string;
  /** Every keyspace, and every workflow as `keyspace/workflow`, whose lock a repair needs. */
  keyspaces: readonly string[];
  workflows: readonly string[];
  also: readonly AlsoFound[];
  /** The records that show it. */
  evidence: readonly string[];
  /** In the user's terms: which tables refuse what. */
  impact: readonly string[];
  /** The command of the history that brought it about, as far as one is known: who, when, at which step. */
  cause: string | undefined;
  /** When that was, epoch milliseconds. */
  since: number | undefined;
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
  /** What is worth knowing and no problem: an operator stopped a workflow, a switch is waiting to be completed. */
  notes: readonly string[];
  /** What was looked at, and how much of it is well: `locks 6/6`. */
  areas: readonly { name: string; looked: number; well: number }[];
}

const SEVERITIES: readonly Severity[] = ['blocking', 'pending', 'leftover'];

/** How much a problem hurts, with all that it brought about. */
export function severityOf({ kind, also }: Pick<Problem, 'kind' | 'also'>): Severity {
  const found = new Set([kind, ...also.map((one) => one.kind)].map((one) => problemEntry(one).severity));
  return SEVERITIES.find((severity) => found.has(severity))!;
}

/** Its place in the order of problems, the worst first. */
export function severityRank(problem: Pick<Problem, 'kind' | 'also'>): number {
  return SEVERITIES.indexOf(severityOf(problem));
}
