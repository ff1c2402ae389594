import { describe, expect, it } from 'vitest';
import type { Select } from '../../src/sql/ast.ts';
import { evaluate } from '../../src/sql/evaluate.ts';
import { parseStatement } from '../../src/sql/parser.ts';
import { parseExpression } from '../../src/sql/parser-expr.ts';
import { equalityValues } from '../../src/sql/routing.ts';
import type { Value } from '../../src/sql/value.ts';
import { define, NOW } from './helpers.ts';

const value = (sql: string): Value => evaluate(parseExpression(sql), { now: NOW, lastInsertId: 9 });

describe('evaluate', () => {
  it.each<[string, Value]>([
    ['1 + 2 * 3', 7],
    ['7 / 2', '3.5000'],
    ['7 div 2', 3],
    ['-7 % 3', -1],
    ['1 / 0', null],
    ['0.1 + 0.2', 0.3],
    ['1.10 * 2', '2.20'],
    ['9007199254740993', 9007199254740993n],
    ['9223372036854775807 + 1', 9223372036854775808n],
    ['1e3', 1000],
    ["'12abc' + 1", 13],
    ['null + 1', null],
    ["'a' = 'A'", 1],
    ["'a' < 'b'", 1],
    ["1 = '1.0'", 1],
    ["0 = 'x'", 1],
    ['null = null', null],
    ['null <=> null', 1],
    ['null and false', 0],
    ['null or true', 1],
    ['not null', null],
    ['1 xor 1', 0],
    ['2 in (1, null)', null],
    ['2 not in (1, 3)', 1],
    ['2 between 1 and 3', 1],
    ["'abc' like 'A%'", 1],
    ["'a%c' like 'a\\%c'", 1],
    ["'abc' like 'a\\%c'", 0],
    ["'abc' like 'a_'", 0],
    ["'x.z' like 'x.z' and not 'xyz' like 'x.z'", 1],
    ['null is null', 1],
    ['2 is true', 1],
    ["concat('a', 1, 1.50)", 'a11.50'],
    ["concat('a', null)", null],
    ["coalesce(null, 'x', 1 / 0)", 'x'],
    ['if(0, 1, 2)', 2],
    ['ifnull(null, 3)', 3],
    ["upper('é') = 'É'", 1],
    ["length('é')", 2],
    ["char_length('é😀')", 2],
    ['abs(-1.5)', 1.5],
    ['greatest(1, 3, 2)', 3],
    ["least('b', 'a')", 'a'],
    ['now()', '2026-03-04 05:06:07'],
    ['now(3)', '2026-03-04 05:06:07.891'],
    ['current_date', '2026-03-04'],
    ['last_insert_id()', 9],
    ["case 2 when 1 then 'a' when 2 then 'b' end", 'b'],
    ["case when 0 then 'a' else 'c' end", 'c'],
    ['X\'10\' + 0', 16],
    ["X'6162'", Uint8Array.from([0x61, 0x62])],
  ])('%s is %s', (sql, expected) => {
    expect(value(sql)).toEqual(expected);
  });

  it.each([
    ['9223372036854775807 * 4', "BIGINT value is out of range in '(9223372036854775807 * 4)' (errno 1690) (sqlstate 22003)"],
    ['a', "Unknown column 'a' in 'field list' (errno 1054) (sqlstate 42S22)"],
    ['soundex(1)', 'unsupported: the function soundex()'],
    ['if(1)', "Incorrect parameter count in the call to native function 'if' (errno 1582)"],
    ['default', 'unsupported: DEFAULT here'],
  ])('%s throws', (sql, message) => {
    expect(() => value(sql)).toThrow(message);
  });

  it('reads a row with the types of its columns', () => {
    const def = define('create table t (a decimal(30,2), b varchar(5) collate utf8mb4_bin, c double)');
    const row = { a: '12345678901234567890.10', b: 'x', c: 2 };
    const at = (sql: string): Value => evaluate(parseExpression(sql), { row, def });
    expect(at('a + 0.01')).toBe('12345678901234567890.11');
    expect(at("b = 'X'")).toBe(0);
    expect(at('C / 4')).toBe(0.5);
  });

  it('refuses a division by zero in a write', () => {
    expect(() => evaluate(parseExpression('1 / 0'), { writing: true })).toThrow('Division by 0 (errno 1365) (sqlstate 22012)');
  });
});

describe('equalityValues', () => {
  const pinned = (where: string): Value[] | undefined =>
    equalityValues((parseStatement(`select * from t where ${where}`) as Select).where, 'id');

  it.each<[string, Value[] | undefined]>([
    ['id = 1', [1]],
    ['2 = ID', [2]],
    ['t.id = 1 + 1', [2]],
    ["id in (1, '1', 2)", [1, 2]],
    ['id = 1 and x = 2', [1]],
    ['x = 2 and (y = 1 and id in (3, 4))', [3, 4]],
    ['id in (1, 2) and id in (2, 3)', [2]],
    ['id = null', []],
    ['id <=> 5', [5]],
    ['id <=> null', undefined],
    ['id = 1 or x = 2', undefined],
    ['not id = 1', undefined],
    ['id not in (1)', undefined],
    ['id > 1', undefined],
    ['id = x', undefined],
    ['id between 1 and 1', undefined],
  ])('%s gives %j', (where, values) => {
    expect(pinned(where)).toEqual(values);
  });

  it('needs a clause', () => {
    expect(equalityValues(undefined, 'id')).toBeUndefined();
  });
});
