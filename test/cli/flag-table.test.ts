import { describe, expect, it } from 'vitest';
import { checkRequired, commandFlags, commandPath, parseArgv, type ParsedRun } from '../../src/cli/argv.ts';
import { rootCommand } from '../../src/cli/commands.ts';
import { globalFlags } from '../../src/cli/global-flags.ts';
import { goQuote } from '../../src/lib/go-quote.ts';
import { UsageError } from '../../src/cli/usage-error.ts';
import type { CommandSpec, FlagKind, FlagSpec } from '../../src/cli/spec.ts';
import { allChains } from './harness.ts';

const chains = allChains();
const runnable = chains.filter((chain) => last(chain).load !== undefined && last(chain).subcommands === undefined);

/** For each kind: a good value with what its getter then gives, and bad ones with the reason. */
const VALUES: Record<FlagKind, { good: [string, unknown][]; bad: [string, string][] }> = {
  bool: {
    good: ['1', 't', 'T', 'true', 'TRUE', 'True'].map((text): [string, unknown] => [text, true]).concat(
      ['0', 'f', 'F', 'false', 'FALSE', 'False'].map((text): [string, unknown] => [text, false]),
    ),
    bad: [
      ['maybe', 'strconv.ParseBool: parsing "maybe": invalid syntax'],
      ['', 'strconv.ParseBool: parsing "": invalid syntax'],
      ['yes', 'strconv.ParseBool: parsing "yes": invalid syntax'],
    ],
  },
  string: { good: [['x', 'x'], ['', ''], [' a b ', ' a b '], ['-x', '-x']], bad: [] },
  strings: {
    good: [['a', ['a']], ['a,b', ['a', 'b']], ['a, b', ['a', ' b']], ['', []], ['"a,b",c', ['a,b', 'c']], ['a,,', ['a', '', '']]],
    bad: [
      ['a"b', 'parse error on line 1, column 2: bare " in non-quoted-field'],
      ['"a', 'parse error on line 1, column 3: extraneous or missing " in quoted-field'],
    ],
  },
  duration: {
    good: [['30s', 30_000], ['1m30s', 90_000], ['500ms', 500], ['1h', 3_600_000], ['0', 0], ['1.5s', 1500], ['-1s', -1000]],
    bad: [
      ['30', 'time: missing unit in duration "30"'],
      ['abc', 'time: invalid duration "abc"'],
      ['5x', 'time: unknown unit "x" in duration "5x"'],
      ['', 'time: invalid duration ""'],
    ],
  },
  'tablet-types': {
    good: [['primary', ['PRIMARY']], ['REPLICA,rdonly', ['REPLICA', 'RDONLY']], ['', []], ['master,batch', ['PRIMARY', 'RDONLY']]],
    bad: [
      ['foo', 'unknown TabletType foo'],
      ['replica, rdonly', 'unknown TabletType  rdonly'],
      ['in_order:REPLICA', 'unknown TabletType in_order:REPLICA'],
    ],
  },
  'tablet-type': {
    good: [['Replica', ['REPLICA']]],
    bad: [['foo', 'unknown TabletType foo'], ['replica,rdonly', 'unknown TabletType replica,rdonly']],
  },
  int: {
    good: [['0', 0], ['-5', -5], ['0x10', 16], ['1_000', 1000]],
    bad: [
      ['abc', 'strconv.ParseInt: parsing "abc": invalid syntax'],
      ['1.5', 'strconv.ParseInt: parsing "1.5": invalid syntax'],
      ['9223372036854775808', 'strconv.ParseInt: parsing "9223372036854775808": value out of range'],
    ],
  },
  float: {
    good: [['1', 1], ['0', 0], ['.5', 0.5], ['1e2', 100], ['-2.25', -2.25]],
    bad: [
      ['abc', 'strconv.ParseFloat: parsing "abc": invalid syntax'],
      ['1e99', 'strconv.ParseFloat: parsing "1e99": value out of range'],
    ],
  },
};

