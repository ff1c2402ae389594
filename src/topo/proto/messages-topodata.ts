/** Messages of package `topodata`: what the topology stores. Vitess: proto/topodata.proto. */
import * as querythrottler from './messages-querythrottler.ts';
import * as vtorcdata from './messages-vtorcdata.ts';
import * as vttime from './messages-vttime.ts';
import { enumType, mapOf, message, repeated, required } from './schema.ts';
import type * as R from './types.ts';

export const KeyspaceType = enumType('topodata.KeyspaceType', [
  ['NORMAL', 0],
  ['SNAPSHOT', 1],
]);

export const TabletType = enumType('topodata.TabletType', [
  ['UNKNOWN', 0],
  ['PRIMARY', 1],
  ['MASTER', 1],
  ['REPLICA', 2],
  ['RDONLY', 3],
  ['BATCH', 3],
  ['SPARE', 4],
  ['EXPERIMENTAL', 5],
  ['BACKUP', 6],
  ['RESTORE', 7],
  ['DRAINED', 8],
]);

export const ShardReplicationErrorType = enumType('topodata.ShardReplicationError.Type', [
  ['UNKNOWN', 0],
  ['NOT_FOUND', 1],
  ['TOPOLOGY_MISMATCH', 2],
]);

export const KeyRange = message<R.KeyRange>('topodata.KeyRange', [
  ['start', 1, 'bytes'],
  ['end', 2, 'bytes'],
]);

export const TabletAlias = message<R.TabletAlias>('topodata.TabletAlias', [
  ['cell', 1, required('string')],
  ['uid', 2, required('uint32')],
]);

export const Tablet = message<R.Tablet>('topodata.Tablet', [
  ['alias', 1, required(TabletAlias)],
  ['hostname', 2, 'string'],
  ['port_map', 4, mapOf('int32')],
  ['keyspace', 5, required('string')],
  ['shard', 6, required('string')],
  ['key_range', 7, KeyRange],
  ['type', 8, required(TabletType)],
  ['db_name_override', 9, 'string'],
  ['tags', 10, mapOf('string')],
  ['mysql_hostname', 12, 'string'],
  ['mysql_port', 13, 'int32'],
  ['primary_term_start_time', 14, vttime.Time],
  ['default_conn_collation', 16, 'uint32'],
  ['tablet_start_time', 17, vttime.Time],
  ['tablet_shutdown_time', 18, vttime.Time],
]);

export const SourceShard = message<R.SourceShard>('topodata.Shard.SourceShard', [
  ['uid', 1, required('int32')],
  ['keyspace', 2, required('string')],
  ['shard', 3, required('string')],
  ['key_range', 4, KeyRange],
  ['tables', 5, repeated('string')],
]);

export const TabletControl = message<R.TabletControl>('topodata.Shard.TabletControl', [
  ['tablet_type', 1, required(TabletType)],
  ['cells', 2, repeated('string')],
  ['denied_tables', 4, repeated('string')],
  ['frozen', 5, 'bool'],
  ['allow_reads', 6, 'bool'],
]);

export const Shard = message<R.Shard>('topodata.Shard', [
  ['primary_alias', 1, TabletAlias],
  ['primary_term_start_time', 8, vttime.Time],
  ['key_range', 2, KeyRange],
  ['source_shards', 4, repeated(SourceShard)],
  ['tablet_controls', 6, repeated(TabletControl)],
  ['is_primary_serving', 7, 'bool'],
  ['vtorc_state', 9, vtorcdata.Shard],
]);

export const ThrottledAppRule = message('topodata.ThrottledAppRule', [
  ['name', 1, 'string'],
  ['ratio', 2, 'double'],
  ['expires_at', 3, vttime.Time],
  ['exempt', 4, 'bool'],
]);

export const MetricNames = message('topodata.ThrottlerConfig.MetricNames', [['names', 1, repeated('string')]]);

export const ThrottlerConfig = message('topodata.ThrottlerConfig', [
  ['enabled', 1, 'bool'],
  ['threshold', 2, 'double'],
  ['custom_query', 3, 'string'],
  ['check_as_check_self', 4, 'bool'],
  ['throttled_apps', 5, mapOf(ThrottledAppRule)],
  ['app_checked_metrics', 6, mapOf(MetricNames)],
  ['metric_thresholds', 7, mapOf('double')],
]);

export const Keyspace = message<R.Keyspace>('topodata.Keyspace', [
  ['keyspace_type', 5, KeyspaceType],
  ['base_keyspace', 6, 'string'],
  ['snapshot_time', 7, vttime.Time],
  ['durability_policy', 8, 'string'],
  ['throttler_config', 9, ThrottlerConfig],
  ['sidecar_db_name', 10, 'string'],
  ['vtorc_state', 11, vtorcdata.Keyspace],
  ['query_throttler_config', 12, querythrottler.Config],
]);

export const ShardReplicationNode = message<R.ShardReplicationNode>('topodata.ShardReplication.Node', [
  ['tablet_alias', 1, required(TabletAlias)],
]);

export const ShardReplication = message<R.ShardReplication>('topodata.ShardReplication', [
  ['nodes', 1, repeated(ShardReplicationNode)],
]);

export const ShardReplicationError = message('topodata.ShardReplicationError', [
  ['type', 1, ShardReplicationErrorType],
  ['tablet_alias', 2, TabletAlias],
]);

export const ShardReference = message<R.ShardReference>('topodata.ShardReference', [
  ['name', 1, required('string')],
  ['key_range', 2, KeyRange],
]);

export const ShardTabletControl = message<R.ShardTabletControl>('topodata.ShardTabletControl', [
  ['name', 1, required('string')],
  ['key_range', 2, KeyRange],
  ['query_service_disabled', 3, 'bool'],
]);

export const KeyspacePartition = message<R.KeyspacePartition>('topodata.SrvKeyspace.KeyspacePartition', [
  ['served_type', 1, required(TabletType)],
  ['shard_references', 2, repeated(ShardReference)],
  ['shard_tablet_controls', 3, repeated(ShardTabletControl)],
]);

export const SrvKeyspace = message<R.SrvKeyspace>('topodata.SrvKeyspace', [
  ['partitions', 1, repeated(KeyspacePartition)],
  ['throttler_config', 6, ThrottlerConfig],
  ['query_throttler_config', 7, querythrottler.Config],
]);

export const CellInfo = message<R.CellInfo>('topodata.CellInfo', [
  ['server_address', 1, 'string'],
  ['root', 2, 'string'],
]);

export const CellsAlias = message<R.CellsAlias>('topodata.CellsAlias', [['cells', 2, repeated('string')]]);

export const TopoConfig = message<R.TopoConfig>('topodata.TopoConfig', [
  ['topo_type', 1, 'string'],
  ['server', 2, 'string'],
  ['root', 3, 'string'],
]);

export const ExternalVitessCluster = message<R.ExternalVitessCluster>('topodata.ExternalVitessCluster', [
  ['topo_config', 1, TopoConfig],
]);
