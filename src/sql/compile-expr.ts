/** Expressions as SQLite text. What holds no column is worked out here and bound. */
import type { Call, ColumnRef, Expr } from './ast.ts';
import { compareFragments, constantText, inFragments } from './compile-compare.ts';
import { evaluateScalar } from './evaluate.ts';
import { formatExpr } from './format-expr.ts';
import {
  asCondition,
  asNumber,
  asText,
  bound,
  columnType,
  constantFragment,
  type Fragment,
  type FragmentType,
  isNumeric,
  joinSql,
  sqlOf,
} from './fragment.ts';
import { checkFunction } from './functions.ts';
import { aggregate } from './compile-aggregate.ts';
import { globOf } from './like.ts';
import { type Clause, unknownColumn, unsupported } from './mysql-errors.ts';
import { columnFamily, findColumn, isCaseSensitive, type TableDef } from './schema.ts';
import { sqliteName } from './storage.ts';
import type { CompileContext, SqlText } from './value.ts';
import { isAggregate, isConstant } from './walk.ts';

/** What names mean while an expression is compiled. */
export interface CompileScope {
  /** The table; none for a SELECT without FROM. */
  def: TableDef | undefined;
  /** What the table may be called: its alias, or else its name. */
  tableName: string | undefined;
  context: CompileContext;
  /** Where the expression stands, for the text of 1054. */
  clause: Clause;
  /** False where an aggregate makes no sense, as in WHERE. */
  aggregates: boolean;
}

/** An expression as a fragment. Throws 1054, 1582, UNIMPLEMENTED. */
export function compileExpr(expr: Expr, scope: CompileScope): Fragment {
  if (isConstant(expr)) return constantFragment(evaluateScalar(expr, scope.context));
  const inner = (child: Expr): Fragment => compileExpr(child, scope);
  switch (expr.kind) {
    case 'column':
      return compileColumn(expr, scope);
    case 'call':
      return compileCall(expr, scope);
    case 'unary': {
      const operand = asNumber(inner(expr.expr));
      return expr.op === '+' ? inner(expr.expr) : { ...sqlOf`(-${operand})`, type: operand.type };
    }
    case 'not':
      return condition(sqlOf`(NOT ${asCondition(inner(expr.expr))})`);
    case 'logic':
      return logic(expr.op, asCondition(inner(expr.left)), asCondition(inner(expr.right)));
    case 'arithmetic':
      return arithmetic(expr.op, asNumber(inner(expr.left)), asNumber(inner(expr.right)));
    case 'compare':
      return condition(sqlOf`(${compareFragments(inner(expr.left), expr.op, inner(expr.right))})`);
    case 'is':
      return compileIs(expr, inner(expr.expr));
    case 'in':
      return notIf(expr.not, inFragments(inner(expr.expr), expr.list.map(inner)));
    case 'between':
      return notIf(expr.not, compileBetween(inner(expr.expr), inner(expr.low), inner(expr.high)));
    case 'like':
      return notIf(expr.not, compileLike(expr, inner(expr.expr), inner(expr.pattern)));
    case 'case':
      return compileCase(expr, inner);
    case 'default':
      throw unsupported('DEFAULT in a query', 'it stands for a value in VALUES and SET');
    default:
      throw unsupported(`the expression ${formatExpr(expr)}`);
  }
}

/** A truth value. */
function condition(sql: SqlText): Fragment {
  return { ...sql, type: 'int' };
}

function notIf(not: boolean, sql: SqlText): Fragment {
  return condition(not ? sqlOf`(NOT (${sql}))` : sqlOf`(${sql})`);
}

function compileColumn(ref: ColumnRef, scope: CompileScope): Fragment {
  const known = ref.table === undefined || ref.table === scope.tableName;
  const column = scope.def === undefined || !known ? undefined : findColumn(scope.def, ref.name);
  if (column === undefined) throw unknownColumn(formatExpr(ref).replaceAll('`', ''), scope.clause);
  return { sql: sqliteName(column.name), params: [], type: columnType(column), column };
}

function logic(op: 'and' | 'or' | 'xor', left: SqlText, right: SqlText): Fragment {
  if (op === 'xor') return condition(sqlOf`((${left} <> 0) <> (${right} <> 0))`);
  return condition(sqlOf`(${left} ${op === 'and' ? 'AND' : 'OR'} ${right})`);
}

function arithmetic(op: string, left: Fragment, right: Fragment): Fragment {
  const integers = left.type === 'int' && right.type === 'int';
  if (op === '/') return { ...sqlOf`(CAST(${left} AS REAL) / ${right})`, type: 'real' };
  if (op === 'div') return { ...sqlOf`CAST(${left} / ${right} AS INTEGER)`, type: 'int' };
  // SQLite's % cuts its operands to integers.
  if (op === '%' && !integers) return { ...sqlOf`mod(${left}, ${right})`, type: 'real' };
  return { ...sqlOf`(${left} ${op} ${right})`, type: integers ? 'int' : 'real' };
}

function compileIs(expr: Extract<Expr, { kind: 'is' }>, operand: Fragment): Fragment {
  const tested = expr.test === 'null' ? operand : asCondition(operand);
  return condition(sqlOf`(${tested} IS ${expr.not ? 'NOT ' : ''}${expr.test.toUpperCase()})`);
}

function compileBetween(expr: Fragment, low: Fragment, high: Fragment): SqlText {
  return sqlOf`${compareFragments(expr, '>=', low)} AND ${compareFragments(expr, '<=', high)}`;
}

