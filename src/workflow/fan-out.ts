import { aggregateErrors } from '../lib/errors.ts';
import { ExitFault } from '../lib/exit-fault.ts';
import { isStopped } from '../tablet/process.ts';
import type { ShardDb } from '../tablet/shard-db.ts';
import type { Tablet } from '../topo/proto/types.ts';
import { aliasText } from '../topo/tablets.ts';

/**
 * Runs an effect for each item, all of them even when some fail, and throws what failed as one error. One after another:
 * the order of effects is part of what a seed repeats. Those of tablets that are down come last and wait together, as in
 * Vitess they all begin at once: trafficSwitcher.ForAllSources.
 */
export async function forAll<T>(items: readonly T[], effect: (item: T) => Promise<void>): Promise<void> {
  const errors: unknown[] = [];
  const down: T[] = [];
  const run = async (item: T): Promise<void> => {
    try {
      await effect(item);
    } catch (error) {
      if (error instanceof ExitFault) throw error;
      // One that ends the whole fan-out is told once.
      if (!errors.includes(error)) errors.push(error);
    }
  };
  for (const item of items) {
    if (isDown(item)) down.push(item);
    else await run(item);
  }
  await Promise.all(down.map(run));
  if (errors.length > 0) throw aggregateErrors(errors);
}

/** True for a shard's member whose primary does not run. */
function isDown(item: unknown): boolean {
  const { db, primary } = item as { db?: ShardDb; primary?: Tablet };
  return db !== undefined && primary !== undefined && isStopped(db, aliasText(primary.alias));
}
