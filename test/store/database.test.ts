import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { UserError } from '../../src/lib/errors.ts';
import { realClock, VirtualClock } from '../../src/runtime/clock.ts';
import { Database } from '../../src/store/database.ts';
import { caught, tempDir, textOf } from '../helpers/topo-world.ts';

const SCHEMA = ['CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT UNIQUE)'];

let dir: ReturnType<typeof tempDir>;
let path: string;
let opened: { close(): void }[];

beforeEach(() => {
  dir = tempDir();
  path = join(dir.path, 'state.db');
  opened = [];
});
afterEach(() => {
  for (const database of opened) database.close();
  dir.remove();
});

function open(where = path, create = true, migrations: readonly string[] = SCHEMA): Database {
  const database = Database.open({ path: where, migrations, create });
  opened.push(database);
  return database;
}

/** Another process's connection, without any of our manners. */
function other(): BetterSqlite3.Database {
  const raw = new BetterSqlite3(path, { timeout: 0 });
  opened.push(raw);
  return raw;
}

const values = (database: Database): string[] =>
  database.all<{ v: string }>('SELECT v FROM t ORDER BY id').map((row) => row.v);
const add = (database: Database, value: string): number => database.run('INSERT INTO t (v) VALUES (?)', value);

describe('a file', () => {
  it('is durable: WAL, and synced in full', () => {
    const database = open();
    expect([database.pragma('journal_mode'), database.pragma('synchronous'), database.pragma('foreign_keys')]).toEqual(['wal', 2, 1]);
  });

  it('keeps what was written', () => {
    const first = open();
    expect(add(first, 'a')).toBe(1);
    expect(first.insert('INSERT INTO t (v) VALUES (?)', 'b')).toBe(2);
    first.close();
    opened = [];
    expect(values(open())).toEqual(['a', 'b']);
  });

  it('gives rows one by one, all, or one, and big integers when asked', () => {
    const database = open(':memory:');
    add(database, 'a');
    add(database, 'b');
    expect([...database.iterate<{ id: number }>('SELECT id FROM t')]).toEqual([{ id: 1 }, { id: 2 }]);
    expect(database.get('SELECT id FROM t WHERE v = ?', 'b')).toEqual({ id: 2 });
    expect(database.get('SELECT id FROM t WHERE v = ?', 'z')).toBeUndefined();
    expect(database.allBig('SELECT 9223372036854775807 AS big')).toEqual([{ big: 9223372036854775807n }]);
    expect(database.all('SELECT id FROM t')).toEqual([{ id: 1 }, { id: 2 }]);
  });

  it('takes any number of different statements', () => {
    const database = open(':memory:');
    for (let i = 0; i < 1_200; i++) expect(database.get(`SELECT ${i} AS n`)).toEqual({ n: i });
    expect(database.get('SELECT 0 AS n')).toEqual({ n: 0 });
  });
});

