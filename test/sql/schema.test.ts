import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import type { AlterTable } from '../../src/sql/ast.ts';
import { parseStatement } from '../../src/sql/parser.ts';
import type { TableDef } from '../../src/sql/schema.ts';
import { applyAlters, columnOrigins, convertRow } from '../../src/sql/schema-alter.ts';
import { formatCreateTable } from '../../src/sql/schema-format.ts';
import { sqliteCreateTable, sqliteRename } from '../../src/sql/schema-sqlite.ts';
import { define, NOW } from './helpers.ts';

const OPTIONS = 'ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci';

function alter(def: TableDef, sql: string): TableDef {
  return applyAlters(def, (parseStatement(`alter table t ${sql}`) as AlterTable).actions);
}

describe('formatCreateTable', () => {
  it('prints the commerce schema as MySQL does', () => {
    const def = define(
      'create table customer(customer_id bigint not null auto_increment, email varbinary(128), primary key(customer_id)) ENGINE=InnoDB;',
    );
    expect(formatCreateTable(def)).toBe(
      `CREATE TABLE \`customer\` (
  \`customer_id\` bigint NOT NULL AUTO_INCREMENT,
  \`email\` varbinary(128) DEFAULT NULL,
  PRIMARY KEY (\`customer_id\`)
) ${OPTIONS}`,
    );
    expect(formatCreateTable(define('create table product(sku varbinary(128), price bigint, primary key(sku))'))).toContain(
      '`sku` varbinary(128) NOT NULL,',
    );
  });

  it('names, orders and fills in as MySQL does', () => {
    const def = define(`create table t (
      id int(11) unsigned, a varchar(10) default 'x', b text, c decimal(8,2) not null default 1, d timestamp null,
      e datetime(3) not null default now(3) on update now(3), f enum('p','q') default 'Q', g boolean default true,
      h int as (id + 1) virtual comment 'sum', key (a), unique (c), index (a, b(5)), primary key (id),
      foreign key (g) references p (id) on delete cascade, check (id > 0)
    ) comment='it''s' auto_increment=100 default charset=utf8`);
    expect(formatCreateTable(def).split('\n')).toEqual([
      'CREATE TABLE `t` (',
      '  `id` int unsigned NOT NULL,',
      "  `a` varchar(10) DEFAULT 'x',",
      '  `b` text,',
      "  `c` decimal(8,2) NOT NULL DEFAULT '1.00',",
      '  `d` timestamp NULL DEFAULT NULL,',
      '  `e` datetime(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3),',
      "  `f` enum('p','q') DEFAULT 'q',",
      "  `g` tinyint(1) DEFAULT '1',",
      "  `h` int GENERATED ALWAYS AS (id + 1) VIRTUAL COMMENT 'sum',",
      '  PRIMARY KEY (`id`),',
      '  UNIQUE KEY `c` (`c`),',
      '  KEY `a` (`a`),',
      '  KEY `a_2` (`a`,`b`(5)),',
      '  KEY `g` (`g`),',
      '  CONSTRAINT `t_ibfk_1` FOREIGN KEY (`g`) REFERENCES `p` (`id`) ON DELETE CASCADE,',
      '  CONSTRAINT `t_chk_1` CHECK (id > 0)',
      ") ENGINE=InnoDB AUTO_INCREMENT=100 DEFAULT CHARSET=utf8mb3 COMMENT='it''s'",
    ]);
  });

  it('gives columns the table’s collation', () => {
    const def = define('create table t (a varchar(3), b varchar(3) collate utf8mb4_0900_ai_ci) collate utf8mb4_bin');
    expect(formatCreateTable(def)).toContain('`a` varchar(3) COLLATE utf8mb4_bin DEFAULT NULL');
    expect(def.columns[1]?.type.collation).toBe('utf8mb4_0900_ai_ci');
  });

  it.each([
    ['tinyint(1)', 'tinyint(1)'],
    ['int(5) zerofill', 'int(5) unsigned zerofill'],
    ['numeric', 'decimal(10,0)'],
    ['dec(5)', 'decimal(5,0)'],
    ['real', 'double'],
    ['float(30)', 'double'],
    ['float(7,3)', 'float(7,3)'],
    ['char', 'char(1)'],
    ['character varying(9)', 'varchar(9)'],
    ['text(70000)', 'mediumtext'],
    ['blob(20)', 'tinyblob'],
    ['varchar(8) character set binary', 'varbinary(8)'],
    ['bit', 'bit(1)'],
    ['year(4)', 'year'],
    ['datetime(0)', 'datetime'],
    ['geometrycollection', 'geomcollection'],
    ["set('a','b')", "set('a','b')"],
    ['json', 'json'],
  ])('%s is %s', (written, printed) => {
    expect(formatCreateTable(define(`create table t (a ${written})`)).split('\n')[1]).toMatch(
      new RegExp(`^ {2}\`a\` ${printed.replace(/[()']/g, '\\$&')}( DEFAULT NULL)?$`),
    );
  });

  it('makes a definition that prints, parses and prints again the same', () => {
    const def = define(
      "create table t (id bigint unsigned auto_increment primary key, a enum('x') not null, b bit(3) default b'1', c varchar(5) charset latin1 default '') comment 'c'",
    );
    expect(define(formatCreateTable(def))).toEqual(def);
    expect(JSON.parse(JSON.stringify(def))).toEqual(def);
  });

  it.each([
    ['a int, A int', "Duplicate column name 'A' (errno 1060) (sqlstate 42S21)"],
    ['a int, key (b)', "Key column 'b' doesn't exist in table (errno 1072) (sqlstate 42000)"],
    ['a int primary key, primary key (a)', 'Multiple primary key defined (errno 1068) (sqlstate 42000)'],
    ['a int, key k (a), key k (a)', "Duplicate key name 'k' (errno 1061) (sqlstate 42000)"],
    ["a int default 'x'", "Invalid default value for 'a' (errno 1067) (sqlstate 42000)"],
    ['a int not null default null', "Invalid default value for 'a' (errno 1067) (sqlstate 42000)"],
    ['a int auto_increment', '(errno 1075) (sqlstate 42000)'],
  ])('refuses (%s)', (columns, message) => {
    expect(() => define(`create table t (${columns})`)).toThrow(message);
  });
});

