/** Messages of package `vschema`: VSchemas, routing and mirror rules. Vitess: proto/vschema.proto. */
import * as query from './messages-query.ts';
import { enumType, mapOf, message, optional, repeated, required } from './schema.ts';
import type * as R from './types.ts';

/** The names are lower case; `unspecified` is treated as `unmanaged`. */
export const ForeignKeyMode = enumType('vschema.Keyspace.ForeignKeyMode', [
  ['unspecified', 0],
  ['disallow', 1],
  ['unmanaged', 2],
  ['managed', 3],
]);

export const RoutingRule = message<R.RoutingRule>('vschema.RoutingRule', [
  ['from_table', 1, required('string')],
  ['to_tables', 2, repeated('string')],
]);

export const RoutingRules = message<R.RoutingRules>('vschema.RoutingRules', [['rules', 1, repeated(RoutingRule)]]);

export const MultiTenantSpec = message<R.MultiTenantSpec>('vschema.MultiTenantSpec', [
  ['tenant_id_column_name', 1, 'string'],
  ['tenant_id_column_type', 2, query.Type],
]);

export const Vindex = message<R.Vindex>('vschema.Vindex', [
  ['type', 1, required('string')],
  ['params', 2, mapOf('string')],
  ['owner', 3, 'string'],
]);

export const ColumnVindex = message<R.ColumnVindex>('vschema.ColumnVindex', [
  ['column', 1, 'string'],
  ['name', 2, required('string')],
  ['columns', 3, repeated('string')],
]);

export const AutoIncrement = message<R.AutoIncrement>('vschema.AutoIncrement', [
  ['column', 1, required('string')],
  ['sequence', 2, required('string')],
]);

export const Column = message<R.Column>('vschema.Column', [
  ['name', 1, required('string')],
  ['type', 2, query.Type],
  ['invisible', 3, 'bool'],
  ['default', 4, 'string'],
  ['collation_name', 5, 'string'],
  ['size', 6, 'int32'],
  ['scale', 7, 'int32'],
  ['nullable', 8, optional('bool')],
  ['values', 9, repeated('string')],
]);

export const Table = message<R.Table>('vschema.Table', [
  ['type', 1, 'string'],
  ['column_vindexes', 2, repeated(ColumnVindex)],
  ['auto_increment', 3, AutoIncrement],
  ['columns', 4, repeated(Column)],
  ['pinned', 5, 'string'],
  ['column_list_authoritative', 6, 'bool'],
  ['source', 7, 'string'],
]);

export const Keyspace = message<R.VSchemaKeyspace>('vschema.Keyspace', [
  ['sharded', 1, 'bool'],
  ['vindexes', 2, mapOf(Vindex)],
  ['tables', 3, mapOf(Table)],
  ['require_explicit_routing', 4, 'bool'],
  ['foreign_key_mode', 5, ForeignKeyMode],
  ['multi_tenant_spec', 6, MultiTenantSpec],
]);

export const ShardRoutingRule = message<R.ShardRoutingRule>('vschema.ShardRoutingRule', [
  ['from_keyspace', 1, required('string')],
  ['to_keyspace', 2, required('string')],
  ['shard', 3, required('string')],
]);

export const ShardRoutingRules = message<R.ShardRoutingRules>('vschema.ShardRoutingRules', [
  ['rules', 1, repeated(ShardRoutingRule)],
]);

export const KeyspaceRoutingRule = message<R.KeyspaceRoutingRule>('vschema.KeyspaceRoutingRule', [
  ['from_keyspace', 1, required('string')],
  ['to_keyspace', 2, required('string')],
]);

export const KeyspaceRoutingRules = message<R.KeyspaceRoutingRules>('vschema.KeyspaceRoutingRules', [
  ['rules', 1, repeated(KeyspaceRoutingRule)],
]);

export const MirrorRule = message<R.MirrorRule>('vschema.MirrorRule', [
  ['from_table', 1, required('string')],
  ['to_table', 2, required('string')],
  ['percent', 3, required('float')],
]);

export const MirrorRules = message<R.MirrorRules>('vschema.MirrorRules', [['rules', 1, repeated(MirrorRule)]]);

export const SrvVSchema = message<R.SrvVSchema>('vschema.SrvVSchema', [
  ['keyspaces', 1, mapOf(Keyspace)],
  ['routing_rules', 2, RoutingRules],
  ['shard_routing_rules', 3, ShardRoutingRules],
  ['keyspace_routing_rules', 4, KeyspaceRoutingRules],
  ['mirror_rules', 5, MirrorRules],
]);
