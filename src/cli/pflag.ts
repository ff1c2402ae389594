import { errorText, VtError } from '../lib/errors.ts';
import { goQuote, goQuoteRune } from '../lib/go-quote.ts';
import type { FlagSpec } from './spec.ts';

/**
 * Reads flags out of a list of words as pflag does, with its error texts. Knows nothing of commands.
 *
 * Go: github.com/spf13/pflag v1.0.10, flag.go and errors.go.
 */

/** The flags that one command accepts. */
export interface FlagTable {
  /** By name, underscores accepted. */
  long(name: string): FlagSpec | undefined;
  /** By its one letter. */
  short(letter: string): FlagSpec | undefined;
}

/** Positional words, or what is wrong. */
export type FlagsRead =
  | { readonly args: string[]; readonly problem?: undefined }
  | {
      readonly problem: string;
      /** The name of the flag that nobody knows, where that is the problem. */
      readonly unknown?: string;
      /** Positional words seen before it. */
      readonly args: string[];
    };

/** Vitess keeps these names with their underscores. */
const UNDERSCORED = new Set(['log_dir', 'log_link', 'log_backtrace_at']);

/**
 * A table for lookups. A name made of underscores only stands for the one with dashes, and `onDeprecated` gets
 * Vitess's line about it, whether or not there is such a flag. Vitess: go/vt/utils/flags.go.
 */
export function flagTable(flags: readonly FlagSpec[], onDeprecated: (line: string) => void): FlagTable {
  const { byName, byLetter } = indexOf(flags);
  return {
    long: (name) => {
      if (!name.includes('_') || name.includes('-') || UNDERSCORED.has(name)) return byName.get(name);
      const dashed = name.replaceAll('_', '-');
      onDeprecated(`Flag --${name} has been deprecated, use --${dashed} instead `);
      return byName.get(dashed);
    },
    short: (letter) => byLetter.get(letter),
  };
}

interface FlagIndex {
  byName: Map<string, FlagSpec>;
  byLetter: Map<string, FlagSpec>;
}

/** A command's flags never change, and scenarios read thousands of lines. */
const indexes = new WeakMap<readonly FlagSpec[], FlagIndex>();

/** The flags by name. */
export function flagNames(flags: readonly FlagSpec[]): ReadonlyMap<string, FlagSpec> {
  return indexOf(flags).byName;
}

function indexOf(flags: readonly FlagSpec[]): FlagIndex {
  let index = indexes.get(flags);
  if (index === undefined) {
    index = {
      byName: new Map(flags.map((flag) => [flag.name, flag])),
      byLetter: new Map(flags.flatMap((flag) => (flag.short === undefined ? [] : [[flag.short, flag] as const]))),
    };
    indexes.set(flags, index);
  }
  return index;
}

/** Reads all flags; each value goes to `set`, whose VtError says why it is a bad one. The first problem ends it. */
export function parseFlags(
  words: readonly string[],
  table: FlagTable,
  set: (flag: FlagSpec, text: string) => void,
): FlagsRead {
  return new FlagReader(words, table, set).read();
}

type Problem = { problem: string; unknown?: string };

class FlagReader {
  readonly #words: readonly string[];
  readonly #table: FlagTable;
  readonly #set: (flag: FlagSpec, text: string) => void;
  readonly #args: string[] = [];
  #next = 0;

  constructor(words: readonly string[], table: FlagTable, set: (flag: FlagSpec, text: string) => void) {
    this.#words = words;
    this.#table = table;
    this.#set = set;
  }

  read(): FlagsRead {
    for (;;) {
      const word = this.#words[this.#next++];
      if (word === undefined) return { args: this.#args };
      if (word === '--') return { args: [...this.#args, ...this.#words.slice(this.#next)] };
      if (!word.startsWith('-') || word === '-') {
        this.#args.push(word);
        continue;
      }
      const problem = word.startsWith('--') ? this.#long(word) : this.#cluster(word.slice(1));
      if (problem !== undefined) return { ...problem, args: this.#args };
    }
  }

  /** `--name`, `--name=value`, `--name value`. */
  #long(word: string): Problem | undefined {
    const body = word.slice(2);
    if (body.startsWith('-') || body.startsWith('=')) return { problem: `bad flag syntax: ${word}` };
    const equals = body.indexOf('=');
    const name = equals < 0 ? body : body.slice(0, equals);
    const flag = this.#table.long(name);
    if (flag === undefined) return { problem: `unknown flag: --${name}`, unknown: name };
    if (equals >= 0) return this.#assign(flag, body.slice(equals + 1));
    if (flag.kind === 'bool') return this.#assign(flag, 'true');
    const value = this.#words[this.#next++];
    return value === undefined ? { problem: `flag needs an argument: --${name}` } : this.#assign(flag, value);
  }

  /** `-a`, `-ab`, `-w=value`, `-wvalue`, `-w value`: letters up to the first that takes a value. */
  #cluster(letters: string): Problem | undefined {
    for (let rest = letters; rest !== ''; ) {
      const letter = String.fromCodePoint(rest.codePointAt(0) ?? 0);
      const flag = this.#table.short(letter);
      if (flag === undefined) return { problem: `unknown shorthand flag: ${quoteFirstByte(letter)} in -${rest}` };
      // A lone "=" after a letter is no assignment in pflag: `-w=` gives w the value "=".
      if (rest.length > 2 && rest[1] === '=') return this.#assign(flag, rest.slice(2));
      if (flag.kind !== 'bool') return this.#shortWithValue(flag, letter, rest);
      const problem = this.#assign(flag, 'true');
      if (problem !== undefined) return problem;
      rest = rest.slice(letter.length);
    }
    return undefined;
  }

  #shortWithValue(flag: FlagSpec, letter: string, rest: string): Problem | undefined {
    if (rest.length > letter.length) return this.#assign(flag, rest.slice(letter.length));
    const value = this.#words[this.#next++];
    if (value === undefined) return { problem: `flag needs an argument: ${goQuoteRune(letter)} in -${rest}` };
    return this.#assign(flag, value);
  }

  #assign(flag: FlagSpec, text: string): Problem | undefined {
    try {
      this.#set(flag, text);
      return undefined;
    } catch (error) {
      if (!(error instanceof VtError)) throw error;
      const name = flag.short === undefined ? `--${flag.name}` : `-${flag.short}, --${flag.name}`;
      return { problem: `invalid argument ${goQuote(text)} for "${name}" flag: ${errorText(error)}` };
    }
  }
}

/** pflag works on bytes, and takes the first byte of a longer character for a character of its own. */
function quoteFirstByte(letter: string): string {
  const [byte = 0] = Buffer.from(letter);
  return byte < 0x80 ? goQuoteRune(letter) : byte < 0xc0 ? "'Â'" : "'Ã'";
}