function valuesOf(flag: FlagSpec): { good: [string, unknown][]; bad: [string, string][] } {
  if (flag.kind === 'string' && flag.choices !== undefined) {
    return {
      good: flag.choices.map((choice) => [choice, choice]),
      bad: [['x', `must be one of ${flag.choices.join(', ')}`]],
    };
  }
  if (flag.kind === 'strings' && flag.raw === true) return { good: [['a,b', ['a,b']], ['', ['']], ['a"b', ['a"b']]], bad: [] };
  return VALUES[flag.kind];
}

/** A line that runs: the words, what is required and not the flag under test, the arguments. */
function line(chain: CommandSpec[], flag: FlagSpec | undefined, ...extra: string[]): string[] {
  const required = commandFlags(chain).filter((other) => other.required === true && other.name !== flag?.name);
  const args = Array.from({ length: last(chain).args.min }, (_, i) => `arg${i}`);
  return [...commandPath(chain), ...required.map((other) => `--${other.name}=x`), ...args, ...extra];
}

function parse(argv: string[]): { run: ParsedRun; warned: string[] } {
  const warned: string[] = [];
  const parsed = parseArgv(rootCommand, argv, { hardened: true, warn: (text) => warned.push(text) });
  if (parsed.kind !== 'run') throw new Error(`${argv.join(' ')} does not run`);
  checkRequired(parsed);
  return { run: parsed, warned };
}

function get({ flags }: ParsedRun, { name, kind }: FlagSpec): unknown {
  if (kind === 'bool') return flags.bool(name);
  if (kind === 'string') return flags.str(name);
  if (kind === 'strings') return flags.strings(name);
  if (kind === 'duration') return flags.duration(name);
  if (kind === 'int') return flags.int(name);
  if (kind === 'float') return flags.float(name);
  return flags.tabletTypes(name);
}

