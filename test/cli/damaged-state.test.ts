import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { copyOf, fileCluster, filesBelow } from '../helpers/file-cluster.ts';
import { WHOLE } from '../helpers/sample.ts';
import { switchLine } from '../helpers/shell.ts';
import { tempDir } from '../helpers/topo-world.ts';

/*
 * State files that are no good, and commands that meet them: each says in a line or two which file it is, what is wrong with it and what to do,
 * ends as its family does, and changes nothing.
 */
const dir = tempDir();
afterAll(() => dir.remove());
let folders = 0;
let prepared: string;

beforeAll(async () => {
  const made = fileCluster(join(dir.path, 'prepared'));
  await made.ok('init commerce');
  await made.ok('MoveTables --workflow c2c --target-keyspace customer create --source-keyspace commerce --tables customer,corder');
  await made.ok('MoveTables --workflow c2c --target-keyspace customer status');
  await made.ok('snapshot save good');
  prepared = made.folder;
});

const copy = (): string => copyOf(prepared, join(dir.path, `copy-${folders++}`));

function fill(path: string, from: number): void {
  const bytes = readFileSync(path);
  writeFileSync(path, bytes.fill(0x5a, from));
}

/** What can happen to a file, and what is said of it. */
interface Damage {
  name: string;
  do(path: string): void;
  says: RegExp;
}

const damages: readonly Damage[] = [
  { name: 'a text', do: (path) => writeFileSync(path, 'no database at all'.repeat(500)), says: /is not a state file$/ },
  { name: 'damaged pages', do: (path) => fill(path, 4096), says: /is damaged$/ },
  { name: 'a damaged first page', do: (path) => fill(path, 24), says: /is (?:damaged|not a state file)$/ },
  { name: 'half of it', do: (path) => truncateSync(path, Math.floor(statSync(path).size / 8192) * 4096 + 100), says: /is damaged$/ },
  { name: 'nothing in it', do: (path) => truncateSync(path, 0), says: /is empty: what it held is gone$/ },
  { name: 'another program’s tables', do: (path) => sqlite(path, 'CREATE TABLE t (x); PRAGMA user_version = 1'), says: /is a SQLite file, but none of ours$/ },
  { name: 'a database without tables', do: (path) => sqlite(path, 'VACUUM'), says: /is empty: what it held is gone$/ },
  { name: 'a newer schema', do: (path) => alter(path, 'PRAGMA user_version = 99'), says: /has schema 99; this switchtraffic knows up to \d+$/ },
  { name: 'a folder', do: (path) => (rmSync(path), mkdirSync(path)), says: /is a folder$/ },
];

/** For the topology and for a shard the words are others. */
const gone: readonly (Damage & { file: string })[] = [
  { file: 'topology.db', name: 'no file', do: (path) => rmSync(path), says: /^the topology of the cluster in .* is gone: its shards are in shards, and there is no file topology\.db$/ },
  { file: 'topology.db', name: 'a link to nowhere', do: (path) => (rmSync(path), symlinkSync('/nowhere/at.all', path)), says: /is a link to a file that is not there$/ },
  ...['shards/commerce.0.db', 'shards/customer.0.db'].flatMap((file) => [
    { file, name: 'no file', do: (path: string) => rmSync(path), says: /^the rows of shard \w+\/0 are gone: there is no file / },
    { file, name: 'a link to nowhere', do: (path: string) => (rmSync(path), symlinkSync('/nowhere/at.all', path)), says: /^the rows of shard \w+\/0 are gone: there is no file |is a link to a file that is not there$/ },
  ]),
];

function sqlite(path: string, sql: string): void {
  rmSync(path);
  alter(path, sql);
}

function alter(path: string, sql: string): void {
  const db = new BetterSqlite3(path);
  db.exec(sql);
  db.close();
}

/** Commands that read, and that write, of either family. */
const commands = [
  'show keyspace',
  'GetKeyspaces',
  "query 'select * from customer'",
  `query "insert into customer (email) values ('x')"`,
  switchLine(),
  'MoveTables --workflow c2c --target-keyspace customer complete',
  'tablet add zone1-0000000999 --keyspace commerce --shard 0 --type replica',
  'snapshot save x',
  'snapshot diff good',
  'snapshot restore good --force',
] as const;

const table = [
  ...['topology.db', 'shards/commerce.0.db', 'shards/customer.0.db'].flatMap((file) => damages.map((damage) => ({ file, ...damage }))),
  ...gone,
];

/** Every damage meets every third command in `npm test`, each with others. */
const cases = table.map((one, index) => ({ ...one, met: WHOLE ? commands : commands.filter((_, at) => (at + index) % 5 === 0) }));

describe.each(cases)('$file: $name', ({ file, name, do: harm, says, met }) => {
  it('is told, and nothing is changed', async () => {
    const folder = copy();
    harm(join(folder, file));
    const before = filesBelow(folder);
    const { run } = fileCluster(folder);
    for (const line of met) {
      // Nothing is there that would be replaced.
      if (name === 'no file' && file === 'topology.db' && line.startsWith('snapshot restore')) continue;
      const { exit, stdout, stderr } = await run(line);
      const [first = '', next = ''] = stderr.split('\n');
      const own = /^[a-z]/.test(line);
      expect({ line, exit, stdout }).toEqual({ line, exit: own ? 2 : 1, stdout: '' });
      expect(first.replace(/^switchtraffic: /, '').replace(/^the cluster that is there cannot be saved first: /, ''), line).toMatch(says);
      expect(next, line).toMatch(/^next: /);
      expect(stderr, line).not.toMatch(/internal error|\n\s+at /);
      if (name !== 'no file' || file !== 'topology.db') expect(first, line).toContain(folder);
    }
    expect(filesBelow(folder)).toEqual(before);
    // The way back that was named.
    const restored = await run('snapshot restore good --force --keep-old=false');
    if (name === 'a folder' && file === 'topology.db') expect(restored).toMatchObject({ exit: 2, stderr: expect.stringContaining('is a folder') as string });
    else expect([restored.exit, (await run('snapshot diff good')).exit]).toEqual([0, 0]);
  });
});

