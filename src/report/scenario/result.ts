import type { Place } from '../input/place.ts';

/** What came of a scenario: what every report is rendered from. */

/** One thing that was not as expected. */
export interface Problem {
  place: Place;
  /** What was looked at: `exit`, `stderr`, `shard commerce/0`. */
  subject: string;
  /** Lines for people: what was expected, what was there. */
  lines: string[];
}

/** A step that ran. */
export interface StepResult {
  /** Counted from 1, as in the file. */
  number: number;
  title: string;
  place: Place;
  problems: Problem[];
  /** The command line as it ran, faults included; undefined for a step without one. */
  line: string | undefined;
  exit: number | undefined;
  stdout: string;
  stderr: string;
  /** Milliseconds on the scenario's clock. */
  tookMs: number;
}

/** `vacuous`: nothing was wrong, but a fault that the scenario is about never fired. */
export type Status = 'passed' | 'failed' | 'vacuous';

export interface ScenarioResult {
  file: string;
  name: string;
  label: string;
  vitess: string;
  seed: number;
  status: Status;
  /** Until the first that failed. */
  steps: StepResult[];
  /** Steps of the scenario in all. */
  stepCount: number;
  /** SHA-256 over everything that happened: equal for two runs with one seed. Undefined where nobody asked for it. */
  trace: string | undefined;
  /** Milliseconds on the machine's clock. */
  durationMs: number;
  /** Command lines that run this one again, and show what it left. */
  reproduce: string[];
}

/** A scenario that was chosen and gave no result. */
export interface NotRun {
  file: string;
  name: string;
  label: string;
  /** `stopped`: the run ended before it; `error`: it could not be run. */
  reason: 'stopped' | 'error';
  problem: string;
  next: string | undefined;
  /** What the command ends with because of it. */
  exit: number;
}

export interface RunResult {
  results: ScenarioResult[];
  /** Empty unless the run was stopped, or something went wrong that is not the scenario's matter. */
  notRun: NotRun[];
  durationMs: number;
}

/** `name [vitess=21.0.2]`. */
export function titleOf({ name, label }: Pick<ScenarioResult, 'name' | 'label'>): string {
  return label === '' ? name : `${name} [${label}]`;
}

/** The problems of a scenario, in order. */
export function problemsOf(result: ScenarioResult): Problem[] {
  return result.steps.flatMap((step) => step.problems);
}

/** A problem as a text: `exit is 0, not 1`. */
export function problemText({ subject, lines }: Problem): string {
  return [`${subject}: ${lines[0] ?? ''}`, ...lines.slice(1)].join('\n');
}

/**
 * 0 all passed; 1 one failed; 4 nothing failed, but one was vacuous, or there was none to run. What could not be run
 * has a status of its own (2: its file, 70: a bug), which comes first.
 */
export function exitOf({ results, notRun }: RunResult): number {
  const broken = notRun.filter(({ reason }) => reason === 'error');
  if (broken.length > 0) return Math.max(...broken.map(({ exit }) => exit));
  if (results.some(({ status }) => status === 'failed')) return 1;
  return results.length === 0 || results.some(({ status }) => status === 'vacuous') ? 4 : 0;
}
