import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { UserError } from '../lib/errors.ts';
import { suggest } from '../lib/suggest.ts';
import type { ClusterFile } from '../report/cluster-file/schema.ts';
import { clusterSpec } from '../report/cluster-file/spec.ts';
import type { ClusterSpec, SqlSource } from '../tablet/bootstrap.ts';
import type { VSchemaKeyspace } from '../topo/proto/types.ts';

/** Where the examples are: beside `dist` (or `src`) in the package. */
const EXAMPLES = resolve(import.meta.dirname, '../../fixtures/clusters');

/** What an example may be called; anything else that names a cluster is a file. */
export const EXAMPLE_NAME = /^[a-z0-9-]+$/;

/** The names of the examples. */
export function exampleNames(): string[] {
  return readdirSync(EXAMPLES).toSorted();
}

/** True for the name of an example. */
export function isExample(name: string): boolean {
  return EXAMPLE_NAME.test(name) && existsSync(join(EXAMPLES, name));
}

/**
 * An example: a cluster file in JSON, which loads without the libraries that files from people need. A test holds that
 * each is right. Throws UserError for an unknown name, and for keyspaces to leave out that it does not have.
 */
export function readExample(name: string, without: readonly string[] = []): ClusterSpec {
  if (!isExample(name)) throw unknownExample(name);
  const folder = join(EXAMPLES, name);
  const file = JSON.parse(readFileSync(join(folder, 'cluster.json'), 'utf8')) as ClusterFile;
  const names = Object.keys(file.keyspaces);
  const unknown = without.find((part) => !names.includes(part));
  if (unknown !== undefined) {
    throw new UserError(`the example ${name} has no keyspace "${unknown}" to leave out`, { next: `it has: ${names.join(', ')}`, exit: 2 });
  }
  const source = (path: string): SqlSource => ({ name: path, chunks: () => [readFileSync(join(folder, path))] });
  const spec = clusterSpec(file, {
    // Written in the form in which records are kept.
    vschema: (keyspace) => (file.keyspaces[keyspace]?.vschema ?? {}) as VSchemaKeyspace,
    sources: (keyspace, field) => [file.keyspaces[keyspace]?.[field] ?? []].flat().map(source),
    rules: {},
  });
  return { ...spec, keyspaces: spec.keyspaces.filter((keyspace) => !without.includes(keyspace.name)) };
}

/** What to say to somebody who named no example that there is. */
export function unknownExample(name: string | undefined): UserError {
  const there = exampleNames();
  const next = `the examples are: ${there.join(', ')}; a cluster file is named with its path`;
  if (name === undefined) return new UserError('name an example, or a cluster file', { next, exit: 2 });
  const near = suggest(name, there);
  const hint = near === undefined ? '' : `; did you mean "${near}"?`;
  return new UserError(`there is no example "${name}"${hint}`, { next, exit: 2 });
}
