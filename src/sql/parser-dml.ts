/** SELECT, INSERT, REPLACE, UPDATE, DELETE: each of one table. */
import type {
  Assignment,
  ColumnRef,
  Delete,
  Expr,
  Insert,
  Limit,
  OrderTerm,
  Replace,
  Select,
  SelectItem,
  TableRef,
  Update,
} from './ast.ts';
import { parseColumn, parseExpr } from './parser-expr.ts';
import type { TokenReader } from './tokens.ts';

const ONE_TABLE = 'statements are of one table';

/** A table: `t` or `qualifier.t`. */
export function parseTable(tokens: TokenReader): TableRef {
  const first = tokens.name();
  return tokens.acceptOp('.') ? { qualifier: first, name: tokens.name(true) } : { name: first };
}

/** `[as] alias`, as an object to spread. */
export function parseAlias(tokens: TokenReader): { alias?: string } {
  if (tokens.accept('as')) return { alias: tokens.peek().type === 'string' ? tokens.string() : tokens.name() };
  return tokens.atName() ? { alias: tokens.name() } : {};
}

function parseWhere(tokens: TokenReader): { where?: Expr } {
  return tokens.accept('where') ? { where: parseExpr(tokens) } : {};
}

function parseOrder(tokens: TokenReader): OrderTerm[] {
  if (!tokens.accept('order by')) return [];
  return tokens.list(() => {
    const expr = parseExpr(tokens);
    return { expr, descending: tokens.acceptOneOf(['asc', 'desc']) === 'desc' };
  });
}

function parseLimit(tokens: TokenReader): { limit?: Limit } {
  if (!tokens.accept('limit')) return {};
  const first = tokens.integer();
  if (tokens.acceptOp(',')) return { limit: { offset: first, count: tokens.integer() } };
  return { limit: tokens.accept('offset') ? { count: first, offset: tokens.integer() } : { count: first } };
}

/** Refuses what may follow a table in MySQL but not here. */
function onlyOneTable(tokens: TokenReader): void {
  if (tokens.atOp(',') || tokens.atWord(['join', 'inner', 'cross', 'left', 'right', 'natural', 'straight_join']))
    tokens.refuse('joins', ONE_TABLE);
  if (tokens.atWord(['use', 'force', 'ignore'])) tokens.refuse('index hints');
  if (tokens.atWord('partition')) tokens.refuse('PARTITION');
}

function parseItem(tokens: TokenReader): SelectItem {
  if (tokens.acceptOp('*')) return { kind: 'star' };
  if (tokens.atName() && tokens.atOp('.', 1) && tokens.atOp('*', 2)) {
    const table = tokens.name();
    tokens.next();
    tokens.next();
    return { kind: 'star', table };
  }
  const expr = parseExpr(tokens);
  const alias = tokens.peek().type === 'string' ? { alias: tokens.string() } : parseAlias(tokens);
  return { kind: 'expr', expr, ...alias };
}

function parseFrom(tokens: TokenReader): { from?: TableRef; alias?: string } {
  if (!tokens.accept('from') || tokens.accept('dual')) return {};
  if (tokens.atOp('(')) tokens.refuse('subqueries', ONE_TABLE);
  const from = parseTable(tokens);
  if (tokens.atWord('partition')) tokens.refuse('PARTITION');
  const alias = parseAlias(tokens);
  onlyOneTable(tokens);
  return { from, ...alias };
}

function parseLock(tokens: TokenReader): { lock?: 'update' | 'share' } {
  if (tokens.accept('lock in share mode')) return { lock: 'share' };
  if (!tokens.accept('for')) return {};
  const lock = tokens.acceptOneOf(['update', 'share']);
  if (lock === undefined) tokens.fail();
  if (tokens.atWord(['of', 'nowait', 'skip'])) tokens.refuse('FOR UPDATE … NOWAIT, SKIP LOCKED and OF');
  return { lock: lock === 'update' ? 'update' : 'share' };
}

/** SELECT, behind its keyword. */
export function parseSelect(tokens: TokenReader): Select {
  tokens.accept('all');
  const distinct = tokens.acceptOneOf(['distinct', 'distinctrow']) !== undefined;
  const items = tokens.list(() => parseItem(tokens));
  if (tokens.atWord('into')) tokens.refuse('SELECT … INTO');
  const from = parseFrom(tokens);
  const where = parseWhere(tokens);
  if (tokens.atWord('group')) tokens.refuse('GROUP BY', 'aggregates are over all rows');
  if (tokens.atWord('having')) tokens.refuse('HAVING', 'aggregates are over all rows');
  if (tokens.atWord('window')) tokens.refuse('window functions');
  const orderBy = parseOrder(tokens);
  const limit = parseLimit(tokens);
  const lock = parseLock(tokens);
  if (tokens.atWord(['union', 'except', 'intersect'])) tokens.refuse(tokens.peek().text.toUpperCase(), ONE_TABLE);
  return { kind: 'select', distinct, items, ...from, ...where, orderBy, ...limit, ...lock };
}

