/** A value on its way into a column: converted and refused as MySQL does in strict mode. */
import { checkBit, checkDecimal, checkInteger, checkReal, checkYear } from './check-number.ts';
import { checkBinary, checkEnum, checkJson, checkSet, checkTemporal, checkText } from './check-text.ts';
import { cannotBeNull } from './mysql-errors.ts';
import type { Scalar } from './scalar.ts';
import { type ColumnDef, columnFamily, fractionDigits } from './schema.ts';
import { zeroMoment } from './temporal.ts';
import type { Value } from './value.ts';

/**
 * As `checkValue`, for rows that were in a table before, of a dump say: zero dates and the empty ENUM, which strict mode
 * lets in no more, are kept.
 */
export function checkKept(column: ColumnDef, value: Scalar, row = 1): Value {
  if (typeof value !== 'string') return checkValue(column, value, row);
  if (value === '' && column.type.name === 'enum') return '';
  return zeroMoment(value, column.type.name, fractionDigits(column.type)) ?? checkValue(column, value, row);
}

/**
 * The value as the column keeps it. `row` is the row's number in the statement, for the error text.
 * An AUTO_INCREMENT column takes NULL: it stands for the next id.
 * Throws MySQL's errors: 1048, 1264, 1265, 1292, 1366, 1406, 3140.
 */
export function checkValue(column: ColumnDef, value: Scalar, row = 1): Value {
  if (value === null) {
    if (column.nullable || column.autoIncrement) return null;
    throw cannotBeNull(column.name);
  }
  switch (columnFamily(column.type)) {
    case 'int':
      return checkInteger(column, value, row);
    case 'bit':
      return checkBit(column, value, row);
    case 'year':
      return checkYear(column, value, row);
    case 'real':
      return checkReal(column, value, row);
    case 'decimal':
      return checkDecimal(column, value, row);
    case 'text':
      return checkText(column, value, row);
    case 'binary':
      return checkBinary(column, value, row);
    case 'enum':
      return checkEnum(column, value, row);
    case 'set':
      return checkSet(column, value, row);
    case 'json':
      return checkJson(column, value);
    case 'date':
    case 'datetime':
    case 'time':
      return checkTemporal(column, value, row);
  }
}
