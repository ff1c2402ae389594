/** A table as MySQL's SHOW CREATE TABLE prints it. */
import { formatCheck, formatColumn, formatForeignKey, formatKey } from './format-column.ts';
import { quoteName } from './format-expr.ts';
import type { TableDef } from './schema.ts';

/** The CREATE TABLE statement of a definition, in the form of SHOW CREATE TABLE. */
export function formatCreateTable(def: TableDef): string {
  const primary = def.primaryKey.map((column) => ({ column }));
  const lines = [
    ...def.columns.map(formatColumn),
    ...(primary.length === 0 ? [] : [formatKey({ kind: 'primary', name: '', parts: primary })]),
    ...def.indexes.map(formatKey),
    ...(def.foreignKeys ?? []).map(formatForeignKey),
    ...(def.checks ?? []).map(formatCheck),
  ];
  return `CREATE TABLE ${quoteName(def.name)} (\n${lines.map((line) => `  ${line}`).join(',\n')}\n) ${def.options}`;
}
