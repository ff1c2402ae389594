import fc from 'fast-check';
import type { NotRun, Problem, RunResult, ScenarioResult, Status, StepResult } from '../../../src/report/scenario/result.ts';

/** A result with what a test needs in it. */
export function scenario(over: Partial<ScenarioResult> = {}): ScenarioResult {
  return {
    file: 'a.swt.yaml',
    name: 'catch-up',
    label: '',
    vitess: 'hardened',
    seed: 1,
    status: 'passed',
    steps: [],
    stepCount: 3,
    trace: 'ab',
    durationMs: 1234.5,
    reproduce: [],
    ...over,
  };
}

export function problem(over: Partial<Problem> = {}): Problem {
  return { place: { file: 'a.swt.yaml', line: 7, column: 5 }, subject: 'exit', lines: ['is 1, not 0'], ...over };
}

export function step(problems: Problem[], over: Partial<StepResult> = {}): StepResult {
  const place = { file: 'a.swt.yaml', line: 6, column: 5 };
  return { number: 2, title: 'GetKeyspaces', place, problems, line: 'GetKeyspaces', exit: 1, stdout: '', stderr: '', tookMs: 0, ...over };
}

export function failed(over: Partial<ScenarioResult> = {}): ScenarioResult {
  return scenario({ status: 'failed', steps: [step([problem()])], reproduce: ['switchtraffic run a.swt.yaml --seed 1'], ...over });
}

export function runOf(results: ScenarioResult[], notRun: NotRun[] = []): RunResult {
  return { results, notRun, durationMs: 2000 };
}

/** Text of every sort, with what breaks renderers made likely. */
export const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc
    .array(fc.constantFrom('\u0000', '\u001b[31m', '\ud800', '\udc00', '\ufffe', '\u2028', '\u0085', ']]>', '&', '<', '"', "'", '\n', '\r\n', '\t', '%', '::', ',', '#', '\\', '|', '`', ' ', '  ', '- ', ': ', '...', '---', 'a', '\u{1f600}', '\ufeff'), {
      maxLength: 8,
    })
    .map((parts) => parts.join('')),
);

const anyProblem = fc.record({
  place: fc.record({ file: anyText, line: fc.nat(99), column: fc.nat(99) }),
  subject: anyText,
  lines: fc.array(anyText, { maxLength: 3 }),
});

const anyScenario = fc
  .record({ file: anyText, name: anyText, label: anyText, status: fc.constantFrom<Status>('passed', 'failed', 'vacuous'), problems: fc.array(anyProblem, { maxLength: 2 }), output: anyText, reproduce: fc.array(anyText, { maxLength: 2 }) })
  .map(({ problems, output, status, ...rest }) => scenario({ ...rest, status, steps: status === 'passed' ? [] : [step(problems, { stdout: output, stderr: output, title: output })] }));

const anyNotRun = fc
  .record({ file: anyText, name: anyText, label: anyText, problem: anyText, reason: fc.constantFrom<NotRun['reason']>('stopped', 'error') })
  .map((one): NotRun => ({ ...one, next: undefined, exit: 2 }));

export const anyRun = fc.tuple(fc.array(anyScenario, { maxLength: 4 }), fc.array(anyNotRun, { maxLength: 2 })).map(([results, notRun]) => runOf(results, notRun));
