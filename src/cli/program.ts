import { Command } from 'commander';
import { commandPath } from './argv.ts';
import { renderHelp } from './help.ts';
import type { CommandSpec } from './spec.ts';

/*
 * commander holds the command tree, finds a command by its words, calls its action and is asked for its help.
 * It does not read flags: pflag's dialect (`--dry-run=false`, `-wx`, `--target_keyspace`, cobra's order of checks and
 * every error text) is not its own, so argv.ts has read the whole line before, and commander gets nothing but
 * canonical words that are known to be right. That is also why it never has a text of its own to print.
 */

/** What is done when a command is called; `chain` runs from the root to it. */
export type Action = (chain: readonly CommandSpec[]) => Promise<void>;

/** The commander program for a tree of commands. */
export function buildProgram(root: CommandSpec, action: Action): Command {
  return toCommand([root], action, () => true);
}

/** The part of a program that calls one command: those of its chain. */
interface Caller {
  chain: readonly CommandSpec[];
  program: Command;
  action: Action;
}

/** By the command: scenarios call the same ones again and again. */
const callers = new WeakMap<CommandSpec, Caller>();

function callerOf(chain: readonly CommandSpec[]): Caller {
  const command = chain.at(-1) as CommandSpec;
  const known = callers.get(command);
  if (known?.chain.every((spec, index) => spec === chain[index]) === true) return known;
  const caller: Caller = {
    chain,
    program: toCommand([chain[0] as CommandSpec], (found) => caller.action(found), (spec) => chain.includes(spec)),
    action: () => Promise.resolve(),
  };
  callers.set(command, caller);
  return caller;
}

function toCommand(chain: readonly CommandSpec[], action: Action, wanted: (spec: CommandSpec) => boolean): Command {
  const spec = chain.at(-1) as CommandSpec;
  const command = new Command(spec.name)
    .aliases(spec.aliases)
    .summary(spec.about)
    .helpOption(false)
    .helpCommand(false)
    .exitOverride()
    .configureHelp({ formatHelp: () => renderHelp(chain) });
  if (spec.load !== undefined) command.action(() => action(chain));
  for (const sub of spec.subcommands ?? []) if (wanted(sub)) command.addCommand(toCommand([...chain, sub], action, wanted));
  return command;
}

/** Has one command called, with what is to be done then. */
export async function dispatch(chain: readonly CommandSpec[], action: Action): Promise<void> {
  const caller = callerOf(chain);
  // Several may be under way: commander calls the action before it first waits for anything.
  caller.action = action;
  await caller.program.parseAsync(commandPath(chain), { from: 'user' });
}

/** The help of one command. */
export function helpOf(program: Command, chain: readonly CommandSpec[]): string {
  let command = program;
  for (const word of commandPath(chain)) command = command.commands.find((sub) => sub.name() === word) ?? command;
  return command.helpInformation();
}
