/**
 * The records of workflows: what a stream is told to do (binlogdata) and what commands answer about it
 * (vtctldata). The same form as `types.ts`.
 */
import type { Base64, Int64Text, KeyRange, TabletAlias, TabletControl, TabletType, Time } from './types.ts';

export type OnDDLAction = 'IGNORE' | 'STOP' | 'EXEC' | 'EXEC_IGNORE';

export type WorkflowType = 'Materialize' | 'MoveTables' | 'CreateLookupIndex' | 'Migrate' | 'Reshard' | 'OnlineDDL';

export type WorkflowSubType = 'None' | 'Partial' | 'AtomicCopy';

export type WorkflowState = 'Unknown' | 'Init' | 'Stopped' | 'Copying' | 'Running' | 'Error' | 'Lagging';

export type TabletSelectionPreference = 'ANY' | 'INORDER' | 'UNKNOWN';

export type TableCopyPhase = 'UNKNOWN' | 'NOT_STARTED' | 'IN_PROGRESS' | 'COMPLETE';

export type MigrationType = 'TABLES' | 'SHARDS';

/** query.Field. */
export interface QueryField {
  name?: string;
  type?: string;
  table?: string;
  org_table?: string;
  database?: string;
  org_name?: string;
  column_length?: number;
  charset?: number;
  decimals?: number;
  flags?: number;
  column_type?: string;
}

/** query.Row: the values end to end, cut by `lengths`; -1 is NULL. */
export interface QueryRow {
  lengths?: Int64Text[];
  values?: Base64;
}

/** query.QueryResult. */
export interface QueryResult {
  fields?: QueryField[];
  rows_affected?: Int64Text;
  insert_id?: Int64Text;
  rows?: QueryRow[];
  info?: string;
  session_state_changes?: string;
  insert_id_changed?: boolean;
}

/** binlogdata.CharsetConversion. */
export interface CharsetConversion {
  from_charset?: string;
  to_charset?: string;
}

/** binlogdata.Rule: which rows of which table a stream takes. */
export interface Rule {
  /** A table name, or `/` and a regular expression. */
  match: string;
  /** Empty (everything), a key range, a select statement or `exclude`. */
  filter?: string;
  convert_enum_to_text?: Record<string, string>;
  convert_charset?: Record<string, CharsetConversion>;
  source_unique_key_columns?: string;
  target_unique_key_columns?: string;
  source_unique_key_target_columns?: string;
  convert_int_to_enum?: Record<string, boolean>;
  force_unique_key?: string;
}

/** binlogdata.Filter: the first rule that matches a table applies. */
export interface Filter {
  rules?: Rule[];
  field_event_mode?: 'ERR_ON_MISMATCH' | 'BEST_EFFORT';
  /** The number of a WorkflowType, as text. */
  workflow_type?: Int64Text;
  workflow_name?: string;
}

/** binlogdata.BinlogSource: what a stream reads; stored as prototext in its row. */
export interface BinlogSource {
  keyspace: string;
  shard: string;
  tablet_type?: TabletType;
  key_range?: KeyRange;
  tables?: string[];
  filter?: Filter;
  on_ddl?: OnDDLAction;
  external_mysql?: string;
  stop_after_copy?: boolean;
  external_cluster?: string;
  source_time_zone?: string;
  target_time_zone?: string;
}

/** binlogdata.TableLastPK. */
export interface TableLastPK {
  table_name?: string;
  lastpk?: QueryResult;
}

/** binlogdata.ShardGtid. */
export interface ShardGtid {
  keyspace: string;
  shard: string;
  gtid: string;
  table_p_ks?: TableLastPK[];
}

/** binlogdata.KeyspaceShard. */
export interface KeyspaceShard {
  keyspace: string;
  shard: string;
}

/** binlogdata.Journal: written on each source when writes switch; after the first there is no way back. */
export interface Journal {
  /** The migration's id: a hash of the target keyspace and the targets. */
  id: Int64Text;
  migration_type?: MigrationType;
  tables?: string[];
  local_position?: string;
  shard_gtids?: ShardGtid[];
  participants?: KeyspaceShard[];
  source_workflows?: string[];
}

/** vtctldata.WorkflowOptions; also the JSON in a stream's `options` column. */
export interface WorkflowOptions {
  tenant_id?: string;
  sharded_auto_increment_handling?: 'LEAVE' | 'REMOVE' | 'REPLACE';
  shards?: string[];
  config?: Record<string, string>;
  global_keyspace?: string;
  lookup_vindexes?: string[];
}

/** vtctldata.Workflow.ReplicationLocation. */
export interface ReplicationLocation {
  keyspace?: string;
  shards?: string[];
}

/** vtctldata.Workflow.Stream.CopyState: a table still being copied. */
export interface CopyState {
  table?: string;
  last_pk?: string;
  stream_id?: Int64Text;
}

/** vtctldata.Workflow.Stream.Log. */
export interface StreamLog {
  id?: Int64Text;
  stream_id?: Int64Text;
  type?: string;
  state?: string;
  created_at?: Time;
  updated_at?: Time;
  message?: string;
  count?: Int64Text;
}

/** vtctldata.Workflow.Stream.ThrottlerStatus. */
export interface ThrottlerStatus {
  component_throttled?: string;
  time_throttled?: Time;
}

