import { visible, visibleLine } from '../visible.ts';
import { type NotRun, problemsOf, problemText, type RunResult, type ScenarioResult, titleOf } from './result.ts';

/** GitHub shows this many errors of a step, and drops the rest without a word. */
const SHOWN = 10;
/** Rows of the summary; it must stay under a megabyte. */
const MOST_ROWS = 200;
const MOST_TEXT = 4000;

interface Annotation {
  file: string;
  line: number;
  column: number;
  title: string;
  message: string;
}

/**
 * GitHub's annotations, one for each scenario that did not pass; of more than ten, the last says how many are left.
 * `pathOf` gives a file's path from the root of the repository.
 */
export function renderGithub(run: RunResult, pathOf = (file: string): string => file): string {
  const all = [...run.results.filter(({ status }) => status !== 'passed').map(annotation), ...run.notRun.filter(({ reason }) => reason === 'error').map(missing)];
  const shown = all.length > SHOWN ? all.slice(0, SHOWN - 1) : all;
  const lines = shown.map(({ file, line, column, title, message }) => {
    const properties = [`file=${property(pathOf(file))}`, `line=${line}`, `col=${column}`, `title=${property(visibleLine(title))}`];
    return `::error ${properties.join(',')}::${data(message)}`;
  });
  if (all.length > shown.length) {
    const rest = all.slice(shown.length);
    const names = rest.map(({ file, line, title }) => `${pathOf(file)}:${line} ${visibleLine(title)}`).join('\n');
    lines.push(`::error title=${property(`${rest.length} more scenarios did not pass`)}::${data(names)}`);
  }
  return lines.map((line) => `${line}\n`).join('');
}

function annotation(result: ScenarioResult): Annotation {
  const problems = problemsOf(result);
  const place = problems[0]?.place ?? { file: result.file, line: 1, column: 1 };
  const message = [...problems.map(problemText), ...result.reproduce.map((line) => `reproduce: ${line}`)].join('\n');
  return { ...place, title: `${titleOf(result)} ${WORDS[result.status]}`, message };
}

function missing(one: NotRun): Annotation {
  return { file: one.file, line: 1, column: 1, title: `${titleOf(one)} could not be run`, message: one.problem };
}

const WORDS = { passed: 'passed', failed: 'failed', vacuous: 'is vacuous: a fault never fired' };

/** The escapes of the runner: github.com/actions/toolkit, packages/core/src/command.ts. */
function data(text: string): string {
  return cut(visible(text)).replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function property(text: string): string {
  return data(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}

/** Cut between characters, not within one. */
function cut(text: string): string {
  const chars = text.length > MOST_TEXT ? [...text] : [];
  return chars.length > MOST_TEXT ? `${chars.slice(0, MOST_TEXT).join('')}...` : text;
}

/** The page of a run in Markdown, for `$GITHUB_STEP_SUMMARY`: what did not pass first. */
export function renderStepSummary({ results, notRun }: RunResult): string {
  const bad = results.filter(({ status }) => status !== 'passed');
  const passed = results.filter(({ status }) => status === 'passed');
  const rows = [...bad, ...passed].slice(0, MOST_ROWS).map((result) => {
    const [first] = problemsOf(result);
    const what = first === undefined ? '' : `${code(`${first.place.file}:${first.place.line}`)} ${cell(problemText(first).split('\n').slice(0, 2).join(' '))}`;
    return `| ${MARKS[result.status]} | ${cell(titleOf(result))} | ${cell(result.vitess)} | ${what} |`;
  });
  const more = results.length - rows.length;
  return [
    `### switchtraffic: ${passed.length} of ${results.length + notRun.length} scenarios passed`,
    '',
    '| | scenario | release | |',
    '|---|---|---|---|',
    ...notRun.slice(0, MOST_ROWS).map((one) => `| ❗ | ${cell(titleOf(one))} | | ${cell(one.problem)} |`),
    ...rows,
    ...(more > 0 ? ['', `and ${more} more`] : []),
    '',
    '',
  ].join('\n');
}

const MARKS = { passed: '✅', failed: '❌', vacuous: '⚠️ vacuous' };

/** Text in a table: nothing in it is Markdown or HTML. */
function cell(text: string): string {
  const line = visibleLine(text);
  const short = [...line].length > 300 ? `${[...line].slice(0, 297).join('')}...` : line;
  return short.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replace(/[\\`*_[\]|~@#:]/g, '\\$&');
}

function code(text: string): string {
  return `\`${visibleLine(text).replaceAll('`', "'").replaceAll('|', '\\|')}\``;
}
