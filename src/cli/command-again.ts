import { shellQuote } from '../lib/shell-quote.ts';
import { globalFlags } from './global-flags.ts';
import type { FlagSpec, Invocation } from './spec.ts';

/** The fault was for that one run. */
const FAULT_FLAGS = globalFlags.filter(({ name }) => ['fault', 'faults-file', 'fault-seed'].includes(name));

/** The command line as it can be run again, without the faults. */
export function commandAgain(inv: Invocation): string {
  return without(inv.commandLine, FAULT_FLAGS);
}

/** The command line without what any command takes: what is to be done, wherever and however it is run. */
export function commandItself(inv: Invocation): string {
  return without(inv.commandLine, globalFlags);
}

/** A line without some flags and their values. */
function without(line: readonly string[], flags: readonly FlagSpec[]): string {
  const words: string[] = [];
  for (let i = 0; i < line.length; i++) {
    const word = line[i]!;
    const typed = word.replace(/=.*$/s, '').replaceAll('_', '-');
    const flag = flags.find(({ name, short }) => typed === `--${name.replaceAll('_', '-')}` || (short !== undefined && typed === `-${short}`));
    if (flag === undefined) words.push(shellQuote(word));
    else if (flag.kind !== 'bool' && !word.includes('=')) i++;
  }
  return words.join(' ');
}
