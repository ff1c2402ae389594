import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NOW, TestTable } from './helpers.ts';

const customer = (): TestTable =>
  new TestTable(
    'create table t (customer_id bigint not null auto_increment, email varbinary(128), n int not null default 3, primary key (customer_id), unique key email (email))',
  );

describe('compileInsert', () => {
  it('returns the image of each row', () => {
    const t = customer();
    expect(t.run("insert into t (email) values ('a@x'), (concat('b', '@x')), (default)")).toEqual([
      { customer_id: 1, email: 'a@x', n: 3 },
      { customer_id: 2, email: 'b@x', n: 3 },
      { customer_id: 3, email: null, n: 3 },
    ]);
    expect(t.run("insert into t values (0, X'ff', '7'), (10, 'c', default), (null, 'd', 1)")).toEqual([
      { customer_id: 4, email: Uint8Array.from([0xff]), n: 7 },
      { customer_id: 10, email: 'c', n: 3 },
      { customer_id: 11, email: 'd', n: 1 },
    ]);
    expect(t.run('insert into t () values ()')).toEqual([{ customer_id: 12, email: null, n: 3 }]);
  });

  it('gives defaults and generated columns their values', () => {
    const t = new TestTable(
      "create table t (a int, b int as (a * 2), at datetime(2) default now(2), d date default (current_date), e enum('x','y') not null, s varchar(5) default 'q')",
    );
    expect(t.run('insert into t (a) values (4)')).toEqual([
      { a: 4, b: 8, at: '2026-03-04 05:06:07.89', d: '2026-03-04', e: 'x', s: 'q' },
    ]);
    expect(() => t.run('insert into t (b) values (4)')).toThrow("generated column 'b' in table 't' is not allowed. (errno 3105)");
  });

  it('counts on where AUTO_INCREMENT is not the primary key', () => {
    const t = new TestTable('create table t (k int primary key, id int auto_increment, key (id))');
    expect(t.run('insert into t (k) values (5), (6)')).toEqual([
      { k: 5, id: 1 },
      { k: 6, id: 2 },
    ]);
  });

  it.each([
    ['insert into t (x) values (1)', "Unknown column 'x' in 'field list' (errno 1054) (sqlstate 42S22)"],
    ['insert into t values (1)', "Column count doesn't match value count at row 1 (errno 1136) (sqlstate 21S01)"],
    ["insert into t (n) values (1), (1, 2)", "Column count doesn't match value count at row 2 (errno 1136) (sqlstate 21S01)"],
    ['insert into t (n, n) values (1, 2)', "Column 'n' specified twice (errno 1110) (sqlstate 42000)"],
    ['insert into t (n) values (null)', "Column 'n' cannot be null (errno 1048) (sqlstate 23000)"],
    ["insert into t (n) values (1), ('a')", "Incorrect integer value: 'a' for column 'n' at row 2 (errno 1366) (sqlstate HY000)"],
    ["insert into t (n) values (3000000000)", "Out of range value for column 'n' at row 1 (errno 1264) (sqlstate 22003)"],
    ['insert into t (n) values (1 / 0)', 'Division by 0 (errno 1365) (sqlstate 22012)'],
    ["insert into t values (1, 'a', 1), (1, 'b', 1)", "Duplicate entry '1' for key 't.PRIMARY' (errno 1062) (sqlstate 23000)"],
    ["insert into t values (1, 'a', 1), (2, 'a', 1)", "Duplicate entry 'a' for key 't.email' (errno 1062) (sqlstate 23000)"],
  ])('%s throws', (sql, message) => {
    expect(() => customer().run(sql)).toThrow(message);
  });

  it('misses a default', () => {
    const t = new TestTable('create table t (a int not null, b int)');
    expect(() => t.run('insert into t (b) values (1)')).toThrow("Field 'a' doesn't have a default value (errno 1364) (sqlstate HY000)");
  });

  it('names composite and prefix keys', () => {
    const t = new TestTable('create table t (a int, b varchar(9), primary key (a, b), unique p (b(2)))');
    t.run("insert into t values (1, 'xyz')");
    expect(() => t.run("insert into t values (1, 'XYZ')")).toThrow(/Duplicate entry '(1-XYZ' for key 't.PRIMARY|XY' for key 't.p)'/);
    expect(() => t.run("insert into t values (2, 'xya')")).toThrow("Duplicate entry 'xy' for key 't.p'");
  });

  it('ignores duplicates, and nothing else', () => {
    const t = customer();
    expect(t.run("insert ignore into t values (1, 'a', 1), (1, 'b', 1), (2, 'a', 1), (3, 'c', 1)").map((row) => row['customer_id'])).toEqual([1, 3]);
    expect(() => t.run('insert ignore into t (n) values (null)')).toThrow('errno 1048');
  });

  it('replaces every row in the way', () => {
    const t = customer();
    t.run("insert into t values (1, 'a', 1), (2, 'b', 1), (3, 'c', 1)");
    t.run("replace into t values (1, 'b', 9)");
    expect(t.select('select * from t order by customer_id')).toEqual([
      [1, 'b', 9],
      [3, 'c', 1],
    ]);
  });

  it('updates on a duplicate', () => {
    const t = customer();
    t.run("insert into t values (1, 'a', 1)");
    const sql = "insert into t values (5, 'a', 10), (6, 'f', 2) on duplicate key update n = n + values(n), email = 'z'";
    expect(t.run(sql)).toEqual([
      { customer_id: 1, email: 'z', n: 11 },
      { customer_id: 6, email: 'f', n: 2 },
    ]);
  });
});