/** SQLite's LIKE is blind to ASCII case whatever the column: binary and `_bin` columns take GLOB instead. */
function compileLike(expr: Extract<Expr, { kind: 'like' }>, text: Fragment, pattern: Fragment): SqlText {
  const { column } = text;
  const exact = column !== undefined && (columnFamily(column.type) === 'binary' || isCaseSensitive(column.type));
  const escape = expr.escape ?? '\\';
  if (!exact) {
    const clause = escape === '' ? sqlOf`` : sqlOf` ESCAPE ${bound(escape)}`;
    return sqlOf`${asText(text)} LIKE ${asText(pattern)}${clause}`;
  }
  const constant = constantText(pattern);
  if (constant === undefined) throw unsupported('LIKE of a binary column with a pattern from a column');
  return sqlOf`CAST(${text} AS TEXT) GLOB ${bound(constant === null ? null : globOf(constant, escape))}`;
}

/** Values that may stand for each other brought to one type. */
function unified(fragments: readonly Fragment[]): { parts: Fragment[]; type: FragmentType } {
  const types = new Set(fragments.map(({ type }) => type).filter((type) => type !== 'null'));
  const [type = 'null', second] = types;
  const constant = fragments.some((fragment) => fragment.type === 'decimal' && fragment.constant !== undefined);
  if (second === undefined && !constant) return { parts: [...fragments], type };
  const numbers = [...types].every((each) => isNumeric(each) || each === 'decimal');
  if (numbers) return { parts: fragments.map(asNumber), type: 'real' };
  return { parts: fragments.map(asText), type: types.has('binary') ? 'binary' : 'text' };
}

function compileCase(expr: Extract<Expr, { kind: 'case' }>, inner: (child: Expr) => Fragment): Fragment {
  const operand = expr.operand === undefined ? undefined : inner(expr.operand);
  const whens = expr.whens.map(({ when }) => {
    const fragment = inner(when);
    return operand === undefined ? asCondition(fragment) : compareFragments(operand, '=', fragment);
  });
  const results = [...expr.whens.map(({ then }) => then), expr.otherwise ?? { kind: 'null' as const }].map(inner);
  const { parts, type } = unified(results);
  const texts = whens.map((when, i) => sqlOf`WHEN ${when} THEN ${parts[i] ?? bound(null)}`);
  return { ...sqlOf`CASE ${joinSql(texts, ' ')} ELSE ${parts.at(-1) ?? bound(null)} END`, type };
}

function compileCall(call: Call, scope: CompileScope): Fragment {
  if (isAggregate(call)) {
    if (!scope.aggregates) throw unsupported(`${call.name}() outside the select list`);
    return aggregate(call, call.args.map((arg) => compileExpr(arg, { ...scope, aggregates: false })));
  }
  if (call.name === 'values') throw unsupported('VALUES() outside ON DUPLICATE KEY UPDATE');
  if (call.distinct === true) throw unsupported(`DISTINCT in ${call.name}()`);
  checkFunction(call.name, call.args.length);
  return scalarCall(call.name, call.args.map((arg) => compileExpr(arg, scope)));
}

/** `name(a, b)` over parts brought to one type. */
function overUnified(name: string, args: readonly Fragment[]): Fragment {
  const { parts, type } = unified(args);
  return { ...sqlOf`${name}(${joinSql(parts, ', ')})`, type };
}

function scalarCall(name: string, args: readonly Fragment[]): Fragment {
  const none: Fragment = constantFragment(null);
  const [first = none, second = none, third = none] = args;
  switch (name) {
    case 'concat':
      return { ...sqlOf`(${joinSql(args.map(asText), ' || ')})`, type: 'text' };
    case 'coalesce':
    case 'ifnull':
      return args.length === 1 ? first : overUnified('coalesce', args);
    case 'nullif':
      return { ...sqlOf`CASE WHEN ${compareFragments(first, '=', second)} THEN NULL ELSE ${first} END`, type: first.type };
    case 'if': {
      const { parts, type } = unified([second, third]);
      return { ...sqlOf`CASE WHEN ${asCondition(first)} THEN ${parts[0] ?? none} ELSE ${parts[1] ?? none} END`, type };
    }
    case 'lower':
    case 'lcase':
      return { ...sqlOf`lower(${asText(first)})`, type: 'text' };
    case 'upper':
    case 'ucase':
      return { ...sqlOf`upper(${asText(first)})`, type: 'text' };
    case 'length':
    case 'octet_length':
      return { ...sqlOf`octet_length(${asText(first)})`, type: 'int' };
    case 'char_length':
    case 'character_length':
      return { ...sqlOf`length(${asText(first)})`, type: 'int' };
    case 'abs': {
      const number = asNumber(first);
      return { ...sqlOf`abs(${number})`, type: number.type };
    }
    case 'mod':
      return arithmetic('%', asNumber(first), asNumber(second));
    case 'greatest':
    case 'least':
      return extreme(name === 'greatest' ? 'max' : 'min', args);
    default:
      throw unsupported(`the function ${name}() over columns`);
  }
}

/** SQLite's min and max of several arguments are NULL when one is, as MySQL's. Decimals compare as numbers. */
function extreme(name: 'min' | 'max', args: readonly Fragment[]): Fragment {
  const { parts, type } = unified(args);
  const compared = type === 'decimal' ? parts.map(asNumber) : parts;
  return { ...sqlOf`${name}(${joinSql(compared, ', ')})`, type: type === 'decimal' ? 'real' : type };
}
