/**
 * Expressions worked out in JavaScript: constants (VALUES, vindex values, anything without a column in a query) and,
 * given a row, SET expressions and generated columns. MySQL's typing: integers and decimals are exact.
 */
import type { ArithmeticOp, ColumnRef, Expr } from './ast.ts';
import { decimalArithmetic, readDecimal } from './decimal.ts';
import { callFunction, checkFunction, type FunctionContext, LAZY_FUNCTIONS } from './functions.ts';
import { formatExpr } from './format-expr.ts';
import { matchesLike } from './like.ts';
import { arithmeticOverflow, divisionByZero, unknownColumn, unsupported } from './mysql-errors.ts';
import {
  compareScalars,
  doubleOf,
  exactOf,
  type Numeric,
  numericOf,
  type Scalar,
  textOfScalar,
  truthOf,
  valueOf,
} from './scalar.ts';
import { type ColumnDef, columnFamily, findColumn, isCaseSensitive, type TableDef } from './schema.ts';
import { bytesOfHex, type Row, type Value } from './value.ts';

/** What an expression may refer to. Without a row it must be constant. */
export interface EvalScope extends FunctionContext {
  /** The row that columns are read from, decoded. */
  row?: Row;
  /** The row's table: gives values their types and collations. */
  def?: TableDef;
  /** The row that VALUES(column) reads in ON DUPLICATE KEY UPDATE. */
  inserting?: Row;
  /** True in a write: a division by zero is an error there, NULL in a query. */
  writing?: boolean;
  /** What DEFAULT stands for. */
  defaultOf?: (column: string | undefined) => Value;
}

const truth = (value: boolean | null): Scalar => (value === null ? null : value ? 1n : 0n);

/**
 * An expression's value. Integers are numbers (bigints beyond 2^53); a decimal is a number where that prints the same
 * (1.5) and text otherwise (1.50). Throws 1054 for a column without a row, 1365, 1690, 1582, UNIMPLEMENTED.
 */
export function evaluate(expr: Expr, scope: EvalScope = {}): Value {
  return valueOf(evaluateScalar(expr, scope));
}

/** As `evaluate`, with decimals kept exact. */
export function evaluateScalar(expr: Expr, scope: EvalScope): Scalar {
  const value = (inner: Expr): Scalar => evaluateScalar(inner, scope);
  switch (expr.kind) {
    case 'null':
      return null;
    case 'bool':
      return truth(expr.value);
    case 'number':
      return numberLiteral(expr.text);
    case 'string':
      return expr.value;
    case 'hex':
      return bytesOfHex(expr.digits);
    case 'bit':
      return bytesOfHex(BigInt(`0b${expr.digits || '0'}`).toString(16));
    case 'column':
      return columnScalar(expr, scope);
    case 'call':
      return callScalar(expr, scope);
    case 'unary':
      return negated(value(expr.expr), expr);
    case 'not':
      return truth(negate(truthOf(value(expr.expr))));
    case 'logic':
      return logicScalar(expr.op, truthOf(value(expr.left)), () => truthOf(value(expr.right)));
    case 'arithmetic':
      return arithmetic(expr.op, value(expr.left), value(expr.right), expr, scope);
    case 'compare':
      return compareScalar(expr, scope);
    case 'is':
      return truth(isTest(value(expr.expr), expr.test) !== expr.not);
    case 'in':
      return truth(notIf(expr.not, inList(expr, scope)));
    case 'between':
      return truth(notIf(expr.not, between(expr, scope)));
    case 'like':
      return truth(notIf(expr.not, like(expr, scope)));
    case 'case':
      return caseScalar(expr, scope);
    case 'default':
      if (scope.defaultOf === undefined) throw unsupported('DEFAULT here', 'it stands for a value in VALUES and SET');
      return scope.defaultOf(expr.column);
  }
}

const negate = (value: boolean | null): boolean | null => (value === null ? null : !value);
const notIf = (not: boolean, value: boolean | null): boolean | null => (not ? negate(value) : value);

