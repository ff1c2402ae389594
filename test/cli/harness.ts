import { rootCommand } from '../../src/cli/commands.ts';
import type { Io, OutStream } from '../../src/cli/io.ts';
import { main } from '../../src/cli/main.ts';
import type { CommandSpec, Handler, Invocation } from '../../src/cli/spec.ts';

/** What a run left behind. */
export interface Result {
  exit: number;
  stdout: string;
  stderr: string;
  /** The invocation the handler got, if it was called. */
  inv: Invocation | undefined;
}

export interface RunOptions {
  env?: Record<string, string>;
  /** Instead of a handler that succeeds silently. */
  handler?: Partial<Handler>;
  stdout?: Partial<OutStream>;
}

/** 27 March 2026 19:29:27.123 UTC. */
export const NOW = Date.UTC(2026, 2, 27, 19, 29, 27, 123);

/** Runs a command line over the real command table with every handler replaced. */
export async function run(argv: readonly string[], options: RunOptions = {}): Promise<Result> {
  const result: Result = { exit: -1, stdout: '', stderr: '', inv: undefined };
  const handler: Handler = {
    ...options.handler,
    run: async (inv) => {
      result.inv = inv;
      return (await options.handler?.run?.(inv)) ?? 0;
    },
  };
  const io: Io = {
    stdout: { write: (text) => void (result.stdout += text), isTTY: false, columns: 0, ...options.stdout },
    stderr: { write: (text) => void (result.stderr += text), isTTY: false, columns: 0 },
    env: options.env ?? {},
    cwd: '/',
    now: () => NOW,
  };
  result.exit = await main(argv, io, { root: withHandler(rootCommand, handler) });
  return result;
}

function withHandler(spec: CommandSpec, handler: Handler): CommandSpec {
  const { load, subcommands, ...rest } = spec;
  return {
    ...rest,
    ...(load === undefined ? {} : { load: async () => handler }),
    ...(subcommands === undefined ? {} : { subcommands: subcommands.map((sub) => withHandler(sub, handler)) }),
  };
}

/** Every command of a tree as the chain that leads to it, parents included. */
export function allChains(root: CommandSpec = rootCommand): CommandSpec[][] {
  const below = (chain: CommandSpec[]): CommandSpec[][] => [
    chain,
    ...(chain.at(-1)?.subcommands ?? []).flatMap((sub) => below([...chain, sub])),
  ];
  return below([root]);
}
