import { formatDuration } from '../../lib/duration.ts';
import { placeText } from '../input/place.ts';
import type { Paint } from '../paint.ts';
import { visible } from '../visible.ts';
import { wrap } from '../wrap.ts';
import { type NotRun, type Problem, type RunResult, type ScenarioResult, type Status, type StepResult, titleOf } from './result.ts';

/** How results look on a terminal: a line for what passed, everything about what did not. */
export interface PrettyOptions {
  paint: Paint;
  /** No lines for scenarios that passed. */
  quiet: boolean;
  /** Where lines are broken; 0: nowhere, as in a pipe. Commands are left whole, so that they can be copied. */
  columns: number;
}

const MARKS: Readonly<Record<Status, string>> = { passed: '✓', failed: '✗', vacuous: '○' };

/** The lines of one scenario, as soon as it has ended. */
export function renderScenario(result: ScenarioResult, { paint, quiet, columns }: PrettyOptions): string[] {
  const color = { passed: paint.green, failed: paint.red, vacuous: paint.yellow }[result.status];
  const steps = result.stepCount === 1 ? '1 step' : `${result.stepCount} steps`;
  const head = `${color(MARKS[result.status])} ${visible(titleOf(result))} ${paint.dim(`(${steps}, ${Math.round(result.durationMs)} ms)`)}`;
  if (result.status === 'passed') return quiet ? [] : [head];
  return [head, ...failureLines(result, paint, columns).map((line) => (line === '' ? '' : `  ${line}`)), ''];
}

/** What went wrong, in full: the steps that have a problem, what they printed, the problems, how to see it again. */
export function failureLines(result: ScenarioResult, paint: Paint, columns = 0): string[] {
  const width = columns === 0 ? 0 : Math.max(40, columns - 3);
  const shown = result.steps.filter(({ problems }) => problems.length > 0);
  return [
    ...shown.flatMap((step) => renderStep(result, step, { paint, width })),
    ...result.reproduce.map((line, index) => `${paint.bold(index === 0 ? 'reproduce:' : '          ')} ${line}`),
  ];
}

interface Look {
  paint: Paint;
  width: number;
}

function renderStep(result: ScenarioResult, step: StepResult, look: Look): string[] {
  const { paint } = look;
  const which = step.number === 0 ? 'given' : `step ${step.number} of ${result.stepCount}`;
  const facts = [...(step.exit === undefined ? [] : [`exit ${step.exit}`]), ...(step.tookMs > 0 ? [`after ${formatDuration(step.tookMs)} of the scenario's clock`] : [])];
  return [
    `${paint.bold(which)} ${paint.dim(`at ${placeText(step.place)}`)}`,
    ...visible(step.line === undefined ? step.title : `$ switchtraffic ${step.line}`).trimEnd().split('\n').map((line) => `  ${line}`),
    ...(step.line === undefined || facts.length === 0 ? [] : [`  ${paint.dim(facts.join(' '))}`]),
    ...outputLines('stdout', step, look),
    ...outputLines('stderr', step, look),
    ...step.problems.flatMap((problem) => problemLines(problem, look)),
  ];
}

function problemLines({ subject, place, lines }: Problem, { paint, width }: Look): string[] {
  return [
    `${paint.red('✗')} ${paint.bold(visible(subject))} ${paint.dim(`at ${placeText(place)}`)}`,
    ...lines.flatMap((line) => visible(line).split('\n')).flatMap((line) => wrap(`  ${line}`, width, '  ').map((part) => paintLine(part, line, paint))),
  ];
}

/** `- ` is what was (expected), `+ ` what is. */
function paintLine(part: string, whole: string, paint: Paint): string {
  if (/^\s*- /.test(whole)) return paint.red(part);
  return /^\s*\+ /.test(whole) ? paint.green(part) : part;
}

const MOST_LINES = 24;
/** What somebody may want to copy is left whole. */
const COMMAND = /^\s*switchtraffic /;

/** What a command printed, as long as it is not endless; blank lines tell nothing here. */
function outputLines(name: 'stdout' | 'stderr', step: StepResult, { paint, width }: Look): string[] {
  const lines = visible(step[name]).split('\n').filter((line) => line.trim() !== '');
  if (lines.length === 0) return [];
  const whole = lines.length <= MOST_LINES || step.problems.some(({ subject }) => subject === name);
  const half = MOST_LINES / 2;
  const cut = whole ? lines : [...lines.slice(0, half), `... ${lines.length - MOST_LINES} more lines; --format json has them all`, ...lines.slice(-half)];
  return [`  ${paint.dim(`${name}:`)}`, ...cut.flatMap((line) => (COMMAND.test(line) ? [line] : wrap(line, width === 0 ? 0 : width - 4, '  '))).map((line) => `  ${paint.dim('|')} ${line}`)];
}

/** A scenario that gave no result. */
export function renderNotRun(notRun: NotRun, { paint }: PrettyOptions): string[] {
  if (notRun.reason === 'stopped') return [];
  return [`${paint.red('!')} ${visible(titleOf(notRun))} ${paint.red('could not be run')}`];
}

/** Above this many scenarios the end names those that did not pass: they have scrolled away. */
const FEW = 10;

/** The last lines: what did not pass, where there were many, and how many of each. */
export function renderSummary(run: RunResult, options: PrettyOptions): string[] {
  const { results, notRun, durationMs } = run;
  const { paint } = options;
  const count = (status: Status): number => results.filter((result) => result.status === status).length;
  const stopped = notRun.filter(({ reason }) => reason === 'stopped').length;
  const broken = notRun.length - stopped;
  const parts = [
    `${count('passed')} passed`,
    ...(count('failed') > 0 ? [paint.red(`${count('failed')} failed`)] : []),
    ...(count('vacuous') > 0 ? [paint.yellow(`${count('vacuous')} vacuous (a fault never fired)`)] : []),
    ...(broken > 0 ? [paint.red(`${broken} could not be run`)] : []),
    ...(stopped > 0 ? [paint.yellow(`${stopped} not run`)] : []),
  ];
  const total = results.length + notRun.length;
  const line = `${total} scenario${total === 1 ? '' : 's'}: ${parts.join(', ')} ${paint.dim(`in ${formatDuration(Math.round(durationMs))}`)}`;
  const bad = results.filter(({ status }) => status !== 'passed');
  if (total <= FEW || bad.length === 0) return [line];
  const names = bad.slice(0, 50).map((result) => `  ${MARKS[result.status]} ${visible(titleOf(result))} ${paint.dim(result.file)}`);
  return ['did not pass:', ...names, ...(bad.length > 50 ? [`  ... and ${bad.length - 50} more`] : []), line];
}
