import { formatDuration } from '../lib/duration.ts';
import type { PathPart } from '../report/input/yaml.ts';
import type { Problem } from '../report/scenario/result.ts';
import type { Count, Expectation } from '../report/scenario-file/schema.ts';
import { whyUnfired } from '../runtime/failpoints.ts';
import type { Execution } from './execution.ts';
import { matchTree } from './match.ts';
import type { Ran } from './rig.ts';
import { testText } from './text-test.ts';

/** A command that was run by a step, and the faults that the step put on it. */
export interface Seen {
  ran: Ran;
  tookMs: number;
  /** Where the command stands in the file: `expect` and `faults` are beside it. */
  path: readonly PathPart[];
  /** By point, as written. */
  faults: Readonly<Record<string, string>>;
}

/** In what a command was not as expected. Without a word on its exit status it has to be 0. */
export function checkCommand(execution: Execution, expected: Expectation, seen: Seen): Problem[] {
  const { ran, path } = seen;
  const at = [...path, 'expect'];
  const problems: Problem[] = [];
  const complain = (key: string, lines: readonly string[]): void => {
    problems.push(execution.problem([...at, key], key, lines));
  };
  const allowed = expected.exit === undefined ? [0] : [expected.exit].flat();
  if (!allowed.includes(ran.exit)) complain('exit', [`is ${ran.exit}, not ${allowed.join(' or ')}`]);
  for (const stream of ['stdout', 'stderr'] as const) {
    const test = expected[stream];
    if (test === undefined) continue;
    for (const lines of testText(test, ran[stream], execution.golden)) complain(stream, lines);
  }
  if (expected.json !== undefined) for (const lines of checkJson(expected.json, ran.stdout)) complain('json', lines);
  if (expected.took !== undefined) for (const lines of checkLimits(expected.took, seen.tookMs)) complain('took', lines);
  problems.push(...checkFaults(execution, expected, seen));
  return problems;
}

function checkJson(expected: unknown, stdout: string): string[][] {
  let document: unknown;
  try {
    document = JSON.parse(stdout);
  } catch {
    return [['stdout is not one JSON document']];
  }
  return matchTree(expected, document, '').map(({ path, expected: wanted, actual }) => [
    `${path === '' ? 'the document' : path}: expected ${wanted}`,
    `was ${actual}`,
  ]);
}

/** Tests a duration against its limits; both in milliseconds. */
export function checkLimits(limits: { min?: number | undefined; max?: number | undefined }, ms: number): string[][] {
  const { min, max } = limits;
  const problems: string[][] = [];
  if (max !== undefined && ms > max) problems.push([`was ${formatDuration(ms)}, longer than ${formatDuration(max)}`]);
  if (min !== undefined && ms < min) problems.push([`was ${formatDuration(ms)}, shorter than ${formatDuration(min)}`]);
  return problems;
}

/** A fault that did not fire makes the scenario vacuous, unless `fired` says how often it has to. */
function checkFaults(execution: Execution, expected: Expectation, { ran, path, faults }: Seen): Problem[] {
  const problems: Problem[] = [];
  const armed = new Map(ran.faults.map((fault) => [fault.text, fault]));
  for (const [point, terms] of Object.entries(faults)) {
    const { fired = 0, evaluated = 0 } = armed.get(`${point}=${terms}`) ?? {};
    const wanted = expected.fired?.[point];
    if (wanted !== undefined) {
      if (!isCount(wanted, fired)) problems.push(execution.problem([...path, 'expect', 'fired', point], `fault ${point}`, [`fired ${times(fired)}, not ${countText(wanted)}`]));
    } else if (fired === 0) {
      execution.vacuous.push({ path: [...path, 'faults', point], fault: `${point}=${terms}`, why: whyUnfired({ evaluated }) });
    }
  }
  // Those that the line itself carries: a fault is a fault, wherever it is written.
  const declared = new Set(Object.entries(faults).map(([point, terms]) => `${point}=${terms}`));
  for (const { text, fired, evaluated } of ran.faults) {
    if (fired === 0 && !declared.has(text)) execution.vacuous.push({ path: [...path, 'run'], fault: text, why: whyUnfired({ evaluated }) });
  }
  const unknown = Object.keys(expected.fired ?? {}).find((point) => !Object.hasOwn(faults, point));
  if (unknown !== undefined) problems.push(execution.problem([...path, 'expect', 'fired', unknown], `fault ${unknown}`, ['is not among the faults of this step']));
  return problems;
}

/** True for a number that is as wanted. */
export function isCount(wanted: Count, actual: number): boolean {
  if (typeof wanted === 'number') return actual === wanted;
  return actual >= (wanted.min ?? 0) && actual <= (wanted.max ?? Infinity);
}

/** `3`, `at least 1`, `1 to 3`. */
export function countText(wanted: Count): string {
  if (typeof wanted === 'number') return String(wanted);
  const { min, max } = wanted;
  if (max === undefined) return `at least ${min ?? 0}`;
  return min === undefined ? `at most ${max}` : `${min} to ${max}`;
}

function times(count: number): string {
  return count === 1 ? 'once' : `${count} times`;
}
