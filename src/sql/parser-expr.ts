/**
 * Expressions, by MySQL's precedence:
 * or, xor, and, not, comparison and IS, then IN/BETWEEN/LIKE, + -, * / % div, unary, primary.
 */
import type { ArithmeticOp, Call, ColumnRef, ComparisonOp, Expr } from './ast.ts';
import { isReserved } from './keywords.ts';
import { TokenReader } from './tokens.ts';

const COMPARISONS: Record<string, ComparisonOp> = {
  '=': '=',
  '!=': '!=',
  '<>': '!=',
  '<': '<',
  '<=': '<=',
  '>': '>',
  '>=': '>=',
  '<=>': '<=>',
};
/** Reserved words that are function names when a parenthesis follows. */
const RESERVED_FUNCTIONS = ['if', 'mod', 'values', 'left', 'right', 'replace', 'repeat', 'insert', 'char', 'interval'];
/** Functions of the clock that need no parentheses, and the name each is kept under. */
const CLOCK: Record<string, string> = {
  current_timestamp: 'current_timestamp',
  localtime: 'current_timestamp',
  localtimestamp: 'current_timestamp',
  current_date: 'current_date',
};
const REFUSED_WORDS: Record<string, string> = {
  exists: 'EXISTS subqueries',
  cast: 'CAST',
  convert: 'CONVERT',
  match: 'MATCH … AGAINST',
  interval: 'INTERVAL arithmetic',
  binary: 'the BINARY operator',
  row: 'ROW constructors',
  group_concat: 'GROUP_CONCAT',
  extract: 'EXTRACT',
  trim: 'TRIM',
};

/** An expression that starts at the reader's token. */
export function parseExpr(tokens: TokenReader): Expr {
  let left = parseXor(tokens);
  while (tokens.accept('or') || tokens.acceptOp('||')) left = { kind: 'logic', op: 'or', left, right: parseXor(tokens) };
  return left;
}

/**
 * An expression that is the whole text, as a generated column's or a DEFAULT's is.
 * Throws INVALID_ARGUMENT (syntax) or UNIMPLEMENTED.
 */
export function parseExpression(sql: string): Expr {
  const tokens = new TokenReader(sql);
  const expr = parseExpr(tokens);
  if (tokens.peek().type !== 'end') tokens.fail();
  return expr;
}

function parseXor(tokens: TokenReader): Expr {
  let left = parseAnd(tokens);
  while (tokens.accept('xor')) left = { kind: 'logic', op: 'xor', left, right: parseAnd(tokens) };
  return left;
}

function parseAnd(tokens: TokenReader): Expr {
  let left = parseNot(tokens);
  while (tokens.accept('and') || tokens.acceptOp('&&')) left = { kind: 'logic', op: 'and', left, right: parseNot(tokens) };
  return left;
}

function parseNot(tokens: TokenReader): Expr {
  return tokens.accept('not') ? { kind: 'not', expr: parseNot(tokens) } : parseComparison(tokens);
}

function parseComparison(tokens: TokenReader): Expr {
  let left = parsePredicate(tokens);
  for (;;) {
    const token = tokens.peek();
    const op = token.type === 'op' ? COMPARISONS[token.text] : undefined;
    if (op !== undefined) {
      tokens.next();
      if (tokens.atWord(['any', 'some', 'all']) && tokens.atOp('(', 1)) tokens.refuse('subqueries');
      left = { kind: 'compare', op, left, right: parsePredicate(tokens) };
    } else if (tokens.accept('is')) {
      left = parseIs(tokens, left);
    } else {
      return left;
    }
  }
}

function parseIs(tokens: TokenReader, expr: Expr): Expr {
  const not = tokens.accept('not');
  const test = tokens.acceptOneOf(['null', 'true', 'false']);
  if (test === undefined) tokens.fail();
  return { kind: 'is', expr, test: test as 'null' | 'true' | 'false', not };
}

