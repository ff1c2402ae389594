import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { checkRequired, commandFlags, commandPath, parseArgv, type ParsedRun } from '../../src/cli/argv.ts';
import { rootCommand } from '../../src/cli/commands.ts';
import type { FlagSpec } from '../../src/cli/spec.ts';

/** What cobra 1.10.2 and pflag 1.0.10 made of a command line, over a tree with the same commands and flags. */
interface Recorded {
  argv: string[];
  error?: string;
  kind?: 'run' | 'help' | 'version';
  path?: string[];
  args?: string[];
  set?: Record<string, string | string[]>;
  warn?: string[];
}

/** Vitess's commands only, as in the recording. */
const root = { ...rootCommand, subcommands: rootCommand.subcommands?.filter((sub) => sub.family === 'vtctldclient') ?? [] };
const cases = JSON.parse(readFileSync(new URL('recorded.json', import.meta.url), 'utf8')) as Recorded[];

function outcome(argv: string[]): Omit<Recorded, 'argv'> {
  const warn: string[] = [];
  const say = (line: string): void => {
    // Ours, about a mistake let pass.
    if (!line.startsWith('warning: ')) warn.push(line);
  };
  try {
    const parsed = parseArgv(root, argv, { hardened: false, warn: say });
    const warned = warn.length === 0 ? {} : { warn: warn.toSorted() };
    if (parsed.kind === 'version') return { kind: 'version', ...warned };
    if (parsed.kind === 'help') return { kind: 'help', path: commandPath(parsed.chain), ...warned };
    checkRequired(parsed);
    return { kind: 'run', path: commandPath(parsed.chain), args: [...parsed.args], set: given(parsed), ...warned };
  } catch (error) {
    return { error: (error as Error).message };
  }
}

function given(parsed: ParsedRun): Record<string, string | string[]> {
  const flags = commandFlags(parsed.chain).filter((flag) => flag.name !== 'help' && parsed.flags.given(flag.name));
  return Object.fromEntries(flags.map((flag) => [flag.name, valueOf(flag, parsed)]));
}

function valueOf({ name, kind }: FlagSpec, { flags }: ParsedRun): string | string[] {
  switch (kind) {
    case 'bool':
      return String(flags.bool(name));
    case 'string':
      return flags.str(name);
    case 'strings':
      return [...flags.strings(name)];
    case 'duration':
      return String(flags.duration(name));
    case 'int':
      return String(flags.int(name));
    case 'float':
      return String(flags.float(name)).replace(/^(-?)Infinity$/, (_, sign: string) => `${sign || '+'}Inf`);
    default:
      return flags.tabletTypes(name).join(',');
  }
}

describe('the command line, against the real library', () => {
  it('has cases of every kind', () => {
    const count = (test: (c: Recorded) => boolean): number => cases.filter(test).length;
    expect(count((c) => c.error !== undefined)).toBeGreaterThan(100);
    expect(count((c) => c.kind === 'run')).toBeGreaterThan(50);
    expect(count((c) => c.kind === 'help')).toBeGreaterThan(2);
  });

  it.each(cases.map((c) => [JSON.stringify(c.argv), c] as const))('%s', (_, { argv, ...expected }) => {
    const actual = outcome(argv);
    // Numbers are compared as numbers: Go prints floats its own way.
    expect(normal(actual)).toEqual(normal(expected));
  });
});

function normal(value: Omit<Recorded, 'argv'>): unknown {
  if (value.set === undefined) return value;
  const asNumber = (text: string | string[]): unknown => {
    const number = typeof text === 'string' && text !== '' ? Number(text) : Number.NaN;
    return Number.isNaN(number) ? text : Math.fround(number);
  };
  return { ...value, set: Object.fromEntries(Object.entries(value.set).map(([name, text]) => [name, asNumber(text)])) };
}
