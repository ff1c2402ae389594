/** The cluster file: every field, what it may hold and what it is for. Help, the page and the editors' schema come from here. */
import { z } from 'zod';
import { TabletControl as TabletControlMessage, Keyspace as KeyspaceMessage } from '../../topo/proto/messages-topodata.ts';
import {
  Keyspace as VSchemaMessage,
  KeyspaceRoutingRule as KeyspaceRuleMessage,
  MirrorRule as MirrorRuleMessage,
  RoutingRule as RoutingRuleMessage,
  ShardRoutingRule as ShardRuleMessage,
} from '../../topo/proto/messages-vschema.ts';
import { CHOSEN_IMPLEMENTATIONS } from '../../topo/conn/implementations.ts';
import type { MessageType } from '../../topo/proto/schema.ts';
import type {
  Keyspace,
  KeyspaceRoutingRule,
  MirrorRule,
  RoutingRule,
  ShardRoutingRule,
  TabletControl,
  VSchemaKeyspace,
} from '../../topo/proto/types.ts';
import { recordSchema } from './record-schema.ts';

/** The same schema with the type that its values have. */
function typed<T>(schema: z.ZodType): z.ZodType<T> {
  return schema as z.ZodType<T>;
}

/** What a tablet may be when the cluster starts; the other types are states it gets into later. */
export const TABLET_TYPE_WORDS = ['PRIMARY', 'REPLICA', 'RDONLY', 'SPARE', 'primary', 'replica', 'rdonly', 'spare'] as const;

const text = z.string().min(1);
const shardName = z.string({ error: 'has to be text: write shards in quotes, as \'0\' or \'-80\'' }).min(1);

const tablet = z.strictObject({
  alias: z
    .union([text, z.strictObject({ cell: text, uid: z.int().min(0) })], { error: 'has to be an alias such as zone1-0000000100' })
    .describe('Its alias, `zone1-0000000100`; zeros in front of the number may be left out, and `{cell: zone1, uid: 100}` is read too'),
  type: z
    .enum(TABLET_TYPE_WORDS, { error: 'has to be one of PRIMARY, REPLICA, RDONLY, SPARE' })
    .describe('PRIMARY, REPLICA, RDONLY or SPARE, in either case'),
});

const shard = z.strictObject({
  tablets: z.array(tablet).min(1).optional().describe('Its tablets; left out, as in a new shard: a primary, a replica and an rdonly in the first cell, a replica and an rdonly in every other'),
  is_primary_serving: z.boolean().optional().describe('false for a shard that does not serve yet, or no longer, as GetShard prints it; its range may overlap those that do, and it is made without tables'),
  tablet_controls: z
    .array(typed<TabletControl>(recordSchema(TabletControlMessage)))
    .nullable()
    .optional()
    .describe('What its tablets refuse (`denied_tables` by tablet type), as GetShard prints it: how a cutover that was stranded looks'),
});

const sql = (what: string) =>
  z
    .union([text, z.array(text).min(1)], { error: 'has to be a .sql file, a list of them, or SQL' })
    .optional()
    .describe(what);

const record = recordSchema(KeyspaceMessage) as z.ZodObject;

/** A field of a keyspace that is one of its record. */
function ofRecord<K extends keyof Keyspace>(field: K, about: string) {
  return typed<Keyspace[K] | null>(record.shape[field] as z.ZodType).optional().describe(about);
}

const keyspace = z.strictObject({
  shards: z
    .union([z.array(shardName).min(1), z.record(z.string(), shard.nullable())], { error: 'has to be a list of shards, or a map of them' })
    .optional()
    .describe("A list, `['-80', '80-']`, or a map from each shard to what is special about it. Left out: one shard, '0'"),
  vschema: z
    .union([text, typed<VSchemaKeyspace>(recordSchema(VSchemaMessage))], { error: 'has to be a VSchema, or the name of a .json file that holds one' })
    .nullable()
    .optional()
    .describe('Its VSchema as GetVSchema prints it, or the name of a `.json` file with it. Left out: empty, unsharded'),
  schema: sql('CREATE statements: a `.sql` file, a list of files, or the SQL itself (a `|` block). Output of mysqldump is read as it is'),
  rows: sql('INSERT statements, in the same forms; read after `schema`, and big files in pieces'),
  keyspace_type: ofRecord('keyspace_type', 'NORMAL or SNAPSHOT'),
  base_keyspace: ofRecord('base_keyspace', 'The keyspace that a SNAPSHOT keyspace was restored from'),
  snapshot_time: ofRecord('snapshot_time', 'The time that a SNAPSHOT keyspace shows'),
  durability_policy: ofRecord('durability_policy', 'none, semi_sync, cross_cell, ...; left out: none'),
  sidecar_db_name: ofRecord('sidecar_db_name', "The database of Vitess's own tables; left out: _vt"),
});

/** Rules as a list, as the whole record that vtctldclient prints, or as a file that holds either. */
function rules<T>(message: MessageType, about: string) {
  const list = z.array(typed<T>(recordSchema(message)));
  return z
    .union([text, list, z.strictObject({ rules: list.nullable().optional() })], { error: 'has to be a list of rules, a map with `rules`, or the name of a .json file' })
    .nullable()
    .optional()
    .describe(about);
}

/** The whole file. */
export const clusterFile = z.strictObject({
  vitess: z
    .union([text, z.number()], { error: 'has to be a version such as 22.0.3, or hardened' })
    .optional()
    .describe('The Vitess release that the cluster runs: `22.0.3`, `v21`, or `hardened` (the default). --vitess-version wins over it'),
  topo_implementation: z
    .enum(CHOSEN_IMPLEMENTATIONS, { error: `has to be one of ${CHOSEN_IMPLEMENTATIONS.join(', ')}` })
    .optional()
    .describe('The topology server whose locks a release of Vitess has here: etcd2 (the default), zk2 or consul. Not for `hardened`, which has its own'),
  cells: z.array(text).min(1).optional().describe('The cells. Left out: zone1'),
  keyspaces: z.record(z.string(), keyspace.nullable()).describe('The keyspaces, by name'),
  routing_rules: rules<RoutingRule>(RoutingRuleMessage, 'Routing rules as GetRoutingRules prints them, or the name of a `.json` file'),
  shard_routing_rules: rules<ShardRoutingRule>(ShardRuleMessage, 'Shard routing rules as GetShardRoutingRules prints them, or a file'),
  keyspace_routing_rules: rules<KeyspaceRoutingRule>(KeyspaceRuleMessage, 'Keyspace routing rules as GetKeyspaceRoutingRules prints them, or a file'),
  mirror_rules: rules<MirrorRule>(MirrorRuleMessage, 'Mirror rules as GetMirrorRules prints them, or a file'),
});

/** A cluster file as it is written. */
export type ClusterFile = z.infer<typeof clusterFile>;
/** One keyspace of it. */
export type KeyspaceEntry = NonNullable<ClusterFile['keyspaces'][string]>;
/** One shard of it, in the long form. */
export type ShardEntry = z.infer<typeof shard>;

/** The parts of the file that have fields, for the page: heading, schema. */
export const CLUSTER_FILE_PARTS: readonly (readonly [heading: string, schema: z.ZodObject])[] = [
  ['The file', clusterFile],
  ['A keyspace', keyspace],
  ['A shard', shard],
  ['A tablet', tablet],
];
