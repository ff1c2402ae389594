/** The part of package `binlogdata` that defines workflows and journals. Vitess: proto/binlogdata.proto. */
import * as query from './messages-query.ts';
import * as topodata from './messages-topodata.ts';
import { enumType, mapOf, message, repeated, required } from './schema.ts';
import type * as R from './types-workflow.ts';

export const OnDDLAction = enumType('binlogdata.OnDDLAction', [
  ['IGNORE', 0],
  ['STOP', 1],
  ['EXEC', 2],
  ['EXEC_IGNORE', 3],
]);

export const VReplicationWorkflowType = enumType('binlogdata.VReplicationWorkflowType', [
  ['Materialize', 0],
  ['MoveTables', 1],
  ['CreateLookupIndex', 2],
  ['Migrate', 3],
  ['Reshard', 4],
  ['OnlineDDL', 5],
]);

export const VReplicationWorkflowSubType = enumType('binlogdata.VReplicationWorkflowSubType', [
  ['None', 0],
  ['Partial', 1],
  ['AtomicCopy', 2],
]);

export const VReplicationWorkflowState = enumType('binlogdata.VReplicationWorkflowState', [
  ['Unknown', 0],
  ['Init', 1],
  ['Stopped', 2],
  ['Copying', 3],
  ['Running', 4],
  ['Error', 5],
  ['Lagging', 6],
]);

export const MigrationType = enumType('binlogdata.MigrationType', [
  ['TABLES', 0],
  ['SHARDS', 1],
]);

export const FieldEventMode = enumType('binlogdata.Filter.FieldEventMode', [
  ['ERR_ON_MISMATCH', 0],
  ['BEST_EFFORT', 1],
]);

export const CharsetConversion = message<R.CharsetConversion>('binlogdata.CharsetConversion', [
  ['from_charset', 1, 'string'],
  ['to_charset', 2, 'string'],
]);

export const Rule = message<R.Rule>('binlogdata.Rule', [
  ['match', 1, required('string')],
  ['filter', 2, 'string'],
  ['convert_enum_to_text', 3, mapOf('string')],
  ['convert_charset', 4, mapOf(CharsetConversion)],
  ['source_unique_key_columns', 5, 'string'],
  ['target_unique_key_columns', 6, 'string'],
  ['source_unique_key_target_columns', 7, 'string'],
  ['convert_int_to_enum', 8, mapOf('bool')],
  ['force_unique_key', 9, 'string'],
]);

export const Filter = message<R.Filter>('binlogdata.Filter', [
  ['rules', 1, repeated(Rule)],
  ['field_event_mode', 2, FieldEventMode],
  ['workflow_type', 3, 'int64'],
  ['workflow_name', 4, 'string'],
]);

export const BinlogSource = message<R.BinlogSource>('binlogdata.BinlogSource', [
  ['keyspace', 1, required('string')],
  ['shard', 2, required('string')],
  ['tablet_type', 3, topodata.TabletType],
  ['key_range', 4, topodata.KeyRange],
  ['tables', 5, repeated('string')],
  ['filter', 6, Filter],
  ['on_ddl', 7, OnDDLAction],
  ['external_mysql', 8, 'string'],
  ['stop_after_copy', 9, 'bool'],
  ['external_cluster', 10, 'string'],
  ['source_time_zone', 11, 'string'],
  ['target_time_zone', 12, 'string'],
]);

export const TableLastPK = message<R.TableLastPK>('binlogdata.TableLastPK', [
  ['table_name', 1, 'string'],
  ['lastpk', 3, query.QueryResult],
]);

export const ShardGtid = message<R.ShardGtid>('binlogdata.ShardGtid', [
  ['keyspace', 1, required('string')],
  ['shard', 2, required('string')],
  ['gtid', 3, required('string')],
  ['table_p_ks', 4, repeated(TableLastPK)],
]);

export const KeyspaceShard = message<R.KeyspaceShard>('binlogdata.KeyspaceShard', [
  ['keyspace', 1, required('string')],
  ['shard', 2, required('string')],
]);

export const Journal = message<R.Journal>('binlogdata.Journal', [
  ['id', 1, required('int64')],
  ['migration_type', 2, MigrationType],
  ['tables', 3, repeated('string')],
  ['local_position', 4, 'string'],
  ['shard_gtids', 5, repeated(ShardGtid)],
  ['participants', 6, repeated(KeyspaceShard)],
  ['source_workflows', 7, repeated('string')],
]);
