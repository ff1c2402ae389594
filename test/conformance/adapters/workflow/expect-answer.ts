import { contains, readError, same } from '../../compare.ts';
import { type Fields, isMap, Mismatch, shown, Skipped, texts } from '../../fields.ts';
import type { Answer } from '../../world.ts';
import { stateOf } from './states.ts';
import type { Stage, StageStep } from './stage.ts';

/** Reads one field of `then`. */
export type Expectation = (then: Fields, name: string) => StageStep;

/** The first line of an answer. */
const summaryOf = ({ stdout }: Answer): string => stdout.split('\n')[0] ?? '';

/** The lines after the summary and an empty line. */
export function linesOf({ stdout }: Answer): string[] {
  const [, blank, ...lines] = stdout.split('\n');
  if (blank !== '') throw new Mismatch(`the answer has no lines: ${shown(stdout)}`);
  while (lines.at(-1) === '') lines.pop();
  return lines;
}

/** A line: its text, or a mapping of what it starts with and contains. */
function readLine(then: Fields, value: unknown, name: string): (got: string) => void {
  if (typeof value === 'string') return (got) => same(value, got, name);
  const about = then.inner(value, name);
  const start = about.str('starts_with');
  const part = about.str('also_contains', '');
  return (got) => {
    same(start, got.slice(0, start.length), name);
    contains(part, got, name);
  };
}

function readLines(then: Fields, name: string): (got: readonly string[]) => void {
  const checks = then.list(name).map((value, index) => readLine(then, value, `${name}[${index}]`));
  return (got) => {
    got.slice(0, checks.length).forEach((line, index) => checks[index]!(line));
    if (got.length !== checks.length) throw new Mismatch(`${name}: expected ${checks.length} lines, got ${shown(got)}`);
  };
}

/** A state as `Start State:` or `Current State:` prints it; a dry run has none. */
export function printedState({ stdout }: Answer, which: 'Start' | 'Current'): string {
  return new RegExp(`^${which} State: (.*)$`, 'm').exec(stdout)?.[1] ?? '';
}

/** Whether a command that has to succeed did: a case that says nothing of an error expects none. */
export const succeeds: StageStep = (stage) => {
  for (const { failure } of stage.answers) if (failure !== undefined) throw new Mismatch(`expected no error, got ${shown(failure.message)}`);
};

/** Whether the last command failed, where `when` says that it is to. */
export const fails: StageStep = (stage) => {
  if (stage.answer.failure === undefined) throw new Mismatch('expected an error, got none');
};

/** What `then` says of an error; undefined where it says nothing. */
export function readFailure(then: Fields): StageStep | undefined {
  const check = readError(then);
  return check === undefined ? undefined : (stage) => check(stage.answer.failure);
}

function notInOutput(then: Fields, name: string): StageStep {
  const value = then.raw(name);
  const parts = typeof value === 'string' ? [value] : texts(value, `then.${name}`);
  return (stage) => {
    const output = stage.answers.map(({ stdout, stderr, failure }) => stdout + stderr + (failure?.message ?? '')).join('\n');
    const found = parts.find((part) => output.includes(part));
    if (found !== undefined) throw new Mismatch(`${name}: ${shown(found)} is in ${shown(output)}`);
  };
}

const unchanged: Expectation = (then, name) => {
  const value = then.raw(name);
  if (value !== true && value !== 'none') throw new Skipped(`then.${name} is not known: ${shown(value)}`);
  return async (stage) => same(stage.before, await stage.print(), 'the state');
};

function listed(then: Fields, name: string, get: (answer: Answer) => unknown): StageStep {
  const expected = then.list(name);
  return (stage) => same(expected, stage.answers.map(get), name);
}

