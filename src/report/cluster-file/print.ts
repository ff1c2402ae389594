import { Document, isMap, isPair, isScalar, type YAMLMap } from 'yaml';
import type { z } from 'zod';
import type { ClusterSpec, KeyspaceSpec, ShardSpec, SqlSource } from '../../tablet/bootstrap.ts';
import { CLUSTER_FILE_PARTS, type ClusterFile, type KeyspaceEntry, type ShardEntry } from './schema.ts';

const COMMENT_WIDTH = 108;

const HEADER = [
  'yaml-language-server: $schema=cluster.schema.json',
  '',
  'A cluster to rehearse on: `switchtraffic init FILE` makes it. For help in your editor, put the schema beside this file:',
  'switchtraffic init --schema > cluster.schema.json',
];

/**
 * A cluster as a cluster file that says of each field what it is for, where it first stands, and what else there could be.
 * `vitess`: the release it names; `topo`: its topology server, where it names one.
 */
export async function printClusterFile(spec: ClusterSpec, names: { vitess: string; topo?: string | undefined }): Promise<string> {
  const document = new Document(await clusterFileOf(spec, names));
  const [, top, , keyspace, , shard, , tablet] = CLUSTER_FILE_PARTS.flat() as [string, z.ZodObject, string, z.ZodObject, string, z.ZodObject, string, z.ZodObject];
  const explained = new Explained();
  explained.fields(document.contents as YAMLMap, top);
  const keyspaces = mapsIn(document.get('keyspaces'));
  for (const map of keyspaces) explained.fields(map, keyspace);
  for (const map of keyspaces.flatMap((one) => mapsIn(one.get('shards')))) {
    explained.fields(map, shard);
    const tablets = map.get('tablets', true) as { items?: unknown[] } | undefined;
    for (const item of tablets?.items ?? []) {
      if (!isMap(item)) continue;
      item.flow = true;
      explained.known(tablet);
    }
  }
  document.commentBefore = HEADER.map((line) => (line === '' ? '' : ` ${line}`)).join('\n');
  return document.toString({ lineWidth: 0, blockQuote: 'literal', singleQuote: true, flowCollectionPadding: false });
}

/** Puts what a field is for above the first one of its kind. */
class Explained {
  readonly #seen = new Set<z.ZodType>();

  fields(map: YAMLMap, schema: z.ZodObject): void {
    const first = !this.#seen.has(schema);
    this.#seen.add(schema);
    const there = new Set<string>();
    for (const pair of map.items) {
      if (!isPair(pair) || !isScalar(pair.key)) continue;
      const name = String(pair.key.value);
      there.add(name);
      const field = schema.shape[name] as z.ZodType | undefined;
      if (field === undefined || this.#seen.has(field)) continue;
      this.#seen.add(field);
      pair.key.commentBefore = comment(field.description ?? '');
    }
    const missing = Object.entries(schema.shape as Record<string, z.ZodType>).filter(([name]) => !there.has(name));
    if (!first || missing.length === 0) return;
    map.comment = ['Also possible here:', ...missing.map(([name, field]) => `${name}: ${field.description ?? ''}`)].map(comment).join('\n');
  }

  known(schema: z.ZodObject): void {
    this.#seen.add(schema);
  }
}

function comment(text: string): string {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + word.length >= COMMENT_WIDTH) {
      lines.push(line);
      line = '';
    }
    line += ` ${word}`;
  }
  return [...lines, line].join('\n');
}

function mapsIn(value: unknown): YAMLMap[] {
  return isMap(value) ? value.items.flatMap((pair) => (isMap(pair.value) ? [pair.value] : [])) : [];
}

async function clusterFileOf(spec: ClusterSpec, { vitess, topo }: { vitess: string; topo?: string | undefined }): Promise<ClusterFile> {
  const keyspaces: Record<string, KeyspaceEntry> = {};
  for (const keyspace of spec.keyspaces) keyspaces[keyspace.name] = await keyspaceEntry(keyspace);
  const some = <T extends { rules?: unknown[] }>(rules: T | undefined): T | undefined => ((rules?.rules ?? []).length > 0 ? rules : undefined);
  const [routing, shard, keyspace, mirror] = [some(spec.routingRules), some(spec.shardRoutingRules), some(spec.keyspaceRoutingRules), some(spec.mirrorRules)];
  return {
    vitess,
    ...(topo !== undefined && { topo_implementation: topo }),
    cells: spec.cells,
    keyspaces,
    ...(routing && { routing_rules: routing }),
    ...(shard && { shard_routing_rules: shard }),
    ...(keyspace && { keyspace_routing_rules: keyspace }),
    ...(mirror && { mirror_rules: mirror }),
  } as ClusterFile;
}

async function keyspaceEntry(spec: KeyspaceSpec): Promise<KeyspaceEntry> {
  const { durability_policy: policy, sidecar_db_name: sidecar, keyspace_type: type, base_keyspace: base, snapshot_time: time } = spec.record;
  const [schema, rows] = [await textOf(spec.schema), await textOf(spec.rows)];
  return {
    shards: Object.fromEntries(spec.shards.map((shard) => [shard.name, shardEntry(shard)])),
    ...(schema !== '' && { schema }),
    ...(Object.keys(spec.vschema).length > 0 && { vschema: spec.vschema }),
    ...(rows !== '' && { rows }),
    ...(type === 'SNAPSHOT' && { keyspace_type: type }),
    ...(base && { base_keyspace: base }),
    ...(time && { snapshot_time: time }),
    ...(policy !== undefined && policy !== 'none' && { durability_policy: policy }),
    ...(sidecar !== undefined && sidecar !== '_vt' && { sidecar_db_name: sidecar }),
  };
}

function shardEntry({ tablets, serving, controls }: ShardSpec): ShardEntry {
  return {
    tablets: tablets.map(({ alias, type }) => ({ alias, type: type as 'PRIMARY' })),
    ...(serving !== undefined && { is_primary_serving: serving }),
    ...(controls !== undefined && { tablet_controls: controls }),
  };
}

/** All of it in one text; a script ends with a line break, which makes it a block. */
async function textOf(sources: readonly SqlSource[]): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  for (const source of sources) {
    for await (const chunk of source.chunks()) text += decoder.decode(chunk, { stream: true });
    text += decoder.decode();
    if (text !== '' && !text.endsWith('\n')) text += '\n';
  }
  return text;
}
