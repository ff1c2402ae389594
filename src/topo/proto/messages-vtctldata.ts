/**
 * The answers of package `vtctldata` about the topology; those about workflows are in
 * `messages-vtctldata-workflow.ts`, so that printing a shard does not load them. Vitess: proto/vtctldata.proto.
 */
import * as topodata from './messages-topodata.ts';
import * as vschema from './messages-vschema.ts';
import { mapOf, message, repeated, required } from './schema.ts';
import type * as R from './types.ts';

export const Keyspace = message<R.NamedKeyspace>('vtctldata.Keyspace', [
  ['name', 1, required('string')],
  ['keyspace', 2, topodata.Keyspace],
]);

export const Shard = message<R.NamedShard>('vtctldata.Shard', [
  ['keyspace', 1, required('string')],
  ['name', 2, required('string')],
  ['shard', 3, topodata.Shard],
]);

export const CreateShardResponse = message<R.CreateShardResponse>('vtctldata.CreateShardResponse', [
  ['keyspace', 1, Keyspace],
  ['shard', 2, Shard],
  ['shard_already_exists', 3, 'bool'],
]);

export const FindAllShardsInKeyspaceResponse = message<R.FindAllShardsInKeyspaceResponse>(
  'vtctldata.FindAllShardsInKeyspaceResponse',
  [['shards', 1, mapOf(Shard)]],
);

export const GetShardReplicationResponse = message<R.GetShardReplicationResponse>(
  'vtctldata.GetShardReplicationResponse',
  [['shard_replication_by_cell', 1, mapOf(topodata.ShardReplication)]],
);

export const SetKeyspaceDurabilityPolicyResponse = message<R.SetKeyspaceDurabilityPolicyResponse>(
  'vtctldata.SetKeyspaceDurabilityPolicyResponse',
  [['keyspace', 1, topodata.Keyspace]],
);

export const NameList = message<R.NameList>('vtctldata.GetSrvKeyspaceNamesResponse.NameList', [
  ['names', 1, repeated('string')],
]);

export const TopologyCell = message<R.TopologyCell>('vtctldata.TopologyCell', [
  ['name', 1, 'string'],
  ['path', 2, 'string'],
  ['data', 3, 'string'],
  ['children', 4, repeated('string')],
  ['version', 5, 'int64'],
]);

export const ApplyKeyspaceRoutingRulesResponse = message<R.ApplyKeyspaceRoutingRulesResponse>(
  'vtctldata.ApplyKeyspaceRoutingRulesResponse',
  [['keyspace_routing_rules', 1, vschema.KeyspaceRoutingRules]],
);

export const ParamList = message('vtctldata.ApplyVSchemaResponse.ParamList', [['params', 1, repeated('string')]]);

export const ApplyVSchemaResponse = message('vtctldata.ApplyVSchemaResponse', [
  ['v_schema', 1, vschema.Keyspace],
  ['unknown_vindex_params', 2, mapOf(ParamList)],
]);

export const ValidateShardResponse = message('vtctldata.ValidateShardResponse', [['results', 1, repeated('string')]]);

export const ValidateKeyspaceResponse = message('vtctldata.ValidateKeyspaceResponse', [
  ['results', 1, repeated('string')],
  ['results_by_shard', 2, mapOf(ValidateShardResponse)],
]);

export const ValidateSchemaKeyspaceResponse = message('vtctldata.ValidateSchemaKeyspaceResponse', [
  ['results', 1, repeated('string')],
  ['results_by_shard', 2, mapOf(ValidateShardResponse)],
]);

export const ValidateVSchemaResponse = message('vtctldata.ValidateVSchemaResponse', [
  ['results', 1, repeated('string')],
  ['results_by_shard', 2, mapOf(ValidateShardResponse)],
]);

export const MountShowResponse = message('vtctldata.MountShowResponse', [
  ['topo_type', 1, 'string'],
  ['topo_server', 2, 'string'],
  ['topo_root', 3, 'string'],
  ['name', 4, 'string'],
]);

export const MountListResponse = message('vtctldata.MountListResponse', [['names', 1, repeated('string')]]);
