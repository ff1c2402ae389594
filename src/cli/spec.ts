import type { Io } from './io.ts';
import type { TabletType } from '../lib/names.ts';
import type { Context } from '../runtime/context.ts';

/**
 * Commands as data. Parser, help, and whatever lists commands later (documents, completions) read these records;
 * no flag or command is described anywhere else.
 */

interface FlagBase {
  readonly name: string;
  readonly short?: string;
  /** One line of help: what it does. */
  readonly about: string;
  readonly required?: true;
  /** The word for the value in help; the kind's usual word when absent. */
  readonly placeholder?: string;
  /** How help shows the default, where the value itself would read otherwise. */
  readonly shown?: string;
  /** Accepted, but not shown in help: flags that mean nothing here and stand in people's runbooks. */
  readonly hidden?: true;
}

/** A flag: its kind decides how a value is read, what a wrong one is told, and which getter gives it. */
export type FlagSpec = FlagBase &
  (
    | { readonly kind: 'bool'; readonly default?: boolean }
    | { readonly kind: 'string'; readonly default?: string; readonly choices?: readonly string[] }
    /** CSV, appended when repeated; `raw` takes each occurrence whole. */
    | { readonly kind: 'strings'; readonly default?: readonly string[]; readonly raw?: true }
    /** Go syntax; the default is in Go's own spelling (`1h0m0s`). */
    | { readonly kind: 'duration'; readonly default?: string }
    /** A comma list; the last occurrence wins. */
    | { readonly kind: 'tablet-types'; readonly default?: readonly TabletType[] }
    /** One type; its getter gives a list of one. */
    | { readonly kind: 'tablet-type'; readonly default?: readonly TabletType[] }
    | { readonly kind: 'int'; readonly default?: number }
    | { readonly kind: 'float'; readonly default?: number }
  );

/** The kinds of flag. */
export type FlagKind = FlagSpec['kind'];

/** How many positional arguments a command takes, and how its usage line writes them. */
export interface ArgsSpec {
  readonly min: number;
  /** Infinity: any number. */
  readonly max: number;
  readonly usage: string;
}

/** `vtctldclient`: its names, texts and exit codes are Vitess's. `own`: ours. */
export type Family = 'vtctldclient' | 'own';

/** What a handler module exports. */
export interface Handler {
  /**
   * The command's own checks that come before the one for required flags (Vitess's PreRunE).
   * Throws UserError.
   */
  validate?(inv: Invocation): void;
  /** Does the work; resolves to the exit status. */
  run(inv: Invocation): Promise<number>;
}

/** One command or parent of commands. */
export interface CommandSpec {
  readonly name: string;
  readonly aliases: readonly string[];
  /** One line, no full stop. */
  readonly about: string;
  /** What help prints first; `about` when absent. */
  readonly long?: string;
  /** Complete command lines, without the program's name. */
  readonly examples: readonly string[];
  /** Its own flags; subcommands accept them too. */
  readonly flags: readonly FlagSpec[];
  readonly args: ArgsSpec;
  readonly subcommands?: readonly CommandSpec[];
  readonly family: Family;
  /** The handler, loaded when the command is called. Absent: the command only has subcommands. */
  readonly load?: () => Promise<Handler>;
}

/** Flag values by name. A getter of the wrong kind, or for a flag the command lacks, throws InvariantError. */
export interface Flags {
  /** True when the flag stood on the command line, whatever its value. */
  given(name: string): boolean;
  bool(name: string): boolean;
  /** `''` when there is neither value nor default. */
  str(name: string): string;
  strings(name: string): readonly string[];
  /** Milliseconds (with a fraction below one); 0 when there is neither value nor default. */
  duration(name: string): number;
  tabletTypes(name: string): readonly TabletType[];
  int(name: string): number;
  float(name: string): number;
}

/** One call of one command: what a handler gets. */
export interface Invocation {
  /** Canonical names from the top, e.g. `['MoveTables', 'switchtraffic']` also when an alias was typed. */
  readonly path: readonly string[];
  readonly spec: CommandSpec;
  /** What was typed, without the program's name. */
  readonly commandLine: readonly string[];
  /** Positional arguments, their number checked. */
  readonly args: readonly string[];
  readonly flags: Flags;
  readonly io: Io;
  /** Aborted when the process is told to stop. */
  readonly signal: AbortSignal;
  /** False when a Vitess release was asked for: its mistakes are then let pass, with a warning. */
  readonly hardened: boolean;
  /** What the caller of `main` handed in (an in-process shell's world); undefined on the real command line. */
  readonly host: unknown;
  /** The context of the command that runs this one, with what it lends; undefined where nothing is above. */
  readonly parent?: Context | undefined;
}
