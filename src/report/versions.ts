import { AREAS, type AnyRow, type Area, type Value } from '../lib/behaviours/row.ts';
import { padEnd } from '../lib/table.ts';
import type { Paint } from './paint.ts';

/** A table of behaviours, whatever its rows are called. */
export type BehaviourTable = Readonly<Record<string, AnyRow>>;

/** A value of a behaviour, and the releases that have it, as people name them: `19.0.9`, `20.0.0 to .5`, `22 on`. */
export interface ValueFacts {
  value: Value;
  words: string;
  releases: string[];
  hardened: boolean;
}

/** One behaviour with all its values. */
export interface BehaviourFacts {
  name: string;
  area: Area;
  about: string;
  refs: string;
  /** What has to be built before the program does it; undefined when it does. */
  waitsFor: string | undefined;
  values: ValueFacts[];
}

/** What one release does, or two that are compared. */
export interface ReleaseFacts {
  name: string;
  area: Area;
  about: string;
  refs: string;
  waitsFor: string | undefined;
  /** One value for each release asked for. */
  values: { value: Value; words: string }[];
}

/** Reads one value of a release. */
export type ReadValue = (name: string, release: string) => Value;

/** Every behaviour, each value with its releases. `releases` are all there are, oldest first. */
export function behaviourFacts(table: BehaviourTable, releases: readonly string[], read: ReadValue): BehaviourFacts[] {
  return inOrder(table).map(([name, row]) => {
    const values = [...new Set([...releases.map((release) => read(name, release)), row.hardened])];
    return {
      ...headOf(name, row),
      values: values.map((value) => ({
        value,
        words: wordsOf(row, value),
        releases: spans(releases, (release) => read(name, release) === value),
        hardened: row.hardened === value,
      })),
    };
  });
}

/** What these releases do, one value for each; with `differing` only what they do differently. */
export function releaseFacts(table: BehaviourTable, releases: readonly string[], read: ReadValue, differing = false): ReleaseFacts[] {
  return inOrder(table).flatMap(([name, row]) => {
    const values = releases.map((release) => read(name, release));
    if (differing && new Set(values).size === 1) return [];
    return [{ ...headOf(name, row), values: values.map((value) => ({ value, words: wordsOf(row, value) })) }];
  });
}

function headOf(name: string, row: AnyRow): Omit<BehaviourFacts, 'values'> {
  return { name, area: row.area, about: row.about, refs: row.refs, waitsFor: row.waitsFor };
}

/** Rows by area, in the order of the areas. */
function inOrder(table: BehaviourTable): [string, AnyRow][] {
  const areas = Object.keys(AREAS);
  return Object.entries(table).toSorted(([, a], [, b]) => areas.indexOf(a.area) - areas.indexOf(b.area));
}

function wordsOf(row: AnyRow, value: Value): string {
  return row.words[String(value)] ?? String(value);
}

/** Releases that follow each other as one: `18 to 19.0.8`, `20.0.5`, `20.0.6 on in 20`, `22 on`. */
function spans(releases: readonly string[], has: (release: string) => boolean): string[] {
  const found: { first: number; last: number }[] = [];
  releases.forEach((release, index) => {
    if (!has(release)) return;
    const open = found.at(-1);
    if (open !== undefined && open.last === index - 1) open.last = index;
    else found.push({ first: index, last: index });
  });
  return found.map(({ first, last }) => spanText(releases, first, last));
}

function spanText(releases: readonly string[], first: number, last: number): string {
  const from = releases[first]!;
  const to = releases[last]!;
  const [line, lastLine] = [lineOf(from), lineOf(to)];
  const fromStart = from.endsWith('.0.0');
  const toEnd = lineOf(releases[last + 1] ?? '') !== lastLine;
  const begin = fromStart ? line : from;
  if (last === releases.length - 1) return first === 0 ? 'all' : `${begin} on`;
  if (line !== lastLine) {
    const between = fromStart && toEnd && Number(lastLine) === Number(line) + 1 ? 'and' : 'to';
    return `${begin} ${between} ${toEnd ? lastLine : to}`;
  }
  if (fromStart && toEnd) return line;
  if (first === last) return from;
  return toEnd ? `${from} on in ${line}` : `${from} to .${to.split('.').at(-1)}`;
}

function lineOf(release: string): string {
  return release.split('.')[0]!;
}

const WIDTH = 100;

/** The whole table: below each behaviour its values, each with the releases that have it. */
export function renderBehaviours(facts: readonly BehaviourFacts[], paint: Paint): string[] {
  return [
    'What releases of Vitess do differently.',
    '"20.0.6 on in 20" is from that patch to the end of its line, "22 on" that line and every later one.',
    ...byArea(facts, paint, (behaviour) => [
      ...heading(behaviour, paint),
      ...behaviour.values.flatMap((value) => wrap(`    ${whereText(value)}: `, value.words)),
    ]),
    ...waitingNote(facts, paint),
  ];
}

