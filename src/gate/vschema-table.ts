import { errorText, vtError } from '../lib/errors.ts';
import { goQuote } from '../lib/go-quote.ts';
import { parseHex } from '../lib/key-range.ts';
import type { ColumnVindex, Table, VSchemaKeyspace } from '../topo/proto/types.ts';
import { createVindex } from '../vindex/registry.ts';
import type { Vindex } from '../vindex/vindex.ts';

/** The vindex that says which shard a row of a table belongs to, and the columns it reads. */
export interface PrimaryVindex {
  name: string;
  columns: string[];
  vindex: Vindex;
}

const bad = (text: string): Error => vtError('INVALID_ARGUMENT', text);
const missing = (text: string): Error => vtError('NOT_FOUND', text);

/**
 * Checks a table's entry. vtgate leaves a wrong table out and answers `table T not found`; here the reason is
 * the answer. Vitess: go/vt/vtgate/vindexes/vschema.go buildTables.
 */
export function checkTable(keyspace: VSchemaKeyspace, name: string, table: Table): void {
  const { type = '', pinned = '', source = '' } = table;
  const sharded = keyspace.sharded === true;
  if (type === 'reference') checkSource(name, source);
  else if (type === 'sequence' && sharded && pinned === '') {
    const text = `sequence table has to be in an unsharded keyspace or must be pinned: ${name}`;
    throw vtError('FAILED_PRECONDITION', text);
  } else if (type !== '' && type !== 'sequence') throw missing(`unidentified table type ${type}`);
  if (pinned !== '') checkPinned(pinned);
  if (sharded && type !== 'reference' && pinned === '' && (table.column_vindexes ?? []).length === 0) {
    throw missing(`missing primary col vindex for table: ${name}`);
  }
  checkColumns(name, table);
}

function checkSource(name: string, source: string): void {
  if (source.split('.').length <= 2) return;
  const forms = 'unqualified form <table_name> or the qualified form <keyspace_name>.<table_name>';
  const reason = `invalid table name: '${source}', it must be of the ${forms} (dots are not allowed in either name)`;
  throw bad(`invalid source ${goQuote(source)} for reference table: ${name}; ${reason}`);
}

function checkPinned(pinned: string): void {
  try {
    parseHex(pinned);
  } catch (error) {
    throw bad(`could not decode the keyspace id for pin: ${errorText(error)}`);
  }
}

function checkColumns(name: string, table: Table): void {
  const seen = new Set<string>();
  for (const column of table.columns ?? []) {
    const lower = column.name.toLowerCase();
    if (seen.has(lower)) throw bad(`duplicate column name '${column.name}' for table: ${name}`);
    seen.add(lower);
  }
}

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
