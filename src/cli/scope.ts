import type { Context } from '../runtime/context.ts';
import type { WorldEvent } from '../runtime/events.ts';
import type { Cluster } from '../tablet/cluster.ts';

/** What a command's handler works with. */
export interface CommandScope {
  ctx: Context;
  cluster: Cluster;
  /** Everything that happened so far, in order. */
  events: readonly WorldEvent[];
}
