import { GATE } from './behaviours/gate.ts';
import { LOCKS_AND_CHECKS } from './behaviours/locks-and-checks.ts';
import { NOT_BUILT } from './behaviours/not-built.ts';
import { PARTIAL } from './behaviours/partial.ts';
import { RESHARD } from './behaviours/reshard.ts';
import type { AnyRow, WaitsFor } from './behaviours/row.ts';
import { SEQUENCES } from './behaviours/sequences.ts';
import { SWITCHING } from './behaviours/switching.ts';
import { TABLETS } from './behaviours/tablets.ts';
import { TENANTS } from './behaviours/tenants.ts';
import { VDIFF } from './behaviours/vdiff.ts';
import { WORKFLOWS } from './behaviours/workflows.ts';

/**
 * What the releases of Vitess do differently, as one table. Code asks for a behaviour, never for a version. Each row
 * is either read by the code and shown by a run, or says what it waits for.
 *
 * Facts: Vitess at the tags named, and the pull requests in `refs`. Rows are in ./behaviours/, by what they are about.
 */
export const BEHAVIOURS = {
  ...SWITCHING,
  ...LOCKS_AND_CHECKS,
  ...WORKFLOWS,
  ...PARTIAL,
  ...TENANTS,
  ...RESHARD,
  ...SEQUENCES,
  ...TABLETS,
  ...GATE,
  ...VDIFF,
  ...NOT_BUILT,
} satisfies Record<string, AnyRow>;

export type BehaviourName = keyof typeof BEHAVIOURS;

/** Rows that nothing reads yet. */
export type WaitingName = { [K in BehaviourName]: (typeof BEHAVIOURS)[K] extends { waitsFor: WaitsFor } ? K : never }[BehaviourName];

/** Rows that the code reads, and that a run shows. */
export type BuiltName = Exclude<BehaviourName, WaitingName>;

/** The behaviours of one release. */
export type Behaviours = { readonly [K in BehaviourName]: (typeof BEHAVIOURS)[K]['hardened'] };
