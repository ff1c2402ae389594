import type { FaultPoint } from '../runtime/failpoints.ts';

/** The calls to a tablet that there are. Vitess: proto/tabletmanagerservice.proto. */
export const RPCS = [
  'ApplySchema',
  'ChangeType',
  'CreateVReplicationWorkflow',
  'DeleteTableData',
  'DeleteVReplicationWorkflow',
  'DemotePrimary',
  'ExecuteFetchAsAllPrivs',
  'ExecuteFetchAsApp',
  'ExecuteFetchAsDba',
  'GetGlobalStatusVars',
  'GetMaxValueForSequences',
  'GetSchema',
  'HasVReplicationWorkflows',
  'InitPrimary',
  'PrimaryPosition',
  'PromoteReplica',
  'ReadVReplicationWorkflow',
  'ReadVReplicationWorkflows',
  'RefreshState',
  'ResetSequences',
  'SetReadWrite',
  'SetReplicationSource',
  'UndoDemotePrimary',
  'UpdateSequenceTables',
  'UpdateVReplicationWorkflow',
  'UpdateVReplicationWorkflows',
  'VDiff',
  'VReplicationExec',
  'VReplicationWaitForPos',
  'ValidateVReplicationPermissions',
  'WaitForPosition',
] as const;

export type Rpc = (typeof RPCS)[number];

/** The name of the place where faults meet a call: `tablet/refreshState`. */
export function rpcPoint(rpc: Rpc): string {
  return `tablet/${rpc[0]!.toLowerCase()}${rpc.slice(1)}`;
}

/** Where faults meet calls to tablets; `#2` is the second of a command. */
export const RPC_POINTS: readonly FaultPoint[] = RPCS.map((rpc) => ({ name: rpcPoint(rpc), occurrences: Infinity, call: 'tablet' }));