/** vtctldata.Workflow.Stream. */
export interface Stream {
  id?: Int64Text;
  /** The target shard. */
  shard?: string;
  /** The target primary. */
  tablet?: TabletAlias;
  binlog_source?: BinlogSource;
  position?: string;
  stop_position?: string;
  state?: string;
  db_name?: string;
  transaction_timestamp?: Time;
  time_updated?: Time;
  message?: string;
  copy_states?: CopyState[];
  logs?: StreamLog[];
  log_fetch_error?: string;
  tags?: string[];
  rows_copied?: Int64Text;
  throttler_status?: ThrottlerStatus;
  tablet_types?: TabletType[];
  tablet_selection_preference?: TabletSelectionPreference;
  cells?: string[];
}

/** vtctldata.Workflow.ShardStream. */
export interface ShardStream {
  streams?: Stream[];
  tablet_controls?: TabletControl[];
  is_primary_serving?: boolean;
}

/** vtctldata.Workflow. */
export interface Workflow {
  name?: string;
  source?: ReplicationLocation;
  target?: ReplicationLocation;
  /** Seconds since a stream was last updated. */
  max_v_replication_lag?: Int64Text;
  /** By `SHARD/ALIAS` of the target primary. */
  shard_streams?: Record<string, ShardStream>;
  workflow_type?: string;
  workflow_sub_type?: string;
  /** Seconds; compared with the lag a switch allows. */
  max_v_replication_transaction_lag?: Int64Text;
  defer_secondary_keys?: boolean;
  options?: WorkflowOptions;
}

/** vtctldata.GetWorkflowsResponse. */
export interface GetWorkflowsResponse {
  workflows?: Workflow[];
}

/** vtctldata.WorkflowStatusResponse.TableCopyState. Percentages are float32, 100 when the total is 0. */
export interface TableCopyState {
  rows_copied?: Int64Text;
  rows_total?: Int64Text;
  rows_percentage?: number;
  bytes_copied?: Int64Text;
  bytes_total?: Int64Text;
  bytes_percentage?: number;
  phase?: TableCopyPhase;
}

/** vtctldata.WorkflowStatusResponse.ShardStreamState. */
export interface ShardStreamState {
  id?: number;
  tablet?: TabletAlias;
  /** `SOURCEKS/SHARD`. */
  source_shard?: string;
  position?: string;
  status?: string;
  info?: string;
}

/** vtctldata.WorkflowStatusResponse.ShardStreams. */
export interface ShardStreams {
  streams?: ShardStreamState[];
}

/** vtctldata.WorkflowStatusResponse. */
export interface WorkflowStatusResponse {
  /** By table; none once nothing is being copied. */
  table_copy_state?: Record<string, TableCopyState>;
  /** By `TARGETKS/SHARD`. */
  shard_streams?: Record<string, ShardStreams>;
  traffic_state?: string;
}

/** vtctldata.WorkflowSwitchTrafficResponse. */
export interface WorkflowSwitchTrafficResponse {
  summary?: string;
  start_state?: string;
  current_state?: string;
  dry_run_results?: string[];
}

/** vtctldata.WorkflowMirrorTrafficResponse. */
export interface WorkflowMirrorTrafficResponse {
  summary?: string;
  start_state?: string;
  current_state?: string;
}

/** vtctldata.WorkflowUpdateResponse.TabletInfo. */
export interface UpdateTabletInfo {
  tablet?: TabletAlias;
  changed?: boolean;
}

/** vtctldata.WorkflowUpdateResponse. */
export interface WorkflowUpdateResponse {
  summary?: string;
  details?: UpdateTabletInfo[];
}

/** vtctldata.WorkflowDeleteResponse.TabletInfo. */
export interface DeleteTabletInfo {
  tablet?: TabletAlias;
  deleted?: boolean;
}

/** vtctldata.WorkflowDeleteResponse. */
export interface WorkflowDeleteResponse {
  summary?: string;
  details?: DeleteTabletInfo[];
}

/** vtctldata.MoveTablesCompleteResponse and MigrateCompleteResponse. */
export interface CompleteResponse {
  summary?: string;
  dry_run_results?: string[];
}

/** vtctldata.VDiffCreateResponse. */
export interface VDiffCreateResponse {
  UUID: string;
}

/** vtctldata.TableMaterializeSettings. */
export interface TableMaterializeSettings {
  target_table?: string;
  source_expression?: string;
  create_ddl?: string;
}

/** vtctldata.MaterializeSettings. */
export interface MaterializeSettings {
  workflow?: string;
  source_keyspace?: string;
  target_keyspace?: string;
  stop_after_copy?: boolean;
  table_settings?: TableMaterializeSettings[];
  cell?: string;
  tablet_types?: string;
  external_cluster?: string;
  materialization_intent?: 'CUSTOM' | 'MOVETABLES' | 'CREATELOOKUPINDEX' | 'REFERENCE';
  source_time_zone?: string;
  target_time_zone?: string;
  source_shards?: string[];
  on_ddl?: string;
  defer_secondary_keys?: boolean;
  tablet_selection_preference?: TabletSelectionPreference;
  atomic_copy?: boolean;
  workflow_options?: WorkflowOptions;
  reference_tables?: string[];
}
