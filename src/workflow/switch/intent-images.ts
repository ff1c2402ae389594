import { readStreams, type StreamRow } from '../../tablet/vreplication/streams.ts';
import type { Writer } from '../../topo/conn/conn.ts';
import { paths } from '../../topo/paths.ts';
import type {
  KeyspaceRoutingRules,
  MirrorRule,
  MirrorRules,
  RoutingRules,
  Shard,
  ShardRoutingRules,
  SrvKeyspace,
  SrvVSchema,
  TabletControl,
} from '../../topo/proto/types.ts';
import { type KeyspaceMap, keyspaceRoutingMap, routingMap, shardRoutingMap } from '../../topo/rules.ts';
import type { MigrationKind, MigrationSource, MigrationTarget, TrafficSwitcher } from '../switcher.ts';

/** What of the records a switch of some kind may touch. */
export interface IntentScope {
  kind: MigrationKind;
  tables: readonly string[];
  sourceKeyspace: string;
  targetKeyspace: string;
  /** Names of the source shards. */
  shards: readonly string[];
}

/** A shard as it was: its tablet controls, and streams that live there. */
export interface MemberImage {
  keyspace: string;
  shard: string;
  controls: TabletControl[];
  /** Those of the workflow; on a source, of its reverse. */
  streams: StreamRow[];
  /** Of a Reshard: every other stream. */
  others?: StreamRow[];
}

/** Rules as they were; null where there was none. */
export interface RulesImage {
  /** Table routing rules of the workflow's tables. */
  rules: Record<string, string[] | null>;
  mirrorRules: MirrorRule[];
  /** Shard routing rules of a partial move. */
  shardRules?: Record<string, string | null>;
  /** Keyspace routing rules of a multi-tenant move. */
  keyspaceRules?: Record<string, string | null>;
}

/** What a cell serves by. */
export interface CellImage extends RulesImage {
  /** Of a Reshard: the keyspace's serving record. */
  serving?: SrvKeyspace;
}

export function scopeOf(sw: TrafficSwitcher): IntentScope {
  const { kind, tables, sourceKeyspace, targetKeyspace } = sw;
  return { kind, tables, sourceKeyspace, targetKeyspace, shards: sw.sources.map((source) => source.info.name) };
}

/** Every key under which the rules of these tables may stand. */
export function ruleKeys(scope: Pick<IntentScope, 'tables' | 'sourceKeyspace' | 'targetKeyspace'>): string[] {
  const { tables, sourceKeyspace, targetKeyspace } = scope;
  return tables.flatMap((table) =>
    ['', '@replica', '@rdonly'].flatMap((suffix) =>
      [table, `${targetKeyspace}.${table}`, `${sourceKeyspace}.${table}`].map((from) => `${from}${suffix}`),
    ),
  );
}

/** The keys of the shard routing rules that a partial switch writes. */
function shardRuleKeys({ sourceKeyspace, targetKeyspace, shards }: IntentScope): string[] {
  return shards.flatMap((shard) => [`${sourceKeyspace}.${shard}`, `${targetKeyspace}.${shard}`]);
}

/** The keys of the keyspace routing rules that a multi-tenant switch writes. */
export function keyspaceRuleKeys({ sourceKeyspace }: Pick<IntentScope, 'sourceKeyspace'>): string[] {
  return ['', '@replica', '@rdonly'].map((suffix) => `${sourceKeyspace}${suffix}`);
}

/** True for a mirror rule of the workflow. */
export function isOwnMirror(scope: Pick<IntentScope, 'tables' | 'sourceKeyspace' | 'targetKeyspace'>, rule: MirrorRule): boolean {
  return scope.tables.some(
    (table) =>
      rule.to_table === `${scope.targetKeyspace}.${table}` &&
      ['', '@replica', '@rdonly'].some((suffix) => rule.from_table === `${scope.sourceKeyspace}.${table}${suffix}`),
  );
}

interface AllRules {
  routing: RoutingRules | undefined;
  mirror: MirrorRules | undefined;
  shard: ShardRoutingRules | undefined;
  keyspace: KeyspaceRoutingRules | undefined;
}

/** The rules of the global topology, as far as the switch may touch them. */
export function globalRules(writer: Writer, scope: IntentScope): RulesImage {
  return pick(scope, {
    routing: read(writer, 'global', paths.routingRules),
    mirror: read(writer, 'global', paths.mirrorRules),
    shard: read(writer, 'global', paths.shardRoutingRules),
    keyspace: read(writer, 'global', paths.keyspaceRoutingRules),
  });
}

/** What a cell serves by, as far as the switch may touch it; undefined where it serves nothing. */
export function cellImage(writer: Writer, cell: string, scope: IntentScope): CellImage | undefined {
  const served = read<SrvVSchema>(writer, cell, paths.srvVSchema);
  const serving = scope.kind === 'shards' ? read<SrvKeyspace>(writer, cell, paths.srvKeyspace(scope.targetKeyspace)) : undefined;
  if (served === undefined && serving === undefined) return undefined;
  const { routing_rules: routing, mirror_rules: mirror, shard_routing_rules: shard, keyspace_routing_rules: keyspace } = served ?? ({} as SrvVSchema);
  return { ...pick(scope, { routing, mirror, shard, keyspace }), ...(serving !== undefined && { serving }) };
}

function pick(scope: IntentScope, all: AllRules): RulesImage {
  const image: RulesImage = { rules: {}, mirrorRules: (all.mirror?.rules ?? []).filter((rule) => isOwnMirror(scope, rule)) };
  if (scope.kind === 'tables') {
    const map = routingMap(all.routing ?? {});
    image.rules = Object.fromEntries(ruleKeys(scope).map((key) => [key, map.has(key) ? [...map.get(key)!] : null]));
  }
  if (scope.kind === 'partial') image.shardRules = pickKeys(shardRoutingMap(all.shard ?? {}), shardRuleKeys(scope));
  if (scope.kind === 'multi-tenant') image.keyspaceRules = pickKeys(keyspaceRoutingMap(all.keyspace), keyspaceRuleKeys(scope));
  return image;
}

function pickKeys(map: KeyspaceMap, keys: readonly string[]): Record<string, string | null> {
  return Object.fromEntries(keys.map((key) => [key, map.get(key) ?? null]));
}

/** A shard as it is; `workflow` is the one whose streams belong to the switch there. */
export function memberImage(writer: Writer, member: MigrationSource | MigrationTarget, workflow: string, kind: MigrationKind): MemberImage {
  const { keyspace, name } = member.info;
  const streams = readStreams(member.db);
  return {
    keyspace,
    shard: name,
    controls: readShard(writer, keyspace, name)?.tablet_controls ?? [],
    streams: streams.filter((row) => row.workflow === workflow),
    ...(kind === 'shards' && { others: streams.filter((row) => row.workflow !== workflow) }),
  };
}

/** A record inside a transaction. */
export function read<T>(writer: Writer, cell: string, path: string): T | undefined {
  const node = writer.get(cell, path);
  return node === undefined ? undefined : (JSON.parse(node.contents) as T);
}

export function readShard(writer: Writer, keyspace: string, shard: string): Shard | undefined {
  return read<Shard>(writer, 'global', paths.shard(keyspace, shard));
}
