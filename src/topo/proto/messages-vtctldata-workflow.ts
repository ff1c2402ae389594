/** The answers of package `vtctldata` about workflows. Vitess: proto/vtctldata.proto. */
import * as binlogdata from './messages-binlogdata.ts';
import { TabletSelectionPreference } from './messages-tabletmanagerdata.ts';
import * as topodata from './messages-topodata.ts';
import * as vttime from './messages-vttime.ts';
import { enumType, mapOf, message, repeated, required } from './schema.ts';
import type * as R from './types-workflow.ts';

export const MaterializationIntent = enumType('vtctldata.MaterializationIntent', [
  ['CUSTOM', 0],
  ['MOVETABLES', 1],
  ['CREATELOOKUPINDEX', 2],
  ['REFERENCE', 3],
]);

export const ShardedAutoIncrementHandling = enumType('vtctldata.ShardedAutoIncrementHandling', [
  ['LEAVE', 0],
  ['REMOVE', 1],
  ['REPLACE', 2],
]);

export const TableCopyPhase = enumType('vtctldata.TableCopyPhase', [
  ['UNKNOWN', 0],
  ['NOT_STARTED', 1],
  ['IN_PROGRESS', 2],
  ['COMPLETE', 3],
]);

export const WorkflowOptions = message<R.WorkflowOptions>('vtctldata.WorkflowOptions', [
  ['tenant_id', 1, 'string'],
  ['sharded_auto_increment_handling', 2, ShardedAutoIncrementHandling],
  ['shards', 3, repeated('string')],
  ['config', 4, mapOf('string')],
  ['global_keyspace', 5, 'string'],
  ['lookup_vindexes', 6, repeated('string')],
]);

export const ReplicationLocation = message<R.ReplicationLocation>('vtctldata.Workflow.ReplicationLocation', [
  ['keyspace', 1, 'string'],
  ['shards', 2, repeated('string')],
]);

export const CopyState = message<R.CopyState>('vtctldata.Workflow.Stream.CopyState', [
  ['table', 1, 'string'],
  ['last_pk', 2, 'string'],
  ['stream_id', 3, 'int64'],
]);

export const Log = message<R.StreamLog>('vtctldata.Workflow.Stream.Log', [
  ['id', 1, 'int64'],
  ['stream_id', 2, 'int64'],
  ['type', 3, 'string'],
  ['state', 4, 'string'],
  ['created_at', 5, vttime.Time],
  ['updated_at', 6, vttime.Time],
  ['message', 7, 'string'],
  ['count', 8, 'int64'],
]);

export const ThrottlerStatus = message<R.ThrottlerStatus>('vtctldata.Workflow.Stream.ThrottlerStatus', [
  ['component_throttled', 1, 'string'],
  ['time_throttled', 2, vttime.Time],
]);

export const Stream = message<R.Stream>('vtctldata.Workflow.Stream', [
  ['id', 1, 'int64'],
  ['shard', 2, 'string'],
  ['tablet', 3, topodata.TabletAlias],
  ['binlog_source', 4, binlogdata.BinlogSource],
  ['position', 5, 'string'],
  ['stop_position', 6, 'string'],
  ['state', 7, 'string'],
  ['db_name', 8, 'string'],
  ['transaction_timestamp', 9, vttime.Time],
  ['time_updated', 10, vttime.Time],
  ['message', 11, 'string'],
  ['copy_states', 12, repeated(CopyState)],
  ['logs', 13, repeated(Log)],
  ['log_fetch_error', 14, 'string'],
  ['tags', 15, repeated('string')],
  ['rows_copied', 16, 'int64'],
  ['throttler_status', 17, ThrottlerStatus],
  ['tablet_types', 18, repeated(topodata.TabletType)],
  ['tablet_selection_preference', 19, TabletSelectionPreference],
  ['cells', 20, repeated('string')],
]);

export const ShardStream = message<R.ShardStream>('vtctldata.Workflow.ShardStream', [
  ['streams', 1, repeated(Stream)],
  ['tablet_controls', 2, repeated(topodata.TabletControl)],
  ['is_primary_serving', 3, 'bool'],
]);

export const Workflow = message<R.Workflow>('vtctldata.Workflow', [
  ['name', 1, 'string'],
  ['source', 2, ReplicationLocation],
  ['target', 3, ReplicationLocation],
  ['max_v_replication_lag', 4, 'int64'],
  ['shard_streams', 5, mapOf(ShardStream)],
  ['workflow_type', 6, 'string'],
  ['workflow_sub_type', 7, 'string'],
  ['max_v_replication_transaction_lag', 8, 'int64'],
  ['defer_secondary_keys', 9, 'bool'],
  ['options', 10, WorkflowOptions],
]);

export const GetWorkflowsResponse = message<R.GetWorkflowsResponse>('vtctldata.GetWorkflowsResponse', [
  ['workflows', 1, repeated(Workflow)],
]);

