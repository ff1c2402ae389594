import type { ShardDb } from '../../tablet/shard-db.ts';
import type { ShardInfo } from '../../topo/keyspaces.ts';
import type { OnDDLAction } from '../../topo/proto/types-workflow.ts';
import type { Tablet } from '../../topo/proto/types.ts';

/** What `MoveTables create` was asked to do. */
export interface MoveTablesRequest {
  workflow: string;
  sourceKeyspace: string;
  targetKeyspace: string;
  tables: readonly string[];
  allTables: boolean;
  excludeTables: readonly string[];
  cells: readonly string[];
  tabletTypes: readonly string[];
  inOrder: boolean;
  onDdl: OnDDLAction;
  deferSecondaryKeys: boolean;
  autoStart: boolean;
  stopAfterCopy: boolean;
  noRoutingRules: boolean;
  /** One snapshot of all tables; an error while they are copied is the end of the stream. */
  atomicCopy: boolean;
  /** Of the source's DATETIMEs, which become those of UTC; '' leaves them as they are. */
  sourceTimeZone: string;
  /** VReplication settings of the workflow's own. */
  config: Readonly<Record<string, string>>;
  /** 0 LEAVE, 1 REMOVE, 2 REPLACE. */
  shardedAutoIncrement: number;
}

/** A shard with its primary, as create works on it. */
export interface Member {
  info: ShardInfo;
  primary: Tablet;
  db: ShardDb;
}
