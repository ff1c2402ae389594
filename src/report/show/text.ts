import { formatDuration } from '../../lib/duration.ts';
import { displayWidth } from '../../lib/table.ts';

/** Nothing is meant to be wider. */
const WIDTH = 100;
const MOST_NAMES = 8;

/** `a, b, c`, or the first of many and how many more there are. */
export function nameList(names: readonly string[], most = MOST_NAMES): string {
  if (names.length <= most) return names.join(', ');
  return `${names.slice(0, most).join(', ')} and ${names.length - most} more`;
}

/** Words broken into lines that fit, each after the first one indented by `rest`. */
export function wrapWords(text: string, first: string, rest: string, width = WIDTH): string[] {
  const lines: string[] = [];
  let line = first;
  let empty = true;
  for (const word of text.split(/\s+/).filter((part) => part !== '')) {
    if (!empty && displayWidth(line) + 1 + displayWidth(word) > width) {
      lines.push(line);
      line = rest;
      empty = true;
    }
    line += empty ? word : ` ${word}`;
    empty = false;
  }
  return [...lines, line.trimEnd()];
}

/** A duration for people: to the second from ten seconds on, to the millisecond below. */
export function ago(ms: number): string {
  return formatDuration(Math.abs(ms) >= 10_000 ? Math.round(ms / 1000) * 1000 : Math.round(ms));
}

/** Text cut to so many columns. */
export function cut(text: string, most: number): string {
  return displayWidth(text) <= most ? text : `${[...text].slice(0, most - 1).join('')}…`;
}
