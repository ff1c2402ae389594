import type { Context } from '../runtime/context.ts';
import type { VirtualClock } from '../runtime/clock.ts';
import type { Pauses } from '../runtime/pauses.ts';
import type { WorldEvent } from '../runtime/events.ts';
import type { Cluster } from '../tablet/cluster.ts';

/** A command that ran: what it answered, and what happened in its world. */
export interface Ran {
  exit: number;
  stdout: string;
  stderr: string;
  /** Each fault that was armed, with how often its place was reached and how often it fired. */
  faults: { text: string; evaluated: number; fired: number }[];
  events: WorldEvent[];
}

/**
 * A world of its own, with a cluster in it, for one run of a scenario. The command line hands it in, so that nothing here
 * knows how commands are found.
 */
export interface Rig {
  readonly clock: VirtualClock;
  /** Where commands wait at a `pause`. */
  readonly pauses: Pauses;
  /** Runs a command line, each as a process of its own; several may run at once. */
  run(argv: readonly string[]): Promise<Ran>;
  /** Reads the cluster from outside: no command, no time, no effect. */
  observe<T>(body: (ctx: Context, cluster: Cluster) => Promise<T>): Promise<T>;
  /** The cluster as a process of its own sees it, until it leaves. */
  attach(): Promise<{ ctx: Context; cluster: Cluster; leave: () => Promise<void> }>;
  /** Remembers this moment; the function goes back to it. False: the cluster was replaced since, and it cannot. */
  mark(): () => boolean;
  close(): void;
}

/** What the runner needs from outside of the worlds it opens. */
export interface Rigs {
  /** A rig with chance starting at `seed`; in `folder` on disk if one is given. Files that commands name lie below `files`. */
  open(options: { seed: number; files: string; folder?: string }): Rig;
  /** Throws for a command line that no command would take. */
  check(argv: readonly string[], vitess: string): void;
  /** The text of a file beside a scenario, or undefined if it is not there. Throws UserError for one outside its folder. */
  readText(folder: string, name: string): string | undefined;
  /** Milliseconds of the machine's clock, for durations in reports. */
  now(): number;
}
