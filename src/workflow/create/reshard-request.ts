import type { OnDDLAction } from '../../topo/proto/types-workflow.ts';
import type { VSchemaKeyspace } from '../../topo/proto/types.ts';
import type { Member } from './request.ts';

/** What `Reshard create` was asked to do. */
export interface ReshardRequest {
  workflow: string;
  keyspace: string;
  sourceShards: readonly string[];
  targetShards: readonly string[];
  cells: readonly string[];
  tabletTypes: readonly string[];
  inOrder: boolean;
  onDdl: OnDDLAction;
  deferSecondaryKeys: boolean;
  autoStart: boolean;
  stopAfterCopy: boolean;
  skipSchemaCopy: boolean;
  /** VReplication settings of the workflow. */
  config: Readonly<Record<string, string>>;
}

/** A stream of the source shards that copies reference tables: the new shards get one of their own. */
export interface ReferenceStream {
  workflow: string;
  /** Prototext BinlogSource. */
  source: string;
  cell: string | null;
  tabletTypes: string | null;
  workflowType: number;
  workflowSubType: number;
}

/** A Reshard that may be made: its shards as they were found, and what they hold. */
export interface Resharder {
  request: ReshardRequest;
  sources: Member[];
  targets: Member[];
  vschema: VSchemaKeyspace;
  references: ReferenceStream[];
}
