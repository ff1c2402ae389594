import { InvariantError } from '../lib/errors.ts';
import { type FlagValue, FlagValues, readFlagValue } from './flag-values.ts';
import { globalFlags, helpFlag, versionFlag } from './global-flags.ts';
import { goQuote } from '../lib/go-quote.ts';
import { argumentCountProblem, unknownFlagHint, unknownWord } from './mistakes.ts';
import { flagNames, flagTable, type FlagTable, parseFlags } from './pflag.ts';
import type { CommandSpec, Family, FlagSpec } from './spec.ts';
import { UsageError } from './usage-error.ts';

/**
 * The command line as cobra and pflag read it, in cobra's order of checks:
 *
 * 1. from the left, the flags before each subcommand are read with that level's flags;
 * 2. the rest is read with the flags of the command found;
 * 3. `--help`, then `--version`; 4. a command that only has subcommands; 5. the number of arguments.
 *
 * Required flags come last of all, after the command's own checks: see `checkRequired`.
 *
 * Go: cobra Command.Traverse and Command.execute, which Vitess's root command asks for (TraverseChildren).
 */

/** What a command line asks for. */
export type Parsed =
  | { readonly kind: 'help'; readonly chain: readonly CommandSpec[] }
  | { readonly kind: 'version' }
  | ParsedRun;

/** A command to run: `chain` runs from the root to it. */
export interface ParsedRun {
  readonly kind: 'run';
  readonly chain: readonly CommandSpec[];
  readonly args: readonly string[];
  readonly flags: FlagValues;
}

export interface ParseOptions {
  /** False: mistakes that Vitess lets pass are let pass, and nothing is added to its texts. */
  readonly hardened: boolean;
  /** Takes lines for stderr: deprecated flag names, and mistakes let pass. */
  readonly warn: (line: string) => void;
}

/**
 * Reads a command line.
 *
 * @throws UsageError with cobra's or pflag's text
 */
export function parseArgv(root: CommandSpec, argv: readonly string[], options: ParseOptions): Parsed {
  return new Parser(root, options).parse(argv);
}

/**
 * The check for required flags, which comes after a command's own checks.
 *
 * @throws UsageError `required flag(s) "a", "b" not set`
 */
export function checkRequired(parsed: ParsedRun): void {
  const missing = commandFlags(parsed.chain)
    .filter((flag) => flag.required === true && !parsed.flags.given(flag.name))
    .map((flag) => flag.name)
    .sort();
  if (missing.length > 0) {
    throw new UsageError(`required flag(s) ${missing.map((name) => `"${name}"`).join(', ')} not set`, family(parsed.chain));
  }
}

/** Every flag a command accepts: its own, its parents', the global ones, `--help`. */
export function commandFlags(chain: readonly CommandSpec[]): readonly FlagSpec[] {
  const command = last(chain);
  let flags = flagsOf.get(command);
  if (flags === undefined) {
    flags = allFlags(chain);
    flagsOf.set(command, flags);
  }
  return flags;
}

/** Each command stands at one place of the tree, and scenarios ask thousands of times. */
const flagsOf = new WeakMap<CommandSpec, readonly FlagSpec[]>();

/** The flags that are read between a command and its subcommand. */
interface FlagsOnTheWay {
  onTheWay: readonly FlagSpec[];
  withoutHelp: readonly FlagSpec[];
}

function flagsOnTheWay(chain: readonly CommandSpec[]): FlagsOnTheWay {
  const command = last(chain);
  let flags = onTheWayOf.get(command);
  if (flags === undefined) {
    const onTheWay = commandFlags(chain).filter((flag) => flag !== versionFlag);
    flags = { onTheWay, withoutHelp: onTheWay.filter((flag) => flag.name !== 'help') };
    onTheWayOf.set(command, flags);
  }
  return flags;
}

/** The same: lists of their own would be indexed anew for each line. */
const onTheWayOf = new WeakMap<CommandSpec, FlagsOnTheWay>();

function allFlags(chain: readonly CommandSpec[]): FlagSpec[] {
  const own = chain.flatMap((spec) => spec.flags);
  const version = chain.length === 1 ? [versionFlag] : [];
  return [...own, ...globalFlags, ...version, helpFlag(last(chain).name)];
}

/** The canonical words of a command, without the program's name. */
export function commandPath(chain: readonly CommandSpec[]): string[] {
  return chain.slice(1).map((spec) => spec.name);
}

/** A command as an error text names it. Vitess's texts keep Vitess's program name: scripts look for them. */
export function displayPath(chain: readonly CommandSpec[]): string {
  const program = family(chain) === 'own' ? 'switchtraffic' : 'vtctldclient';
  return [program, ...commandPath(chain)].join(' ');
}

class Parser {
  readonly #options: ParseOptions;
  readonly #root: CommandSpec;
  readonly #given = new Map<string, FlagValue>();
  readonly #deprecated = new Set<string>();

  constructor(root: CommandSpec, options: ParseOptions) {
    this.#root = root;
    this.#options = options;
  }

