import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { Database } from '../../src/store/database.ts';

const MIGRATIONS = ['CREATE TABLE _one (n INTEGER); INSERT INTO _one VALUES (1); CREATE TABLE _two (n INTEGER)'];
const folders: string[] = [];
afterEach(() => folders.splice(0).forEach((folder) => rmSync(folder, { recursive: true })));

/** What stands in the table, and how often it was asked. */
function asker(db: Database): { ask: () => number; asked: () => number } {
  let asked = 0;
  const read = (): number => {
    asked++;
    return db.get<{ n: number }>('SELECT sum(n) AS n FROM _one')!.n;
  };
  return { ask: () => db.remember('_one', 'sum', read), asked: () => asked };
}

describe('what is remembered of a database in memory', () => {
  it('is asked again once its table was written to, in whatever case, and not for another table', () => {
    const db = Database.open({ path: ':memory:', migrations: MIGRATIONS });
    const { ask, asked } = asker(db);
    expect([ask(), ask(), asked()]).toEqual([1, 1, 1]);
    db.run('INSERT INTO _two VALUES (7)');
    expect([ask(), asked()]).toEqual([1, 1]);
    db.run('UPDATE "_ONE" SET n = 2');
    expect(ask()).toBe(2);
    db.insert('INSERT INTO _one VALUES (3)');
    expect(ask()).toBe(5);
    db.get('UPDATE _one SET n = n + 1 RETURNING n');
    expect(ask()).toBe(7);
    db.exec('DELETE FROM _one WHERE n = 3');
    expect(ask()).toBe(4);
  });

  it('is what stands there after a transaction, or a savepoint, was taken back', () => {
    const db = Database.open({ path: ':memory:', migrations: MIGRATIONS });
    const { ask } = asker(db);
    const fail = (): void => {
      db.run('UPDATE _one SET n = 9');
      expect(ask()).toBe(9);
      throw new Error('taken back');
    };
    expect(() => db.transact(fail)).toThrow('taken back');
    expect(ask()).toBe(1);
    db.transact(() => expect(() => db.transact(fail)).toThrow('taken back'));
    expect(ask()).toBe(1);
  });

  it('goes back with a mark', () => {
    const db = Database.open({ path: ':memory:', migrations: MIGRATIONS });
    const { ask } = asker(db);
    const outer = db.mark();
    db.run('UPDATE _one SET n = 2');
    const inner = db.mark();
    for (const [back, is] of [[inner, 2], [inner, 2], [outer, 1]] as const) {
      db.run('UPDATE _one SET n = 3');
      expect(ask()).toBe(3);
      back();
      expect(ask()).toBe(is);
    }
  });
});

it('a file is asked each time: another connection may have written to it', () => {
  const folder = mkdtempSync(join(tmpdir(), 'remembered-'));
  folders.push(folder);
  const open = (): Database => Database.open({ path: join(folder, 'a.db'), migrations: MIGRATIONS });
  const [ours, theirs] = [open(), open()];
  const { ask } = asker(ours);
  expect(ask()).toBe(1);
  theirs.run('UPDATE _one SET n = 2');
  expect(ask()).toBe(2);
  ours.close();
  theirs.close();
});