function parsePredicate(tokens: TokenReader): Expr {
  const expr = parseSum(tokens);
  const not = tokens.atWord('not') && tokens.atWord(['in', 'between', 'like', 'regexp', 'rlike'], 1);
  if (not) tokens.next();
  if (tokens.accept('in')) return { kind: 'in', expr, list: parseInList(tokens), not };
  if (tokens.accept('between')) {
    const low = parseSum(tokens);
    tokens.expect('and');
    return { kind: 'between', expr, low, high: parseSum(tokens), not };
  }
  if (tokens.accept('like')) {
    const pattern = parseSum(tokens);
    const escape = tokens.accept('escape') ? { escape: tokens.string() } : {};
    return { kind: 'like', expr, pattern, ...escape, not };
  }
  if (tokens.atWord(['regexp', 'rlike'])) tokens.refuse('REGEXP', 'use LIKE');
  return expr;
}

function parseInList(tokens: TokenReader): Expr[] {
  return tokens.parenthesised(() => {
    if (tokens.atWord('select')) tokens.refuse('subqueries', 'IN takes a list of values');
    return tokens.list(() => parseExpr(tokens));
  });
}

function parseSum(tokens: TokenReader): Expr {
  let left = parseProduct(tokens);
  for (;;) {
    if (tokens.atOp('|') || tokens.atOp('&') || tokens.atOp('<<') || tokens.atOp('>>') || tokens.atOp('^'))
      tokens.refuse('bit operators', 'arithmetic is + - * / % div');
    const op = tokens.acceptOp('+') ? '+' : tokens.acceptOp('-') ? '-' : undefined;
    if (op === undefined) return left;
    left = { kind: 'arithmetic', op, left, right: parseProduct(tokens) };
  }
}

function productOp(tokens: TokenReader): ArithmeticOp | undefined {
  for (const op of ['*', '/', '%'] as const) if (tokens.acceptOp(op)) return op;
  if (tokens.accept('div')) return 'div';
  return tokens.accept('mod') ? '%' : undefined;
}

function parseProduct(tokens: TokenReader): Expr {
  let left = parseUnary(tokens);
  for (;;) {
    const op = productOp(tokens);
    if (op === undefined) return left;
    left = { kind: 'arithmetic', op, left, right: parseUnary(tokens) };
  }
}

function parseUnary(tokens: TokenReader): Expr {
  if (tokens.acceptOp('-')) return { kind: 'unary', op: '-', expr: parseUnary(tokens) };
  if (tokens.acceptOp('+')) return { kind: 'unary', op: '+', expr: parseUnary(tokens) };
  if (tokens.acceptOp('!')) return { kind: 'not', expr: parseUnary(tokens) };
  if (tokens.atOp('~')) tokens.refuse('bit operators', 'arithmetic is + - * / % div');
  const expr = parsePrimary(tokens);
  if (tokens.atWord('collate')) tokens.refuse('COLLATE in an expression', 'give the column a collation');
  if (tokens.atOp('->') || tokens.atOp('->>')) tokens.refuse('JSON path operators');
  return expr;
}

function parsePrimary(tokens: TokenReader): Expr {
  const token = tokens.peek();
  switch (token.type) {
    case 'number':
      return { kind: 'number', text: tokens.next().text };
    case 'string':
      return parseStrings(tokens);
    case 'hex':
    case 'bit':
      return { kind: token.type, digits: tokens.next().text };
    case 'variable':
      return tokens.refuse(`the variable ${token.text}`);
    case 'quoted':
      return parseColumn(tokens);
    case 'word':
      return parseWord(tokens);
    default:
      break;
  }
  if (!tokens.atOp('(')) tokens.fail();
  return parseParentheses(tokens);
}

function parseParentheses(tokens: TokenReader): Expr {
  return tokens.parenthesised(() => {
    if (tokens.atWord('select')) tokens.refuse('subqueries');
    const expr = parseExpr(tokens);
    if (tokens.atOp(',')) tokens.refuse('row values', 'compare the columns one by one');
    return expr;
  });
}

