import type { z } from 'zod';
import { findRelease } from '../../lib/releases.ts';
import type { ClusterSpec, SqlSource } from '../../tablet/bootstrap.ts';
import { fromProtojson } from '../../topo/proto/decode.ts';
import * as messages from '../../topo/proto/messages-vschema.ts';
import type { MessageType } from '../../topo/proto/schema.ts';
import type { VSchemaKeyspace } from '../../topo/proto/types.ts';
import { checkShape } from '../input/check-shape.ts';
import { decodeText, FileError } from '../input/place.ts';
import { type PathPart, readYaml, type YamlFile } from '../input/yaml.ts';
import { checkKeyspaces } from './check-keyspaces.ts';
import { checkRuleTargets } from './check-rules.ts';
import { checkVSchema } from './check-vschema.ts';
import { LocatedFile } from './located.ts';
import { recordSchema } from './record-schema.ts';
import { type ClusterFile, clusterFile } from './schema.ts';
import { clusterSpec, type ResolvedParts } from './spec.ts';

/** How the files that a cluster file names are reached: the caller knows folders and what may be read. */
export interface InputFiles {
  /** The name of a file as messages give it. */
  nameOf(path: string): string;
  /** A whole small file. Throws UserError. */
  bytes(path: string): Uint8Array;
  /** A file of any size to be read later, in pieces. Throws UserError unless it can be read. */
  source(path: string): SqlSource;
}

/** A cluster file that was read and found right. */
export interface ReadCluster {
  /** The version it names, as it is written there. */
  vitess: string | undefined;
  /** The topology server it names. */
  topo: string | undefined;
  spec: ClusterSpec;
}

/** More than anybody writes by hand; rows belong into files of their own. */
const MOST_BYTES = 4 << 20;

/** Reads a cluster file and all it names but the SQL. Throws FileError with the place of the first thing that is wrong. */
export function readClusterFile(name: string, bytes: Uint8Array, files: InputFiles): ReadCluster {
  const yaml = parse(name, bytes);
  const file = checkShape(yaml, clusterFile);
  const at = new LocatedFile(yaml);
  const vitess = file.vitess === undefined ? undefined : String(file.vitess);
  if (vitess !== undefined) at.check(['vitess'], () => findRelease(vitess));
  const vschemas = readVSchemas(file, at, files);
  checkKeyspaces(file, at);
  for (const [keyspace, vschema] of vschemas) checkVSchema(file, keyspace, vschema, at);
  const rules = readRules(file, at, files);
  checkRuleTargets(file, vschemas, rules, at);
  const sources = readSources(file, at, files, name);
  const spec = clusterSpec(file, {
    rules,
    vschema: (keyspace) => vschemas.get(keyspace) ?? {},
    sources: (keyspace, field) => sources.get(`${field} ${keyspace}`) ?? [],
  });
  return { vitess, topo: file.topo_implementation, spec };
}

function parse(name: string, bytes: Uint8Array): YamlFile {
  if (bytes.length > MOST_BYTES) {
    throw new FileError({ file: name, line: 1, column: 1 }, `${Math.ceil(bytes.length / 2 ** 20)} MiB are too much for this file`, 'put rows into a .sql file and name it');
  }
  return readYaml(name, decodeText(name, bytes));
}

/** The value at a path, from the file that it names where it is a name. */
function inlined<T>(value: T | string, path: readonly PathPart[], schema: z.ZodType<T>, at: LocatedFile, files: InputFiles): T {
  if (typeof value !== 'string') return value;
  const bytes = at.check(path, () => files.bytes(value));
  const other = parse(files.nameOf(value), bytes);
  const read = checkShape(other, schema);
  at.replace(path, other);
  return read;
}

function readVSchemas(file: ClusterFile, at: LocatedFile, files: InputFiles): Map<string, VSchemaKeyspace> {
  const schema = recordSchema(messages.Keyspace) as z.ZodType<VSchemaKeyspace>;
  const read = Object.entries(file.keyspaces).map(([name, entry]) => {
    const path = ['keyspaces', name, 'vschema'];
    const value = inlined(entry?.vschema ?? {}, path, schema, at, files);
    return [name, record(messages.Keyspace, value, path, at)] as const;
  });
  return new Map(read);
}

/** The record in the form it is kept in. */
function record<T extends object>(type: MessageType<T>, value: unknown, path: readonly PathPart[], at: LocatedFile): T {
  return at.check(path, () => fromProtojson(type, value, { unknownFields: 'refuse' }));
}

function readRules(file: ClusterFile, at: LocatedFile, files: InputFiles): ResolvedParts['rules'] {
  const of = <T extends { rules?: unknown[] }>(field: 'routing_rules' | 'shard_routing_rules' | 'keyspace_routing_rules' | 'mirror_rules', type: MessageType<T>): T | undefined => {
    const given = file[field];
    if (given === undefined || given === null) return undefined;
    const schema = clusterFile.shape[field] as unknown as z.ZodType<unknown>;
    const value = inlined<unknown>(given, [field], schema, at, files);
    if (typeof value === 'string') throw at.wrong([field], 'this file holds no rules but the name of another');
    return record(type, Array.isArray(value) ? { rules: value as unknown[] } : (value ?? {}), [field], at);
  };
  const routing = of('routing_rules', messages.RoutingRules);
  const shard = of('shard_routing_rules', messages.ShardRoutingRules);
  const keyspace = of('keyspace_routing_rules', messages.KeyspaceRoutingRules);
  const mirror = of('mirror_rules', messages.MirrorRules);
  return {
    ...(routing && { routingRules: routing }),
    ...(shard && { shardRoutingRules: shard }),
    ...(keyspace && { keyspaceRoutingRules: keyspace }),
    ...(mirror && { mirrorRules: mirror }),
  };
}

/** What is to be loaded, by field and keyspace; that every file can be read is known then. */
function readSources(file: ClusterFile, at: LocatedFile, files: InputFiles, name: string): Map<string, SqlSource[]> {
  const found = new Map<string, SqlSource[]>();
  for (const [keyspace, entry] of Object.entries(file.keyspaces)) {
    for (const field of ['schema', 'rows'] as const) {
      const given = entry?.[field] ?? [];
      const path = ['keyspaces', keyspace, field];
      const sources = typeof given === 'string' ? [sourceOf(given, path, at, files, name)] : given.map((one, index) => sourceOf(one, [...path, index], at, files, name));
      found.set(`${field} ${keyspace}`, sources);
    }
  }
  return found;
}

function sourceOf(text: string, path: readonly PathPart[], at: LocatedFile, files: InputFiles, name: string): SqlSource {
  if (!isSql(text)) return at.check(path, () => files.source(text));
  // Empty lines in front make the loader count lines as the cluster file does: a block starts below its `|`.
  const { line } = at.placeOf(path);
  const before = '\n'.repeat(text.includes('\n') ? line : line - 1);
  return { name, chunks: () => [new TextEncoder().encode(before + text)] };
}

/** SQL itself and not the name of a file: it has a line break or a semicolon. */
function isSql(text: string): boolean {
  return /[\n;]/.test(text);
}
