import { type VtError, vtError } from '../lib/errors.ts';

/** Errors of vtgate that carry a number. Vitess: go/vt/vterrors/code.go. */

/** VT05003: no such keyspace. */
export function unknownDatabase(keyspace: string): VtError {
  return vtError('NOT_FOUND', `VT05003: unknown database '${keyspace}' in vschema`);
}

/** VT05004, as SHOW says it. */
export function tableDoesNotExist(table: string): VtError {
  return vtError('NOT_FOUND', `VT05004: table '${table}' does not exist`);
}

/** VT09005: a statement needs a keyspace and none is known. */
export function noDatabaseSelected(): VtError {
  const text = 'no database selected: use keyspace<:shard><@type> or keyspace<[range]><@type> (<> are optional)';
  return vtError('FAILED_PRECONDITION', `VT09005: ${text}`);
}

/** VT09002: a write with a target that is no primary. */
export function replicaTarget(verb: 'insert' | 'replace' | 'update' | 'delete'): VtError {
  return vtError('FAILED_PRECONDITION', `VT09002: ${verb} statement with a replica target`);
}

/** VT09017: a shard in a table's qualifier where that is not allowed. */
export function targetNotAllowed(verb: 'INSERT' | 'SELECT'): VtError {
  return vtError('FAILED_PRECONDITION', `VT09017: ${verb} with a target destination is not allowed`);
}

/** VT03023: an INSERT whose target is several shards. */
export function insertIntoRange(target: string): VtError {
  return vtError('INVALID_ARGUMENT', `VT03023: INSERT not supported when targeting a key range: ${target}`);
}

/** VT03002: RENAME TABLE to another keyspace. */
export function changingSchema(from: string, to: string): VtError {
  return vtError('INVALID_ARGUMENT', `VT03002: changing schema from '${from}' to '${to}' is not allowed`);
}

/** VT09003: an INSERT without the column that says which shard a row belongs to. */
export function missingVindexColumn(column: string): VtError {
  const text = `INSERT query does not have primary vindex column '${column}' in the column list`;
  return vtError('FAILED_PRECONDITION', `VT09003: ${text}`);
}

/** VT09004: an INSERT without columns into a table whose columns are not known. */
export function noColumnList(): VtError {
  const text = 'INSERT should contain column list or the table should have authoritative columns in vschema';
  return vtError('FAILED_PRECONDITION', `VT09004: ${text}`);
}

/** VT03006: a VALUES row of another length than the column list. */
export function columnCountMismatch(): VtError {
  return vtError('INVALID_ARGUMENT', "VT03006: column count does not match value count with the row");
}

/** VT09023: a row that has no keyspace id. */
export function noKeyspaceId(values: string): VtError {
  return vtError('FAILED_PRECONDITION', `VT09023: could not map ${values} to a keyspace id`);
}

/** VT12001: what vtgate does not do. */
export function gateUnsupported(what: string): VtError {
  return vtError('UNIMPLEMENTED', `VT12001: unsupported: ${what}`);
}
