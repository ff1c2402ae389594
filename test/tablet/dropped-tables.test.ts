import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { type ClusterHost, fileHost, memoryHost } from '../../src/cli/host.ts';
import { makeShell } from '../../src/cli/shell.ts';
import { VirtualMachine } from '../../src/runtime/world.ts';
import type { ShardDb, ShardStore } from '../../src/tablet/shard-db.ts';

const undo: (() => void)[] = [];
afterEach(() => undo.splice(0).forEach((one) => one()));

const ROWS = 30_000;

interface Place {
  host: ClusterHost;
  run(...argv: string[]): Promise<string>;
  /** The source's shard, as a process of its own has it that dies after `body`. */
  dying(body: (shard: ShardDb) => void): void;
  /** Tables of the source's file that are nobody's. */
  left(): string[];
}

/** A cluster in files with a table of 30,000 rows whose columns hide two of the names of the rowid. */
async function place(): Promise<Place> {
  const folder = mkdtempSync(join(tmpdir(), 'switchtraffic-dropped-'));
  undo.push(() => rmSync(folder, { recursive: true, force: true }));
  const memory = memoryHost(new VirtualMachine());
  const host = fileHost(join(folder, 'state'), '/', () => memory.world());
  const shell = makeShell(host);
  const run = async (...argv: string[]): Promise<string> => {
    const result = await shell(argv);
    if (result.exit !== 0) throw new Error(`${argv.join(' ')}\n${result.stderr}`);
    return result.stdout;
  };
  const open = <T>(body: (shard: ShardDb) => T): T => {
    const shards: ShardStore = host.openShards(host.world());
    try {
      return body(shards.open('commerce', '0'));
    } finally {
      shards.close();
    }
  };
  await run('init', 'commerce');
  await query(run, CREATE);
  open(({ db }) =>
    db.transact(() => db.run(`INSERT INTO big WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${ROWS}) SELECT 'k' || i, 1, i, 'text' FROM n`)),
  );
  return {
    host,
    run,
    dying: open,
    left: () => open(({ db }) => db.all<{ name: string }>("SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE '%dropped%'").map(({ name }) => name)),
  };
}

const CREATE = 'create table big (k varchar(20) not null, rowid int, n int, t text, primary key (k), key by_n (n))';
const query = (run: Place['run'], sql: string): Promise<string> => run('query', '--target', 'commerce:0', sql);

describe('a large table that is dropped', () => {
  it('is gone with the command, and with it its rows', async () => {
    const { run, left, dying } = await place();
    await query(run, 'drop table big');
    await expect(query(run, 'select count(*) from big')).rejects.toThrow(/1146|doesn't exist/);
    expect(left()).toEqual([]);
    dying(({ db }) => expect(db.get("SELECT 1 FROM sqlite_master WHERE name LIKE 'big%'")).toBeUndefined());
  });

  it('leaves rows that the next command deletes, where the process died; its name is free at once', async () => {
    const { run, left, dying } = await place();
    dying((shard) => shard.db.transact(() => shard.dropTable('big')));
    dying((shard) => expect(shard.findTable('big')).toBeUndefined());
    expect(left()).toEqual(['_dropped.1']);
    await query(run, CREATE);
    await query(run, "insert into big values ('new', 1, 2, 'x')");
    expect(left()).toEqual([]);
    expect(await query(run, 'select k from big')).toContain('new');
  });

  it('is put aside as often as a transaction drops one, and is back when that goes back', async () => {
    const { dying, left, run } = await place();
    dying((shard) => {
      expect(() =>
        shard.db.transact(() => {
          shard.dropTable('big');
          throw new Error('no');
        }),
      ).toThrow('no');
      expect(shard.db.get('SELECT count(*) AS n FROM big')).toEqual({ n: ROWS });
    });
    expect(left()).toEqual([]);
    await query(run, 'truncate table big');
    expect(await query(run, 'select count(*) from big')).toMatch(/\b0\b/);
    expect(left()).toEqual([]);
    dying(({ db }) => expect(db.all("SELECT name FROM sqlite_master WHERE tbl_name = 'big' AND type = 'index' AND sql IS NOT NULL")).toHaveLength(1));
  });
});