it('a folder of shards that is missing is told', async () => {
  const folder = copy();
  rmSync(join(folder, 'shards'), { recursive: true });
  const { run } = fileCluster(folder);
  for (const line of ['show keyspace', 'snapshot save x']) {
    expect(await run(line)).toMatchObject({ exit: 2, stderr: expect.stringContaining(`the rows of shard commerce/0 are gone: there is no file ${join(folder, 'shards/commerce.0.db')}`) as string });
  }
});

it('a topology of another cluster is told by the shards that it misses', async () => {
  const other = fileCluster(join(dir.path, 'other'));
  await other.ok('init customer-sharded');
  const folder = copy();
  copyOf(join(other.folder, 'topology.db'), join(folder, 'topology.db'));
  const { exit, stderr } = await fileCluster(folder).run('show keyspace');
  expect([exit, stderr]).toEqual([2, expect.stringMatching(/^switchtraffic: the rows of shard \S+ are gone: there is no file .*\nnext: /) as string]);
});

describe('what is no damage', () => {
  it.each(['topology.db', 'shards/commerce.0.db'])('a link in the place of %s', async (file) => {
    const folder = copy();
    renameSync(join(folder, file), join(folder, 'elsewhere.db'));
    symlinkSync(join(folder, 'elsewhere.db'), join(folder, file));
    const { ok } = fileCluster(folder);
    await ok(switchLine());
    await ok('snapshot restore good --force');
    expect(await ok('snapshot diff good')).toContain('are the same');
  });

  it.each(['topology.db', 'shards/commerce.0.db'])('a log of a killed process beside %s: what it holds counts', async (file) => {
    const folder = copy();
    const db = new BetterSqlite3(join(folder, file));
    db.pragma('wal_autocheckpoint = 0');
    db.pragma('user_version = 99');
    // The files as a kill would leave them.
    const killed = copyOf(folder, join(dir.path, `killed-${folders++}`));
    db.close();
    expect(statSync(join(killed, `${file}-wal`)).size).toBeGreaterThan(0);
    expect(await fileCluster(killed).run('show keyspace')).toMatchObject({ exit: 2, stderr: expect.stringContaining('has schema 99') as string });
  });

  it('a log that is none is left out', async () => {
    const folder = copy();
    writeFileSync(join(folder, 'topology.db-wal'), 'x'.repeat(10_000));
    await fileCluster(folder).ok('show keyspace');
  });
});

it('a file that another process keeps for itself is told as locked, and is waited for', async () => {
  const folder = copy();
  const other = new BetterSqlite3(join(folder, 'topology.db'));
  other.pragma('locking_mode = EXCLUSIVE');
  other.exec('BEGIN EXCLUSIVE');
  const { run, ok } = fileCluster(folder);
  const { exit, stderr } = await run('show keyspace');
  expect([exit, stderr]).toEqual([2, `switchtraffic: the state file ${join(folder, 'topology.db')} is locked by another process\nnext: wait for it, or see who holds it: switchtraffic lock show\n`]);
  const waiting = ok('show keyspace');
  other.close();
  await waiting;
});

/** Nothing is read-only for root. */
describe.skipIf(process.getuid?.() === 0)('without permission', () => {
  it.each([
    ['topology.db', 0o444, 'is read-only'],
    ['shards/commerce.0.db', 0o444, 'is read-only'],
    ['topology.db', 0, 'may not be opened'],
    ['.', 0o555, 'the folder of the state file'],
    ['shards', 0o555, 'the folder of the state file'],
  ])('%s, mode %i: is told, nothing is left, and all is well once it is given', async (name, mode, text) => {
    const folder = copy();
    const before = filesBelow(folder);
    chmodSync(join(folder, name), mode);
    const { run } = fileCluster(folder);
    for (const line of ['show keyspace', switchLine(), 'snapshot save x']) {
      const { exit, stderr } = await run(line);
      expect([exit, stderr]).toEqual([/^[a-z]/.test(line) ? 2 : 1, expect.stringMatching(/\nnext: make it/) as string]);
      expect(stderr.split('\n')[0]).toContain(text);
    }
    chmodSync(join(folder, name), name.endsWith('.db') ? 0o644 : 0o755);
    expect(filesBelow(folder)).toEqual(before);
    expect((await run(switchLine())).exit).toBe(0);
  });

  it('to look into the folder', async () => {
    const folder = copy();
    chmodSync(folder, 0);
    const { exit, stderr } = await fileCluster(folder).run('show keyspace');
    chmodSync(folder, 0o755);
    expect([exit, stderr]).toEqual([2, expect.stringMatching(/topology\.db cannot be looked at: EACCES.*\nnext: /) as string]);
  });
});
