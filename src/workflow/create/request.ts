import { plainError } from '../../lib/errors.ts';
import type { ShardDb } from '../../tablet/shard-db.ts';
import type { ShardInfo } from '../../topo/keyspaces.ts';
import type { OnDDLAction } from '../../topo/proto/types-workflow.ts';
import type { Tablet } from '../../topo/proto/types.ts';
import type { WORKFLOW_SUB_TYPES } from '../switcher.ts';

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
  /** Move these source shards only, each to the target shard of its name; all where none is named. */
  sourceShards: readonly string[];
  /** Move the rows of one tenant; '' for a move that is not about one. */
  tenantId: string;
  /** Of a tenant: the target shards that can have its rows; all where none is named. */
  shards: readonly string[];
  /** Unsharded keyspace for sequence tables; empty for none. */
  globalKeyspace: string;
}

/** By which records the traffic of what is asked for will be switched. Vitess: materializer.isPartial, IsMultiTenantMigration. */
export function kindAsked({ sourceShards, tenantId }: MoveTablesRequest): 'tables' | 'partial' | 'multi-tenant' {
  if (tenantId !== '') return 'multi-tenant';
  return sourceShards.length > 0 ? 'partial' : 'tables';
}

/** How the streams copy. Throws for a partial move with an atomic copy. Vitess: materializer.getWorkflowSubType. */
export function subTypeAsked(request: MoveTablesRequest): (typeof WORKFLOW_SUB_TYPES)[number] {
  const partial = kindAsked(request) === 'partial';
  if (partial && request.atomicCopy) throw plainError('both atomic copy and partial mode cannot be specified for the same workflow');
  if (partial) return 'Partial';
  return request.atomicCopy ? 'AtomicCopy' : 'None';
}

/** A shard with its primary, as create works on it. */
export interface Member {
  info: ShardInfo;
  primary: Tablet;
  db: ShardDb;
}
