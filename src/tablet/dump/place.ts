import { UserError } from '../../lib/errors.ts';
import { containsId, idToHex, isComplete, type KeyRange } from '../../lib/key-range.ts';
import { validateShardName } from '../../lib/names.ts';
import { findColumn, type TableDef } from '../../sql/schema.ts';
import { decodeValue } from '../../sql/storage.ts';
import type { SqliteParam } from '../../sql/value.ts';
import { buildPrimaryVindex } from '../../topo/primary-vindex.ts';
import type { VSchemaKeyspace } from '../../topo/proto/types.ts';

/** Which shards (by their place in the list) get a row, given as the parameters of all its columns. */
export type RowPlace = (row: readonly SqliteParam[]) => readonly number[];

/** The keyspace that rows are loaded into. */
export interface Destination {
  keyspace: string;
  shards: readonly string[];
  vschema: VSchemaKeyspace;
}

/**
 * Where the rows of a table go: all to the only shard, each to the shard of its primary vindex, or (reference tables) to
 * every shard. Throws UserError where the VSchema does not say, and what is wrong with its vindex.
 */
export function rowPlace(destination: Destination, def: TableDef): RowPlace {
  const { keyspace, shards, vschema } = destination;
  const ranges = shards.map((shard) => validateShardName(shard).keyRange);
  if (ranges.length === 1 && isComplete(ranges[0])) return () => [0];
  const entry = vschema.tables?.[def.name];
  if (vschema.sharded !== true) {
    throw new UserError(`keyspace ${keyspace} has ${shards.length} shards and its vschema is not sharded`, {
      next: `give ${keyspace} a vschema with a primary vindex for ${def.name}`,
      exit: 2,
    });
  }
  if (entry?.type === 'reference') return () => shards.map((_, index) => index);
  if (entry?.pinned !== undefined && entry.pinned !== '') {
    const pinned = shardOf(ranges, shards, entry.pinned.toLowerCase());
    return () => [pinned];
  }
  const primary = entry === undefined ? undefined : buildPrimaryVindex(vschema, def.name, entry);
  if (primary === undefined) {
    throw new UserError(`the vschema of keyspace ${keyspace} does not say which shard the rows of ${def.name} belong to`, {
      next: `give ${def.name} a primary vindex in the vschema of ${keyspace}`,
      exit: 2,
    });
  }
  const columns = primary.columns.map((name) => {
    const column = findColumn(def, name);
    if (column === undefined) throw new UserError(`the vindex ${primary.name} is on column ${name}, which ${def.name} lacks`, { exit: 2 });
    return { at: def.columns.indexOf(column), type: column.type };
  });
  return (row) => {
    const values = columns.map(({ at, type }) => decodeValue(type, row[at]));
    const id = primary.vindex.map(values);
    if (id === undefined) throw new UserError(`no shard holds a row with (${values.map(String).join(', ')}) in (${primary.columns.join(', ')})`, { exit: 2 });
    return [shardOf(ranges, shards, idToHex(id))];
  };
}

function shardOf(ranges: readonly (KeyRange | undefined)[], shards: readonly string[], id: string): number {
  const found = ranges.findIndex((range) => containsId(range, id));
  if (found < 0) throw new UserError(`keyspace id ${id} is in none of the shards ${shards.join(' ')}`, { exit: 2 });
  return found;
}
