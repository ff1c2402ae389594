/** The steps of `doctor --fix`, for whoever puts faults at them. What its commands do has steps of their own. */
export const FIX_STEPS = {
  lock: 'doctor/fix/lock',
  reap: 'doctor/fix/reap',
  reread: 'doctor/fix/reread',
  snapshot: 'doctor/fix/snapshot',
  command: 'doctor/fix/command',
  verify: 'doctor/fix/verify',
  unlock: 'doctor/fix/unlock',
} as const;

/** How often each may be told apart: `doctor/fix/command#3` is the third command of a fix. */
export const MOST_OCCURRENCES = 99;