describe('applyAlters', () => {
  const def = define('create table t (id bigint not null auto_increment primary key, a int, b varchar(5), key ab (a, b))');
  const names = (altered: TableDef): string[] => altered.columns.map(({ name }) => name);

  it('adds columns where told', () => {
    expect(names(alter(def, 'add x int first, add column y int after a, add z int'))).toEqual(['x', 'id', 'a', 'y', 'b', 'z']);
  });

  it('drops and renames columns, in keys too', () => {
    const altered = alter(def, 'drop column a, change b c text, add unique key (id, c(3))');
    expect(names(altered)).toEqual(['id', 'c']);
    expect(altered.indexes).toEqual([
      { name: 'id', kind: 'unique', parts: [{ column: 'id' }, { column: 'c', length: 3 }] },
      { name: 'ab', kind: 'key', parts: [{ column: 'c' }] },
    ]);
    expect(alter(def, 'rename column id to pk').primaryKey).toEqual(['pk']);
  });

  it('changes keys, defaults, options and the name', () => {
    const altered = alter(def, 'drop key ab, add index (b), rename index b to c, alter a set default 7, rename to u, comment "x"');
    expect(altered.name).toBe('u');
    expect(altered.indexes).toEqual([{ name: 'c', kind: 'key', parts: [{ column: 'b' }] }]);
    expect(altered.columns[1]?.default).toEqual({ kind: 'literal', text: '7' });
    expect(altered.options).toBe(`${OPTIONS} COMMENT='x'`);
    expect(alter(def, 'drop primary key, add primary key (id, a)')).toMatchObject({ primaryKey: ['id', 'a'], columns: [{}, { nullable: false }, {}] });
  });

  it.each([
    ['drop column x', "Can't DROP 'x'; check that column/key exists (errno 1091)"],
    ['drop key x', "Can't DROP 'x'; check that column/key exists (errno 1091)"],
    ['add a int', "Duplicate column name 'a' (errno 1060)"],
    ['add x int after y', "Unknown column 'y' in 't' (errno 1054)"],
    ['modify x int', "Unknown column 'x' in 't' (errno 1054)"],
    ['drop primary key', '(errno 1075)'],
    ['add primary key (a)', 'Multiple primary key defined (errno 1068)'],
    ['drop id, drop a, drop b', "You can't delete all columns with ALTER TABLE; use DROP TABLE instead (errno 1090)"],
  ])('refuses %s', (sql, message) => {
    expect(() => alter(def, sql)).toThrow(message);
  });

  it('converts rows to the new definition', () => {
    const statement = parseStatement(
      "alter table t change a price decimal(6,2) not null, add at datetime default now(), add n int not null, modify b varchar(2), add g int as (n + 1)",
    ) as AlterTable;
    const after = applyAlters(def, statement.actions);
    const origins = columnOrigins(def, statement.actions);
    const scope = { now: NOW };
    expect(convertRow(after, origins, { id: 1, a: 5, b: 'xy' }, scope)).toEqual({
      id: 1,
      price: '5.00',
      b: 'xy',
      at: '2026-03-04 05:06:07',
      n: 0,
      g: 1,
    });
    expect(() => convertRow(after, origins, { id: 1, a: 5, b: 'xyz' }, scope, 3)).toThrow("Data too long for column 'b' at row 3");
  });
});

