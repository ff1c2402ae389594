/** Columns and keys in the form of MySQL's SHOW CREATE TABLE. */
import type { ColumnPosition, ColumnSpec, KeySpec } from './ast.ts';
import { formatTable, quoteName, quoteString } from './format-expr.ts';
import type { CheckDef, ColumnDef, ColumnDefault, ColumnType, ForeignKeyDef, IndexPart } from './schema.ts';

/** A type: `bigint unsigned`, `decimal(10,2)`, `enum('a','b')`, with its charset and collation. */
export function formatType(type: ColumnType): string {
  const list = type.name === 'enum' || type.name === 'set';
  const args = list ? type.args.map(quoteString) : type.args;
  return [
    type.name + (args.length === 0 ? '' : `(${args.join(',')})`),
    type.unsigned ? 'unsigned' : '',
    type.zerofill === true ? 'zerofill' : '',
    type.charset === undefined ? '' : `CHARACTER SET ${type.charset}`,
    type.collation === undefined ? '' : `COLLATE ${type.collation}`,
  ]
    .filter((part) => part !== '')
    .join(' ');
}

/** What stands behind DEFAULT. */
export function formatDefault(value: ColumnDefault): string {
  if (value.kind === 'expression') return value.text;
  return value.kind === 'none' || value.text === null ? 'NULL' : quoteString(value.text);
}

/** A column as one line of SHOW CREATE TABLE. */
export function formatColumn(column: ColumnDef): string {
  const { generated } = column;
  return [
    quoteName(column.name),
    formatType(column.type),
    generated === undefined ? '' : `GENERATED ALWAYS AS (${generated.expression}) ${generated.stored ? 'STORED' : 'VIRTUAL'}`,
    column.nullable ? nullWord(column) : 'NOT NULL',
    column.srid === undefined ? '' : `/*!80003 SRID ${column.srid} */`,
    column.default.kind === 'none' ? '' : `DEFAULT ${formatDefault(column.default)}`,
    column.onUpdate === undefined ? '' : `ON UPDATE ${column.onUpdate}`,
    column.autoIncrement ? 'AUTO_INCREMENT' : '',
    column.comment === undefined ? '' : `COMMENT ${quoteString(column.comment)}`,
  ]
    .filter((part) => part !== '')
    .join(' ');
}

/** MySQL says NULL for a timestamp only. */
function nullWord(column: ColumnDef): string {
  return column.type.name === 'timestamp' ? 'NULL' : '';
}

/** The columns of a key: `` (`a`,`b`(10) DESC) ``. */
export function formatParts(parts: readonly IndexPart[]): string {
  const texts = parts.map((part) => {
    const length = part.length === undefined ? '' : `(${part.length})`;
    return `${quoteName(part.column)}${length}${part.descending === true ? ' DESC' : ''}`;
  });
  return `(${texts.join(',')})`;
}

const KEY_WORDS: Record<KeySpec['kind'], string> = {
  primary: 'PRIMARY KEY',
  unique: 'UNIQUE KEY',
  key: 'KEY',
  fulltext: 'FULLTEXT KEY',
  spatial: 'SPATIAL KEY',
};

/** A key as one line of SHOW CREATE TABLE. */
export function formatKey(key: KeySpec): string {
  const name = key.name === '' ? '' : ` ${quoteName(key.name)}`;
  const comment = key.comment === undefined ? '' : ` COMMENT ${quoteString(key.comment)}`;
  return `${KEY_WORDS[key.kind]}${name} ${formatParts(key.parts)}${comment}`;
}

function named(name: string, text: string): string {
  return name === '' ? text : `CONSTRAINT ${quoteName(name)} ${text}`;
}

/** A foreign key as one line of SHOW CREATE TABLE. */
export function formatForeignKey(key: ForeignKeyDef): string {
  const names = (list: readonly string[]): string => list.map(quoteName).join(', ');
  const parent = key.table.qualifier === undefined ? quoteName(key.table.name) : formatTable(key.table);
  const onDelete = key.onDelete === undefined ? '' : ` ON DELETE ${key.onDelete}`;
  const onUpdate = key.onUpdate === undefined ? '' : ` ON UPDATE ${key.onUpdate}`;
  const text = `FOREIGN KEY (${names(key.columns)}) REFERENCES ${parent} (${names(key.referenced)})${onDelete}${onUpdate}`;
  return named(key.name, text);
}

/** A check as one line of SHOW CREATE TABLE. */
export function formatCheck(check: CheckDef): string {
  return named(check.name, `CHECK (${check.expression})`);
}

/** A column with the key or check written inside it. */
export function formatColumnSpec(spec: ColumnSpec): string {
  const key = spec.key === undefined ? '' : spec.key === 'primary' ? ' PRIMARY KEY' : ' UNIQUE KEY';
  return `${formatColumn(spec.column)}${key}${spec.check === undefined ? '' : ` ${formatCheck(spec.check)}`}`;
}

/** ` FIRST`, `` AFTER `x` `` or nothing. */
export function formatPosition(position: ColumnPosition | undefined): string {
  if (position === undefined) return '';
  return position.kind === 'first' ? ' FIRST' : ` AFTER ${quoteName(position.column)}`;
}
