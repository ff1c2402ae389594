import { errorText, vtError } from '../lib/errors.ts';
import { goQuote } from '../lib/go-quote.ts';
import { parseHex } from '../lib/key-range.ts';
import type { Table, VSchemaKeyspace } from '../topo/proto/types.ts';

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
