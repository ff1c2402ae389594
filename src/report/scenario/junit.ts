import { placeText } from '../input/place.ts';
import { PLAIN } from '../paint.ts';
import { visible, visibleLine } from '../visible.ts';
import { failureLines } from './pretty.ts';
import { type NotRun, problemsOf, problemText, type RunResult, type ScenarioResult, titleOf } from './result.ts';

/** A test case of either sort. */
type Case = { file: string; result: ScenarioResult; notRun?: undefined } | { file: string; result?: undefined; notRun: NotRun };

/**
 * JUnit's XML: a suite for each file, a case for each scenario. A vacuous scenario is a failure of type `vacuous`; one
 * that could not be run is an error, one that the run did not come to is skipped.
 */
export function renderJunit({ results, notRun, durationMs }: RunResult): string {
  const cases: Case[] = [...results.map((result): Case => ({ file: result.file, result })), ...notRun.map((one): Case => ({ file: one.file, notRun: one }))];
  const files = [...new Set(cases.map(({ file }) => file))];
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="switchtraffic" ${counts(cases)} time="${seconds(durationMs)}">`,
    ...files.flatMap((file) => suite(file, cases.filter((one) => one.file === file))),
    '</testsuites>',
    '',
  ].join('\n');
}

function suite(file: string, cases: readonly Case[]): string[] {
  const time = cases.reduce((sum, { result }) => sum + (result?.durationMs ?? 0), 0);
  return [
    `  <testsuite name="${attribute(file)}" ${counts(cases)} time="${seconds(time)}">`,
    ...cases.flatMap((one) => (one.result === undefined ? missing(one.notRun) : testCase(one.result))),
    '  </testsuite>',
  ];
}

function counts(cases: readonly Case[]): string {
  const failures = cases.filter(({ result }) => result !== undefined && result.status !== 'passed').length;
  const errors = cases.filter(({ notRun }) => notRun?.reason === 'error').length;
  const skipped = cases.filter(({ notRun }) => notRun?.reason === 'stopped').length;
  return `tests="${cases.length}" failures="${failures}" errors="${errors}" skipped="${skipped}"`;
}

function testCase(result: ScenarioResult): string[] {
  const head = `    <testcase ${identity(result)} time="${seconds(result.durationMs)}"`;
  if (result.status === 'passed') return [`${head}/>`];
  const [first] = problemsOf(result);
  const message = first === undefined ? result.status : visibleLine(`${placeText(first.place)}: ${problemText(first)}`);
  const type = result.status === 'vacuous' ? 'vacuous' : (first?.subject.split(' ')[0] ?? 'failed');
  const body = failureLines(result, PLAIN).join('\n');
  return [`${head}>`, `      <failure message="${attribute(message)}" type="${attribute(type)}">${content(body)}</failure>`, '    </testcase>'];
}

function missing(notRun: NotRun): string[] {
  const what = notRun.reason === 'stopped' ? 'skipped' : 'error type="error"';
  return [`    <testcase ${identity(notRun)} time="0.000">`, `      <${what} message="${attribute(visibleLine(notRun.problem))}"/>`, '    </testcase>'];
}

function identity(one: Pick<ScenarioResult, 'file' | 'name' | 'label'>): string {
  return `name="${attribute(titleOf(one))}" classname="${attribute(one.file.replace(/(\.swt)?\.ya?ml$/, ''))}" file="${attribute(one.file)}"`;
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(3);
}

function content(text: string): string {
  // `>` too: the three characters `]]>` must not stand in a text.
  return visible(text).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** In an attribute a parser turns line breaks and tabs into blanks unless they are written as numbers. */
function attribute(text: string): string {
  return content(text).replaceAll('"', '&quot;').replaceAll('\n', '&#10;').replaceAll('\t', '&#9;');
}
