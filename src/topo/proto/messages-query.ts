/** The part of package `query` that records refer to. Vitess: proto/query.proto. */
import { enumType, message, repeated } from './schema.ts';
import type * as R from './types-workflow.ts';

/** SQL types; the numbers carry flag bits (integral, unsigned, quoted, …). */
export const Type = enumType('query.Type', [
  ['NULL_TYPE', 0],
  ['INT8', 257],
  ['UINT8', 770],
  ['INT16', 259],
  ['UINT16', 772],
  ['INT24', 261],
  ['UINT24', 774],
  ['INT32', 263],
  ['UINT32', 776],
  ['INT64', 265],
  ['UINT64', 778],
  ['FLOAT32', 1035],
  ['FLOAT64', 1036],
  ['TIMESTAMP', 2061],
  ['DATE', 2062],
  ['TIME', 2063],
  ['DATETIME', 2064],
  ['YEAR', 785],
  ['DECIMAL', 18],
  ['TEXT', 6163],
  ['BLOB', 10260],
  ['VARCHAR', 6165],
  ['VARBINARY', 10262],
  ['CHAR', 6167],
  ['BINARY', 10264],
  ['BIT', 2073],
  ['ENUM', 2074],
  ['SET', 2075],
  ['TUPLE', 28],
  ['GEOMETRY', 2077],
  ['JSON', 2078],
  ['EXPRESSION', 31],
  ['HEXNUM', 4128],
  ['HEXVAL', 4129],
  ['BITNUM', 4130],
  ['VECTOR', 2083],
  ['RAW', 2084],
  ['ROW_TUPLE', 2085],
]);

export const Field = message<R.QueryField>('query.Field', [
  ['name', 1, 'string'],
  ['type', 2, Type],
  ['table', 3, 'string'],
  ['org_table', 4, 'string'],
  ['database', 5, 'string'],
  ['org_name', 6, 'string'],
  ['column_length', 7, 'uint32'],
  ['charset', 8, 'uint32'],
  ['decimals', 9, 'uint32'],
  ['flags', 10, 'uint32'],
  ['column_type', 11, 'string'],
]);

export const Row = message<R.QueryRow>('query.Row', [
  ['lengths', 1, repeated('sint64')],
  ['values', 2, 'bytes'],
]);

export const QueryResult = message<R.QueryResult>('query.QueryResult', [
  ['fields', 1, repeated(Field)],
  ['rows_affected', 2, 'uint64'],
  ['insert_id', 3, 'uint64'],
  ['rows', 4, repeated(Row)],
  ['info', 6, 'string'],
  ['session_state_changes', 7, 'string'],
  ['insert_id_changed', 8, 'bool'],
]);
