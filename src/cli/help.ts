import { commandFlags, commandPath } from './argv.ts';
import type { CommandSpec, FlagKind, FlagSpec } from './spec.ts';

/**
 * Help in cobra's layout, from the tables. Nothing is wrapped, so that the text does not depend on the terminal.
 *
 * Go: cobra Command.UsageTemplate, pflag FlagSet.FlagUsages.
 */

const PROGRAM = 'switchtraffic';
/** Cobra's least width of the column of command names. */
const NAME_WIDTH = 11;

/** What pflag calls the value of each kind. */
const VALUE_WORD: Readonly<Record<FlagKind, string>> = {
  bool: '',
  string: 'string',
  strings: 'strings',
  duration: 'duration',
  'tablet-types': 'strings',
  'tablet-type': 'type',
  int: 'int',
  float: 'float32',
};

/** The help of the last command of a chain that starts at the root. Ends with a line feed. */
export function renderHelp(chain: readonly CommandSpec[]): string {
  const command = chain.at(-1);
  if (command === undefined) return '';
  return [
    command.long ?? command.about,
    ...usage(chain, command),
    section('Aliases:', command.aliases.length > 0 && [`  ${[command.name, ...command.aliases].join(', ')}`]),
    section('Examples:', command.examples.map((example) => `${PROGRAM} ${example}`)),
    ...subcommandSections(chain, command),
    ...flagSections(chain, command),
    command.subcommands !== undefined &&
      `Use "${words(chain)} [command] --help" for more information about a command.`,
  ]
    .filter((part) => part !== false)
    .join('\n\n')
    .concat('\n');
}

function words(chain: readonly CommandSpec[]): string {
  return [PROGRAM, ...commandPath(chain)].join(' ');
}

function usage(chain: readonly CommandSpec[], command: CommandSpec): (string | false)[] {
  // Bare `Workflow <keyspace>` runs on release lines only: help does not offer it.
  const runnable = command.load !== undefined && command.subcommands === undefined;
  const line = `  ${[words(chain), command.args.usage].join(' ').trim()}`;
  return [section('Usage:', [runnable ? line : `  ${words(chain)} [command]`])];
}

function subcommandSections(chain: readonly CommandSpec[], command: CommandSpec): (string | false)[] {
  const all = command.subcommands ?? [];
  if (chain.length > 1) return [section('Available Commands:', commandLines(all))];
  return [
    section("vtctldclient's Commands:", commandLines(all.filter((sub) => sub.family === 'vtctldclient'))),
    section("switchtraffic's Own Commands:", commandLines(all.filter((sub) => sub.family === 'own'))),
  ];
}

function commandLines(commands: readonly CommandSpec[]): string[] {
  const width = Math.max(NAME_WIDTH, ...commands.map((command) => command.name.length));
  return byName(commands).map((command) => `  ${command.name.padEnd(width)} ${command.about}`);
}

function flagSections(chain: readonly CommandSpec[], command: CommandSpec): (string | false)[] {
  const all = commandFlags(chain);
  if (chain.length === 1) return [section('Flags:', flagLines(all))];
  const isLocal = (flag: FlagSpec): boolean => flag.name === 'help' || command.flags.includes(flag);
  return [
    section('Flags:', flagLines(all.filter(isLocal))),
    section('Global Flags:', flagLines(all.filter((flag) => !isLocal(flag)))),
  ];
}

function flagLines(flags: readonly FlagSpec[]): string[] {
  const rows = byName(flags.filter((flag) => flag.hidden !== true)).map((flag) => ({
    left: flagColumn(flag),
    right: `${flag.about}${flag.required === true ? ' (required)' : ''}${defaultText(flag)}`,
  }));
  const width = Math.max(...rows.map((row) => row.left.length));
  return rows.map(({ left, right }) => `${left.padEnd(width)}   ${right}`);
}

function flagColumn(flag: FlagSpec): string {
  const word = flag.placeholder ?? VALUE_WORD[flag.kind];
  const name = flag.short === undefined ? `      --${flag.name}` : `  -${flag.short}, --${flag.name}`;
  return word === '' ? name : `${name} ${word}`;
}

/** pflag shows a default unless it is the kind's zero value, and quotes strings. */
function defaultText(flag: FlagSpec): string {
  const value = flag.default;
  if (value === undefined || value === false || value === '' || value === 0) return '';
  if (flag.kind === 'string') return ` (default "${String(value)}")`;
  if (flag.kind === 'strings') return ` (default [${flag.default?.join(',') ?? ''}])`;
  return ` (default ${flag.shown ?? String(value)})`;
}

function section(title: string, lines: readonly string[] | false): string | false {
  return lines !== false && lines.length > 0 && [title, ...lines].join('\n');
}

function byName<T extends { readonly name: string }>(items: readonly T[]): T[] {
  return items.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}
