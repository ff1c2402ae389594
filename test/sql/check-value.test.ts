import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkValue } from '../../src/sql/check-value.ts';
import type { ColumnDef } from '../../src/sql/schema.ts';
import { decodeValue, encodeValue } from '../../src/sql/storage.ts';
import type { Value } from '../../src/sql/value.ts';
import { define } from './helpers.ts';

function column(type: string): ColumnDef {
  const [first] = define(`create table t (x ${type})`).columns;
  if (first === undefined) throw new Error('no column');
  return first;
}

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

describe('checkValue', () => {
  it.each<[string, Value, Value]>([
    ['int', '12', 12],
    ['int', ' 1.5 ', 2],
    ['int', -1.5, -2],
    ['int', '1e2', 100],
    ['bigint', '9223372036854775807', 9223372036854775807n],
    ['bigint unsigned', 18446744073709551615n, 18446744073709551615n],
    ['int', bytes(1, 0), 256],
    ['tinyint', null, null],
    ['bit(3)', bytes(5), 5],
    ['year', 69, 2069],
    ['year', '70', 1970],
    ['decimal(5,2)', '1.005', '1.01'],
    ['decimal(5,2)', -0.001, '0.00'],
    ['decimal(65,0)', '9'.repeat(65), '9'.repeat(65)],
    ['float', 0.1, 0.1],
    ['float', 16777217, 16777216],
    ['double', '1.5', 1.5],
    ['varchar(3)', 123, '123'],
    ['varchar(3)', 'abc  ', 'abc'],
    ['char(3)', 'a  ', 'a'],
    ['varchar(1)', '😀', '😀'],
    ['text', bytes(0x61), 'a'],
    ['varbinary(3)', bytes(0x61, 0xc3), bytes(0x61, 0xc3)],
    ['varbinary(3)', bytes(0x61, 0x62), 'ab'],
    ['varbinary(3)', 'a\0', bytes(0x61, 0)],
    ['binary(3)', 'a', bytes(0x61, 0, 0)],
    ['binary(3)', 'abc', 'abc'],
    ["enum('a','B')", 'b', 'B'],
    ["enum('a','B')", 1, 'a'],
    ["set('a','b','c')", 'c,A', 'a,c'],
    ["set('a','b','c')", 6, 'b,c'],
    ['json', ' {"a": 1} ', '{"a": 1}'],
    ['date', '2024-2-9', '2024-02-09'],
    ['date', 20240229, '2024-02-29'],
    ['datetime', '2024-12-31 23:59:59.6', '2025-01-01 00:00:00'],
    ['datetime(3)', '2024-01-02T03:04:05', '2024-01-02 03:04:05.000'],
    ['datetime', '20240102030405', '2024-01-02 03:04:05'],
    ['time', '-1:2:3', '-01:02:03'],
    ['time(1)', '100:00:00.25', '100:00:00.3'],
    ['time', 12345, '01:23:45'],
  ])('%s takes %s as %s', (type, value, stored) => {
    expect(checkValue(column(type), value)).toEqual(stored);
  });

  const range = "Out of range value for column 'x' at row 1 (errno 1264) (sqlstate 22003)";
  const long = "Data too long for column 'x' at row 1 (errno 1406) (sqlstate 22001)";
  const cut = "Data truncated for column 'x' at row 1 (errno 1265) (sqlstate 01000)";
  it.each<[string, Value, string]>([
    ['tinyint', 128, range],
    ['int unsigned', -1, range],
    ['bigint', 9223372036854775808n, range],
    ['bigint unsigned', 18446744073709551616n, range],
    ['decimal(5,2)', '999.995', range],
    ['decimal(5,2) unsigned', -1, range],
    ['float', 1e39, range],
    ['year', 1900, range],
    ['time', '839:00:00', range],
    ['int', 'a', "Incorrect integer value: 'a' for column 'x' at row 1 (errno 1366) (sqlstate HY000)"],
    ['int', '', "Incorrect integer value: '' for column 'x' at row 1 (errno 1366) (sqlstate HY000)"],
    ['int', '1a', cut],
    ['decimal(5,2)', 'a', "Incorrect decimal value: 'a' for column 'x' at row 1 (errno 1366) (sqlstate HY000)"],
    ['double', 'a', cut],
    ["enum('a')", 'b', cut],
    ["set('a')", 'a,b', cut],
    ['varchar(2)', 'abc', long],
    ['varbinary(3)', 'éé', long],
    ['tinytext', 'x'.repeat(256), long],
    ['bit(2)', 4, long],
    ['text', bytes(0xff), "Incorrect string value: '\\xFF' for column 'x' at row 1 (errno 1366) (sqlstate HY000)"],
    ['date', '2023-02-29', "Incorrect date value: '2023-02-29' for column 'x' at row 1 (errno 1292) (sqlstate 22007)"],
    ['datetime', '0000-00-00 00:00:00', "Incorrect datetime value: '0000-00-00 00:00:00'"],
    ['timestamp null', '2040-01-01', "Incorrect datetime value: '2040-01-01'"],
    ['time', 'noon', "Incorrect time value: 'noon'"],
    ['json', '{', 'Invalid JSON text'],
    ['int not null', null, "Column 'x' cannot be null (errno 1048) (sqlstate 23000)"],
  ])('%s refuses %s', (type, value, message) => {
    expect(() => checkValue(column(type), value)).toThrow(message);
  });

  it('names the row', () => {
    expect(() => checkValue(column('tinyint'), 300, 4)).toThrow("at row 4 (errno 1264)");
  });

  it('keeps what it has kept', () => {
    const cases: [ColumnDef, fc.Arbitrary<Value>][] = [
      [column('bigint unsigned'), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })],
      [column('decimal(20,5)'), fc.double({ noNaN: true, min: -1e14, max: 1e14 })],
      [column('float'), fc.float({ noNaN: true, noDefaultInfinity: true })],
      [column('varbinary(40)'), fc.uint8Array({ maxLength: 40 })],
      [column('datetime(2)'), fc.date({ noInvalidDate: true, min: new Date('0001-01-01'), max: new Date('9990-01-01') }).map((d) => d.toISOString().slice(0, -1))],
    ];
    for (const [target, values] of cases) {
      fc.assert(
        fc.property(values, (value) => {
          const once = checkValue(target, value);
          expect(checkValue(target, once)).toEqual(once);
          expect(decodeValue(target.type, encodeValue(target.type, once))).toEqual(once);
        }),
      );
    }
  });
});