function whereText({ releases, hardened }: ValueFacts): string {
  return [...releases, ...(hardened ? ['hardened'] : [])].join(', ');
}

/** One release: what it does. */
export function renderRelease(facts: readonly ReleaseFacts[], release: string, paint: Paint): string[] {
  return [
    `${paint.bold(titleOf(release))}: what it does where releases differ`,
    ...byArea(facts, paint, (behaviour) => [...heading(behaviour, paint), ...wrap('    ', behaviour.values[0]?.words ?? '')]),
    ...waitingNote(facts, paint),
  ];
}

/** Two releases: what differs between them. */
export function renderDifference(facts: readonly ReleaseFacts[], from: string, to: string, paint: Paint): string[] {
  const title = `${paint.bold(titleOf(from))} → ${paint.bold(titleOf(to))}`;
  if (facts.length === 0) {
    return [`${title}: nothing differs in what is known here (${from === to ? 'they are the same release' : 'switchtraffic versions shows all of it'})`];
  }
  return [
    `${title}: ${facts.length === 1 ? 'one difference' : `${facts.length} differences`}`,
    ...byArea(facts, paint, (behaviour) => [
      ...heading(behaviour, paint),
      ...wrap('    ', behaviour.values[0]?.words ?? ''),
      ...wrap('  → ', behaviour.values[1]?.words ?? ''),
    ]),
    ...waitingNote(facts, paint),
  ];
}

function titleOf(release: string): string {
  return release === 'hardened' ? release : `Vitess ${release}`;
}

function byArea<F extends BehaviourFacts | ReleaseFacts>(facts: readonly F[], paint: Paint, lines: (behaviour: F) => string[]): string[] {
  const areas = Object.entries(AREAS) as [Area, string][];
  return areas.flatMap(([area, title]) => {
    const own = facts.filter((behaviour) => behaviour.area === area);
    return own.length === 0 ? [] : ['', paint.bold(title), ...own.flatMap(lines)];
  });
}

function heading({ name, about, refs, waitsFor }: Omit<BehaviourFacts, 'values'>, paint: Paint): string[] {
  const mark = waitsFor === undefined ? '' : ' *';
  return [...wrap('  ', `${about}${mark}`), ...wrap('    ', `${name}; ${refs}`).map((line) => paint.dim(line))];
}

function waitingNote(facts: readonly Omit<BehaviourFacts, 'values'>[], paint: Paint): string[] {
  const waiting = [...new Set(facts.flatMap(({ waitsFor }) => waitsFor ?? []))];
  return waiting.length === 0 ? [] : ['', ...wrap('* ', `not built here yet: it waits for ${waiting.join(', ')}`).map((line) => paint.dim(line))];
}

/** Text after a lead, broken between words at the width of a page; further lines stand below the text. */
function wrap(lead: string, text: string): string[] {
  const indent = ' '.repeat(Math.min(lead.length, 8));
  const lines: string[] = [];
  let line = lead;
  let empty = true;
  for (const word of text.split(' ')) {
    if (!empty && line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = padEnd('', indent.length);
      empty = true;
    }
    line += empty ? word : ` ${word}`;
    empty = false;
  }
  return [...lines, line];
}

/** The page of versions, in Markdown. */
export function versionsPage(facts: readonly BehaviourFacts[]): string {
  const areas = Object.entries(AREAS) as [Area, string][];
  return [
    '# What releases of Vitess do differently',
    '',
    'Generated by `npm run docs` from the table that the code reads. `switchtraffic versions v19 v22` prints what differs between',
    'two releases, `switchtraffic versions v21.0.2` what one does. "20.0.6 on in 20" is from that patch to the end of its line;',
    '"22 on" is that line and every later one. `hardened` is the default: main of March 2026, with nothing left stranded.',
    'A row with a star is not built here yet.',
    ...areas.flatMap(([area, title]) => [
      '',
      `## ${title}`,
      '',
      '| what | values | |',
      '|---|---|---|',
      ...facts.filter((behaviour) => behaviour.area === area).map(pageRow),
    ]),
    '',
    '## What the rows with a star wait for',
    '',
    ...facts.flatMap(({ name, waitsFor }) => (waitsFor === undefined ? [] : [`- \`${name}\`: ${waitsFor}`])),
    '',
  ].join('\n');
}

function pageRow({ name, about, refs, waitsFor, values }: BehaviourFacts): string {
  const cells = values.map((value) => `**${whereText(value)}**: ${value.words}`).join('<br>');
  const text = [`${about}${waitsFor === undefined ? '' : ' \\*'} (\`${name}\`)`, cells, refs].map((cell) => cell.replace(/(?<!\\)\|/g, '\\|'));
  return `| ${text.join(' | ')} |`;
}