describe('transactions', () => {
  it('keep everything or nothing', () => {
    const database = open();
    expect(database.transact(() => add(database, 'a'))).toBe(1);
    const boom = new Error('boom');
    expect(() =>
      database.transact(() => {
        add(database, 'b');
        throw boom;
      }),
    ).toThrow(boom);
    expect(values(database)).toEqual(['a']);
    expect(database.inTransaction).toBe(false);
  });

  it('nest: what fails inside and is caught outside undoes the inside only', () => {
    const database = open();
    database.transact(() => {
      add(database, 'before');
      expect(() =>
        database.transact(() => {
          add(database, 'inside');
          throw new Error('inner');
        }),
      ).toThrow('inner');
      expect(database.inTransaction).toBe(true);
      database.transact(() => add(database, 'second inside'));
      add(database, 'after');
    });
    expect(values(database)).toEqual(['before', 'second inside', 'after']);
  });

  it('nest: what fails outside undoes the inside too', () => {
    const database = open();
    expect(() =>
      database.transact(() => {
        database.transact(() => database.transact(() => add(database, 'deep')));
        throw new Error('outer');
      }),
    ).toThrow('outer');
    expect(values(database)).toEqual([]);
  });

  it('nest three deep, each level on its own', () => {
    const database = open();
    const attempt = (fn: () => void, fails: boolean): void => {
      try {
        database.transact(() => {
          fn();
          if (fails) throw new Error('x');
        });
      } catch {
        // What is kept is what this test is about.
      }
    };
    attempt(() => {
      add(database, '1');
      attempt(() => {
        add(database, '2');
        attempt(() => void add(database, '3'), true);
        attempt(() => void add(database, '4'), false);
      }, false);
      attempt(() => {
        add(database, '5');
        attempt(() => void add(database, '6'), false);
      }, true);
    }, false);
    expect(values(database)).toEqual(['1', '2', '4']);
    expect(database.inTransaction).toBe(false);
  });

  it('go on after a statement was refused', () => {
    const database = open();
    add(database, 'a');
    database.transact(() => {
      expect(() => database.transact(() => add(database, 'a'))).toThrow('UNIQUE constraint failed');
      add(database, 'b');
    });
    expect(values(database)).toEqual(['a', 'b']);
  });

  it('that fail at the commit itself leave nothing open', () => {
    const database = open();
    database.exec('CREATE TABLE child (parent INTEGER REFERENCES t (id) DEFERRABLE INITIALLY DEFERRED)');
    expect(() => database.transact(() => database.run('INSERT INTO child VALUES (99)'))).toThrow('FOREIGN KEY');
    expect(database.inTransaction).toBe(false);
    database.transact(() => add(database, 'a'));
    expect(values(database)).toEqual(['a']);
    expect(database.all('SELECT * FROM child')).toEqual([]);
    other().prepare('INSERT INTO t (v) VALUES (?)').run('b');
  });

  it('take the write lock at once, so that they cannot fail half-way', () => {
    const database = open();
    const raw = other();
    database.transact(() => expect(() => raw.exec('BEGIN IMMEDIATE')).toThrow('locked'));
    raw.exec('BEGIN IMMEDIATE; ROLLBACK');
  });

  it('for reading see one state of the file, without locking others out', () => {
    const database = open();
    const raw = other();
    add(database, 'a');
    database.read(() => {
      expect(values(database)).toEqual(['a']);
      raw.prepare('INSERT INTO t (v) VALUES (?)').run('b');
      expect(values(database)).toEqual(['a']);
    });
    expect(values(database)).toEqual(['a', 'b']);
    expect(() =>
      database.read(() => {
        throw new Error('boom');
      }),
    ).toThrow('boom');
    expect(database.inTransaction).toBe(false);
    database.transact(() => expect(database.read(() => values(database))).toHaveLength(2));
  });
});

