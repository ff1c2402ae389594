import { plainError } from '../lib/errors.ts';
import { escapeId } from '../lib/sqlescape.ts';
import { findColumn, columnFamily, type TableDef } from '../sql/schema.ts';
import { optionsOf } from '../sql/schema-options.ts';
import type { Value } from '../sql/value.ts';

/** True for a table whose comment makes a tablet take it for a sequence. Vitess: go/vt/vttablet/tabletserver/schema/load_table.go. */
export function isSequenceTable(def: TableDef): boolean {
  return optionsOf(def).some(({ name, value }) => name === 'COMMENT' && value.includes('vitess_sequence'));
}

/** How Vitess makes a sequence table. */
export function createSequenceSql(table: string): string {
  return `create table if not exists ${escapeId(table)} (id int, next_id bigint, cache bigint, primary key(id)) comment 'vitess_sequence'`;
}

/** How Vitess asks for the largest value of a column. `max(...)` of no rows is one row, with NULL. */
export function largestValueSql(database: string, table: string, column: string): string {
  return `select max(${escapeId(column)}) as maxval from ${escapeId(database)}.${escapeId(table)}`;
}

/** How Vitess asks where a sequence stands. */
export function currentValueSql(database: string, table: string): string {
  return `select next_id from ${escapeId(database)}.${escapeId(table)} where id = 0`;
}

/** How Vitess sets a sequence to a value, or leaves it where it is further. `table` is written as the statement has it. */
export function raiseSequenceSql(table: string, next: bigint): string {
  return `insert into ${table} (id, next_id, cache) values (0, ${next}, 1000) on duplicate key update next_id = if(next_id < ${next}, ${next}, next_id)`;
}

const INTEGERS = new Set(['int', 'year']);

/**
 * A value of a column as Go's int64. Throws what Go says of NULL, of another kind of value, and of one that is too large.
 * Vitess: go/sqltypes/value.go ToInt64.
 */
export function toInt64(def: TableDef, column: string, value: Value): bigint {
  const type = findColumn(def, column)?.type;
  if (value === null || type === undefined || !INTEGERS.has(columnFamily(type))) throw plainError('Cannot convert value to desired type');
  const integer = BigInt(value as number | bigint);
  if (integer >= 2n ** 63n) throw plainError(`cannot parse int64 from "${integer}": overflow`);
  return integer;
}
