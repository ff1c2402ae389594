/** The keyspace id of a row as a stream works it out, from the VSchema of the keyspace that it reads. */
import { plainError, vtError } from '../../lib/errors.ts';
import { containsId, formatKeyRange, idToHex, type KeyRange, parseShardingSpec } from '../../lib/key-range.ts';
import { goQuote } from '../../lib/go-quote.ts';
import type { Row, Value } from '../../sql/value.ts';
import { bestColumnVindex } from '../../topo/primary-vindex.ts';
import type { VSchemaKeyspace } from '../../topo/proto/types.ts';
import { createVindex } from '../../vindex/registry.ts';
import type { Vindex } from '../../vindex/vindex.ts';

/** A vindex and the columns of a table that it reads. */
export interface RowVindex {
  table: string;
  columns: readonly string[];
  vindex: Vindex;
}

/**
 * The vindex that a stream uses for a table whose rule names none: the cheapest unique one that reads no table.
 * Throws `table T not found`, `table T has no vindex`. Vitess: vstreamer's localVSchema.FindColVindex.
 */
export function vindexOfTable(vschema: VSchemaKeyspace, table: string): RowVindex {
  const definition = vschema.tables?.[table];
  if (definition === undefined) throw plainError(`table ${table} not found`);
  const { columns, vindex } = bestColumnVindex(vschema, table, definition);
  return { table, columns, vindex };
}

/**
 * The vindex that `in_keyrange(columns, NAME, range)` names: `keyspace.vindex`, one of the stream's own keyspace, or a type.
 * `vschemaOf` reads another keyspace's VSchema.
 */
export async function namedVindex(
  table: string,
  columns: readonly string[],
  name: string,
  own: string,
  vschemaOf: (keyspace: string) => Promise<VSchemaKeyspace>,
): Promise<RowVindex> {
  const [first = '', second, ...more] = name.split('.');
  if (more.length > 0) throw plainError(`invalid vindex name: ${name}`);
  const [keyspace, vindexName] = second === undefined ? [own, first] : [first, second];
  const spec = (await vschemaOf(keyspace)).vindexes?.[vindexName];
  if (spec === undefined && second !== undefined) throw plainError(`vindex ${name} not found`);
  const vindex = createVindex(vindexName, spec?.type ?? vindexName, spec?.params ?? {});
  if (!vindex.unique) throw vtError('INTERNAL', `vindex must be Unique to be used for VReplication: ${name}`);
  return { table, columns, vindex };
}

/** The one range that a rule's text names. Throws `error parsing keyrange: X` and what is wrong with its bounds. */
export function rangeOfRule(text: string): KeyRange {
  const ranges = parseShardingSpec(text);
  if (ranges.length !== 1) throw plainError(`error parsing keyrange: ${text}`);
  return ranges[0]!;
}

/** The keyspace id of rows, in hexadecimal. Throws for a row that has none: Vitess's stream stops there too. */
export function keyspaceIdOf({ table, columns, vindex }: RowVindex): (row: Row) => string {
  const reads = columns.map((column) => columnReader(table, column));
  return (row) => {
    const values = reads.map((read) => read(row));
    const id = vindex.map(values);
    if (id === undefined || id.length === 0) {
      throw plainError(`could not map [${values.map(goValue).join(' ')}] to a keyspace id, got destination DestinationNone()`);
    }
    return idToHex(id);
  };
}

/** Whether a row's keyspace id is in a range. Throws as `keyspaceIdOf`. */
export function inRange(vindex: RowVindex, range: KeyRange): (row: Row) => boolean {
  const idOf = keyspaceIdOf(vindex);
  const whole = formatKeyRange(range) === '-';
  return (row) => {
    const id = idOf(row);
    return whole || containsId(range, id);
  };
}

/** Reads a column of a row by its name in any case. Throws where the row has none of that name. */
export function columnReader(table: string, column: string): (row: Row) => Value {
  let key = column;
  return (row) => {
    const value = row[key];
    if (value !== undefined) return value;
    const found = Object.keys(row).find((name) => name.toLowerCase() === column.toLowerCase());
    if (found === undefined) throw vtError('FAILED_PRECONDITION', `column ${column} not found in table ${table}`);
    key = found;
    return row[key]!;
  };
}

/** A value as Go prints one of sqltypes. */
function goValue(value: Value): string {
  if (value === null) return 'NULL';
  if (typeof value === 'string') return `VARCHAR(${goQuote(value)})`;
  if (value instanceof Uint8Array) return `VARBINARY(${goQuote(Buffer.from(value).toString('latin1'))})`;
  return typeof value === 'number' && !Number.isInteger(value) ? `FLOAT64(${value})` : `INT64(${value})`;
}
