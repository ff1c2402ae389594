import { DATA_PROBLEMS } from './problems/data.ts';
import type { ProblemEntry } from './problems/entry.ts';
import { ENVIRONMENT_PROBLEMS } from './problems/environment.ts';
import { LEFTOVER_PROBLEMS } from './problems/leftovers.ts';
import { LOCK_PROBLEMS } from './problems/locks.ts';
import { STRAY_PROBLEMS } from './problems/strays.ts';
import { TRAFFIC_PROBLEMS } from './problems/traffic.ts';
import { WORKFLOW_PROBLEMS } from './problems/workflows.ts';

export type { ProblemEntry, Severity } from './problems/entry.ts';

/** The one table of problem codes, by the kind that the code reads. A code is never given to another kind. */
export const PROBLEMS = {
  ...LOCK_PROBLEMS,
  ...TRAFFIC_PROBLEMS,
  ...WORKFLOW_PROBLEMS,
  ...LEFTOVER_PROBLEMS,
  ...DATA_PROBLEMS,
  ...STRAY_PROBLEMS,
  ...ENVIRONMENT_PROBLEMS,
} as const satisfies Record<string, ProblemEntry>;

/** What can be wrong. */
export type ProblemKind = keyof typeof PROBLEMS;

/** The entry of a kind, as any other. */
export function problemEntry(kind: ProblemKind): ProblemEntry {
  return PROBLEMS[kind];
}

/** The kind that a code stands for, however it is spelled; undefined where there is none. */
export function kindOfCode(code: string): ProblemKind | undefined {
  const wanted = code.toUpperCase();
  return (Object.keys(PROBLEMS) as ProblemKind[]).find((kind) => PROBLEMS[kind].code === wanted);
}
