import type { ProblemKind } from '../../../src/lib/problems.ts';
import type { State } from './state.ts';

/** A cluster as literal command lines, and what an application does with it. */
export interface Ground {
  name: string;
  /** `init` of an example or of a file; the release is added. */
  init: string;
  /** Then these; each has to end with 0. */
  lines: readonly string[];
  /** Every table that an application uses, under the name that it uses. */
  tables: readonly Table[];
  /** Suffixes of targets: '' for the primary, `@replica`, `@rdonly`. */
  types: readonly string[];
  /** The cells whose gates are asked; the first cell where none is named. */
  cells?: readonly string[];
}

/** A table of an application. */
export interface Table {
  /** As a statement names it. */
  name: string;
  /** `--target`, where a statement cannot say which keyspace. */
  target?: string;
  /** What tells one row from another. */
  key: string;
  /** Values of a new row, in the order of the columns. */
  columns: string;
  row(id: number): string;
}

/**
 * Something that happens to a cluster:
 * a command line that has to end with 0; one that fails, and what it says; one whose process dies;
 * one during which other things happen (it waits where a `--fault` of its line has it sleep); time that passes.
 */
export type Act =
  | string
  | { fails: string; says?: string }
  | { dies: string }
  | { while: string; acts: readonly Act[]; fails?: string }
  | { wait: string };

/** A stranded state: how it comes about, how it is told, and what a doctor has to say. */
export interface Strand {
  /** K1..K55 of the engine sheet; with a letter where one has several. */
  id: string;
  about: string;
  ground: Ground;
  /** The newest release that strands it, and older ones. */
  releases: readonly string[];
  /** Its own: nothing is written into records that a command would not write. */
  trigger: readonly Act[];
  /** What the records say then, in full for each part that is named. */
  state: Partial<State>;
  /** Kinds that a doctor has to name. */
  finds: readonly ProblemKind[];
  /** How many ways lead out, each of which is tried in a world of its own. One, where it says nothing. */
  ways?: number;
  /** What stands in the way and is nothing of Vitess: the operator ends it before the printed commands are run. */
  before?: readonly Act[];
  /** Data is gone, for all that anybody knows: a doctor says so, goes on saying it, and prints nothing to run for it. */
  gone?: true;
}

/** An entry of the sheets that is not built here, or that leaves no state behind. */
export interface LeftOut {
  id: string;
  what: string;
  why: string;
  /** Where it can be brought about all the same: a doctor has nothing to say of it then. */
  harmless?: { ground: Ground; release: string; trigger: readonly Act[] };
}
