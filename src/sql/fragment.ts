/** Pieces of SQLite text with their parameters, and what is known of their type. */
import { decimalText, isDecimal } from './decimal.ts';
import { doubleOf, leadingNumber, numericOf, type Scalar } from './scalar.ts';
import { type ColumnDef, columnFamily, isWide } from './schema.ts';
import { canonicalBytes, type SqliteParam, type SqlText } from './value.ts';

/** What SQLite will find in a fragment. `decimal` is the text of a DECIMAL, `wide` may pass 2^63-1. */
export type FragmentType = 'int' | 'wide' | 'real' | 'decimal' | 'text' | 'binary' | 'temporal' | 'null';

/** A piece of an expression. `column` is set when it is a column as such, `constant` when it is a bound constant. */
export interface Fragment extends SqlText {
  type: FragmentType;
  column?: ColumnDef;
  constant?: Scalar;
}

/** Joins text and fragments; parameters come out in the order of their places. */
export function sqlOf(strings: TemplateStringsArray, ...parts: (SqlText | string)[]): SqlText {
  let sql = strings[0] ?? '';
  const params: SqliteParam[] = [];
  parts.forEach((part, i) => {
    sql += (typeof part === 'string' ? part : part.sql) + (strings[i + 1] ?? '');
    if (typeof part !== 'string') params.push(...part.params);
  });
  return { sql, params };
}

/** Fragments with a separator between them. */
export function joinSql(parts: readonly SqlText[], separator: string): SqlText {
  return { sql: parts.map((part) => part.sql).join(separator), params: parts.flatMap((part) => part.params) };
}

/** One bound parameter. */
export function bound(param: SqliteParam): SqlText {
  return { sql: '?', params: [param] };
}

const MIN_INT64 = -(2n ** 63n);

/** A scalar as a parameter in an expression: decimals and integers beyond 64 bits as doubles. */
export function paramOf(scalar: Scalar): SqliteParam {
  if (isDecimal(scalar)) return doubleOf(scalar);
  if (typeof scalar === 'bigint') return scalar >= MIN_INT64 && scalar < -MIN_INT64 ? scalar : Number(scalar);
  return scalar instanceof Uint8Array ? canonicalBytes(scalar) : scalar;
}

/** A scalar as a parameter in a select list, where a decimal shows all its digits. */
export function resultParam(scalar: Scalar): SqliteParam {
  if (isDecimal(scalar)) return decimalText(scalar);
  const param = paramOf(scalar);
  return typeof scalar === 'bigint' && typeof param === 'number' ? scalar.toString() : param;
}

/** A constant as a fragment. */
export function constantFragment(scalar: Scalar): Fragment {
  return { ...bound(paramOf(scalar)), type: scalarType(scalar), constant: scalar };
}

function scalarType(scalar: Scalar): FragmentType {
  if (scalar === null) return 'null';
  if (isDecimal(scalar)) return 'decimal';
  if (scalar instanceof Uint8Array) return 'binary';
  return typeof scalar === 'string' ? 'text' : typeof scalar === 'bigint' ? 'int' : 'real';
}

/** What a column's values are in SQLite. */
export function columnType(column: ColumnDef): FragmentType {
  if (isWide(column.type)) return 'wide';
  const family = columnFamily(column.type);
  switch (family) {
    case 'int':
    case 'bit':
    case 'year':
      return 'int';
    case 'real':
    case 'decimal':
    case 'binary':
      return family;
    case 'date':
    case 'datetime':
    case 'time':
      return 'temporal';
    default:
      return 'text';
  }
}

/** True for types that SQLite holds as numbers already. */
export function isNumeric(type: FragmentType): boolean {
  return type === 'int' || type === 'wide' || type === 'real' || type === 'null';
}

/** The fragment as a number. SQLite's CAST reads leading digits as MySQL does. */
export function asNumber(fragment: Fragment): Fragment {
  const { constant } = fragment;
  if (isNumeric(fragment.type)) return fragment;
  if (constant !== undefined && constant !== null) {
    const value = typeof constant === 'string' ? leadingNumber(constant) : numericOf(constant);
    return constantFragment(isDecimal(value) ? doubleOf(value) : value);
  }
  return { ...sqlOf`CAST(${fragment} AS REAL)`, type: 'real' };
}

/** The fragment as text. A double prints without a point when it is whole, as in MySQL. */
export function asText(fragment: Fragment): Fragment {
  const { constant } = fragment;
  if (isDecimal(constant)) return { ...bound(decimalText(constant)), type: 'text' };
  if (fragment.type === 'real') {
    const printed = sqlOf`CASE WHEN ${fragment} IS NULL THEN NULL ELSE printf('%.15g', ${fragment}) END`;
    return { ...printed, type: 'text' };
  }
  if (fragment.type === 'int') return { ...sqlOf`CAST(${fragment} AS TEXT)`, type: 'text' };
  return { ...fragment, type: fragment.type === 'binary' ? 'binary' : 'text' };
}

/** The fragment where a truth value stands. */
export function asCondition(fragment: Fragment): SqlText {
  return asNumber(fragment);
}