describe('sqliteCreateTable', () => {
  const open = (def: TableDef): Database.Database => {
    const db = new Database(':memory:');
    for (const sql of sqliteCreateTable(def)) db.exec(sql);
    return db;
  };

  it('never gives an id twice, and starts where told', () => {
    const db = open(define('create table t (id bigint auto_increment primary key, a int) auto_increment = 100'));
    const insert = db.prepare('INSERT INTO t (a) VALUES (1) RETURNING id');
    expect(insert.get()).toEqual({ id: 100 });
    db.exec('DELETE FROM t');
    expect(insert.get()).toEqual({ id: 101 });
  });

  it('enforces NOT NULL and unique keys, without regard to case', () => {
    const db = open(define("create table t (a varchar(9) not null, b int not null default 7, unique (a), key k (b desc))"));
    db.exec("INSERT INTO t (a) VALUES ('x')");
    expect(db.prepare('SELECT b FROM t').get()).toEqual({ b: 7 });
    expect(() => db.exec("INSERT INTO t (a) VALUES ('X')")).toThrow('UNIQUE constraint failed: t.a');
    expect(() => db.exec('INSERT INTO t (b) VALUES (1)')).toThrow('NOT NULL constraint failed: t.a');
  });

  it('compares a unique prefix only', () => {
    const db = open(define('create table t (a varchar(9), unique u (a(2)))'));
    db.exec("INSERT INTO t VALUES ('abc')");
    expect(() => db.exec("INSERT INTO t VALUES ('ABx')")).toThrow("UNIQUE constraint failed: index 't.u'");
  });

  it('allows a table without a primary key, of every type', () => {
    const types = `tinyint, smallint, mediumint, int, bigint unsigned, bit(64), year, float, double, decimal(65,30), char(1),
      varchar(1), tinytext, longtext, binary(1), varbinary(1), blob, geometry, point, json, date, datetime(6), timestamp null, time`;
    const columns = types.split(/,\s+/).map((type, i) => `c${i} ${type}`);
    const db = open(define(`create table t (${columns.join(', ')}, e enum('a'), s set('a','b'), fulltext (c11))`));
    db.exec('INSERT INTO t DEFAULT VALUES');
    expect(db.prepare('SELECT count(*) AS n FROM t').get()).toEqual({ n: 1 });
  });

  it('renames a table with its indexes', () => {
    const def = define('create table t (a int, key k (a), unique u (a))');
    const db = open(def);
    for (const sql of sqliteRename(def, 't', 's')) db.exec(sql);
    const names = db.prepare("SELECT name FROM sqlite_master WHERE tbl_name = 's' ORDER BY name").pluck().all();
    expect(names).toEqual(['s', 's.k', 's.u']);
  });
});
