import type { MigrationKind } from '../switcher.ts';

/** What a switch is asked to do, as far as the order of its steps depends on it. */
export interface SwitchPath {
  /** By which records its traffic is switched. */
  kind: MigrationKind;
  reads: boolean;
  writes: boolean;
  /** Journals exist: only what follows them is left to do. */
  resume: boolean;
  /** Whether the reverse workflow is to run afterwards. */
  reverseReplication: boolean;
  /** Mirror rules exist for reads of replicas, and of primaries. */
  readsMirrored: boolean;
  writesMirrored: boolean;
  /** `--initialize-target-sequences` was asked for. */
  sequences: boolean;
}

/** The usual switch: tables, everything, from the beginning. */
export const FULL_PATH: SwitchPath = {
  kind: 'tables',
  reads: true,
  writes: true,
  resume: false,
  reverseReplication: true,
  readsMirrored: false,
  writesMirrored: false,
  sequences: false,
};
