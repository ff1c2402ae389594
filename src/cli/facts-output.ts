import type { Invocation } from './spec.ts';

/**
 * Prints a document of ours: two spaces, and null for what is not there, so that every document of a kind has the
 * same keys.
 */
export function printFacts(inv: Invocation, facts: object): void {
  inv.io.stdout.write(`${JSON.stringify(facts, (_key, value: unknown) => (value === undefined ? null : value), 2)}\n`);
}