/** Expectations of what commands print. */
export const ANSWER: Readonly<Record<string, Expectation>> = {
  summary: (then, name) => {
    const expected = then.str(name);
    return (stage) => stage.answers.forEach((answer) => same(expected, answerJson(answer)?.['summary'] ?? summaryOf(answer), name));
  },
  summary_pattern: (then, name) => {
    const pattern = new RegExp(then.str(name));
    return (stage) => {
      if (!pattern.test(summaryOf(stage.answer))) throw new Mismatch(`${name}: expected ${pattern.source}, got ${shown(summaryOf(stage.answer))}`);
    };
  },
  summary_patterns: (then, name) => {
    const patterns = then.strings(name).map((pattern) => new RegExp(pattern));
    return (stage) => {
      same(patterns.length, stage.answers.length, `${name}.length`);
      stage.answers.forEach((answer, index) => {
        if (!patterns[index]!.test(summaryOf(answer))) throw new Mismatch(`${name}[${index}]: expected ${patterns[index]!.source}, got ${shown(summaryOf(answer))}`);
      });
    };
  },
  lines: (then, name) => {
    const check = readLines(then, name);
    return (stage) => check(stage.answers.flatMap(linesOf));
  },
  lines_contain: (then, name) => {
    const expected = then.strings(name);
    return (stage) => {
      const got = linesOf(stage.answer);
      for (const line of expected) if (!got.includes(line)) throw new Mismatch(`${name}: ${shown(line)} is not in ${shown(got)}`);
    };
  },
  lines_after_summary: (then, name) => {
    const check = readLines(then, name);
    return (stage) => {
      const [, blank, ...rest] = stage.answer.stdout.split('\n');
      same('', blank, 'the line after the summary');
      // What follows the last line feed.
      rest.pop();
      check(rest);
    };
  },
  line_after_locks: (then, name) => {
    const check = readLine(then, then.need(name), name);
    return (stage) => check(linesOf(stage.answer).find((line) => !line.startsWith('Lock keyspace ')) ?? '');
  },
  start_state: (then, name) => {
    const expected = then.str(name);
    return (stage) => same(expected, printedState(stage.answer, 'Start'), name);
  },
  current_state: (then, name) => {
    const expected = then.str(name);
    return (stage) => same(expected, printedState(stage.answer, 'Current'), name);
  },
  stdout: (then, name) => {
    const expected = then.str(name);
    return (stage) => same(expected, stage.answer.stdout, name);
  },
  stdout_contains: (then, name) => {
    const value = then.raw(name);
    const parts = typeof value === 'string' ? [value] : texts(value, `then.${name}`);
    return (stage) => parts.forEach((part) => contains(part, stage.answer.stdout, name));
  },
  output_does_not_contain: notInOutput,
  not_in_output: notInOutput,
  topology_unchanged: unchanged,
  nothing_changed: unchanged,
  side_effects: unchanged,
  details: (then, name) => {
    const expected = then.list(name);
    return (stage) => stage.answers.forEach((answer) => same(expected, detailsOf(answer), name));
  },
  details_count: (then, name) => listed(then, name, (answer) => detailsOf(answer).length),
  log_contains: (then, name) => {
    const part = then.str(name);
    return (stage) => {
      if (!stage.logged.some((line) => line.includes(part))) throw new Mismatch(`${name}: ${shown(part)} is in no line of ${shown(stage.logged)}`);
    };
  },
  state: (then, name) => {
    const expected = then.str(name);
    return async (stage) => same(expected, await ownState(stage), name);
  },
  workflow_state: (then, name) => {
    const expected = then.str(name);
    return async (stage) => same(expected, await ownState(stage), name);
  },
  traffic_state: (then, name) => {
    const expected = then.str(name);
    return async (stage) => same(expected, await ownState(stage), name);
  },
};

const ownState = (stage: Stage): Promise<string> => stateOf(stage.world, stage.scene.workflow.target, stage.scene.workflow.name);

/** An answer in JSON, if it is that. */
export function answerJson({ stdout }: Answer): Record<string, unknown> | undefined {
  if (!stdout.startsWith('{')) return undefined;
  const value: unknown = JSON.parse(stdout);
  return isMap(value) ? value : undefined;
}

/** Which tablets an answer names, and what it says of each. */
function detailsOf(answer: Answer): object[] {
  const details = answerJson(answer)?.['details'];
  if (!Array.isArray(details)) throw new Mismatch(`the answer has no details: ${shown(answer.stdout)}`);
  return details.map((detail: { tablet: { cell: string; uid: number } }) => ({
    ...detail,
    tablet: `${detail.tablet.cell}-${String(detail.tablet.uid).padStart(10, '0')}`,
  }));
}
