import { describe, expect, it } from 'vitest';
import { purposeOf } from '../../../src/sql/dump/classify.ts';
import { applySet, newSession } from '../../../src/sql/dump/session.ts';

describe('applySet', () => {
  it.each([
    ["SET @OLD_SQL_MODE=@@SQL_MODE, SQL_MODE='NO_AUTO_VALUE_ON_ZERO'", false, true, []],
    ["SET @@SESSION.sql_mode = 'ANSI,NO_BACKSLASH_ESCAPES'", true, false, []],
    ['SET SQL_MODE=@OLD_SQL_MODE', true, true, []],
    ['SET NAMES utf8mb4 COLLATE utf8mb4_bin', true, true, []],
    ['SET @@GLOBAL.GTID_PURGED=\'a:1-2\', SESSION foo = concat(1, 2), @@bar = 3', true, true, ['foo', 'bar']],
  ])('follows %s', (sql, zeroGivesId, backslashes, unknown) => {
    const session = newSession('2024-01-01 00:00:00');
    expect(applySet(session, sql)).toEqual(unknown);
    expect([session.scope.zeroGivesId, session.mode.backslashes]).toEqual([zeroGivesId, backslashes]);
  });
});

describe('purposeOf', () => {
  it.each([
    ['/*!40000 ALTER TABLE `t` DISABLE KEYS */', 'nothing'],
    ['LOCK TABLES `t` WRITE', 'nothing'],
    ['/* hello */ create table t (a int)', 'tables'],
    ['create unique index i on t (a)', 'tables'],
    ['/*!50003 CREATE*/ /*!50020 DEFINER=`a b`@`%`*/ /*!50003 FUNCTION `f`() RETURNS int */', 'noted'],
    ['CREATE OR REPLACE ALGORITHM=MERGE VIEW v AS SELECT 1', 'view'],
    ['CREATE TEMPORARY TABLE t (a int)', 'refused'],
    ['INSERT INTO t SELECT * FROM u', 'refused'],
    ['nonsense', 'unknown'],
  ])('%s: %s', (sql, kind) => {
    expect(purposeOf(sql).kind).toBe(kind);
  });
});
