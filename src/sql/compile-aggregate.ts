/** COUNT, MIN, MAX, SUM and AVG over all rows. */
import type { Call } from './ast.ts';
import { asNumber, type Fragment, sqlOf } from './fragment.ts';
import { unsupported, wrongArgumentCount } from './mysql-errors.ts';
import { columnFamily, typeArg } from './schema.ts';
import type { SqlText } from './value.ts';

/** Most digits of a DECIMAL that is added up as an integer; 10^3 such values at least fit in 64 bits. */
const EXACT_DIGITS = 15;

/** The scale of a DECIMAL column whose values fit in an integer without their point. */
function exactScale(fragment: Fragment): number | undefined {
  const { column } = fragment;
  if (column === undefined || columnFamily(column.type) !== 'decimal') return undefined;
  return typeArg(column.type, 0, 10) <= EXACT_DIGITS ? typeArg(column.type, 1, 0) : undefined;
}

/** A DECIMAL column's values as integers: 12.50 is 1250. */
function scaled(fragment: Fragment): SqlText {
  return sqlOf`CAST(replace(${fragment}, '.', '') AS INTEGER)`;
}

/** An integer with the point put back: 1250 is 12.50. */
function unscaled(integer: SqlText, scale: number): SqlText {
  if (scale === 0) return sqlOf`CAST(${integer} AS TEXT)`;
  const unit = String(10n ** BigInt(scale));
  const sign = sqlOf`CASE WHEN ${integer} < 0 THEN '-' ELSE '' END`;
  const text = sqlOf`${sign} || (abs(${integer}) / ${unit}) || printf('.%0${String(scale)}d', abs(${integer}) % ${unit})`;
  return sqlOf`CASE WHEN ${integer} IS NOT NULL THEN ${text} END`;
}

/** MIN and MAX; the result keeps the column's type, of a DECIMAL up to 15 digits exactly. */
function extreme(name: 'min' | 'max', arg: Fragment): Fragment {
  const scale = exactScale(arg);
  if (scale !== undefined) return { ...unscaled(sqlOf`${name}(${scaled(arg)})`, scale), type: 'decimal' };
  if (arg.type === 'decimal') return { ...sqlOf`${name}(${asNumber(arg)})`, type: 'real' };
  return { ...sqlOf`${name}(${arg})`, type: arg.type };
}

/** SUM: exact for integers and for DECIMAL up to 15 digits, a double otherwise. */
function sum(arg: Fragment, distinct: string): Fragment {
  const scale = exactScale(arg);
  if (scale !== undefined) return { ...unscaled(sqlOf`sum(${distinct}${scaled(arg)})`, scale), type: 'decimal' };
  const number = asNumber(arg);
  return { ...sqlOf`sum(${distinct}${number})`, type: number.type };
}

/** An aggregate over compiled arguments. Throws 1582 or UNIMPLEMENTED. */
export function aggregate(call: Call, args: readonly Fragment[]): Fragment {
  const distinct = call.distinct === true ? 'DISTINCT ' : '';
  if (call.star === true) return { sql: 'count(*)', params: [], type: 'int' };
  const [arg, second] = args;
  if (arg === undefined) throw wrongArgumentCount(call.name);
  if (second !== undefined) throw unsupported(`${call.name}() of several values`);
  switch (call.name) {
    case 'count':
      return { ...sqlOf`count(${distinct}${arg})`, type: 'int' };
    case 'min':
    case 'max':
      return extreme(call.name, arg);
    case 'sum':
      return sum(arg, distinct);
    default:
      return { ...sqlOf`avg(${distinct}${asNumber(arg)})`, type: 'real' };
  }
}
