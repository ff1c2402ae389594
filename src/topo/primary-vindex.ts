/** Which shard a row belongs to, as a keyspace's VSchema says: what the gate and a load of rows both ask. */
import { vtError } from '../lib/errors.ts';
import { createVindex } from '../vindex/registry.ts';
import type { Vindex } from '../vindex/vindex.ts';
import type { ColumnVindex, Table, VSchemaKeyspace } from './proto/types.ts';

/** The vindex that says which shard a row of a table belongs to, and the columns it reads. */
export interface PrimaryVindex {
  name: string;
  columns: string[];
  vindex: Vindex;
}

const bad = (text: string): Error => vtError('INVALID_ARGUMENT', text);
const missing = (text: string): Error => vtError('NOT_FOUND', text);

/** The first column vindex of a table; undefined where rows do not choose their shard. Throws what is wrong with it. */
export function buildPrimaryVindex(keyspace: VSchemaKeyspace, name: string, table: Table): PrimaryVindex | undefined {
  const [first] = table.column_vindexes ?? [];
  if (first === undefined) return undefined;
  const record = keyspace.vindexes?.[first.name];
  if (record === undefined) throw missing(`vindex ${first.name} not found for table ${name}`);
  const columns = vindexColumns(first, name);
  const vindex = createVindex(first.name, record.type, record.params ?? {});
  if (!vindex.unique) throw bad(`primary vindex ${first.name} is not Unique for table ${name}`);
  if (vindex.needsCursor && record.owner === name) throw bad(`primary vindex ${first.name} cannot be owned for table ${name}`);
  return { name: first.name, columns, vindex };
}

function vindexColumns(record: ColumnVindex, table: string): string[] {
  const { name, column = '', columns = [] } = record;
  if (column !== '') {
    if (columns.length === 0) return [column];
    throw bad(`can't use column and columns at the same time in vindex (${name}) and table (${table})`);
  }
  if (columns.length === 0) throw bad(`must specify at least one column for vindex (${name}) and table (${table})`);
  return columns;
}

/**
 * The vindex that VReplication uses for a table: the cheapest unique one that reads no table, the first of equals.
 * Throws `table T has no vindex`, `could not find a vindex to compute keyspace id for table T`.
 * Vitess: go/vt/vtgate/vindexes/vschema.go FindBestColVindex.
 */
export function bestColumnVindex(keyspace: VSchemaKeyspace, name: string, table: Table): PrimaryVindex {
  const records = table.column_vindexes ?? [];
  if (records.length === 0) throw bad(`table ${name} has no vindex`);
  let best: PrimaryVindex | undefined;
  for (const record of records) {
    const spec = keyspace.vindexes?.[record.name];
    if (spec === undefined) throw missing(`vindex ${record.name} not found for table ${name}`);
    const vindex = createVindex(record.name, spec.type, spec.params ?? {});
    if (vindex.needsCursor || !vindex.unique) continue;
    if (best === undefined || best.vindex.cost > vindex.cost) best = { name: record.name, columns: vindexColumns(record, name), vindex };
  }
  if (best === undefined) throw missing(`could not find a vindex to compute keyspace id for table ${name}`);
  return best;
}