/** Adjacent string literals are one string. */
function parseStrings(tokens: TokenReader): Expr {
  let value = tokens.string();
  while (tokens.peek().type === 'string') value += tokens.string();
  return { kind: 'string', value };
}

function parseWord(tokens: TokenReader): Expr {
  const word = tokens.peek().text.toLowerCase();
  const following = tokens.peek(1).type;
  if (tokens.accept('null')) return { kind: 'null' };
  if (tokens.accept('true')) return { kind: 'bool', value: true };
  if (tokens.accept('false')) return { kind: 'bool', value: false };
  if (tokens.accept('case')) return parseCase(tokens);
  if (tokens.accept('default')) return parseDefault(tokens);
  const clock = CLOCK[word];
  if (clock !== undefined) return parseClock(tokens, clock);
  const introducer = /^(_[a-z]\w*|n|date|time|timestamp)$/.test(word);
  if (introducer && (following === 'string' || (following === 'hex' && word.startsWith('_')))) {
    tokens.next();
    return parsePrimary(tokens);
  }
  const refused = REFUSED_WORDS[word];
  const call = tokens.atOp('(', 1);
  if (refused !== undefined && (call || isReserved(word))) tokens.refuse(refused);
  if (call && (!isReserved(word) || RESERVED_FUNCTIONS.includes(word))) return parseCall(tokens);
  return parseColumn(tokens);
}

function parseClock(tokens: TokenReader, name: string): Call {
  tokens.next();
  if (!tokens.atOp('(')) return { kind: 'call', name, args: [] };
  return { kind: 'call', name, args: parseArguments(tokens) };
}

function parseArguments(tokens: TokenReader): Expr[] {
  return tokens.parenthesised(() => (tokens.atOp(')') ? [] : tokens.list(() => parseExpr(tokens))));
}

function parseCall(tokens: TokenReader): Call {
  const name = tokens.next().text.toLowerCase();
  if (name === 'count' && tokens.atOp('*', 1)) {
    tokens.parenthesised(() => tokens.expectOp('*'));
    return notWindowed(tokens, { kind: 'call', name, args: [], star: true });
  }
  if (tokens.atWord('distinct', 1)) {
    const args = tokens.parenthesised(() => {
      tokens.expect('distinct');
      return tokens.list(() => parseExpr(tokens));
    });
    return notWindowed(tokens, { kind: 'call', name, args, distinct: true });
  }
  return notWindowed(tokens, { kind: 'call', name, args: parseArguments(tokens) });
}

function notWindowed(tokens: TokenReader, call: Call): Call {
  if (tokens.atWord('over')) tokens.refuse('window functions');
  return call;
}

function parseCase(tokens: TokenReader): Expr {
  const operand = tokens.atWord('when') ? {} : { operand: parseExpr(tokens) };
  const whens: { when: Expr; then: Expr }[] = [];
  while (tokens.accept('when')) {
    const when = parseExpr(tokens);
    tokens.expect('then');
    whens.push({ when, then: parseExpr(tokens) });
  }
  if (whens.length === 0) tokens.fail();
  const otherwise = tokens.accept('else') ? { otherwise: parseExpr(tokens) } : {};
  tokens.expect('end');
  return { kind: 'case', ...operand, whens, ...otherwise };
}

function parseDefault(tokens: TokenReader): Expr {
  if (!tokens.atOp('(')) return { kind: 'default' };
  return { kind: 'default', column: tokens.parenthesised(() => tokens.name()) };
}

/** A column: `c`, `t.c` or `ks.t.c`. */
export function parseColumn(tokens: TokenReader): ColumnRef {
  const parts = [tokens.name()];
  while (parts.length < 3 && tokens.acceptOp('.')) parts.push(tokens.name(true));
  const [name = '', table, qualifier] = parts.toReversed();
  const outer = qualifier === undefined ? {} : { qualifier };
  return { kind: 'column', name, ...(table === undefined ? {} : { table }), ...outer };
}