describe('marks', () => {
  const changed = (database: Database): void => {
    add(database, 'changed');
    database.exec('CREATE TABLE late (id INTEGER)');
    database.transact(() => add(database, 'in a transaction'));
    expect(() => database.transact(() => { add(database, 'half'); throw new Error('undone'); })).toThrow('undone');
  };
  const tables = (database: Database): string[] => database.all<{ name: string }>("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").map(({ name }) => name);

  // The first of its kind and those copied from it lie differently in memory.
  const KINDS: [string, () => Database][] = [
    ['the first database of its kind', () => open(':memory:', true, [...SCHEMA])],
    ['a later one', () => (open(':memory:'), open(':memory:'))],
  ];
  for (const [which, make] of KINDS) {
    it(`${which}: goes back, as often as wanted, whatever happened since`, () => {
      const database = make();
      add(database, 'a');
      const back = database.mark();
      for (let times = 0; times < 3; times++) {
        changed(database);
        expect(values(database)).toEqual(['a', 'changed', 'in a transaction']);
        back();
        expect([values(database), tables(database)]).toEqual([['a'], ['t']]);
      }
    });

    it(`${which}: marks nest; going back to one forgets those made after it`, () => {
      const database = make();
      add(database, 'a');
      const first = database.mark();
      for (let times = 0; times < 2; times++) {
        changed(database);
        const second = database.mark();
        const there = values(database);
        for (let again = 0; again < 2; again++) {
          add(database, 'b');
          database.exec('DROP TABLE late');
          second();
          expect([values(database), tables(database)]).toEqual([there, ['late', 't']]);
        }
        first();
        expect([values(database), tables(database)]).toEqual([['a'], ['t']]);
      }
    });
  }

  it('go back out of a transaction that was broken off', () => {
    const database = open(':memory:');
    const back = database.mark();
    add(database, 'a');
    for (const _ of database.iterate('SELECT * FROM t')) break;
    back();
    database.transact(() => add(database, 'b'));
    expect(values(database)).toEqual(['b']);
    expect(database.inTransaction).toBe(false);
  });

  it('are for databases in memory, outside of transactions', () => {
    expect(() => open().mark()).toThrow('only a database in memory');
    const database = open(':memory:');
    expect(() => database.transact(() => database.mark())).toThrow('outside of transactions');
    database.mark();
    expect(() => database.fork()).toThrow('without marks');
  });
});

describe('write', () => {
  it("waits for another process's lock, and lets the loop turn meanwhile", async () => {
    const database = open();
    const raw = other();
    raw.exec('BEGIN IMMEDIATE');
    let ticks = 0;
    const ticking = setInterval(() => ticks++, 1);
    const written = database.write(realClock(), () => add(database, 'a'));
    setTimeout(() => raw.exec("INSERT INTO t (v) VALUES ('first'); COMMIT"), 60);
    expect(await written).toBe(1);
    clearInterval(ticking);
    expect(ticks).toBeGreaterThan(0);
    expect(values(database)).toEqual(['first', 'a']);
  });

  it('gives up with an error that says what to do', async () => {
    const database = open();
    database.pragma('busy_timeout = 0');
    other().exec('BEGIN IMMEDIATE');
    const error = await caught(database.write(new VirtualClock(0), () => add(database, 'a')));
    expect(error).toBeInstanceOf(UserError);
    expect(error).toHaveProperty('message', `the state file ${path} is locked by another process`);
    expect(error).toHaveProperty('next', 'wait for it, or see who holds it: switchtraffic lock show');
  });

  it('runs its function once where nothing is in the way, and passes on what it throws', async () => {
    const database = open();
    let runs = 0;
    const boom = new Error('boom');
    const failed = database.write(realClock(), () => {
      runs++;
      add(database, 'a');
      throw boom;
    });
    expect(await caught(failed)).toBe(boom);
    expect([runs, values(database)]).toEqual([1, []]);
  });
});

