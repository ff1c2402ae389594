import { visibleLine } from '../visible.ts';
import { type NotRun, problemsOf, type RunResult, type ScenarioResult, titleOf } from './result.ts';

/** TAP, version 14: a test point for each scenario, what was wrong as a YAML block below it. */
export function renderTap({ results, notRun }: RunResult): string {
  const points = [...results.map(testPoint), ...notRun.map(missing)];
  const lines = points.flatMap((point, index) => point(index + 1));
  return `${['TAP version 14', `1..${points.length}`, ...lines].join('\n')}\n`;
}

type Point = (number: number) => string[];

function testPoint(result: ScenarioResult): Point {
  const title = description(titleOf(result));
  if (result.status === 'passed') return (number) => [`ok ${number} - ${title}`];
  const [first] = problemsOf(result);
  return (number) => [
    `not ok ${number} - ${title}`,
    ...block([
      field('message', first === undefined ? result.status : `${first.subject}: ${first.lines[0] ?? ''}`.replace(/:$/, '')),
      field('severity', result.status === 'vacuous' ? 'vacuous' : 'fail'),
      `duration_ms: ${Math.round(result.durationMs)}`,
      field('vitess', result.vitess),
      `seed: ${result.seed}`,
      ...(first === undefined ? [] : ['at:', `  file: ${quoted(first.place.file)}`, `  line: ${first.place.line}`, `  column: ${first.place.column}`]),
      'problems:',
      ...problemsOf(result).flatMap(({ place, subject, lines }) => [
        '  -',
        `    subject: ${quoted(subject)}`,
        `    at: ${quoted(`${place.file}:${place.line}:${place.column}`)}`,
        ...text('    text', lines.join('\n')),
      ]),
      ...text('reproduce', result.reproduce.join('\n')),
    ]),
  ];
}

function missing(notRun: NotRun): Point {
  const title = description(titleOf(notRun));
  if (notRun.reason === 'stopped') return (number) => [`ok ${number} - ${title} # SKIP ${description(notRun.problem)}`];
  return (number) => [`not ok ${number} - ${title}`, ...block([field('message', notRun.problem), field('severity', 'error')])];
}

/** `#` would begin a directive, a backslash escapes it. */
function description(text: string): string {
  return visibleLine(text).trim().replace(/[\\#]/g, '\\$&');
}

function block(lines: readonly string[]): string[] {
  return ['---', ...lines, '...'].map((line) => (line === '' ? '' : `  ${line}`));
}

/**
 * Several lines stand as they are, if nothing in them needs an escape. Only such YAML is used here as Perl's `prove` reads
 * too: it takes no `|-`, and no quoted text that ends in a colon.
 */
function text(name: string, value: string): string[] {
  const lines = value.split('\n');
  const clean = lines.length > 1 && lines.every((line) => /^[\u0020-\u007e\u00a1-\ud7ff]*$/.test(line) && !/[\u2028\u2029]/.test(line));
  if (!clean || !/^\S/.test(value) || !/\S$/.test(value)) return [`${name}: ${quoted(value)}`];
  const indent = /^ */.exec(name)![0];
  return [`${name}: |`, ...lines.map((line) => (line === '' ? '' : `${indent}  ${line}`))];
}

function field(name: string, value: string): string {
  return `${name}: ${quoted(value)}`;
}

/** A double-quoted YAML text: JSON's, with what YAML does not print escaped. */
function quoted(text: string): string {
  return JSON.stringify(text).replace(/[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
