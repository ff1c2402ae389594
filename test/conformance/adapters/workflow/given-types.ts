import type { Fields } from '../../fields.ts';
import type { Scene } from '../../scene.ts';
import type { StageStep } from './stage.ts';

/** What `given` says of a case with a workflow. */
export interface Given {
  scene: Scene;
  /** Flags that the workflow is created with. */
  createFlags: string[];
  /** What is done before the workflow is made, and after. */
  early: StageStep[];
  steps: StageStep[];
  /** What is done last: streams could not go on after it. */
  late: StageStep[];
  /** Flags of the commands that `given` says something of. */
  flags: string[];
  /** Other workflows that `given` makes. */
  others: Scene['workflow'][];
  /** True if commands must not move the streams first, since `given` says how they are. */
  still: boolean;
}

/** Reads one field of `given`. */
export type Reader = (given: Fields, name: string, into: Given) => void;