describe('compileUpdate', () => {
  it('assigns from left to right and checks values', () => {
    const t = new TestTable('create table t (id int primary key, a tinyint, b int, g int as (a + b))');
    t.run('insert into t (id, a, b) values (1, 1, 1), (2, 2, 2), (3, 127, 3)');
    expect(t.run('update t set a = a + 1, b = a * 10 where id < 3')).toEqual([
      { id: 1, a: 2, b: 20, g: 22 },
      { id: 2, a: 3, b: 30, g: 33 },
    ]);
    expect(() => t.run('update t set a = a + 1')).toThrow("Out of range value for column 'a'");
    expect(() => t.run('update t set x = 1')).toThrow("Unknown column 'x' in 'field list'");
    expect(() => t.run('update t set a = x where 0')).toThrow("Unknown column 'x' in 'field list'");
    expect(t.run('update t set b = default where id = 1')).toMatchObject([{ b: null, g: null }]);
  });

  it('follows order and limit, also when the key changes', () => {
    const t = new TestTable('create table t (id int primary key)');
    t.run('insert into t values (1), (2), (3)');
    expect(() => t.run('update t set id = id + 1 order by id')).toThrow("Duplicate entry '2' for key 't.PRIMARY'");
    expect(t.run('update t set id = id + 1 order by id desc limit 2')).toEqual([{ id: 4 }, { id: 3 }]);
  });

  it('skips rows that stay as they are, and stamps those that do not', () => {
    const t = new TestTable('create table t (id int primary key, a int, at datetime default null on update now())');
    t.run('insert into t (id, a) values (1, 1), (2, 2)');
    expect(t.run('update t set a = 2')).toEqual([{ id: 1, a: 2, at: NOW.slice(0, 19) }]);
  });

  it('updates tables without a key, and one whose column is called rowid', () => {
    const t = new TestTable('create table t (rowid varchar(3), a int)');
    t.run("insert into t values ('x', 1), ('x', 1)");
    expect(t.run('update t set a = 2 limit 1')).toEqual([{ rowid: 'x', a: 2 }]);
    expect(t.run('delete from t where a = 1')).toEqual([{ rowid: 'x', a: 1 }]);
  });
});

describe('compileDelete', () => {
  it('returns the rows it deletes, in order', () => {
    const t = new TestTable('create table t (id int primary key, d decimal(5,1))');
    t.run('insert into t values (1, 10), (2, 9.5), (3, -1)');
    expect(t.run('delete from t as c where c.id > 0 order by d limit 2').map((row) => row['id'])).toEqual([3, 2]);
    expect(t.select('select d from t')).toEqual([['10.0']]);
  });
});

describe('decimals in a table', () => {
  it('order and compare exactly', () => {
    const cents = fc.bigInt({ min: -(10n ** 24n), max: 10n ** 24n });
    const text = (value: bigint): string => {
      const digits = String(value < 0n ? -value : value).padStart(3, '0');
      return `${value < 0n ? '-' : ''}${digits.slice(0, -2)}.${digits.slice(-2)}`;
    };
    fc.assert(
      fc.property(fc.uniqueArray(fc.oneof(cents, fc.bigInt({ min: -150n, max: 150n })), { minLength: 1, maxLength: 12 }), (values) => {
        const t = new TestTable('create table t (d decimal(30,2))');
        t.run(`insert into t values ${values.map((value) => `(${text(value)})`).join(', ')}`);
        const sorted = values.toSorted((a, b) => (a < b ? -1 : 1));
        expect(t.select('select d from t order by d')).toEqual(sorted.map((value) => [text(value)]));
        const [pivot = 0n] = values;
        const below = sorted.filter((value) => value <= pivot).map((value) => [text(value)]);
        expect(t.select(`select d from t where d <= ${text(pivot)} order by d`)).toEqual(below);
        expect(t.select(`select d from t where d < ${text(pivot)}1 order by d`).length).toBe(below.length - (pivot < 0n ? 1 : 0));
      }),
      { numRuns: 60 },
    );
  });
});
