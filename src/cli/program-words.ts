import { shellQuote } from '../lib/shell-quote.ts';
import type { Invocation } from './spec.ts';

const PROGRAM = 'switchtraffic';
/** The program's name where a command begins: a line, after a colon, in back-ticks or brackets. */
const COMMAND = /(^ *|: |[`(])switchtraffic (?=\S)/g;

/** How a command for the same cluster begins; `state` is the `--state` that was given. */
export function programWords(state: string | undefined, program = PROGRAM): string {
  return state === undefined ? program : `${program} --state ${shellQuote(state)}`;
}

/** The same, of the flags of a command. */
export function programOf(flags: Invocation['flags'], program = PROGRAM): string {
  return programWords(flags.given('state') ? flags.str('state') : undefined, program);
}

/** A line that tells commands to type, with those for this cluster made complete. One that names a state already is left alone. */
export function withProgram(line: string, program: string): string {
  if (program === PROGRAM || line.includes(' --state')) return line;
  return line.replace(COMMAND, (_, before: string) => `${before}${program} `);
}
