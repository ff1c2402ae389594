import type { Problem } from './diagnosis.ts';

/** A command line that a repair ran, and what it answered. */
export interface CommandDone {
  /** Without the program's name. */
  line: string;
  exit: number;
  stdout: string;
  stderr: string;
}

/** How far the repair of one problem got. */
export interface RepairDone {
  problem: Problem;
  /** What the way is called. */
  title: string;
  done: readonly CommandDone[];
  /** Lines that were not run because one before them failed, or a lock was lost. */
  notDone: readonly string[];
  /** Why it ended early. */
  failure: string | undefined;
}

/** A lock, or a place in the queue for one, of a process that is proved dead: it is gone now. */
export interface ReapedLock {
  /** For people: `keyspace commerce`; and as the topology server has it. */
  name: string;
  resource: string;
  owner: string;
  /** False: it was still waiting for it. */
  held: boolean;
}

/** Why a problem was not repaired. */
export type LeftWhy =
  /** Several ways: the operator has to choose. */
  | 'choice'
  /** Another problem of its workflow has several ways: what is right here follows from what is chosen there. */
  | 'behind a choice'
  /** Nothing can be done, or time alone helps. */
  | 'no repair'
  | 'at work'
  /** Somebody kept its locks for longer than was to be waited. */
  | 'busy'
  /** Its code was not among those that were named. */
  | 'not asked'
  /** Its repair was run, in part or whole, and it is still there. */
  | 'remains'
  /** Its turn did not come. */
  | 'not reached';

/** A problem that is there at the end. */
export interface LeftProblem {
  problem: Problem;
  why: LeftWhy;
}

/** One round: lock, look again, repair, verify. */
export interface FixPass {
  /** The locks that were held throughout. */
  locks: readonly string[];
  /** What was there before the locks were, and was not any more. */
  vanished: readonly Problem[];
  repairs: readonly RepairDone[];
  /** What is gone after it, and what was not there before it. */
  gone: readonly Problem[];
  appeared: readonly Problem[];
}

/** Everything that `doctor --fix` did. */
export interface FixReport {
  outcome: 'healthy' | 'problems remain' | 'busy';
  /** As a diagnosis says it. */
  verdict: string;
  reaped: readonly ReapedLock[];
  passes: readonly FixPass[];
  /** Taken before the first change; undefined where nothing was changed. */
  snapshot: string | undefined;
  /** The command that takes everything back. */
  undo: string | undefined;
  left: readonly LeftProblem[];
  /** Why it ended before its work was done: a lock was lost, it was told to stop. */
  stopped: string | undefined;
}

/** What is said of a fix while it is under way. */
export type FixEvent =
  | { kind: 'pass'; number: number; of: number; problems: readonly Problem[] }
  | { kind: 'locked'; names: readonly string[]; waitedMs: number }
  | { kind: 'busy'; text: string; problems: readonly Problem[] }
  | { kind: 'reaped'; lock: ReapedLock }
  | { kind: 'vanished'; problem: Problem }
  | { kind: 'changed'; problem: Problem }
  | { kind: 'snapshot'; name: string }
  | { kind: 'repair'; problem: Problem; title: string }
  | { kind: 'command'; line: string }
  | { kind: 'answer'; command: CommandDone }
  | { kind: 'failure'; text: string; notDone: readonly string[] }
  | { kind: 'verified'; gone: readonly Problem[]; appeared: readonly Problem[]; remaining: readonly Problem[] };
