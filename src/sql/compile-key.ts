/** Unique keys: which rows stand in a new row's way, and MySQL's error for it. */
import type { VtError } from '../lib/errors.ts';
import { bound, joinSql, sqlOf } from './fragment.ts';
import { duplicateKeyError } from './mysql-errors.ts';
import { textOfScalar } from './scalar.ts';
import { findColumn, type IndexPart, rowidName, type TableDef, uniqueKeys } from './schema.ts';
import { encodeValue, sqliteName } from './storage.ts';
import type { CompileContext, Row, SqlText } from './value.ts';

/** `SELECT rowid AS "__rowid", * FROM t`, to which a WHERE may be added. */
export function selectRows(def: TableDef, context: { storedAs?: string }): string {
  return `SELECT ${rowidName(def)} AS "__rowid", * FROM ${sqliteName(context.storedAs ?? def.name)}`;
}

function partCondition(def: TableDef, part: IndexPart, row: Row): SqlText | undefined {
  const column = findColumn(def, part.column);
  const value = column === undefined ? null : (row[column.name] ?? null);
  if (column === undefined || value === null) return undefined;
  const name = sqliteName(column.name);
  const param = bound(encodeValue(column.type, value));
  if (part.length === undefined) return sqlOf`${name} = ${param}`;
  const length = String(part.length);
  return sqlOf`substr(${name}, 1, ${length}) = substr(${param}, 1, ${length})`;
}

/**
 * The rows that have a primary or unique key in common with this one, `__rowid` first; undefined when no key of the
 * row can clash (NULL never does, nor an id still to be given).
 */
export function conflictQuery(def: TableDef, row: Row, context: Pick<CompileContext, 'storedAs'> = {}): SqlText | undefined {
  const keys = uniqueKeys(def).flatMap(({ parts }) => {
    const conditions = parts.map((part) => partCondition(def, part, row));
    if (!conditions.every((condition) => condition !== undefined)) return [];
    return [sqlOf`(${joinSql(conditions, ' AND ')})`];
  });
  return keys.length === 0 ? undefined : sqlOf`${selectRows(def, context)} WHERE ${joinSql(keys, ' OR ')}`;
}

/** A row's value of a key as error 1062 shows it: the parts joined by `-`. */
export function keyText(row: Row, parts: readonly IndexPart[]): string {
  return parts
    .map(({ column, length }) => {
      const value = row[column] ?? null;
      const text = value === null ? 'NULL' : textOfScalar(value);
      return length === undefined ? text : [...text].slice(0, length).join('');
    })
    .join('-');
}

/** The key that SQLite's message names, by its columns (`t.a, t.b`) or its index (`index 't.name'`). */
function failedKey(def: TableDef, message: string): { name: string; parts: IndexPart[] } | undefined {
  const failed = /UNIQUE constraint failed: (.*)$/.exec(message)?.[1];
  if (failed === undefined) return undefined;
  const index = /^index '(.*)'$/.exec(failed)?.[1];
  const columns = failed.split(', ').map((name) => name.slice(name.indexOf('.') + 1));
  return uniqueKeys(def).find(({ name, parts }) => {
    if (index !== undefined) return index.endsWith(`.${name}`);
    return parts.length === columns.length && parts.every((part, i) => part.column === columns[i]);
  });
}

/**
 * MySQL's error 1062 for SQLite's `UNIQUE constraint failed`, given the row that was to be written; undefined for
 * another message.
 */
export function duplicateFromSqlite(def: TableDef, message: string, row: Row): VtError | undefined {
  const key = failedKey(def, message);
  return key === undefined ? undefined : duplicateKeyError(keyText(row, key.parts), `${def.name}.${key.name}`);
}
