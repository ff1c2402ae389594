import { aggregateErrors } from '../lib/errors.ts';
import { ExitFault } from '../lib/exit-fault.ts';

/**
 * Runs an effect for each item, all of them even when some fail, and throws what failed as one error.
 * One after another: the order of effects is part of what a seed repeats. Vitess: trafficSwitcher.ForAllSources.
 */
export async function forAll<T>(items: readonly T[], effect: (item: T) => Promise<void>): Promise<void> {
  const errors: unknown[] = [];
  for (const item of items) {
    try {
      await effect(item);
    } catch (error) {
      if (error instanceof ExitFault) throw error;
      errors.push(error);
    }
  }
  if (errors.length > 0) throw aggregateErrors(errors);
}
