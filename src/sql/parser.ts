/** One statement of the MySQL subset, as a tree. */
import { vtError } from '../lib/errors.ts';
import type { SessionStatement, Statement, TableLock } from './ast.ts';
import { unsupported } from './mysql-errors.ts';
import { parseAlterTable, parseCreate, parseDropStatement, parseRenameTable } from './parser-ddl.ts';
import { parseDelete, parseInsert, parseReplace, parseSelect, parseTable, parseUpdate } from './parser-dml.ts';
import { type LeftOut, TokenReader } from './tokens.ts';

const SUPPORTED =
  'select, insert, replace, update, delete, begin, commit, rollback, lock tables, unlock tables, create, alter, drop, ' +
  'truncate, rename, use, show are supported';

function parseBegin(tokens: TokenReader): SessionStatement {
  let readOnly = false;
  do {
    if (tokens.accept('read only')) readOnly = true;
    else if (!tokens.accept('read write')) tokens.accept('with consistent snapshot');
  } while (tokens.acceptOp(','));
  return { kind: 'begin', readOnly };
}

function parseRollback(tokens: TokenReader): SessionStatement {
  tokens.accept('work');
  if (tokens.atWord('to')) tokens.refuse('savepoints');
  return { kind: 'rollback' };
}

function parseLock(tokens: TokenReader): TableLock {
  const table = parseTable(tokens);
  const alias = tokens.accept('as') || !tokens.atWord(['read', 'write', 'low_priority']) ? { alias: tokens.name() } : {};
  if (tokens.accept('read')) {
    tokens.accept('local');
    return { table, mode: 'READ', ...alias };
  }
  tokens.accept('low_priority');
  tokens.expect('write');
  return { table, mode: 'WRITE', ...alias };
}

function parseShow(tokens: TokenReader): SessionStatement {
  if (tokens.accept('create table')) return { kind: 'show', what: 'create-table', table: parseTable(tokens) };
  if (!tokens.accept('tables')) {
    const what = tokens.peek().text.toUpperCase();
    return tokens.refuse(`SHOW ${what}`.trim(), 'SHOW TABLES and SHOW CREATE TABLE are supported');
  }
  const from = tokens.acceptOneOf(['from', 'in']) === undefined ? {} : { from: tokens.name() };
  return { kind: 'show', what: 'tables', ...from, ...(tokens.accept('like') ? { like: tokens.string() } : {}) };
}

/** What else MySQL and Vitess begin a statement with; a first word beyond these is a syntax error. */
const OTHERS = `alter analyze binlog cache call change check checksum clone deallocate desc describe do execute explain
flush get grant handler help import install kill load lock optimize prepare purge release repair reset resignal restart
revert revoke savepoint set shutdown signal start stop stream table uninstall unlock use values vexplain vstream with xa`;

/** Each statement's first words, and what reads the rest. */
const PARSERS: [string, (tokens: TokenReader) => Statement][] = [
  ['select', parseSelect],
  ['insert', parseInsert],
  ['replace', parseReplace],
  ['update', parseUpdate],
  ['delete', parseDelete],
  ['begin work', (): Statement => ({ kind: 'begin', readOnly: false })],
  ['begin', (): Statement => ({ kind: 'begin', readOnly: false })],
  ['start transaction', parseBegin],
  ['commit work', (): Statement => ({ kind: 'commit' })],
  ['commit', (): Statement => ({ kind: 'commit' })],
  ['rollback', parseRollback],
  ['lock tables', (tokens): Statement => ({ kind: 'lock-tables', locks: tokens.list(() => parseLock(tokens)) })],
  ['lock table', (tokens): Statement => ({ kind: 'lock-tables', locks: tokens.list(() => parseLock(tokens)) })],
  ['unlock tables', (): Statement => ({ kind: 'unlock-tables' })],
  ['unlock table', (): Statement => ({ kind: 'unlock-tables' })],
  ['alter table', parseAlterTable],
  ['create', parseCreate],
  ['drop', parseDropStatement],
  ['truncate table', (tokens): Statement => ({ kind: 'truncate', table: parseTable(tokens) })],
  ['truncate', (tokens): Statement => ({ kind: 'truncate', table: parseTable(tokens) })],
  ['rename', parseRenameTable],
  ['show', parseShow],
];

/** USE takes the rest of the text: a target such as `customer:-80@replica` is no SQL identifier. */
function parseUse(sql: string): Statement | undefined {
  const found = /^(?:\s|\/\*(?!!)[^]*?\*\/)*use(?=[\s`;]|$)([^;]*?)[\s;]*$/i.exec(sql);
  if (found === null) return undefined;
  const raw = (found[1] ?? '').trim();
  const quoted = /^`((?:[^`]|``)*)`$/.exec(raw);
  return { kind: 'use', target: quoted === null ? raw : (quoted[1] ?? '').replaceAll('``', '`') };
}

/**
 * Parses one statement; a `;` behind it is allowed. With `leftOut`, what DDL may say and nothing here can keep is reported
 * to it and left out.
 * Throws INVALID_ARGUMENT (`syntax error at position N near 'x'`, `Query was empty`) and UNIMPLEMENTED
 * (`unsupported: <construct>`) for MySQL that this program does not do. Vitess: go/vt/sqlparser/parser.go.
 */
export function parseStatement(sql: string, leftOut?: LeftOut): Statement {
  const use = parseUse(sql);
  if (use !== undefined) return use;
  const tokens = new TokenReader(sql, leftOut);
  while (tokens.acceptOp(';'));
  const first = tokens.peek();
  if (first.type === 'end') throw vtError('INVALID_ARGUMENT', 'Query was empty');
  if (first.type !== 'word') {
    if (tokens.atOp('(') && tokens.atWord('select', 1)) throw unsupported('a statement in parentheses');
    tokens.fail();
  }
  const parser = PARSERS.find(([phrase]) => tokens.accept(phrase));
  if (parser === undefined) {
    if (!OTHERS.split(/\s/).includes(first.text.toLowerCase())) tokens.fail();
    throw unsupported(first.text.toUpperCase(), SUPPORTED);
  }
  const statement = parser[1](tokens);
  tokens.end();
  return statement;
}
