/**
 * The records of the topology, as they are in memory and in the store: plain objects in compact protojson.
 *
 * - Names are those of the `.proto` files; enums are their names; 64-bit integers and bytes (base64) are strings.
 * - A field that holds its default may be missing. Fields that identify a record are always present
 *   (`required` in the tables).
 * - A message that is set but empty is `{}`, which differs from a missing one.
 * - Fields unknown to the tables may be there as well and are to be carried along (copy with spread).
 *
 * The tables in `messages-*.ts` hold the same names, checked by the compiler.
 */
import type { TabletType } from '../../lib/names.ts';

/** A 64-bit integer in decimal. */
export type Int64Text = string;

/** Bytes in standard base64 with padding. */
export type Base64 = string;

/** vttime.Time: a moment, as Unix seconds and nanoseconds within the second. */
export interface Time {
  seconds: Int64Text;
  nanoseconds?: number;
}

/** vttime.Duration. */
export interface Duration {
  seconds: Int64Text;
  nanos?: number;
}

export type { TabletType };

export type KeyspaceType = 'NORMAL' | 'SNAPSHOT';

/** topodata.KeyRange: from `start` up to but without `end`; a missing bound is open. See key-range.ts. */
export interface KeyRange {
  start?: Base64;
  end?: Base64;
}

/** topodata.TabletAlias. */
export interface TabletAlias {
  cell: string;
  uid: number;
}

/** topodata.Tablet. */
export interface Tablet {
  alias: TabletAlias;
  /** Emptied, with `port_map`, at a clean shutdown. */
  hostname?: string;
  /** `vt` (HTTP) and `grpc`. */
  port_map?: Record<string, number>;
  keyspace: string;
  shard: string;
  /** Unset for a shard without a range, such as `0`. */
  key_range?: KeyRange;
  type: TabletType;
  /** The database's name where it is not `vt_` and the keyspace. */
  db_name_override?: string;
  tags?: Record<string, string>;
  mysql_hostname?: string;
  mysql_port?: number;
  /** Unset unless PRIMARY. */
  primary_term_start_time?: Time;
  default_conn_collation?: number;
  tablet_start_time?: Time;
  tablet_shutdown_time?: Time;
}

/** topodata.Shard.SourceShard: a source of filtered replication from before VReplication. */
export interface SourceShard {
  uid: number;
  keyspace: string;
  shard: string;
  key_range?: KeyRange;
  tables?: string[];
}

/** topodata.Shard.TabletControl: what tablets of one type in these cells must refuse. */
export interface TabletControl {
  tablet_type: TabletType;
  /** None means all; must be none for PRIMARY. */
  cells?: string[];
  denied_tables?: string[];
  frozen?: boolean;
  /** Plain reads pass the deny list (set while traffic is mirrored). */
  allow_reads?: boolean;
}

/** vtorcdata.Keyspace and vtorcdata.Shard. */
export interface VtorcState {
  disable_emergency_reparent?: boolean;
}

/** topodata.Shard. */
export interface Shard {
  primary_alias?: TabletAlias;
  primary_term_start_time?: Time;
  /** `{}` for shard `-`; unset for a shard without a range. */
  key_range?: KeyRange;
  source_shards?: SourceShard[];
  /** At most one per tablet type. */
  tablet_controls?: TabletControl[];
  is_primary_serving?: boolean;
  vtorc_state?: VtorcState;
}

/** topodata.Keyspace. */
export interface Keyspace {
  keyspace_type?: KeyspaceType;
  base_keyspace?: string;
  snapshot_time?: Time;
  durability_policy?: string;
  throttler_config?: object;
  sidecar_db_name?: string;
  vtorc_state?: VtorcState;
  query_throttler_config?: object;
}

/** topodata.ShardReplication.Node. */
export interface ShardReplicationNode {
  tablet_alias: TabletAlias;
}

/** topodata.ShardReplication: the tablets of a shard in one cell. */
export interface ShardReplication {
  nodes?: ShardReplicationNode[];
}

/** topodata.ShardReference. */
export interface ShardReference {
  name: string;
  key_range?: KeyRange;
}

/** topodata.ShardTabletControl: turns the query service of a shard's tablets off, for one type and cell. */
export interface ShardTabletControl {
  name: string;
  key_range?: KeyRange;
  query_service_disabled?: boolean;
}

/** topodata.SrvKeyspace.KeyspacePartition: the shards that serve one tablet type, in range order. */
export interface KeyspacePartition {
  served_type: TabletType;
  shard_references?: ShardReference[];
  shard_tablet_controls?: ShardTabletControl[];
}

/** topodata.SrvKeyspace: one per keyspace and cell. */
export interface SrvKeyspace {
  partitions?: KeyspacePartition[];
  throttler_config?: object;
  query_throttler_config?: object;
}

/** topodata.CellInfo. */
export interface CellInfo {
  server_address?: string;
  root?: string;
}

/** topodata.CellsAlias. */
export interface CellsAlias {
  cells?: string[];
}

/** topodata.TopoConfig. */
export interface TopoConfig {
  topo_type?: string;
  server?: string;
  root?: string;
}

