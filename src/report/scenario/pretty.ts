import { formatDuration } from '../../lib/duration.ts';
import { placeText } from '../input/place.ts';
import type { Paint } from '../paint.ts';
import { type RunResult, type ScenarioResult, type Status, type StepResult, titleOf } from './result.ts';

/** How results look on a terminal: a line for what passed, everything about what did not. */
export interface PrettyOptions {
  paint: Paint;
  /** No lines for scenarios that passed. */
  quiet: boolean;
}

const MARKS: Readonly<Record<Status, string>> = { passed: '✓', failed: '✗', vacuous: '○' };

/** The lines of one scenario, as soon as it has ended. */
export function renderScenario(result: ScenarioResult, { paint, quiet }: PrettyOptions): string[] {
  const color = { passed: paint.green, failed: paint.red, vacuous: paint.yellow }[result.status];
  const head = `${color(MARKS[result.status])} ${titleOf(result)} ${paint.dim(`(${result.stepCount} steps, ${Math.round(result.durationMs)} ms)`)}`;
  if (result.status === 'passed') return quiet ? [] : [head];
  const shown = result.steps.filter(({ problems }) => problems.length > 0);
  return [
    head,
    ...shown.flatMap((step) => renderStep(result, step, paint)),
    ...result.reproduce.map((line, index) => `  ${index === 0 ? 'reproduce:' : '          '} ${line}`),
    '',
  ];
}

function renderStep(result: ScenarioResult, step: StepResult, paint: Paint): string[] {
  const which = step.number === 0 ? 'given' : `step ${step.number} of ${result.stepCount}`;
  const facts = [...(step.exit === undefined ? [] : [`exit ${step.exit}`]), ...(step.tookMs > 0 ? [`${formatDuration(step.tookMs)} on its clock`] : [])];
  return [
    `  ${paint.bold(which)} ${paint.dim(placeText(step.place))}${facts.length === 0 ? '' : paint.dim(` (${facts.join(', ')})`)}`,
    `    ${step.line === undefined ? step.title : `$ switchtraffic ${step.line}`}`,
    ...outputLines('stdout', step.stdout, paint),
    ...outputLines('stderr', step.stderr, paint),
    ...step.problems.flatMap((problem) => [
      `  ${paint.red(problem.subject)} ${paint.dim(placeText(problem.place))}`,
      ...problem.lines.map((line) => `    ${paintLine(line, paint)}`),
    ]),
  ];
}

function paintLine(line: string, paint: Paint): string {
  if (/^\s*- /.test(line)) return paint.red(line);
  return /^\s*\+ /.test(line) ? paint.green(line) : line;
}

const MOST_LINES = 40;

function outputLines(name: string, text: string, paint: Paint): string[] {
  if (text === '') return [];
  const lines = text.replace(/\n+$/, '').split('\n');
  const cut = lines.length > MOST_LINES ? [...lines.slice(0, MOST_LINES), `... ${lines.length - MOST_LINES} more lines`] : lines;
  return cut.map((line) => `    ${paint.dim(`${name} |`)} ${line}`);
}

/** The last line: how many of each. */
export function renderSummary({ results, durationMs }: RunResult, { paint }: PrettyOptions): string {
  const count = (status: Status): number => results.filter((result) => result.status === status).length;
  const parts = [
    `${count('passed')} passed`,
    ...(count('failed') > 0 ? [paint.red(`${count('failed')} failed`)] : []),
    ...(count('vacuous') > 0 ? [paint.yellow(`${count('vacuous')} vacuous (a fault never fired)`)] : []),
  ];
  return `${results.length} scenario${results.length === 1 ? '' : 's'}: ${parts.join(', ')} ${paint.dim(`in ${formatDuration(Math.round(durationMs))}`)}`;
}
