import type { Io, OutStream } from './io.ts';
import type { Flags } from './spec.ts';

/** How many colours: none, 16, 256, all. */
export type ColorLevel = 0 | 1 | 2 | 3;

/** Colours for one stream. With level 0 every function gives its text back. */
export interface Paint {
  readonly level: ColorLevel;
  bold(text: string): string;
  dim(text: string): string;
  red(text: string): string;
  green(text: string): string;
  yellow(text: string): string;
  cyan(text: string): string;
}

const same = (text: string): string => text;
const PLAIN: Paint = { level: 0, bold: same, dim: same, red: same, green: same, yellow: same, cyan: same };

/** The level for one stream: `--color` before `--no-color` before NO_COLOR before FORCE_COLOR before the terminal. */
export function colorLevel(stream: OutStream, flags: Flags, env: Io['env']): ColorLevel {
  const wish = flags.given('color') ? flags.str('color') : 'auto';
  if (wish === 'always') return 1;
  if (wish === 'never') return 0;
  // An explicit `--color auto` outranks `--no-color`, and asks the environment.
  if (!flags.given('color') && flags.bool('no-color')) return 0;
  if ((env['NO_COLOR'] ?? '') !== '') return 0;
  const forced = env['FORCE_COLOR'];
  if (forced !== undefined) return forcedLevel(forced);
  return stream.isTTY && env['TERM'] !== 'dumb' ? 1 : 0;
}

function forcedLevel(value: string): ColorLevel {
  if (value === 'false' || value === '0') return 0;
  return value === '2' ? 2 : value === '3' ? 3 : 1;
}

/**
 * Colours of a level. chalk is loaded only when there are any, and never its default instance, which reads argv and
 * the environment itself, and NO_COLOR not at all.
 */
export async function createPaint(level: ColorLevel): Promise<Paint> {
  if (level === 0) return PLAIN;
  const { Chalk } = await import('chalk');
  const chalk = new Chalk({ level });
  const { bold, dim, red, green, yellow, cyan } = chalk;
  return { level, bold, dim, red, green, yellow, cyan };
}
