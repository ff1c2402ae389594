import type { ProblemEntry } from './entry.ts';

/** SWT09xx. */
export const ENVIRONMENT_PROBLEMS = {
  'tablet-down': {
    code: 'SWT0901',
    title: 'a tablet is stopped',
    severity: 'pending',
    meaning: 'A tablet has a record and does not run. A switch refreshes every tablet of its shards, and is refused or fails at one that does not answer.',
    causes: ['a tablet that crashed, or was taken away without DeleteTablets'],
    cure: 'Start it, or delete its record.',
  },
  'tablet-busy': {
    code: 'SWT0902',
    title: 'a tablet is in a backup or a restore',
    severity: 'pending',
    meaning: 'Its action lock is held, so that it cannot be refreshed: a switch waits for it in vain (vitessio/vitess#15630).',
    causes: ['a backup or a restore that is still running'],
    cure: 'Wait until it has ended.',
  },
  'cell-down': {
    code: 'SWT0903',
    title: "a cell's topology cannot be reached",
    severity: 'pending',
    meaning: 'The gates of the cell route by what they saw last, and nothing that is changed reaches them. A switch fails where it writes to every cell.',
    causes: ['the topology server of the cell is down, or cut off'],
    cure: 'Bring it back; then rebuild what it missed.',
  },
  'no-primary': {
    code: 'SWT0904',
    title: 'a shard has no primary',
    severity: 'blocking',
    meaning: 'The record of the shard names no primary, or one without a record. Nobody takes its writes, and every command on a workflow there fails.',
    causes: ["the primary's record was deleted (DeleteTablets --allow-primary)", 'a reparent that broke off (vitessio/vitess#16284, #17571)'],
    cure: 'Make one of its tablets primary.',
  },
} as const satisfies Record<string, ProblemEntry>;