describe('the tables', () => {
  it.each(chains.map((chain) => [commandPath(chain).join(' ') || '(root)', chain] as const))(
    '%s: no flag stands twice on a line, no word means two commands',
    (_, chain) => {
      const flags = commandFlags(chain);
      const names = flags.map((flag) => flag.name);
      expect(names).toEqual([...new Set(names)]);
      const letters = flags.flatMap((flag) => (flag.short === undefined ? [] : [flag.short]));
      expect(letters).toEqual([...new Set(letters)]);
      const words = (last(chain).subcommands ?? []).flatMap((sub) => [sub.name, ...sub.aliases]);
      expect(words).toEqual([...new Set(words)]);
    },
  );

  it('every command is described in one line', () => {
    for (const chain of chains) {
      for (const { about } of [last(chain), ...last(chain).flags]) expect(about).toMatch(/^[^\n]{8,120}$/);
    }
  });

  it('every handler that the tables name can be loaded', async () => {
    for (const chain of chains) {
      const handler = await last(chain).load?.();
      if (handler !== undefined) expect(handler.run, commandPath(chain).join(' ')).toBeTypeOf('function');
    }
  });

  it('every example is a line that is accepted', () => {
    for (const example of chains.flatMap((chain) => last(chain).examples)) {
      const words = [...example.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map((m) => m[1] ?? m[2] ?? m[3] ?? '');
      expect(() => parse(words), example).not.toThrow();
    }
  });
});

describe.each(runnable.map((chain) => [commandPath(chain).join(' '), chain] as const))('%s', (_, chain) => {
  // The global flags are the same everywhere: one command stands for all.
  const withGlobals = last(chain).name === 'GetKeyspaces';
  const flags = withGlobals ? globalFlags : chain.flatMap((spec) => spec.flags);

  it('takes every good value in every form', () => {
    for (const flag of flags) {
      for (const [text, value] of valuesOf(flag).good) {
        const inline = parse(line(chain, flag, `--${flag.name}=${text}`)).run;
        expect(get(inline, flag), `--${flag.name}=${text}`).toEqual(value);
        expect(inline.flags.given(flag.name)).toBe(true);
        if (flag.kind === 'bool') continue;
        expect(get(parse(line(chain, flag, `--${flag.name}`, text)).run, flag)).toEqual(value);
        if (flag.short === undefined) continue;
        expect(get(parse(line(chain, flag, `-${flag.short}`, text)).run, flag)).toEqual(value);
        if (text !== '') expect(get(parse(line(chain, flag, `-${flag.short}${text}`)).run, flag)).toEqual(value);
        if (text !== '') expect(get(parse(line(chain, flag, `-${flag.short}=${text}`)).run, flag)).toEqual(value);
      }
    }
  });

  it('refuses every bad value with the exact text', () => {
    for (const flag of flags) {
      const name = flag.short === undefined ? `--${flag.name}` : `-${flag.short}, --${flag.name}`;
      for (const [text, why] of valuesOf(flag).bad) {
        const error = `invalid argument ${goQuote(text)} for "${name}" flag: ${why}`;
        expect(problem(() => parse(line(chain, flag, `--${flag.name}=${text}`)))).toBe(error);
      }
    }
  });

  it('wants a value where there must be one', () => {
    for (const flag of flags) {
      const bare = line(chain, flag, `--${flag.name}`);
      if (flag.kind === 'bool') expect(get(parse(bare).run, flag)).toBe(true);
      else expect(problem(() => parse(bare))).toBe(`flag needs an argument: --${flag.name}`);
      if (flag.short === undefined || flag.kind === 'bool') continue;
      const error = `flag needs an argument: '${flag.short}' in -${flag.short}`;
      expect(problem(() => parse(line(chain, flag, `-${flag.short}`)))).toBe(error);
    }
  });

  it('has the defaults of the table', () => {
    const { run } = parse(line(chain, undefined));
    const zero = { bool: false, string: '', strings: [], duration: 0, int: 0, float: 0, 'tablet-types': [], 'tablet-type': [] };
    for (const flag of flags.filter((other) => other.required !== true)) {
      expect(run.flags.given(flag.name)).toBe(false);
      if (flag.kind !== 'duration') expect(get(run, flag), flag.name).toEqual(flag.default ?? zero[flag.kind]);
    }
  });

  it('takes underscores for dashes, and says so once', () => {
    for (const flag of flags.filter((other) => other.name.includes('-'))) {
      const [text, value] = valuesOf(flag).good[0] ?? ['', ''];
      const typed = flag.name.replaceAll('-', '_');
      const { run, warned } = parse(line(chain, flag, `--${typed}=${text}`, `--${typed}=${text}`));
      const repeated = flag.kind === 'strings' ? [...(value as string[]), ...(value as string[])] : value;
      expect(get(run, flag)).toEqual(repeated);
      expect(warned).toEqual([`Flag --${typed} has been deprecated, use --${flag.name} instead `]);
    }
  });

  it('names what is required, in alphabetical order', () => {
    const required = flags.filter((flag) => flag.required === true).map((flag) => flag.name).sort();
    if (required.length === 0) return;
    const args = Array.from({ length: last(chain).args.min }, () => 'x');
    const error = `required flag(s) ${required.map((name) => `"${name}"`).join(', ')} not set`;
    expect(problem(() => parse([...commandPath(chain), ...args]))).toBe(error);
    // An explicit empty value counts as set.
    const empty = required.filter((name) => ['string', 'strings'].includes(flags.find((flag) => flag.name === name)?.kind ?? ''));
    expect(() => parse([...commandPath(chain), ...args, ...empty.map((name) => `--${name}=`)])).not.toThrow();
  });
});

/** The error's text; fails when there is none. */
function problem(fn: () => unknown): string {
  try {
    fn();
  } catch (error) {
    expect(error).toBeInstanceOf(UsageError);
    return (error as Error).message;
  }
  return 'no error';
}

function last(chain: CommandSpec[]): CommandSpec {
  return chain.at(-1) as CommandSpec;
}
