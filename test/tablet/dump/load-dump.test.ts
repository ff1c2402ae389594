import { describe, expect, it } from 'vitest';
import { formatCreateTable } from '../../../src/sql/schema-format.ts';
import { emptyKeyspace } from './helpers.ts';
import { FIXTURE, lineOf } from './fixture.ts';

const bytes = (...list: number[]): Uint8Array => Buffer.from(list);

describe('a dump with all that one may hold', () => {
  it.each([1 << 20, 1000, 7])('loads whole from pieces of %d bytes', async (size) => {
    const { load, rows, test } = await emptyKeyspace();
    const done = await load(FIXTURE, size);
    expect(done).toMatchObject({ tables: ['item'], views: ['dear_items'], rows: 5 });
    expect(rows('item')).toEqual([
      [0n, '18446744073709551615', 'a\'b"c;é', "it's", 'a,c', '12.50', '25.00', 'a\'b"c;é!', '{"k": 1}', 0xaan,
        bytes(0xff, 0x27, 0x5c, 0, 0x0d, 0xfe), bytes(0, 0, 1, 0xf0, 0x3f), 1999n, '838:59:59', '2024-02-29 23:59:59', -0.001, '2024-02-29 10:00:00'],
      [5n, null, '', 'new', '', '-0.50', '-1.00', '!', null, 5n, bytes(0, 0xff), null, 2024n, '-01:02:03', '0000-00-00 00:00:00', 1.5e300, null],
      [7n, null, 'second', 'new', '', '2.00', '4.00', 'second!', null, 0n, null, null, null, null, '0000-00-00 00:00:00', 1.5, expect.any(String)],
    ]);
    const shown = formatCreateTable(test.cluster.shards.open('k', '0').table('item'));
    expect(shown).toContain('CONSTRAINT `item_owner` FOREIGN KEY (`owner_id`) REFERENCES `owner` (`id`) ON DELETE CASCADE');
    expect(shown).toContain('`spot` point /*!80003 SRID 4326 */ DEFAULT NULL');
    expect(shown).toContain("`seen` datetime NOT NULL DEFAULT '0000-00-00 00:00:00'");
    expect(shown).not.toContain('lower_name');
  });

  it('says of each thing that is not kept where it stands', async () => {
    const { load } = await emptyKeyspace();
    const at = (text: string, note: string): string => `dump.sql:${lineOf(text)}: ${note}`;
    expect((await load(FIXTURE)).notes).toEqual([
      at('USING BTREE', 'USING of an index: not kept'),
      at('lower_name', 'functional indexes: not kept'),
      at('PARTITION BY', 'PARTITION BY: not kept'),
      at('TRIGGER `t_bi`', 'trigger t_bi is not run: what it would write is not written'),
      at('PROCEDURE `p`', 'procedure p is not kept: there is no CALL'),
      at('ALGORITHM=UNDEFINED', 'view dear_items is not kept: query its tables instead'),
      at('GRANT SELECT', 'GRANT is not run'),
    ]);
  });
});

it('says so of what changes nothing here, too', async () => {
  const { load } = await emptyKeyspace();
  const { notes } = await load(
    'create table t (\n id int primary key,\n a varchar(9),\n fulltext key f (a) with parser ngram,\n key i (a) invisible,\n key k (a) key_block_size=8,\n constraint c check (id > 0) not enforced);',
  );
  expect(notes.map((note) => note.replace(/^[^:]*:/, ''))).toEqual([
    '4: WITH PARSER of an index: not kept',
    '5: INVISIBLE of an index: not kept',
    '6: KEY_BLOCK_SIZE: not kept',
    '7: NOT ENFORCED of a CHECK: not kept',
  ]);
});

const T = 'create table t (id int not null auto_increment primary key, a varchar(3) not null, unique key (a));\n';

