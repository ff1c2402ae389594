/** What a column gets when a statement gives it nothing. */
import { checkKept, checkValue } from './check-value.ts';
import { evaluateScalar, type EvalScope } from './evaluate.ts';
import { noDefault } from './mysql-errors.ts';
import { parseExpression } from './parser-expr.ts';
import { type ColumnDef, columnFamily, type TableDef } from './schema.ts';
import type { Row, Value } from './value.ts';

/** An expression kept as text, over the values of a row; the result is checked against the column. */
function evaluateText(column: ColumnDef, text: string, scope: EvalScope): Value {
  return checkValue(column, evaluateScalar(parseExpression(text), scope));
}

/**
 * A column's default: the literal, the expression (CURRENT_TIMESTAMP is `scope.now`), NULL, or an ENUM's first member.
 * NULL for AUTO_INCREMENT. Throws 1364 when a NOT NULL column has none.
 */
export function defaultValue(column: ColumnDef, scope: EvalScope): Value {
  const { default: value } = column;
  if (value.kind === 'literal') return value.text === null ? null : checkKept(column, value.text);
  if (value.kind === 'expression') return evaluateText(column, value.text, scope);
  if (column.nullable || column.autoIncrement) return null;
  if (column.type.name === 'enum') return column.type.args[0] ?? '';
  throw noDefault(column.name);
}

/** What ALTER TABLE … ADD COLUMN puts in the rows there are: the default, or the type's zero for NOT NULL without one. */
export function fillingValue(column: ColumnDef, scope: EvalScope): Value {
  if (column.default.kind !== 'none' || column.nullable || column.autoIncrement || column.type.name === 'enum')
    return defaultValue(column, scope);
  switch (columnFamily(column.type)) {
    case 'int':
    case 'bit':
    case 'year':
    case 'real':
    case 'decimal':
      return checkValue(column, 0n);
    case 'json':
      return 'null';
    case 'date':
      return '0000-00-00';
    case 'datetime':
      return '0000-00-00 00:00:00';
    case 'time':
      return checkValue(column, '00:00:00');
    default:
      return checkValue(column, '');
  }
}

/** The row with its generated columns worked out from the others, in the order of the definition. */
export function withGenerated(def: TableDef, row: Row, scope: EvalScope): Row {
  const filled = { ...row };
  for (const column of def.columns) {
    if (column.generated === undefined) continue;
    const { expression } = column.generated;
    filled[column.name] = evaluateText(column, expression, { ...scope, def, row: filled, writing: true });
  }
  return filled;
}

/** The row with its ON UPDATE columns set to now, those of `assigned` apart. */
export function withOnUpdate(def: TableDef, row: Row, assigned: ReadonlySet<string>, scope: EvalScope): Row {
  const stamped = { ...row };
  for (const column of def.columns) {
    if (column.onUpdate === undefined || assigned.has(column.name)) continue;
    stamped[column.name] = evaluateText(column, column.onUpdate, scope);
  }
  return stamped;
}
