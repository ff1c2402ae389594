import type { FaultPoint } from '../runtime/failpoints.ts';

/** The steps of `doctor --fix`. What its commands do has steps of their own, at which its faults may be too. */
export const FIX_STEPS = {
  reap: 'doctor/fix/reap',
  lock: 'doctor/fix/lock',
  reread: 'doctor/fix/reread',
  snapshot: 'doctor/fix/snapshot',
  command: 'doctor/fix/command',
  verify: 'doctor/fix/verify',
  unlock: 'doctor/fix/unlock',
} as const;

/** `doctor/fix/command#3` is the third command of a fix; a plan may be long. */
const MOST_OCCURRENCES = 99;

/** Where a fault can be put in a fix. */
export const FIX_POINTS: readonly FaultPoint[] = Object.values(FIX_STEPS).map((name) => ({ name, occurrences: MOST_OCCURRENCES }));