describe('what cannot be loaded', () => {
  it.each([
    ['a value that is too long', `${T}insert into t values (1,'abc'),\n(2,'abcd');`, 3, "Data too long for column 'a' at row 2"],
    ['NULL where none may be', `${T}insert into t (id,a) values\n(1,'x'),\n\n(2,NULL);`, 5, "Column 'a' cannot be null"],
    ['a duplicate', `${T}insert into t values (1,'x'),\n(2,'y'),\n(3,'X');`, 4, "Duplicate entry 'X' for key 't.a'"],
    ['too few values', `${T}insert into t values (1,'x'),\n(2);`, 3, "Column count doesn't match value count at row 2"],
    ['a value in the wrong column, being one too many', `${T}insert into t values ('x',1,2);`, 2, "Column count doesn't match"],
    ['no such table', `${T}\ninsert into u values (1);`, 3, "Table 'vt_k.u' doesn't exist"],
    ['no such column', `${T}insert into t (b) values (1);`, 2, "Unknown column 'b'"],
    ['an unknown function', `${T}insert into t values (1,\nuuid());`, 2, 'unsupported: the function uuid()'],
    ['a syntax error inside a definition', 'create table t (\n  id int,\n  b nosuchtype\n);', 3, "syntax error near 'nosuchtype'"],
    ['a generated column', 'create table t (\n  `a` int,\n  `b` int generated always as (st_x(`a`))\n);', 3, 'the generated column b: unsupported: the function st_x()'],
    ['a unique index on an expression', 'create table t (a int, unique key ((a+1)));', 1, 'unsupported: a UNIQUE index on an expression'],
    ['rows that are updated', `${T}insert into t values (1,'x')\non duplicate key update a='y';`, 3, 'ON DUPLICATE KEY UPDATE is not done'],
    ['UPDATE', `${T}update t set a='x';`, 2, 'UPDATE is not run while a file is loaded'],
    ['a second database', `use a;\n${T}use b;`, 3, 'the file has a second database, b, behind a'],
    ['SOURCE', `${T}source more.sql;\n`, 2, '"source more.sql;" is a command of the mysql client'],
    ['an open quote', `${T}insert into t values (1,'x');\ninsert into t values (2,'y);\n`, 3, 'the file ends inside a string'],
    ['an open comment', `${T}/* never closed`, 2, 'the file ends inside a comment'],
    ['rows that do not end', `${T}insert into t values (1,'x') (2,'y');`, 2, '"," or ";" is expected behind a row'],
    ['a message of mysqldump', `mysqldump: [Warning] Using a password\n${T}`, 1, 'a message of the dumping program'],
    ['a word that is no SQL', `${T}\nselekt 1;`, 3, "syntax error near 'selekt'"],
  ])('%s is named with its line, and nothing of the file stays', async (_, sql, line, text) => {
    const { load, test } = await emptyKeyspace();
    const refusal: unknown = await load(sql, 5).catch((error: unknown) => error);
    expect(refusal).toMatchObject({ exit: 2, next: expect.stringMatching(/./) });
    expect((refusal as Error).message).toMatch(new RegExp(`^dump\\.sql:${line}: `));
    expect((refusal as Error).message).toContain(text);
    expect(test.cluster.shards.open('k', '0').tableNames()).toEqual([]);
  });

  it.each([
    ['text that is not UTF-8', Buffer.concat([Buffer.from(`${T}insert into t values\n(1,'x'),\n(2,'`), bytes(0xe9), Buffer.from("');")]), 'dump.sql:4: text that is not UTF-8'],
    ['UTF-16', bytes(0xff, 0xfe, 0x41, 0), 'dump.sql:1: the file is UTF-16'],
    ['gzip', bytes(0x1f, 0x8b, 8, 0), 'dump.sql:1: the file is compressed'],
  ])('%s is refused', async (_, file, text) => {
    const { load } = await emptyKeyspace();
    await expect(load(file)).rejects.toThrow(text);
  });
});

