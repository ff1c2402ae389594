/** Scalar functions over values: the one implementation behind constants, SET expressions and defaults. */
import { isDecimal } from './decimal.ts';
import { unsupported, wrongArgumentCount } from './mysql-errors.ts';
import { compareScalars, numericOf, type Scalar, textOfScalar } from './scalar.ts';
import { cutDatetime } from './temporal.ts';
import { utf8 } from './value.ts';

/** What functions of the clock and the session answer from. */
export interface FunctionContext {
  now?: string;
  lastInsertId?: number | bigint;
}

/** How many arguments a function takes: least and most. */
export const SCALAR_FUNCTIONS: Record<string, [number, number]> = {
  now: [0, 1],
  current_timestamp: [0, 1],
  sysdate: [0, 1],
  current_date: [0, 0],
  curdate: [0, 0],
  last_insert_id: [0, 0],
  concat: [1, Number.POSITIVE_INFINITY],
  coalesce: [1, Number.POSITIVE_INFINITY],
  ifnull: [2, 2],
  nullif: [2, 2],
  if: [3, 3],
  lower: [1, 1],
  lcase: [1, 1],
  upper: [1, 1],
  ucase: [1, 1],
  length: [1, 1],
  octet_length: [1, 1],
  char_length: [1, 1],
  character_length: [1, 1],
  abs: [1, 1],
  mod: [2, 2],
  greatest: [2, Number.POSITIVE_INFINITY],
  least: [2, Number.POSITIVE_INFINITY],
};

/** Aggregates; `count` may have a star. */
export const AGGREGATES = ['count', 'min', 'max', 'sum', 'avg'];

/** Checks a scalar function's name and number of arguments. Throws UNIMPLEMENTED or 1582. */
export function checkFunction(name: string, count: number): void {
  const bounds = SCALAR_FUNCTIONS[name];
  if (bounds === undefined) {
    const known = [...Object.keys(SCALAR_FUNCTIONS), ...AGGREGATES].join(', ');
    throw unsupported(`the function ${name}()`, `known: ${known}`);
  }
  if (count < bounds[0] || count > bounds[1]) throw wrongArgumentCount(name);
}

/** Functions of which MySQL works out only the arguments it needs; `evaluate` handles those itself. */
export const LAZY_FUNCTIONS = ['if', 'ifnull', 'coalesce', 'nullif', 'mod'];

function absolute(value: Exclude<Scalar, null>): Scalar {
  const number = numericOf(value);
  if (isDecimal(number)) return { digits: number.digits < 0n ? -number.digits : number.digits, scale: number.scale };
  return number < 0 ? -number : number;
}

function extreme(args: Exclude<Scalar, null>[], sign: number): Scalar {
  return args.reduce((best, arg) => (compareScalars(arg, best) * sign > 0 ? arg : best));
}

function concatenated(args: Exclude<Scalar, null>[]): Scalar {
  if (!args.some((arg) => arg instanceof Uint8Array)) return args.map(textOfScalar).join('');
  return Uint8Array.from(args.flatMap((arg) => [...bytesOf(arg)]));
}

function bytesOf(value: Exclude<Scalar, null>): Uint8Array {
  return value instanceof Uint8Array ? value : utf8(textOfScalar(value));
}

function characters(value: Exclude<Scalar, null>): bigint {
  return BigInt(value instanceof Uint8Array ? value.length : [...textOfScalar(value)].length);
}

/** Functions that answer NULL when any argument is NULL. */
function strict(name: string, args: Exclude<Scalar, null>[]): Scalar {
  const [first = ''] = args;
  switch (name) {
    case 'concat':
      return concatenated(args);
    case 'lower':
    case 'lcase':
      return first instanceof Uint8Array ? first : textOfScalar(first).toLowerCase();
    case 'upper':
    case 'ucase':
      return first instanceof Uint8Array ? first : textOfScalar(first).toUpperCase();
    case 'length':
    case 'octet_length':
      return BigInt(bytesOf(first).length);
    case 'char_length':
    case 'character_length':
      return characters(first);
    case 'abs':
      return absolute(first);
    case 'greatest':
      return extreme(args, 1);
    default:
      return extreme(args, -1);
  }
}

/** Fractional digits asked of `now(n)`. */
function digitsOf(arg: Scalar | undefined): number {
  const text = arg === undefined || arg === null ? '0' : textOfScalar(arg);
  return Math.min(6, Math.max(0, Number(text)));
}

/** The clock's functions answer from `context.now`; without it they are refused. */
function clock(name: string, arg: Scalar | undefined, now: string | undefined): Scalar {
  if (now === undefined) throw unsupported(`${name}() here`, 'a constant is expected');
  const date = name === 'current_date' || name === 'curdate';
  return date ? now.slice(0, 10) : cutDatetime(now, digitsOf(arg));
}

/** Calls a scalar function that is not one of LAZY_FUNCTIONS. Throws UNIMPLEMENTED or 1582. */
export function callFunction(name: string, args: Scalar[], context: FunctionContext): Scalar {
  checkFunction(name, args.length);
  if (name === 'last_insert_id') return BigInt(context.lastInsertId ?? 0);
  if (['now', 'current_timestamp', 'sysdate', 'current_date', 'curdate'].includes(name))
    return clock(name, args[0], context.now);
  const present = args.filter((arg): arg is Exclude<Scalar, null> => arg !== null);
  return present.length < args.length ? null : strict(name, present);
}
