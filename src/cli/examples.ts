import { readdirSync } from 'node:fs';
import { resolve } from 'node:path';

/** Where the example clusters are: beside `dist` (or `src`) in the package. */
export const EXAMPLES = resolve(import.meta.dirname, '../../fixtures/clusters');

/** What an example may be called; anything else that names a cluster is a file. */
export const EXAMPLE_NAME = /^[a-z0-9-]+$/;

/** The names of the examples. */
export function exampleNames(): string[] {
  return readdirSync(EXAMPLES, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []));
}
