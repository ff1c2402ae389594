import { suggest } from '../lib/suggest.ts';
import { goQuote } from '../lib/go-quote.ts';
import type { FlagsRead } from './pflag.ts';
import type { ArgsSpec, CommandSpec, FlagSpec } from './spec.ts';

/** What a person who mistyped something is told. */

/** What is wrong with the number of arguments, in cobra's words; undefined when it is right. Go: cobra args.go. */
export function argumentCountProblem(spec: ArgsSpec, args: readonly string[], command: string): string | undefined {
  const { min, max } = spec;
  const count = args.length;
  if (count >= min && count <= max) return undefined;
  if (max === 0) return `unknown command ${goQuote(args[0] ?? '')} for "${command}"`;
  if (min === max) return `accepts ${min} arg(s), received ${count}`;
  if (max === Infinity) return `requires at least ${min} arg(s), only received ${count}`;
  if (min === 0) return `accepts at most ${max} arg(s), received ${count}`;
  return `accepts between ${min} and ${max} arg(s), received ${count}`;
}

/** ` (did you mean "…"?)` for a word that is no subcommand of this command; empty when nothing is near. */
export function unknownWord(word: string, command: CommandSpec): string {
  const subcommands = command.subcommands ?? [];
  const near = suggest(word, subcommands.flatMap((sub) => [sub.name, ...sub.aliases]));
  // An alias is how the word may be typed, the name is how it should be.
  return didYouMean(subcommands.find((sub) => sub.name === near || (near !== undefined && sub.aliases.includes(near)))?.name);
}

/**
 * What to add to `unknown flag: --x`. Cobra reads the flags after a mistyped command with the parent's flags, so that
 * the flag it complains of may be right and the word before it wrong.
 */
export function unknownFlagHint(read: FlagsRead, command: CommandSpec, flags: readonly FlagSpec[]): string {
  if (read.problem === undefined || read.unknown === undefined) return '';
  const { unknown } = read;
  const [word] = read.args;
  if (word !== undefined && command.subcommands !== undefined) {
    return ` (${goQuote(word)} is not a command${unknownWord(word, command).replace(/^ \((.*)\)$/, ': $1')})`;
  }
  const wanted = unknown.replaceAll('_', '-');
  const owner = command.subcommands?.find((sub) => sub.flags.some((flag) => flag.name === wanted));
  if (owner !== undefined) return ` (a flag of "${owner.name}": it goes after that word)`;
  const near = suggest(wanted, flags.filter((flag) => flag.hidden !== true).map((flag) => flag.name));
  return didYouMean(near === undefined ? undefined : `--${near}`);
}

function didYouMean(near: string | undefined): string {
  return near === undefined ? '' : ` (did you mean "${near}"?)`;
}