/** An unsigned number as written. Integers stay exact at any size; one with an exponent is a double, one with a point a decimal. */
export function numberLiteral(text: string): Scalar {
  if (/^\d+$/.test(text)) return BigInt(text);
  if (/e/i.test(text)) return Number(text);
  return readDecimal(text)?.value ?? Number(text);
}

/** A value of a row with the type its column gives it. */
function typedScalar(column: ColumnDef | undefined, value: Value): Scalar {
  const family = column === undefined ? undefined : columnFamily(column.type);
  if (typeof value === 'string' && family === 'decimal') return readDecimal(value)?.value ?? value;
  return typeof value === 'number' && family !== 'real' && Number.isInteger(value) ? BigInt(value) : value;
}

function readRow(name: string, row: Row, def: TableDef | undefined): Scalar | undefined {
  const column = def === undefined ? undefined : findColumn(def, name);
  const key = column?.name ?? Object.keys(row).find((field) => field.toLowerCase() === name.toLowerCase());
  const value = key === undefined ? undefined : row[key];
  return value === undefined ? undefined : typedScalar(column, value);
}

function columnScalar(ref: ColumnRef, scope: EvalScope): Scalar {
  const value = scope.row === undefined ? undefined : readRow(ref.name, scope.row, scope.def);
  if (value === undefined) throw unknownColumn(formatExpr(ref).replaceAll('`', ''), 'field list');
  return value;
}

function callScalar(call: Extract<Expr, { kind: 'call' }>, scope: EvalScope): Scalar {
  const { name, args } = call;
  if (name === 'values' && args[0]?.kind === 'column') {
    const value = scope.inserting === undefined ? null : readRow(args[0].name, scope.inserting, scope.def);
    if (value === undefined) throw unknownColumn(args[0].name, 'field list');
    return value;
  }
  if (!LAZY_FUNCTIONS.includes(name)) return callFunction(name, args.map((arg) => evaluateScalar(arg, scope)), scope);
  checkFunction(name, args.length);
  return lazyCall(call, scope);
}

function lazyCall(call: Extract<Expr, { kind: 'call' }>, scope: EvalScope): Scalar {
  const none: Expr = { kind: 'null' };
  const [first = none, second = none, third = none] = call.args;
  const value = (inner: Expr): Scalar => evaluateScalar(inner, scope);
  switch (call.name) {
    case 'if':
      return value(truthOf(value(first)) === true ? second : third);
    case 'nullif': {
      const equal = compareScalar({ kind: 'compare', op: '=', left: first, right: second }, scope);
      return equal === 1n ? null : value(first);
    }
    case 'mod':
      return arithmetic('%', value(first), value(second), call, scope);
    default:
      for (const arg of call.args) {
        const found = value(arg);
        if (found !== null) return found;
      }
      return null;
  }
}

function negated(value: Scalar, expr: Extract<Expr, { kind: 'unary' }>): Scalar {
  if (value === null || expr.op === '+') return value;
  const number = numericOf(value);
  if (typeof number === 'object') return { digits: -number.digits, scale: number.scale };
  return typeof number === 'bigint' ? inRange(-number, expr) : -number;
}

function logicScalar(op: 'and' | 'or' | 'xor', left: boolean | null, right: () => boolean | null): Scalar {
  if (op === 'and' && left === false) return 0n;
  if (op === 'or' && left === true) return 1n;
  const other = right();
  if (op === 'and' && other === false) return 0n;
  if (op === 'or' && other === true) return 1n;
  if (left === null || other === null) return null;
  return truth(op === 'xor' ? left !== other : op === 'and');
}

/** An integer result; MySQL's are 64 bits wide. */
function inRange(value: bigint, expr: Expr): bigint {
  if (value < -(2n ** 63n) || value >= 2n ** 64n) throw arithmeticOverflow('BIGINT', `(${formatExpr(expr)})`);
  return value;
}

function arithmetic(op: ArithmeticOp, left: Scalar, right: Scalar, expr: Expr, scope: EvalScope): Scalar {
  if (left === null || right === null) return null;
  const [a, b] = [numericOf(left), numericOf(right)];
  const result = numericResult(op, a, b);
  if (result === undefined && scope.writing === true) throw divisionByZero();
  return typeof result === 'bigint' ? inRange(result, expr) : (result ?? null);
}

