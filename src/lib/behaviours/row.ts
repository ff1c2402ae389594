/** What a row may hold. */
export type Value = string | number | boolean;

/** Where a behaviour is felt: the chapters of the table, in their order. */
export const AREAS = {
  'roll-back': 'Roll-back of a failed switch',
  switch: 'Switching traffic',
  journal: 'Past the point of no return',
  locks: 'Locks',
  checks: 'Checks before a switch',
  reverse: 'The reverse workflow',
  create: 'Create',
  ending: 'Cancel and complete',
  streams: 'Start and stop',
  rules: 'Denied tables, mirror and routing rules',
  tenants: 'Multi-tenant moves',
  sequences: 'Sequences',
  reshard: 'Reshard',
  tablets: 'Tablets that do not answer',
  gate: 'The gate',
  vdiff: 'VDiff',
} as const;

export type Area = keyof typeof AREAS;

/** What has to be built before a row can be read and shown. A closed set: a row waits for one of these or for nothing. */
export const WAITS_FOR = [
  'Reshard',
  'two-phase commit',
  'start-up of the gate',
] as const;

export type WaitsFor = (typeof WAITS_FOR)[number];

/** Plain words for each value. */
export type Words<T extends Value> = { readonly [V in `${T}`]: string };

/**
 * One thing that releases do differently.
 *
 * `since` maps a release to the value from there on. An entry `N.0.0` holds for line N and every later line;
 * an entry with a patch (`21.0.3`) holds from that patch to the end of its own line only, since the same change
 * reached each line in a patch of its own.
 */
export interface BehaviourRow<T extends Value> {
  area: Area;
  /** A question's subject: "how long a roll-back may take"; a statement where the values are yes and no. */
  about: string;
  refs: string;
  words: Words<T>;
  hardened: T;
  since: Readonly<Record<string, T>>;
}

/** A row that nothing reads yet, and what it waits for. */
export interface WaitingRow<T extends Value> extends BehaviourRow<T> {
  waitsFor: WaitsFor;
}

/** Any row, where its values are only passed on. */
export type AnyRow = Omit<BehaviourRow<Value>, 'words'> & { words: Readonly<Record<string, string>>; waitsFor?: WaitsFor };

export const YES_NO = { true: 'yes', false: 'no' } as const;

/** A row that the program reads: a run has to show it. */
export function row<T extends Value>(
  area: Area,
  about: string,
  refs: string,
  words: Words<T>,
  hardened: NoInfer<T>,
  since: Readonly<Record<string, NoInfer<T>>>,
): BehaviourRow<T> {
  return { area, about, refs, words, hardened, since };
}

/** A statement that is true or not. */
export function yesNo(area: Area, about: string, refs: string, hardened: boolean, since: Readonly<Record<string, boolean>>): BehaviourRow<boolean> {
  return { area, about, refs, words: YES_NO, hardened, since };
}

/** A row whose feature is not built. */
export function waiting<T extends Value>(waitsFor: WaitsFor, of: BehaviourRow<T>): WaitingRow<T> {
  return { ...of, waitsFor };
}
