import { checkTable } from '../../gate/vschema-table.ts';
import type { VSchemaKeyspace } from '../../topo/proto/types.ts';
import { buildPrimaryVindex } from '../../topo/primary-vindex.ts';
import { createVindex, isVindexType, VINDEX_TYPES } from '../../vindex/registry.ts';
import { hint } from './check-keyspaces.ts';
import type { LocatedFile } from './located.ts';
import type { ClusterFile } from './schema.ts';
import { shardEntries } from './spec.ts';

/** What the gate would refuse of a keyspace's VSchema, and what does not go with its shards. Throws FileError. */
export function checkVSchema(file: ClusterFile, keyspace: string, vschema: VSchemaKeyspace, at: LocatedFile): void {
  const path = ['keyspaces', keyspace, 'vschema'];
  checkSharded(file, keyspace, vschema, at);
  const { vindexes = {}, tables = {} } = vschema;
  for (const [name, { type, params = {}, owner = '' }] of Object.entries(vindexes)) {
    const here = [...path, 'vindexes', name];
    if (!isVindexType(type)) throw at.wrong([...here, 'type'], `there is no vindex type "${type}"${hint(type, Object.keys(VINDEX_TYPES))}`);
    at.check([...here, 'params'], () => createVindex(name, type, params));
    if (owner !== '' && !Object.hasOwn(tables, owner)) {
      throw at.wrong([...here, 'owner'], `the VSchema has no table "${owner}"${hint(owner, Object.keys(tables))}`);
    }
  }
  for (const [name, table] of Object.entries(tables)) {
    const here = [...path, 'tables', name];
    (table.column_vindexes ?? []).forEach((vindex, index) => {
      if (Object.hasOwn(vindexes, vindex.name)) return;
      throw at.wrong([...here, 'column_vindexes', index, 'name'], `the VSchema has no vindex "${vindex.name}"${hint(vindex.name, Object.keys(vindexes))}`);
    });
    at.check(here, () => checkTable(vschema, name, table), 'key');
    if (vschema.sharded === true) at.check(here, () => buildPrimaryVindex(vschema, name, table), 'key');
  }
}

function checkSharded(file: ClusterFile, keyspace: string, vschema: VSchemaKeyspace, at: LocatedFile): void {
  const path = ['keyspaces', keyspace];
  const serving = Object.entries(shardEntries(file.keyspaces[keyspace] ?? null)).filter(([, shard]) => shard.is_primary_serving !== false);
  if (vschema.sharded === true || serving.length < 2) return;
  throw at.wrongKey([...path, 'shards'], `${keyspace} has ${serving.length} shards, but its VSchema does not say which rows belong to which`, 'give it vschema: {sharded: true, vindexes: ..., tables: ...}');
}
