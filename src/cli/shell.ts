import type { Context } from '../runtime/context.ts';
import type { ClusterHost } from './host.ts';
import type { Io, OutStream } from './io.ts';
import { main } from './main.ts';
import { withoutSignals } from './signals.ts';

/** What a command line answered. */
export interface ShellResult {
  exit: number;
  stdout: string;
  stderr: string;
}

/** How one line is run. */
export interface ShellOptions {
  env?: Io['env'];
  /** The context that it runs under: it ends with it, and has the locks that it lends. */
  parent?: Context;
}

/** Runs literal command lines in this process, with the real command table, against one host. */
export type Shell = (argv: readonly string[], options?: ShellOptions) => Promise<ShellResult>;

/** Where a shell stands. */
export interface ShellSettings {
  /** Resolves when the command's process has died by a `panic`. */
  died?: () => Promise<void>;
  /** Where relative paths start. */
  cwd?: string;
  /** Files that a line names must lie in this folder. */
  within?: string;
}

/**
 * The shell handed down to whatever runs command lines: scenarios, the demo, the explorer, tests. A command that dies
 * by a `panic` never settles, so `died` says when to stop waiting for it: as a killed process, 137.
 */
export function makeShell(host: ClusterHost, settings: ShellSettings = {}): Shell {
  const { died, cwd = '.', within } = settings;
  return async (argv, options = {}) => {
    const stdout = new Captured();
    const stderr = new Captured();
    const io: Io = { stdout, stderr, env: options.env ?? {}, cwd, now: () => 0, ...(within === undefined ? {} : { within }) };
    const running = main(argv, io, { host, withSignals: withoutSignals, parent: options.parent });
    const killed = died?.().then(() => 137) ?? new Promise<never>(() => {});
    const exit = await Promise.race([running, killed]);
    return { exit, stdout: stdout.text, stderr: stderr.text };
  };
}

class Captured implements OutStream {
  readonly isTTY = false;
  readonly columns = 0;
  text = '';

  write(text: string): void {
    this.text += text;
  }
}
