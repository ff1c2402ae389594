import type { ProblemKind } from '../../../lib/problems.ts';
import type { IntentFacts } from '../intents.ts';
import type { LockClientFacts, LockFacts } from '../locks.ts';
import type { RoutingFacts } from '../routing.ts';
import type { ShardFacts } from '../shard.ts';
import type { WorkflowFacts } from '../workflow.ts';

/** Something that a command left behind, and what puts it right. */
export interface Stranded {
  kind: ProblemKind;
  /** What it is about: `customer.c2c`, `commerce/0`, `commerce.customer`. */
  object: string;
  /** The keyspaces that it concerns, and the workflows as `keyspace/workflow`. */
  keyspaces: string[];
  workflows: string[];
  text: string;
  /** Who may still be about to put it right; then it may pass. */
  atWork: LockClientFacts | undefined;
  /** Commands without the program's name, to be run in order. Empty where time alone helps. */
  next: string[];
}

/** Everything that `findStranded` looks at. */
export interface Picture {
  keyspaces: string[];
  shards: ShardFacts[];
  routing: RoutingFacts;
  locks: LockFacts[];
  workflows: WorkflowFacts[];
  intents: IntentFacts[];
  /** Cells whose topology cannot be reached. */
  stoppedCells: string[];
}

/** What a detector finds; who is at work on it is asked of all of them at the end. */
export type Found = Omit<Stranded, 'atWork'>;

/** How the lock of a workflow is named. */
export function lockName({ keyspace, workflow }: { keyspace: string; workflow: string }): string {
  return `${keyspace}/${workflow}`;
}

/** Names without doubles, in the order in which they came; '' is none. */
export function unique(names: Iterable<string>): string[] {
  return [...new Set(names)].filter((name) => name !== '');
}

/** The aliases of these shards' primaries. */
export function primariesOf({ shards }: Pick<Picture, 'shards'>, names: readonly string[]): string[] {
  return shards.filter((shard) => names.includes(`${shard.keyspace}/${shard.shard}`)).flatMap(({ primary }) => primary ?? []);
}