export const TableCopyState = message<R.TableCopyState>('vtctldata.WorkflowStatusResponse.TableCopyState', [
  ['rows_copied', 1, 'int64'],
  ['rows_total', 2, 'int64'],
  ['rows_percentage', 3, 'float'],
  ['bytes_copied', 4, 'int64'],
  ['bytes_total', 5, 'int64'],
  ['bytes_percentage', 6, 'float'],
  ['phase', 7, TableCopyPhase],
]);

export const ShardStreamState = message<R.ShardStreamState>('vtctldata.WorkflowStatusResponse.ShardStreamState', [
  ['id', 1, 'int32'],
  ['tablet', 2, topodata.TabletAlias],
  ['source_shard', 3, 'string'],
  ['position', 4, 'string'],
  ['status', 5, 'string'],
  ['info', 6, 'string'],
]);

export const ShardStreams = message<R.ShardStreams>('vtctldata.WorkflowStatusResponse.ShardStreams', [
  ['streams', 2, repeated(ShardStreamState)],
]);

export const WorkflowStatusResponse = message<R.WorkflowStatusResponse>('vtctldata.WorkflowStatusResponse', [
  ['table_copy_state', 1, mapOf(TableCopyState)],
  ['shard_streams', 2, mapOf(ShardStreams)],
  ['traffic_state', 3, 'string'],
]);

export const WorkflowSwitchTrafficResponse = message<R.WorkflowSwitchTrafficResponse>(
  'vtctldata.WorkflowSwitchTrafficResponse',
  [
    ['summary', 1, 'string'],
    ['start_state', 2, 'string'],
    ['current_state', 3, 'string'],
    ['dry_run_results', 4, repeated('string')],
  ],
);

export const WorkflowMirrorTrafficResponse = message<R.WorkflowMirrorTrafficResponse>(
  'vtctldata.WorkflowMirrorTrafficResponse',
  [
    ['summary', 1, 'string'],
    ['start_state', 2, 'string'],
    ['current_state', 3, 'string'],
  ],
);

export const UpdateTabletInfo = message<R.UpdateTabletInfo>('vtctldata.WorkflowUpdateResponse.TabletInfo', [
  ['tablet', 1, topodata.TabletAlias],
  ['changed', 2, 'bool'],
]);

export const WorkflowUpdateResponse = message<R.WorkflowUpdateResponse>('vtctldata.WorkflowUpdateResponse', [
  ['summary', 1, 'string'],
  ['details', 2, repeated(UpdateTabletInfo)],
]);

export const DeleteTabletInfo = message<R.DeleteTabletInfo>('vtctldata.WorkflowDeleteResponse.TabletInfo', [
  ['tablet', 1, topodata.TabletAlias],
  ['deleted', 2, 'bool'],
]);

export const WorkflowDeleteResponse = message<R.WorkflowDeleteResponse>('vtctldata.WorkflowDeleteResponse', [
  ['summary', 1, 'string'],
  ['details', 2, repeated(DeleteTabletInfo)],
]);

export const MoveTablesCompleteResponse = message<R.CompleteResponse>('vtctldata.MoveTablesCompleteResponse', [
  ['summary', 1, 'string'],
  ['dry_run_results', 2, repeated('string')],
]);

export const MigrateCompleteResponse = message<R.CompleteResponse>('vtctldata.MigrateCompleteResponse', [
  ['summary', 1, 'string'],
  ['dry_run_results', 2, repeated('string')],
]);

export const VDiffCreateResponse = message<R.VDiffCreateResponse>('vtctldata.VDiffCreateResponse', [
  ['UUID', 1, required('string')],
]);

export const TableMaterializeSettings = message<R.TableMaterializeSettings>('vtctldata.TableMaterializeSettings', [
  ['target_table', 1, 'string'],
  ['source_expression', 2, 'string'],
  ['create_ddl', 3, 'string'],
]);

export const MaterializeSettings = message<R.MaterializeSettings>('vtctldata.MaterializeSettings', [
  ['workflow', 1, 'string'],
  ['source_keyspace', 2, 'string'],
  ['target_keyspace', 3, 'string'],
  ['stop_after_copy', 4, 'bool'],
  ['table_settings', 5, repeated(TableMaterializeSettings)],
  ['cell', 6, 'string'],
  ['tablet_types', 7, 'string'],
  ['external_cluster', 8, 'string'],
  ['materialization_intent', 9, MaterializationIntent],
  ['source_time_zone', 10, 'string'],
  ['target_time_zone', 11, 'string'],
  ['source_shards', 12, repeated('string')],
  ['on_ddl', 13, 'string'],
  ['defer_secondary_keys', 14, 'bool'],
  ['tablet_selection_preference', 15, TabletSelectionPreference],
  ['atomic_copy', 16, 'bool'],
  ['workflow_options', 17, WorkflowOptions],
  ['reference_tables', 18, repeated('string')],
]);