/** Undefined for a division by zero. */
function numericResult(op: ArithmeticOp, a: Numeric, b: Numeric): Numeric | undefined {
  if (op === 'div') {
    const quotient = decimalArithmetic('/', exactOf(a), exactOf(b));
    if (quotient === undefined) return undefined;
    const [x, y] = [exactOf(a), exactOf(b)];
    return (x.digits * 10n ** BigInt(y.scale)) / (y.digits * 10n ** BigInt(x.scale));
  }
  if (typeof a === 'number' || typeof b === 'number') return doubleResult(op, doubleOf(a), doubleOf(b));
  const exact = decimalArithmetic(op, exactOf(a), exactOf(b));
  return exact !== undefined && exact.scale === 0 && op !== '/' ? exact.digits : exact;
}

function doubleResult(op: Exclude<ArithmeticOp, 'div'>, a: number, b: number): number | undefined {
  switch (op) {
    case '+':
      return a + b;
    case '-':
      return a - b;
    case '*':
      return a * b;
    case '/':
      return b === 0 ? undefined : a / b;
    case '%':
      return b === 0 ? undefined : a % b;
  }
}

/** True when a column of the comparison tells cases apart. */
function isExact(scope: EvalScope, ...exprs: Expr[]): boolean {
  return exprs.some((expr) => {
    if (expr.kind !== 'column' || scope.def === undefined) return false;
    const column = findColumn(scope.def, expr.name);
    return column !== undefined && (columnFamily(column.type) === 'binary' || isCaseSensitive(column.type));
  });
}

function compareScalar(expr: Extract<Expr, { kind: 'compare' }>, scope: EvalScope): Scalar {
  const [left, right] = [evaluateScalar(expr.left, scope), evaluateScalar(expr.right, scope)];
  if (left === null || right === null) return expr.op === '<=>' ? truth(left === right) : null;
  const order = compareScalars(left, right, isExact(scope, expr.left, expr.right));
  switch (expr.op) {
    case '=':
    case '<=>':
      return truth(order === 0);
    case '!=':
      return truth(order !== 0);
    case '<':
      return truth(order < 0);
    case '<=':
      return truth(order <= 0);
    case '>':
      return truth(order > 0);
    case '>=':
      return truth(order >= 0);
  }
}

function isTest(value: Scalar, test: 'null' | 'true' | 'false'): boolean {
  return test === 'null' ? value === null : truthOf(value) === (test === 'true');
}

function inList(expr: Extract<Expr, { kind: 'in' }>, scope: EvalScope): boolean | null {
  const results = expr.list.map((right) => compareScalar({ kind: 'compare', op: '=', left: expr.expr, right }, scope));
  if (results.includes(1n)) return true;
  return results.includes(null) ? null : false;
}

function between(expr: Extract<Expr, { kind: 'between' }>, scope: EvalScope): boolean | null {
  const low = truthOf(compareScalar({ kind: 'compare', op: '>=', left: expr.expr, right: expr.low }, scope));
  const high = truthOf(compareScalar({ kind: 'compare', op: '<=', left: expr.expr, right: expr.high }, scope));
  return truthOf(logicScalar('and', low, () => high));
}

function like(expr: Extract<Expr, { kind: 'like' }>, scope: EvalScope): boolean | null {
  const [text, pattern] = [evaluateScalar(expr.expr, scope), evaluateScalar(expr.pattern, scope)];
  if (text === null || pattern === null) return null;
  return matchesLike(textOfScalar(text), textOfScalar(pattern), expr.escape ?? '\\', isExact(scope, expr.expr));
}

function caseScalar(expr: Extract<Expr, { kind: 'case' }>, scope: EvalScope): Scalar {
  const { operand } = expr;
  const hit = expr.whens.find(({ when }) => {
    if (operand === undefined) return truthOf(evaluateScalar(when, scope)) === true;
    return compareScalar({ kind: 'compare', op: '=', left: operand, right: when }, scope) === 1n;
  });
  const chosen = hit?.then ?? expr.otherwise;
  return chosen === undefined ? null : evaluateScalar(chosen, scope);
}
