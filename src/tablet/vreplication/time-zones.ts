import type { TableDef } from '../../sql/schema.ts';
import { convertTz } from '../../sql/time-zone.ts';
import type { Row } from '../../sql/value.ts';

/**
 * Turns the DATETIMEs of a table's rows from one time zone into another; undefined for a table without any. A TIMESTAMP has no
 * zone of its own. Vitess: go/vt/vttablet/tabletmanager/vreplication/table_plan_builder.go, `convert_tz`.
 */
export function rowConverter(def: TableDef, from: string, to: string): ((row: Row) => Row) | undefined {
  const columns = def.columns.filter(({ type }) => type.name === 'datetime').map(({ name }) => name);
  if (columns.length === 0) return undefined;
  return (row) => {
    const made = { ...row };
    for (const column of columns) {
      const value = row[column];
      if (typeof value === 'string') made[column] = convertTz(value, from, to);
    }
    return made;
  };
}