  parse(argv: readonly string[]): Parsed {
    const { chain, rest } = this.#descend([this.#root], argv);
    const args = this.#read(chain, rest, commandFlags(chain));
    const flags = new FlagValues(flagNames(commandFlags(chain)), this.#given);
    if (flags.bool('help')) return { kind: 'help', chain };
    if (chain.length === 1 && flags.bool('version')) return { kind: 'version' };
    const command = last(chain);
    if (command.load === undefined) return this.#notRunnable(chain, args);
    if (this.#options.hardened) refuseMistypedSubcommand(chain, args);
    const problem = argumentCountProblem(command.args, args, displayPath(chain));
    if (problem !== undefined) throw new UsageError(problem, family(chain));
    return { kind: 'run', chain, args, flags };
  }

  /** Step 1: finds the command, reading the flags on the way. */
  #descend(chain: readonly CommandSpec[], argv: readonly string[]): { chain: readonly CommandSpec[]; rest: readonly string[] } {
    // While it looks for the subcommand, cobra has not defined --help and --version yet: they eat the next word,
    // so that `MoveTables --help create` is help for MoveTables.
    const { onTheWay, withoutHelp } = flagsOnTheWay(chain);
    let known: FlagTable | undefined;
    let valueNext = false;
    for (const [index, word] of argv.entries()) {
      if (isFlagThatMayTakeNext(word)) {
        known ??= this.#table(withoutHelp);
        const flag = word.startsWith('--') ? known.long(word.slice(2)) : known.short(word.slice(1));
        valueNext = flag?.kind !== 'bool';
        continue;
      }
      if (valueNext) {
        valueNext = false;
        continue;
      }
      if (word.startsWith('-') && word !== '-') continue;
      const next = findCommand(last(chain).subcommands ?? [], word);
      if (next === undefined) break;
      if (index > 0) this.#read(chain, argv.slice(0, index), onTheWay);
      const found = [...chain, next];
      if (this.#given.get('help') === true) return { chain, rest: [] };
      return this.#descend(found, argv.slice(index + 1));
    }
    return { chain, rest: argv };
  }

  /** Step 2: reads flags; gives the positional words. */
  #read(chain: readonly CommandSpec[], words: readonly string[], flags: readonly FlagSpec[]): string[] {
    const result = parseFlags(words, this.#table(flags), (flag, text) => {
      this.#given.set(flag.name, readFlagValue(flag, text, this.#given.get(flag.name)));
    });
    if (result.problem === undefined) return result.args;
    const hint = this.#options.hardened ? unknownFlagHint(result, last(chain), flags) : '';
    throw new UsageError(result.problem + hint, family(chain));
  }

  /** Step 4. Vitess prints the parent's help and exits 0 also when the word after it is mistyped. */
  #notRunnable(chain: readonly CommandSpec[], args: readonly string[]): Parsed {
    const [word] = args;
    if (word === undefined) return { kind: 'help', chain };
    if (chain.length === 1 && word === 'help') return { kind: 'help', chain: this.#helpTopic(args.slice(1)) };
    const command = last(chain);
    const text = chain.length === 1 ? `unknown command: ${word}` : `unknown command ${goQuote(word)} for "${displayPath(chain)}"`;
    if (chain.length > 1 && command.family === 'vtctldclient' && !this.#options.hardened) {
      this.#options.warn(`warning: ${text}: vtctldclient prints help and reports success`);
      return { kind: 'help', chain };
    }
    const hint = this.#options.hardened ? unknownWord(word, command) : '';
    throw new UsageError(text + hint, family(chain));
  }

  /** `help MoveTables create`. */
  #helpTopic(words: readonly string[]): readonly CommandSpec[] {
    const chain = [this.#root];
    for (const word of words) {
      const command = findCommand(last(chain).subcommands ?? [], word);
      if (command === undefined) {
        throw new UsageError(`unknown help topic ${goQuote(word)}${unknownWord(word, last(chain))}`, family(chain));
      }
      chain.push(command);
    }
    return chain;
  }

  #table(flags: readonly FlagSpec[]): FlagTable {
    return flagTable(flags, (line) => {
      if (this.#deprecated.has(line)) return;
      this.#deprecated.add(line);
      this.#options.warn(line);
    });
  }
}

/** A runnable parent (`Workflow`) takes an argument of its own, and so would take a mistyped subcommand for it. */
function refuseMistypedSubcommand(chain: readonly CommandSpec[], args: readonly string[]): void {
  const command = last(chain);
  const [word] = args;
  if (command.subcommands === undefined || word === undefined) return;
  throw new UsageError(
    `unknown command ${goQuote(word)} for "${displayPath(chain)}"${unknownWord(word, command)}`,
    family(chain),
  );
}

/** `--x` or `-x`: its value, if it takes one, would be the next word. */
function isFlagThatMayTakeNext(word: string): boolean {
  if (word.includes('=')) return false;
  // Two bytes: a letter beyond ASCII is longer, and no flag has one.
  return word.startsWith('--') || (word.startsWith('-') && Buffer.byteLength(word) === 2);
}

function findCommand(commands: readonly CommandSpec[], word: string): CommandSpec | undefined {
  return commands.find((command) => command.name === word || command.aliases.includes(word));
}

function family(chain: readonly CommandSpec[]): Family {
  return last(chain).family;
}

function last(chain: readonly CommandSpec[]): CommandSpec {
  const command = chain.at(-1);
  if (command === undefined) throw new InvariantError('a command line without a root command');
  return command;
}
