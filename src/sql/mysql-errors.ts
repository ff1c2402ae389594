/**
 * MySQL's errors as vttablet passes them on: `<text> (errno N) (sqlstate S)`.
 * Vitess: go/mysql/sqlerror/sql_error.go for the form, go/vt/vttablet/tabletserver/tabletserver.go for the codes.
 */
import { type VtCode, type VtError, vtError } from '../lib/errors.ts';

/** The clause an unknown column is reported in. */
export type Clause = 'field list' | 'where clause' | 'order clause' | 'on clause';

/** An error of MySQL with its number and SQL state. */
export function mysqlError(code: VtCode, text: string, errno: number, state: string): VtError {
  return vtError(code, `${text} (errno ${errno}) (sqlstate ${state})`);
}

/** The number of a MySQL error made here or by Vitess, read from its text; undefined for other errors. */
export function mysqlErrno(error: unknown): number | undefined {
  const found = error instanceof Error ? /\(errno (\d+)\)/.exec(error.message) : null;
  return found?.[1] === undefined ? undefined : Number(found[1]);
}

const invalid = (text: string, errno: number, state: string): VtError =>
  mysqlError('INVALID_ARGUMENT', text, errno, state);

/** 1236: a reader comes for what the binlog no longer has. */
export function purgedBinlog(): VtError {
  const text = 'Cannot replicate because the source purged required binary logs. Replicate the missing transactions from elsewhere, or provision a new replica from backup.';
  return mysqlError('UNKNOWN', text, 1236, 'HY000');
}

/** 1264: a number or year beyond its column. */
export function outOfRange(column: string, row = 1): VtError {
  return invalid(`Out of range value for column '${column}' at row ${row}`, 1264, '22003');
}

/** 1406: a string longer than its column. */
export function dataTooLong(column: string, row = 1): VtError {
  return invalid(`Data too long for column '${column}' at row ${row}`, 1406, '22001');
}

/** 1265: trailing text after a number, or no such member of an ENUM or SET. */
export function dataTruncated(column: string, row = 1): VtError {
  return invalid(`Data truncated for column '${column}' at row ${row}`, 1265, '01000');
}

/** 1048: NULL for a NOT NULL column. */
export function cannotBeNull(column: string): VtError {
  return invalid(`Column '${column}' cannot be null`, 1048, '23000');
}

/** 1364: a NOT NULL column without default was left out. */
export function noDefault(column: string): VtError {
  return invalid(`Field '${column}' doesn't have a default value`, 1364, 'HY000');
}

/** 1366: text that is not a number (`integer`, `decimal`) or not text (`string`). */
export function incorrectValue(type: string, shown: string, column: string, row = 1): VtError {
  return invalid(`Incorrect ${type} value: '${shown}' for column '${column}' at row ${row}`, 1366, 'HY000');
}

/** 1292: text that is not a date, datetime or time. */
export function incorrectTemporal(type: string, shown: string, column: string, row = 1): VtError {
  return invalid(`Incorrect ${type} value: '${shown}' for column '${column}' at row ${row}`, 1292, '22007');
}

/** 1054: no such column. */
export function unknownColumn(column: string, clause: Clause): VtError {
  return mysqlError('NOT_FOUND', `Unknown column '${column}' in '${clause}'`, 1054, '42S22');
}

/** 1136: a VALUES row of another length than the column list. */
export function columnCount(row = 1): VtError {
  return invalid(`Column count doesn't match value count at row ${row}`, 1136, '21S01');
}

/** 1110: a column named twice in an INSERT. */
export function columnTwice(column: string): VtError {
  return invalid(`Column '${column}' specified twice`, 1110, '42000');
}

/** 1062: `key` is `table.INDEX`, as in `customer.PRIMARY`; the parts of a composite value are joined with `-`. */
export function duplicateKeyError(value: string, key: string): VtError {
  return mysqlError('ALREADY_EXISTS', `Duplicate entry '${value}' for key '${key}'`, 1062, '23000');
}

