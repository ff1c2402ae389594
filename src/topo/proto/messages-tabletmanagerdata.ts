/** The part of package `tabletmanagerdata` that commands print. Vitess: proto/tabletmanagerdata.proto. */
import * as query from './messages-query.ts';
import { enumType, message, repeated } from './schema.ts';

export const TabletSelectionPreference = enumType('tabletmanagerdata.TabletSelectionPreference', [
  ['ANY', 0],
  ['INORDER', 1],
  ['UNKNOWN', 3],
]);

export const TableDefinition = message('tabletmanagerdata.TableDefinition', [
  ['name', 1, 'string'],
  ['schema', 2, 'string'],
  ['columns', 3, repeated('string')],
  ['primary_key_columns', 4, repeated('string')],
  ['type', 5, 'string'],
  ['data_length', 6, 'uint64'],
  ['row_count', 7, 'uint64'],
  ['fields', 8, repeated(query.Field)],
]);

export const SchemaDefinition = message('tabletmanagerdata.SchemaDefinition', [
  ['database_schema', 1, 'string'],
  ['table_definitions', 2, repeated(TableDefinition)],
]);

export const ExecuteHookResponse = message('tabletmanagerdata.ExecuteHookResponse', [
  ['exit_status', 1, 'int64'],
  ['stdout', 2, 'string'],
  ['stderr', 3, 'string'],
]);

export const VDiffResponse = message('tabletmanagerdata.VDiffResponse', [
  ['id', 1, 'int64'],
  ['output', 2, query.QueryResult],
  ['vdiff_uuid', 3, 'string'],
]);