describe('a load', () => {
  it('gives ids where none is given, and where 0 is unless the mode says otherwise', async () => {
    const { load, rows } = await emptyKeyspace();
    await load(`${T}insert into t values (0,'a'),(NULL,'b');SET sql_mode='NO_AUTO_VALUE_ON_ZERO';insert into t values (0,'c');`);
    expect(rows('t')).toEqual([[0n, 'c'], [1n, 'a'], [2n, 'b']]);
  });

  it('takes keys that come behind the rows, as phpMyAdmin writes them', async () => {
    const { load, rows, test } = await emptyKeyspace();
    await load(`create table p (id int not null, at datetime not null default '0000-00-00 00:00:00');
      insert into p (id) values (1),(2);
      alter table p add primary key (id), add key at (at);
      alter table p modify id int not null auto_increment, auto_increment=9;`);
    expect(rows('p')).toEqual([[1n, '0000-00-00 00:00:00'], [2n, '0000-00-00 00:00:00']]);
    expect(test.cluster.shards.open('k', '0').table('p')).toMatchObject({ primaryKey: ['id'], columns: [{ autoIncrement: true }, {}] });
  });

  it('leaves nothing of a key that its rows do not allow', async () => {
    const { load, test } = await emptyKeyspace();
    const values = Array.from({ length: 600 }, (_, i) => `(${i === 599 ? 0 : i})`).join(',');
    const refused = load(`create table p (id int not null);\ninsert into p values ${values};\nalter table p add primary key (id);`);
    await expect(refused).rejects.toThrow("dump.sql:3: Duplicate entry '0' for key 'p.PRIMARY'");
    const { db } = test.cluster.shards.open('k', '0');
    expect(db.all(`SELECT name FROM sqlite_master WHERE name IN ('p', '_building')`)).toEqual([]);
  });

  it('splits rows by the primary vindex and copies those of reference tables', async () => {
    const vschema = {
      sharded: true,
      vindexes: { xxhash: { type: 'xxhash' } },
      tables: { t: { column_vindexes: [{ column: 'id', name: 'xxhash' }] }, r: { type: 'reference' } },
    };
    const { load, rows } = await emptyKeyspace(['-80', '80-'], vschema);
    const values = Array.from({ length: 40 }, (_, i) => `(${i + 1},'${i}')`).join(',');
    const done = await load(`${T}create table r (id int primary key);insert into t values ${values};insert into r values (1);`);
    expect(done.rows).toBe(41);
    const halves = ['-80', '80-'].map((shard) => rows('t', shard).length);
    expect(halves[0]! + halves[1]!).toBe(40);
    expect(Math.min(...halves)).toBeGreaterThan(5);
    expect([rows('r', '-80'), rows('r', '80-')]).toEqual([[[1n]], [[1n]]]);
    await expect(load('create table s (id int primary key);\ninsert into s values (1);')).rejects.toThrow(
      'dump.sql:2: the vschema of keyspace k does not say which shard the rows of s belong to',
    );
  });

  it('writes one long INSERT, and many short ones, in transactions of bounded size', async () => {
    const { load } = await emptyKeyspace();
    const value = (i: number): string => `(${i},${i})`;
    const ids = Array.from({ length: 20_000 }, (_, i) => i + 1);
    const create = 'create table n (id int primary key, v int);';
    const long = await load(`${create}insert into n values ${ids.map(value).join(',')};`);
    const short = await load(`drop table n;${create}${ids.map((i) => `insert into n values ${value(i)};`).join('')}`);
    for (const { rows, counts } of [long, short]) {
      expect(rows).toBe(20_000);
      expect(counts.largest).toBeLessThanOrEqual(12_004);
      expect(counts.transactions).toBeLessThan(20);
    }
  });

  it('moves the position once and logs no row', async () => {
    const { load, test } = await emptyKeyspace();
    const shard = test.cluster.shards.open('k', '0');
    const before = shard.sequence();
    await load(`${T}insert into t values (1,'a'),(2,'b');`);
    expect(shard.sequence()).toBe(before + 1);
    expect(shard.transactionsAfter(before, 10)).toEqual([]);
  });
});
