import { shellQuote } from '../lib/shell-quote.ts';
import type { Invocation } from './spec.ts';

const FAULT_FLAGS = ['--fault', '--faults-file', '--fault-seed'];

/** The command line as it can be run again, without the faults. */
export function commandAgain(inv: Invocation): string {
  const words: string[] = [];
  for (let i = 0; i < inv.commandLine.length; i++) {
    const word = inv.commandLine[i]!;
    // The fault was for that one run.
    if (FAULT_FLAGS.includes(word)) i++;
    else if (!FAULT_FLAGS.some((flag) => word.startsWith(`${flag}=`))) words.push(shellQuote(word));
  }
  return words.join(' ');
}