/** topodata.ExternalVitessCluster: a mounted cluster. */
export interface ExternalVitessCluster {
  topo_config?: TopoConfig;
}

/** vschema.Vindex. */
export interface Vindex {
  type: string;
  params?: Record<string, string>;
  /** The owning table of a lookup vindex. */
  owner?: string;
}

/** vschema.ColumnVindex. Of `column` and `columns` one is used. */
export interface ColumnVindex {
  column?: string;
  name: string;
  columns?: string[];
}

/** vschema.AutoIncrement. */
export interface AutoIncrement {
  column: string;
  /** The sequence table, qualified or not. */
  sequence: string;
}

/** vschema.Column. */
export interface Column {
  name: string;
  /** A name of query.Type; unset is NULL_TYPE. */
  type?: string;
  invisible?: boolean;
  default?: string;
  collation_name?: string;
  size?: number;
  scale?: number;
  /** Unset reads as true. */
  nullable?: boolean;
  values?: string[];
}

/** vschema.Table. */
export interface Table {
  /** Empty, `sequence` or `reference`. */
  type?: string;
  /** The first is the primary vindex. */
  column_vindexes?: ColumnVindex[];
  auto_increment?: AutoIncrement;
  columns?: Column[];
  pinned?: string;
  column_list_authoritative?: boolean;
  source?: string;
}

/** vschema.MultiTenantSpec. */
export interface MultiTenantSpec {
  tenant_id_column_name?: string;
  tenant_id_column_type?: string;
}

export type ForeignKeyMode = 'unspecified' | 'disallow' | 'unmanaged' | 'managed';

/** vschema.Keyspace: a keyspace's VSchema. */
export interface VSchemaKeyspace {
  sharded?: boolean;
  vindexes?: Record<string, Vindex>;
  tables?: Record<string, Table>;
  require_explicit_routing?: boolean;
  foreign_key_mode?: ForeignKeyMode;
  multi_tenant_spec?: MultiTenantSpec;
}

/** vschema.RoutingRule: `from_table` is `t` or `ks.t`, each with or without `@type`. */
export interface RoutingRule {
  from_table: string;
  /** None disables the table; more than one is an error when it is used. */
  to_tables?: string[];
}

/** vschema.RoutingRules. */
export interface RoutingRules {
  rules?: RoutingRule[];
}

/** vschema.ShardRoutingRule. */
export interface ShardRoutingRule {
  from_keyspace: string;
  to_keyspace: string;
  shard: string;
}

/** vschema.ShardRoutingRules. */
export interface ShardRoutingRules {
  rules?: ShardRoutingRule[];
}

/** vschema.KeyspaceRoutingRule: `from_keyspace` is `ks`, `ks@replica` or `ks@rdonly`. */
export interface KeyspaceRoutingRule {
  from_keyspace: string;
  to_keyspace: string;
}

/** vschema.KeyspaceRoutingRules. */
export interface KeyspaceRoutingRules {
  rules?: KeyspaceRoutingRule[];
}

/** vschema.MirrorRule. `percent` is a float32 from 0 to 100. */
export interface MirrorRule {
  from_table: string;
  to_table: string;
  percent: number;
}

/** vschema.MirrorRules. */
export interface MirrorRules {
  rules?: MirrorRule[];
}

/** vschema.SrvVSchema: all VSchemas and rules, one per cell. */
export interface SrvVSchema {
  keyspaces?: Record<string, VSchemaKeyspace>;
  routing_rules?: RoutingRules;
  shard_routing_rules?: ShardRoutingRules;
  keyspace_routing_rules?: KeyspaceRoutingRules;
  mirror_rules?: MirrorRules;
}

/** vtctldata.Keyspace. */
export interface NamedKeyspace {
  name: string;
  keyspace?: Keyspace;
}

/** vtctldata.Shard. */
export interface NamedShard {
  keyspace: string;
  name: string;
  shard?: Shard;
}

/** vtctldata.CreateShardResponse. */
export interface CreateShardResponse {
  keyspace?: NamedKeyspace;
  shard?: NamedShard;
  shard_already_exists?: boolean;
}

/** vtctldata.FindAllShardsInKeyspaceResponse, by shard name. */
export interface FindAllShardsInKeyspaceResponse {
  shards?: Record<string, NamedShard>;
}

/** vtctldata.GetShardReplicationResponse. */
export interface GetShardReplicationResponse {
  shard_replication_by_cell?: Record<string, ShardReplication>;
}

/** vtctldata.SetKeyspaceDurabilityPolicyResponse. */
export interface SetKeyspaceDurabilityPolicyResponse {
  keyspace?: Keyspace;
}

/** vtctldata.GetSrvKeyspaceNamesResponse.NameList. */
export interface NameList {
  names?: string[];
}

/** vtctldata.TopologyCell: a node of the topology, file or directory. */
export interface TopologyCell {
  name?: string;
  path?: string;
  data?: string;
  children?: string[];
  version?: Int64Text;
}

/** vtctldata.ApplyKeyspaceRoutingRulesResponse. */
export interface ApplyKeyspaceRoutingRulesResponse {
  keyspace_routing_rules?: KeyspaceRoutingRules;
}
