import { describe, expect, it } from 'vitest';
import { errorCode } from '../../src/lib/errors.ts';
import { parseStatement } from '../../src/sql/parser.ts';
import { parseExpression } from '../../src/sql/parser-expr.ts';
import { formatExpr } from '../../src/sql/format-expr.ts';

function failure(sql: string): { code: string; message: string } {
  try {
    parseStatement(sql);
  } catch (error) {
    return { code: errorCode(error), message: (error as Error).message };
  }
  throw new Error(`accepted: ${sql}`);
}

describe('parseStatement', () => {
  it('reads a select with every clause', () => {
    const sql = 'SELECT a, c.b AS x, count(*) FROM ks.t AS c WHERE a = 1 ORDER BY b DESC, a LIMIT 2, 3 FOR UPDATE;';
    expect(parseStatement(sql)).toEqual({
      kind: 'select',
      distinct: false,
      items: [
        { kind: 'expr', expr: { kind: 'column', name: 'a' } },
        { kind: 'expr', expr: { kind: 'column', table: 'c', name: 'b' }, alias: 'x' },
        { kind: 'expr', expr: { kind: 'call', name: 'count', args: [], star: true } },
      ],
      from: { qualifier: 'ks', name: 't' },
      alias: 'c',
      where: { kind: 'compare', op: '=', left: { kind: 'column', name: 'a' }, right: { kind: 'number', text: '1' } },
      orderBy: [
        { expr: { kind: 'column', name: 'b' }, descending: true },
        { expr: { kind: 'column', name: 'a' }, descending: false },
      ],
      limit: { offset: '2', count: '3' },
      lock: 'update',
    });
  });

  it.each([
    ['select * from `customer:-80`.customer', { qualifier: 'customer:-80', name: 'customer' }],
    ['select * from `customer@replica`.`order`', { qualifier: 'customer@replica', name: 'order' }],
    ['select * from customer@replica.customer', { qualifier: 'customer@replica', name: 'customer' }],
    ['select * from t', { name: 't' }],
  ])('reads the table of %s', (sql, from) => {
    expect(parseStatement(sql)).toMatchObject({ from });
  });

  it('reads both forms of insert alike', () => {
    const set = parseStatement("insert into t set a = 1, b = 'x'");
    expect(set).toEqual(parseStatement("insert t (a, b) values (1, 'x')"));
    expect(parseStatement('insert ignore into t values (1), (default) on duplicate key update a = values(a)')).toMatchObject({
      ignore: true,
      rows: [[{ kind: 'number' }], [{ kind: 'default' }]],
      onDuplicate: [{ column: { name: 'a' }, value: { kind: 'call', name: 'values' } }],
    });
  });

  it.each([
    ['begin', { kind: 'begin', readOnly: false }],
    ['START TRANSACTION READ ONLY', { kind: 'begin', readOnly: true }],
    ['start transaction with consistent snapshot', { kind: 'begin' }],
    ['commit work;', { kind: 'commit' }],
    ['rollback', { kind: 'rollback' }],
    ['unlock tables', { kind: 'unlock-tables' }],
    ['use `customer:-80@replica`', { kind: 'use', target: 'customer:-80@replica' }],
    ['use customer:-80@replica;', { kind: 'use', target: 'customer:-80@replica' }],
    ['USE @primary', { kind: 'use', target: '@primary' }],
    ['show tables', { kind: 'show', what: 'tables' }],
    ['show create table a.b', { kind: 'show', what: 'create-table', table: { qualifier: 'a', name: 'b' } }],
    ['truncate table t', { kind: 'truncate', table: { name: 't' } }],
    ['drop table if exists a, b', { kind: 'drop-table', ifExists: true, tables: [{ name: 'a' }, { name: 'b' }] }],
    ['rename table a to b, c to d', { renames: [{ from: { name: 'a' }, to: { name: 'b' } }, { from: { name: 'c' } }] }],
    ['create unique index i on t (a, b desc)', { kind: 'create-index', key: { kind: 'unique', name: 'i' } }],
    ['drop index i on t', { kind: 'drop-index', name: 'i', table: { name: 't' } }],
    ['/*!40000 select 1 */', { kind: 'select' }],
  ])('reads %s', (sql, expected) => {
    expect(parseStatement(sql)).toMatchObject(expected);
  });

  it('reads locks', () => {
    expect(parseStatement('lock tables a read, b as x write')).toEqual({
      kind: 'lock-tables',
      locks: [
        { table: { name: 'a' }, mode: 'READ' },
        { table: { name: 'b' }, alias: 'x', mode: 'WRITE' },
      ],
    });
  });

  it('takes non-reserved words as names', () => {
    expect(parseStatement('select date, status, `select`, t.key from begin where offset = 1')).toMatchObject({
      from: { name: 'begin' },
    });
    expect(failure('select key from t').message).toBe("syntax error at position 11 near 'key'");
  });

  it.each([
    ['select * from', 'syntax error at position 14'],
    ['selct 1', "syntax error at position 6 near 'selct'"],
    ['select a from t where', 'syntax error at position 22'],
    ['insert into t values (1', 'syntax error at position 24'],
    ['select 1)', 'syntax error at position 10'],
    ['create table t (a foo)', "syntax error at position 22 near 'foo'"],
    ['', 'Query was empty'],
    ['-- only a comment', 'Query was empty'],
  ])('refuses %j with Vitess’s text', (sql, message) => {
    expect(failure(sql)).toEqual({ code: 'INVALID_ARGUMENT', message });
  });

  it.each([
    ['select a from t group by a', 'GROUP BY'],
    ['select count(*) from t having 1', 'HAVING'],
    ['select * from a join b on a.x = b.x', 'joins'],
    ['select * from a, b', 'joins'],
    ['select * from (select 1) x', 'subqueries'],
    ['select 1 where a in (select 1)', 'subqueries'],
    ['select 1 union select 2', 'UNION'],
    ['insert into t select * from s', 'INSERT … SELECT'],
    ['update t set a = a | 1', 'bit operators'],
    ['set autocommit = 0', 'SET'],
    ['explain select 1', 'EXPLAIN'],
    ['show databases', 'SHOW DATABASES'],
    ['create view v as select 1', 'CREATE VIEW'],
    ['alter vschema add table t', 'ALTER'],
    ['select @@version', 'the variable @@version'],
    ['select cast(1 as char)', 'CAST'],
    ['select a regexp "x" from t', 'REGEXP'],
    ['create table t (a int) partition by hash(a)', 'PARTITION BY'],
    ['delete t from t join s', 'multi-table DELETE'],
    ['rollback to x', 'savepoints'],
  ])('names what it does not do: %s', (sql, construct) => {
    const { code, message } = failure(sql);
    expect(code).toBe('UNIMPLEMENTED');
    expect(message.startsWith(`unsupported: ${construct}`)).toBe(true);
  });
});