function parseAssignment(tokens: TokenReader): Assignment {
  const column: ColumnRef = parseColumn(tokens);
  if (!tokens.acceptOp(':=')) tokens.expectOp('=');
  return { column, value: parseExpr(tokens) };
}

function parseColumnNames(tokens: TokenReader): string[] {
  return tokens.parenthesised(() => (tokens.atOp(')') ? [] : tokens.list(() => parseColumn(tokens).name)));
}

function parseRow(tokens: TokenReader): Expr[] {
  tokens.accept('row');
  return tokens.parenthesised(() => (tokens.atOp(')') ? [] : tokens.list(() => parseExpr(tokens))));
}

/** What INSERT and REPLACE share: the table, columns and rows. */
function parseRows(tokens: TokenReader): { table: TableRef; columns?: string[]; rows: Expr[][] } {
  tokens.accept('into');
  const table = parseTable(tokens);
  if (tokens.atWord('partition')) tokens.refuse('PARTITION');
  if (tokens.accept('set')) {
    const set = tokens.list(() => parseAssignment(tokens));
    return { table, columns: set.map(({ column }) => column.name), rows: [set.map(({ value }) => value)] };
  }
  const columns = tokens.atOp('(') && !tokens.atWord('select', 1) ? { columns: parseColumnNames(tokens) } : {};
  if (tokens.atOp('(') || tokens.atWord(['select', 'with', 'table'])) tokens.refuse('INSERT … SELECT', 'use VALUES');
  if (tokens.acceptOneOf(['values', 'value']) === undefined) tokens.fail();
  return { table, ...columns, rows: tokens.list(() => parseRow(tokens)) };
}

/** INSERT, behind its keyword. */
export function parseInsert(tokens: TokenReader): Insert {
  tokens.acceptOneOf(['low_priority', 'delayed', 'high_priority']);
  const ignore = tokens.accept('ignore');
  const rows = parseRows(tokens);
  if (tokens.atWord('as')) tokens.refuse('a row alias', 'use VALUES(column)');
  const onDuplicate = tokens.accept('on duplicate key update') ? tokens.list(() => parseAssignment(tokens)) : [];
  return { kind: 'insert', ignore, ...rows, onDuplicate };
}

/** REPLACE, behind its keyword. */
export function parseReplace(tokens: TokenReader): Replace {
  tokens.acceptOneOf(['low_priority', 'delayed']);
  return { kind: 'replace', ...parseRows(tokens) };
}

/** UPDATE, behind its keyword. */
export function parseUpdate(tokens: TokenReader): Update {
  tokens.accept('low_priority');
  const ignore = tokens.accept('ignore');
  const table = parseTable(tokens);
  const alias = parseAlias(tokens);
  onlyOneTable(tokens);
  tokens.expect('set');
  const set = tokens.list(() => parseAssignment(tokens));
  return { kind: 'update', ignore, table, ...alias, set, ...parseWhere(tokens), orderBy: parseOrder(tokens), ...parseLimitCount(tokens) };
}

/** UPDATE and DELETE take a count and no offset. */
function parseLimitCount(tokens: TokenReader): { limit?: Limit } {
  return tokens.accept('limit') ? { limit: { count: tokens.integer() } } : {};
}

/** DELETE, behind its keyword. */
export function parseDelete(tokens: TokenReader): Delete {
  tokens.acceptOneOf(['low_priority']);
  tokens.accept('quick');
  if (tokens.atWord('ignore')) tokens.refuse('DELETE IGNORE');
  if (!tokens.atWord('from') && tokens.atName()) tokens.refuse('multi-table DELETE', ONE_TABLE);
  tokens.expect('from');
  const table = parseTable(tokens);
  const alias = parseAlias(tokens);
  if (tokens.atWord('using')) tokens.refuse('multi-table DELETE', ONE_TABLE);
  onlyOneTable(tokens);
  return { kind: 'delete', table, ...alias, ...parseWhere(tokens), orderBy: parseOrder(tokens), ...parseLimitCount(tokens) };
}
