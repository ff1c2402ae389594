import type { TextTest } from '../report/scenario-file/schema.ts';

/** The text of a golden file, undefined where there is none. While files are being written, the actual text. */
export type Golden = (name: string, actual: string) => string | undefined;

/** In what a text is not as the test wants it; each entry is the lines that say so. */
export function testText(test: TextTest, actual: string, golden: Golden): string[][] {
  if (typeof test === 'string') return equals(test, actual);
  const problems: string[][] = [];
  if (test.equals !== undefined) problems.push(...equals(test.equals, actual));
  for (const part of list(test.contains)) {
    if (!actual.includes(part)) problems.push([`does not contain ${JSON.stringify(part)}`, ...near(part, actual)]);
  }
  for (const part of list(test.lacks)) {
    if (actual.includes(part)) problems.push([`contains ${JSON.stringify(part)}`]);
  }
  if (test.matches !== undefined && !test.matches.test(actual)) problems.push([`does not match ${String(test.matches)}`]);
  if (test.golden !== undefined) problems.push(...testGolden(test.golden, actual, golden));
  return problems;
}

function testGolden(name: string, actual: string, golden: Golden): string[][] {
  const wanted = golden(name, actual);
  if (wanted === undefined) return [[`the golden file ${name} is not there; write it with --update`]];
  return equals(wanted, actual).map(([first, ...rest]) => [`differs from ${name}; if it is right, write it with --update`, first!, ...rest]);
}

function equals(wanted: string, actual: string): string[][] {
  const [a, b] = [trimEnd(wanted), trimEnd(actual)];
  if (a === b) return [];
  return [['is not what was expected', ...lineDifference(a.split('\n'), b.split('\n'))]];
}

/** From the first line that differs to the last, with `-` for what was expected. */
function lineDifference(wanted: readonly string[], actual: readonly string[]): string[] {
  let start = 0;
  while (start < wanted.length && start < actual.length && wanted[start] === actual[start]) start++;
  let end = 0;
  while (end < wanted.length - start && end < actual.length - start && wanted.at(-1 - end) === actual.at(-1 - end)) end++;
  const gone = wanted.slice(start, wanted.length - end).map((line) => `- ${line}`);
  const come = actual.slice(start, actual.length - end).map((line) => `+ ${line}`);
  return [...(start > 0 ? [`  (${start} equal line${start === 1 ? '' : 's'})`] : []), ...gone.slice(0, 20), ...come.slice(0, 20)];
}

/** The line that was probably meant: one that shares its first words. */
function near(part: string, actual: string): string[] {
  const words = part.split(/\s+/).filter((word) => word.length > 3);
  const scored = actual.split('\n').map((line) => ({ line, score: words.filter((word) => line.includes(word)).length }));
  const best = scored.reduce((a, b) => (b.score > a.score ? b : a), { line: '', score: 0 });
  return best.score === 0 ? [] : [`nearest line: ${best.line}`];
}

function list(value: string | readonly string[] | undefined): readonly string[] {
  return value === undefined ? [] : typeof value === 'string' ? [value] : value;
}

function trimEnd(text: string): string {
  return text.replace(/\n+$/, '');
}
