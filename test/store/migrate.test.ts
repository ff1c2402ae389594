import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { UserError } from '../../src/lib/errors.ts';
import { Database } from '../../src/store/database.ts';
import { migrate } from '../../src/store/migrate.ts';
import { TOPO_MIGRATIONS } from '../../src/topo/conn/sqlite-schema.ts';
import { caught, tempDir } from '../helpers/topo-world.ts';

const FIRST = 'CREATE TABLE a (x)';
const SECOND = "INSERT INTO a VALUES ('second'); CREATE TABLE b (y)";

let dir: ReturnType<typeof tempDir>;
let path: string;
let opened: Database[];

beforeEach(() => {
  dir = tempDir();
  path = join(dir.path, 'state.db');
  opened = [];
});
afterEach(() => {
  for (const database of opened) database.close();
  dir.remove();
});

function open(migrations: readonly string[]): Database {
  const database = Database.open({ path, migrations });
  opened.push(database);
  return database;
}

const tables = (database: Database): string[] =>
  database.all<{ name: string }>("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").map((row) => row.name);

describe('migrating', () => {
  it('a new file takes every step', () => {
    const database = open([FIRST, SECOND]);
    expect([tables(database), database.pragma('user_version')]).toEqual([['a', 'b'], 2]);
  });

  it('an older file takes the steps that it lacks, once', () => {
    open([FIRST]).run("INSERT INTO a VALUES ('kept')");
    expect(open([FIRST, SECOND]).all('SELECT x FROM a')).toEqual([{ x: 'kept' }, { x: 'second' }]);
    expect(open([FIRST, SECOND]).all('SELECT x FROM a')).toHaveLength(2);
  });

  it('a file made by a newer version is refused, and left as it is', async () => {
    open([FIRST, SECOND]);
    const error = await caught(() => open([FIRST]));
    expect(error).toBeInstanceOf(UserError);
    expect(error).toMatchObject({
      message: `the state file ${path} has schema 2; this switchtraffic knows up to 1`,
      next: 'run a newer switchtraffic, or start again: switchtraffic init commerce --force',
    });
    expect(tables(open([FIRST, SECOND]))).toEqual(['a', 'b']);
  });

  it('a step that fails leaves the file as it was', async () => {
    const error = await caught(() => open([FIRST, 'CREATE TABLE b (y); CREATE TABLE a (again)']));
    expect(error).toHaveProperty('message', 'table a already exists');
    const database = open([]);
    expect([tables(database), database.pragma('user_version')]).toEqual([[], 0]);
  });

  it('two that open a new file at once migrate it once', () => {
    const slow = open([]);
    // The other opener comes between this one's look at the version and its transaction.
    const overtaken = new Proxy(slow, {
      get: (target, name) => {
        if (name === 'transact') {
          return <T>(fn: () => T): T => {
            open([FIRST, SECOND]);
            return target.transact(fn);
          };
        }
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
    migrate(overtaken, [FIRST, SECOND]);
    expect(slow.all('SELECT x FROM a')).toEqual([{ x: 'second' }]);
    expect(slow.pragma('user_version')).toBe(2);
  });

  it('one that opens while another is migrating is told to wait', () => {
    const first = open([FIRST]);
    first.transact(() => {
      expect(() => open([FIRST, SECOND])).toThrow(`the state file ${path} is locked by another process`);
    });
    expect(tables(open([FIRST, SECOND]))).toEqual(['a', 'b']);
  });
});

describe("the topology file's views", () => {
  it('show the records to a person with a shell', () => {
    const database = open(TOPO_MIGRATIONS);
    const put = (cell: string, at: string, record: unknown): number =>
      database.run('INSERT INTO node VALUES (?, ?, ?, 1)', cell, at, JSON.stringify(record));
    put('global', 'keyspaces/my-ks/Keyspace', { durability_policy: 'none' });
    put('global', 'keyspaces/my-ks/shards/-80/Shard', {
      is_primary_serving: true,
      primary_alias: { cell: 'zone1', uid: 100 },
      tablet_controls: [{ tablet_type: 'PRIMARY', denied_tables: ['t1', 't2'] }, { tablet_type: 'REPLICA' }],
    });
    put('zone1', 'tablets/zone1-0000000100/Tablet', { keyspace: 'my-ks', shard: '-80', type: 'PRIMARY' });
    put('global', 'RoutingRules', { rules: [{ from_table: 't', to_tables: ['my-ks.t'] }] });
    expect(database.all('SELECT keyspace FROM keyspaces')).toEqual([{ keyspace: 'my-ks' }]);
    expect(database.all('SELECT keyspace, shard, is_primary_serving, "primary" FROM shards')).toEqual([
      { keyspace: 'my-ks', shard: '-80', is_primary_serving: 1, primary: 'zone1-0000000100' },
    ]);
    expect(database.all('SELECT cell, alias, keyspace, shard, type FROM tablets')).toEqual([
      { cell: 'zone1', alias: 'zone1-0000000100', keyspace: 'my-ks', shard: '-80', type: 'PRIMARY' },
    ]);
    expect(database.all('SELECT * FROM denied_tables ORDER BY "table"')).toEqual([
      { keyspace: 'my-ks', shard: '-80', tablet_type: 'PRIMARY', table: 't1', allow_reads: 0 },
      { keyspace: 'my-ks', shard: '-80', tablet_type: 'PRIMARY', table: 't2', allow_reads: 0 },
    ]);
    expect(database.all('SELECT * FROM routing_rules')).toEqual([{ from_table: 't', to_table: 'my-ks.t' }]);
    expect(database.all('SELECT * FROM locks')).toEqual([]);
  });
});