/** 1146: no such table; `db` is the MySQL database, as in `vt_commerce`. */
export function noSuchTable(db: string, table: string): VtError {
  return mysqlError('NOT_FOUND', `Table '${db}.${table}' doesn't exist`, 1146, '42S02');
}

/** 1051: DROP TABLE of a table that is not there. */
export function unknownTable(db: string, table: string): VtError {
  return mysqlError('NOT_FOUND', `Unknown table '${db}.${table}'`, 1051, '42S02');
}

/** 1050: CREATE or RENAME to a name in use. */
export function tableExists(table: string): VtError {
  return mysqlError('ALREADY_EXISTS', `Table '${table}' already exists`, 1050, '42S01');
}

/** 1365: division by zero in a write (a SELECT answers NULL). */
export function divisionByZero(): VtError {
  return invalid('Division by 0', 1365, '22012');
}

/** 1690: an integer expression beyond 64 bits. */
export function arithmeticOverflow(type: string, expression: string): VtError {
  return invalid(`${type} value is out of range in '${expression}'`, 1690, '22003');
}

/** 1582: a known function with the wrong number of arguments. */
export function wrongArgumentCount(name: string): VtError {
  return invalid(`Incorrect parameter count in the call to native function '${name}'`, 1582, '42000');
}

/** 3105: a value for a generated column. */
export function generatedColumnValue(column: string, table: string): VtError {
  const text = `The value specified for generated column '${column}' in table '${table}' is not allowed.`;
  return invalid(text, 3105, 'HY000');
}

/** 3140: text that is not JSON. `where` is `table.column`, or the column alone. */
export function invalidJson(where: string): VtError {
  const text = `Invalid JSON text: "Invalid value." at position 0 in value for column '${where}'.`;
  return invalid(text, 3140, '22032');
}

/** 1140: a plain column beside an aggregate without GROUP BY. */
export function nonAggregated(position: number, column: string): VtError {
  const text =
    `In aggregated query without GROUP BY, expression #${position} of SELECT list contains nonaggregated column ` +
    `'${column}'; this is incompatible with sql_mode=only_full_group_by`;
  return invalid(text, 1140, '42000');
}

/** 1067: a DEFAULT its column cannot hold. */
export function invalidDefault(column: string): VtError {
  return invalid(`Invalid default value for '${column}'`, 1067, '42000');
}

/** 1060. */
export function duplicateColumn(column: string): VtError {
  return invalid(`Duplicate column name '${column}'`, 1060, '42S21');
}

/** 1061. */
export function duplicateKeyName(key: string): VtError {
  return invalid(`Duplicate key name '${key}'`, 1061, '42000');
}

/** 1068. */
export function multiplePrimaryKeys(): VtError {
  return invalid('Multiple primary key defined', 1068, '42000');
}

/** 1072. */
export function noKeyColumn(column: string): VtError {
  return invalid(`Key column '${column}' doesn't exist in table`, 1072, '42000');
}

/** 1075. */
export function wrongAutoColumn(): VtError {
  const text = 'Incorrect table definition; there can be only one auto column and it must be defined as a key';
  return invalid(text, 1075, '42000');
}

/** 1091: DROP of a column or key that is not there. */
export function cannotDrop(name: string): VtError {
  const text = `Can't DROP '${name}'; check that column/key exists`;
  return mysqlError('FAILED_PRECONDITION', text, 1091, '42000');
}

/** 1090. */
export function lastColumn(): VtError {
  return invalid("You can't delete all columns with ALTER TABLE; use DROP TABLE instead", 1090, '42000');
}

/** What this program does not do: names the construct and says what it does instead. */
export function unsupported(construct: string, supported?: string): VtError {
  return vtError('UNIMPLEMENTED', `unsupported: ${construct}${supported === undefined ? '' : ` (${supported})`}`);
}

/** Vitess's parse error. `position` counts bytes from 1, just behind the token. Vitess: go/vt/sqlparser/token.go. */
export function syntaxError(position: number, near: string): VtError {
  const place = near === '' ? '' : ` near '${near}'`;
  return vtError('INVALID_ARGUMENT', `syntax error at position ${position}${place}`);
}