describe('a file that cannot be used gives one line and a remedy', () => {
  const refusal = async (where = path, create = true): Promise<UserError> => {
    const error = await caught(() => open(where, create));
    expect(error).toBeInstanceOf(UserError);
    expect((error as UserError).message).not.toContain('\n');
    expect((error as UserError).next).toBeTruthy();
    return error as UserError;
  };

  it('one that is not there', async () => {
    const error = await refusal(path, false);
    expect(error.message).toBe(`there is no state file ${path}`);
    expect(error.next).toBe('go back to a snapshot (switchtraffic snapshot list), or start again: switchtraffic init commerce --force');
    expect(existsSync(path)).toBe(false);
  });

  it('one in a folder that is not there', async () => {
    const where = join(dir.path, 'no', 'such', 'state.db');
    expect((await refusal(where)).message).toBe(`the state file ${where} cannot be opened`);
  });

  it('a folder', async () => {
    mkdirSync(path);
    expect((await refusal()).message).toBe(`the state file ${path} is a folder`);
  });

  it('one that is something else', async () => {
    writeFileSync(path, 'topology: etcd\n'.repeat(200));
    expect((await refusal()).message).toBe(`the state file ${path} is not a state file`);
    expect(readFileSync(path, 'utf8')).toBe('topology: etcd\n'.repeat(200));
  });

  it('one that is damaged, wherever the damage shows', async () => {
    const first = open();
    first.transact(() => {
      for (let i = 0; i < 2_000; i++) add(first, `value ${i} ${'x'.repeat(50)}`);
    });
    first.close();
    opened = [];
    const bytes = readFileSync(path);
    bytes.fill(0xff, 4096, statSync(path).size);
    writeFileSync(path, bytes);
    const text = await textOf(() => open().all('SELECT * FROM t'));
    expect(text).toBe(`the state file ${path} is damaged`);
    expect(await textOf(() => open().transact(() => add(opened.at(-1) as Database, 'z')))).toBe(text);
  });

  it('one that may not be written', async () => {
    const first = open();
    add(first, 'a');
    first.close();
    opened = [];
    // Nothing is forbidden to root, so act as somebody else.
    const isRoot = process.geteuid?.() === 0;
    chmodSync(path, 0o444);
    chmodSync(dir.path, 0o755);
    if (isRoot) process.seteuid?.(65_534);
    else chmodSync(dir.path, 0o555);
    try {
      const error = await caught(() => {
        const database = open(path, false);
        database.transact(() => add(database, 'b'));
      });
      expect(error).toBeInstanceOf(UserError);
      expect((error as UserError).message).toMatch(/^the state file \S+ (is read-only|cannot be opened)$/);
    } finally {
      if (isRoot) process.seteuid?.(0);
      chmodSync(dir.path, 0o755);
    }
    chmodSync(path, 0o644);
    expect(values(open())).toEqual(['a']);
  });
});

describe('a snapshot', () => {
  it.each(['file', 'memory'])('of a %s stays as it was, whatever is written later', (kind) => {
    const database = open(kind === 'file' ? path : ':memory:');
    database.run("INSERT INTO t (v) VALUES ('a'), ('b'), ('c')");
    const snapshot = database.snapshot(['t']);
    const rows = snapshot.iterateStored('SELECT v FROM t WHERE v > ? ORDER BY v', '');
    expect(rows.next().value).toEqual(['a']);
    database.run("UPDATE t SET v = 'changed'||id");
    database.run("INSERT INTO t (v) VALUES ('d')");
    expect([...rows]).toEqual([['b'], ['c']]);
    expect(values(snapshot)).toEqual(['a', 'b', 'c']);
    expect(values(database)).toEqual(['changed1', 'changed2', 'changed3', 'd']);
    snapshot.exec('CREATE TEMP TABLE own (v); INSERT INTO own SELECT v FROM main.t');
    expect(snapshot.get('SELECT count(*) AS n FROM own')).toEqual({ n: 3 });
    snapshot.close();
    expect(database.get("SELECT name FROM sqlite_schema WHERE name = 'own'")).toBeUndefined();
  });

  it('of what is marked is what stands there now, and stays when that is taken back', () => {
    const database = open(':memory:');
    database.run("INSERT INTO t (v) VALUES ('a')");
    const back = database.mark();
    database.run("INSERT INTO t (v) VALUES ('b')");
    const snapshot = database.snapshot(['t']);
    back();
    expect([values(snapshot), values(database)]).toEqual([['a', 'b'], ['a']]);
    snapshot.close();
    database.mark();
    expect(() => database.fork()).toThrow('without marks');
  });

  it('does not keep others from writing', () => {
    const database = open();
    const snapshot = database.snapshot(['t']);
    other().exec("INSERT INTO t (v) VALUES ('x')");
    database.run("INSERT INTO t (v) VALUES ('y')");
    expect(values(snapshot)).toEqual([]);
    snapshot.close();
  });
});
