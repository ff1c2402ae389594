import { join } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { copyOf, fileCluster } from '../helpers/file-cluster.ts';
import { sample } from '../helpers/sample.ts';
import { switchLine } from '../helpers/shell.ts';
import { tempDir } from '../helpers/topo-world.ts';

/*
 * A disk that gets full while a command is at it. A transaction in a log that cannot grow fails where it commits, with SQLITE_FULL, and is
 * still open then: that is what every commit does here from some number on, until there is space again.
 */
const dir = tempDir();
afterAll(() => dir.remove());
let folders = 0;
let prepared: string;

let commits = 0;
let fullFrom = Number.POSITIVE_INFINITY;

beforeAll(async () => {
  const made = fileCluster(join(dir.path, 'prepared'));
  await made.ok('init commerce');
  await made.ok('MoveTables --workflow c2c --target-keyspace customer create --source-keyspace commerce --tables customer,corder');
  await made.ok('MoveTables --workflow c2c --target-keyspace customer status');
  prepared = made.folder;
});

/** Counts the commits from now on, and lets them fail from the nth on. */
function fillDisk(from: number): void {
  commits = 0;
  fullFrom = from;
  const { prepare } = BetterSqlite3.prototype;
  vi.spyOn(BetterSqlite3.prototype, 'prepare').mockImplementation(function (this: BetterSqlite3.Database, sql: string) {
    const statement = prepare.call(this, sql);
    if (sql !== 'COMMIT') return statement;
    const run = statement.run.bind(statement) as () => BetterSqlite3.RunResult;
    return Object.assign(statement, {
      run: () => {
        if (++commits < fullFrom) return run();
        throw Object.assign(new Error('database or disk is full'), { code: 'SQLITE_FULL' });
      },
    });
  });
}

const freeDisk = (): void => void vi.restoreAllMocks();
afterEach(freeDisk);

const cluster = () => fileCluster(copyOf(prepared, join(dir.path, String(folders++))));

/** Some more than a whole switch makes; the last ones only unlock, and write the history. */
const NUMBERS = Array.from({ length: 60 }, (_, index) => index + 1);

describe('in mid-switch', () => {
  it.each(sample(NUMBERS, 7))('from commit %i on', async (number) => {
    const { run, ok } = cluster();
    fillDisk(number);
    const { exit, stderr } = await run(switchLine());
    const reached = commits >= number;
    freeDisk();
    expect(stderr).not.toMatch(/internal error|\n\s+at /);
    if (reached) expect(stderr).toMatch(/the state file \S+\.db cannot grow: the disk is full/);
    if (exit === 0) {
      // It was done before: what is left to do is said.
      if (reached) expect(stderr).toContain('the disk is full');
    } else {
      expect(exit).toBe(1);
      // The same command finishes what was begun, and says so.
      const again = await run(switchLine());
      expect([again.exit, again.stdout], again.stderr).toEqual([0, expect.stringContaining('Current State: All Reads Switched. Writes Switched') as string]);
    }
    const [rules, rows, keyspaces] = [await ok('GetRoutingRules'), await ok("query 'select count(*) from customer'"), await ok('show keyspace')];
    expect(rules.match(/"commerce\.customer"(?=\s*\])/)).toBeNull();
    expect(rows).toContain('| 5 ');
    expect(keyspaces).not.toContain('!');
    expect(await ok('show locks')).toBe('nobody holds a lock\n');
  });
});

it.each([
  ["query \"insert into customer (email) values ('x')\"", 2],
  ['tablet add zone1-0000000999 --keyspace commerce --shard 0 --type replica', 2],
  ['MoveTables --workflow c2c --target-keyspace customer stop', 1],
  ['CreateKeyspace more', 1],
])('%s', async (line, status) => {
  const { run, ok } = cluster();
  fillDisk(1);
  const { exit, stderr } = await run(line);
  freeDisk();
  expect([exit, stderr.split('\n')[0]]).toEqual([status, expect.stringMatching(/the state file \S+\.db cannot grow: the disk is full$/) as string]);
  expect(stderr).toContain('\nnext: free some space and run the command again\n');
  await ok(line);
});