describe('precedence', () => {
  it.each([
    ['1 + 2 * 3', '1 + 2 * 3'],
    ['(1 + 2) * 3', '(1 + 2) * 3'],
    ['1 - (2 - 3)', '1 - (2 - 3)'],
    ['not a = 1 and b', 'not a = 1 and b'],
    ['(not a) = 1', '(not a) = 1'],
    ['!a = 1', '(not a) = 1'],
    ['a or b and c xor d', 'a or b and c xor d'],
    ['(a or b) and c', '(a or b) and c'],
    ['a = b in (1, 2)', 'a = b in (1, 2)'],
    ['a between 1 and 2 and b', 'a between 1 and 2 and b'],
    ['- -1', '-(-1)'],
    ['a <> 1 || b && c', 'a != 1 or b and c'],
    ["'a' 'b'", "'ab'"],
    ['a mod 2 div 3', 'a % 2 div 3'],
    ['a is not null = 1', 'a is not null = 1'],
    ["a not like 'x' escape '!'", "a not like 'x' escape '!'"],
    ['current_timestamp', 'current_timestamp()'],
    ["_utf8mb4'x'", "'x'"],
  ])('%s is %s', (sql, formatted) => {
    expect(formatExpr(parseExpression(sql))).toBe(formatted);
  });
});
