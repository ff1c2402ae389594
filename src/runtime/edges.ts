/**
 * Where in a step a fault strikes. `before`: its effect is not there. `mid`: between two targets of a step that works target by
 * target, some done and some not. `commit`: inside a transaction that it writes, which is not committed. `after`: its effect is
 * there, and the caller is told that it failed.
 */
export type Edge = 'before' | 'mid' | 'commit' | 'after';

/** All of them, in the order in which a step comes by. */
export const EDGES: readonly Edge[] = ['before', 'mid', 'commit', 'after'];

/** Those that every step has. */
export const OUTER_EDGES: readonly Edge[] = ['before', 'after'];

/** The edges of a step: `mid` needs several targets, `commit` something that is written. */
export function edgesOf(step: { about: string; perTarget?: boolean; looks?: boolean }): readonly Edge[] {
  return EDGES.filter((edge) => (edge === 'mid' ? step.perTarget === true : edge === 'commit' ? step.looks !== true : true));
}

export function isEdge(text: string): text is Edge {
  return (EDGES as readonly string[]).includes(text);
}
