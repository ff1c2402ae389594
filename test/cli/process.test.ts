import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { WorkloadReport } from '../../src/workload/workload.ts';
import { bash, folder, look, ok, removeAll, root, run, start } from '../helpers/process.ts';

/*
 * The program as a process: files, signals, pipes, the real clock. What needs only the cluster's state afterwards is
 * looked up in this process, over the same files.
 */
const SWITCH = 'MoveTables --workflow c2c --target-keyspace customer switchtraffic';
const STOP = 'switchTraffic/writes/stopSourceWrites';
const HELD = 'deadline exceeded: /vitess/global/internal/named_locks/customer/c2c';

/** Looked up in the file: the gate would refuse to read a table that traffic has left. */
function storedRows(cwd: string, keyspace: string, table: string): number {
  const database = new BetterSqlite3(join(cwd, `.switchtraffic/shards/${keyspace}.0.db`), { readonly: true });
  const count = database.prepare(`SELECT count(*) FROM "${table}"`).pluck().get() as number;
  database.close();
  return count;
}

/** What a switch changes, without ids, positions and times. */
async function stateOf(cwd: string): Promise<object> {
  const streams = JSON.parse(await look(cwd, 'Workflow --keyspace customer show --workflow c2c --include-logs=false')) as {
    workflows: { shard_streams: Record<string, { streams: { state: string; message: string }[] }> }[];
  };
  return {
    source: JSON.parse(await look(cwd, 'GetShard commerce/0')) as unknown,
    target: JSON.parse(await look(cwd, 'GetShard customer/0')) as unknown,
    rules: JSON.parse(await look(cwd, 'GetRoutingRules')) as unknown,
    streams: Object.values(streams.workflows[0]!.shard_streams).flatMap((shard) => shard.streams.map(({ state, message }) => ({ state, message }))),
  };
}

const locksOf = async (cwd: string): Promise<unknown[]> => (JSON.parse(await look(cwd, 'show locks --format json')) as { locks: unknown[] }).locks;

async function writesAreServed(cwd: string): Promise<void> {
  await look(cwd, `query "insert into customer(email) values ('served-${Date.now()}@example.com')"`);
}

async function make(name: string, version: string): Promise<void> {
  const path = join(root, name);
  mkdirSync(path);
  await ok(path, `init commerce --vitess-version ${version}`);
  await ok(path, 'MoveTables --workflow c2c --target-keyspace customer create --source-keyspace commerce --tables customer,corder');
  const status = await ok(path, 'MoveTables --workflow c2c --target-keyspace customer status');
  expect(status.stdout).toContain('Traffic State: Reads Not Switched. Writes Not Switched');
}

beforeAll(async () => {
  await Promise.all([make('hardened', 'hardened'), make('v22', '22')]);
});
afterAll(removeAll);

describe.concurrent('a life on files', () => {
  it('ends with everything moved', async () => {
    const cwd = folder('hardened');
    const switched = await ok(cwd, SWITCH);
    expect(switched.stdout).toContain('Current State: All Reads Switched. Writes Switched');
    await ok(cwd, "query \"insert into customer(email) values ('moved@example.com')\"");
    const status = await ok(cwd, 'MoveTables --workflow c2c --target-keyspace customer status');
    expect(status.stdout).toContain('Traffic State: All Reads Switched. Writes Switched');
    expect(await look(cwd, "query --target customer:0 'select email from customer'")).toContain('moved@example.com');
    // The streams back kept up.
    expect(storedRows(cwd, 'commerce', 'customer')).toBe(6);
  });

  it('in a folder whose name has blanks', async () => {
    const cwd = folder();
    await ok(cwd, "--state 'my state/of things' init commerce");
    expect((await ok(cwd, "--state 'my state/of things' show keyspace")).stdout).toContain('customer');
    expect(existsSync(join(cwd, 'my state/of things/topology.db'))).toBe(true);
  });
});

it('writers and readers in another process lose nothing over a switch; Ctrl-C ends them well', async () => {
  const cwd = folder('hardened');
  const workload = start(cwd, 'workload --rate 40/s --enable-buffer --format json');
  while (storedRows(cwd, 'commerce', 'customer') < 8) await new Promise((resolve) => setTimeout(resolve, 50));
  const switched = await ok(cwd, SWITCH);
  expect(switched.stderr).toMatch(/writes to corder, customer were refused for .*\nbuffered for .*, \d+ statements?\n/);
  workload.child.kill('SIGINT');
  const { exit, stdout, stderr } = await workload.ended;
  const report = JSON.parse(stdout) as WorkloadReport;
  expect([exit, report.writes.refused, report.writes.ambiguous], stderr).toEqual([0, 0, 0]);
  expect(report.check).toMatchObject({ lost: 0, doubled: 0, phantom: 0, unread: [] });
  expect(report.buffered).toHaveLength(1);
});

/** One step of each kind before the journal, on files; the whole matrix runs in memory. */
describe.concurrent('a failed switch on files leaves everything as it was', () => {
  const steps = ['prepare/lockWorkflow:after', 'reads/switchTableReads', 'writes/lockTarget:after', 'writes/stopSourceWrites:after', 'writes/waitForCatchup', 'writes/createJournals'];
  it.each(steps.flatMap((step) => ['return', 'lease(expire)'].map((fault) => [step, fault] as const)))('%s=%s', async (step, fault) => {
    const cwd = folder('hardened');
    const before = await stateOf(cwd);
    const failed = await run(cwd, `${SWITCH} --fault 'switchTraffic/${step}=1*${fault}'`);
    expect(failed.exit, failed.stdout + failed.stderr).toBe(1);
    expect(failed.stderr).not.toMatch(/never fired|bad fault/);
    expect(await stateOf(cwd)).toEqual(before);
    await writesAreServed(cwd);
  });
});

describe.concurrent('two processes', () => {
  it('contend for the lock: one waits or gives up, the other is not disturbed', async () => {
    const cwd = folder('hardened');
    const first = start(cwd, `${SWITCH} --verbose --fault '${STOP}=sleep(4s)'`);
    await locked(cwd);
    const [impatient, patient] = await Promise.all([run(cwd, `${SWITCH} --lock-timeout 300ms`), run(cwd, SWITCH)]);
    expect(impatient.exit).toBe(1);
    expect(impatient.stderr).toContain(`failed to lock the customer/c2c workflow: ${HELD}`);
    expect(impatient.stderr).toContain('switchtraffic lock show');
    expect((await first.ended).exit).toBe(0);
    expect(patient.exit, patient.stderr).toBe(0);
    expect(patient.stdout).toContain('Current State: All Reads Switched. Writes Switched');
    expect(await locksOf(cwd)).toEqual([]);
  });

  it('look at a cluster that is being written to', async () => {
    const cwd = folder('hardened');
    const database = new BetterSqlite3(join(cwd, '.switchtraffic/topology.db'));
    database.exec('BEGIN IMMEDIATE');
    for (const line of ['show locks', 'show keyspace', 'GetShard customer/0', 'MoveTables --workflow c2c --target-keyspace customer status']) {
      expect(await run(cwd, line), line).toMatchObject({ exit: 0, stderr: '' });
    }
    database.exec('ROLLBACK');
    database.close();
  });

  /** Until somebody holds the workflow's lock. */
  async function locked(cwd: string): Promise<void> {
    for (let i = 0; i < 200; i++) {
      if ((await locksOf(cwd)).length > 0) return;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    throw new Error('nobody took the lock');
  }
});

describe.concurrent('a killed process', () => {
  it.each(['writes/stopSourceWrites:after', 'writes/createJournals', 'writes/createJournals:after', 'writes/changeRouting:after'])(
    'at %s: the next switch finishes it at once',
    async (step) => {
      const cwd = folder('hardened');
      const died = await run(cwd, `${SWITCH} --fault 'switchTraffic/${step}=panic'`);
      expect(died.exit ?? died.signal, died.stderr).toSatisfy((how) => how === 137 || how === 'SIGKILL');
      await finishes(cwd);
    },
  );

  it('at any instant: no row is lost and the next switch finishes it at once', async () => {
    for (let i = 0; i < 6; i++) {
      const cwd = folder('hardened');
      const running = start(cwd, SWITCH);
      await new Promise((resolve) => setTimeout(resolve, 150 + Math.random() * 350));
      running.child.kill('SIGKILL');
      await running.ended;
      await finishes(cwd);
    }
  }, 60_000);

  it('keeps the named lock on a release', async () => {
    const cwd = folder('v22');
    await run(cwd, `${SWITCH} --fault '${STOP}=panic'`);
    const next = await run(cwd, `${SWITCH} --lock-timeout 300ms`);
    expect(next.exit).toBe(1);
    expect(next.stderr).toContain(`failed to lock the customer/c2c workflow: ${HELD}`);
  });

  /** By another process than the dead one: this. A dead process's lock is not waited for. */
  async function finishes(cwd: string): Promise<void> {
    expect(await look(cwd, `${SWITCH} --lock-timeout 300ms`)).toContain('Writes Switched');
    expect(await locksOf(cwd)).toEqual([]);
    await writesAreServed(cwd);
    await look(cwd, 'GetKeyspaces');
    for (const keyspace of ['commerce', 'customer']) {
      expect({ customer: storedRows(cwd, keyspace, 'customer'), corder: storedRows(cwd, keyspace, 'corder') }, keyspace).toEqual({ customer: 6, corder: 5 });
    }
  }
});

describe.concurrent('pipes', () => {
  it('a reader that goes away is no error', async () => {
    const cwd = folder('hardened');
    expect(await bash(cwd, 'st show keyspace | head -1 >/dev/null')).toMatchObject({ exit: 0, stderr: '' });
    expect(await bash(cwd, "st query \"select 'y'\" | true")).toMatchObject({ exit: 0, stderr: '' });
  });

  it('a slow reader gets all of a large answer, and one that leaves half-way is no error', async () => {
    const cwd = folder();
    await ok(cwd, 'init commerce --rows 4000');
    const rows = await bash(cwd, "st query 'select * from customer' | (sleep 0.3; tail -1)");
    expect(rows).toMatchObject({ exit: 0, stdout: '4000 rows\n', stderr: '' });
    expect(await bash(cwd, "st query 'select * from customer' | head -2 >/dev/null")).toMatchObject({ exit: 0, stderr: '' });
  });
});

describe.concurrent('the environment', () => {
  it.each([
    ['', {}, false],
    ['', { FORCE_COLOR: '1' }, true],
    ['', { FORCE_COLOR: '1', NO_COLOR: '1' }, false],
    ['--no-color', { FORCE_COLOR: '1' }, false],
    ['--color=always', { NO_COLOR: '1' }, true],
  ] as const)('colours: %s %j', async (flags, env, coloured) => {
    const { exit, stdout } = await run(folder('hardened'), `show workflow ${flags}`, env);
    expect(exit).toBe(0);
    expect(stdout.includes('\u001b[')).toBe(coloured);
  });

  it('SWITCHTRAFFIC_VITESS_VERSION makes a cluster of that version, and overrides one with a warning', async () => {
    const cwd = folder();
    const made = await run(cwd, 'init commerce', { SWITCHTRAFFIC_VITESS_VERSION: 'v22' });
    expect(made.stdout).toContain('Vitess 22.0.4');
    expect((await run(cwd, 'GetKeyspaces')).stderr).toBe('');
    const warning = 'warning: this cluster is 22.0.4; this one command runs as hardened\n';
    expect((await run(cwd, 'GetKeyspaces', { SWITCHTRAFFIC_VITESS_VERSION: 'hardened' })).stderr).toBe(warning);
    expect((await run(cwd, 'GetKeyspaces --vitess-version hardened')).stderr).toBe(warning);
    expect(await run(cwd, 'GetKeyspaces --vitess-version 3')).toMatchObject({ exit: 1, stdout: '' });
  });

  it('a pause waits for SIGUSR2 from another terminal, and ends with the command', async () => {
    const cwd = folder('hardened');
    const held = start(cwd, `${SWITCH} --fault '${STOP}:after=pause'`);
    await held.said('paused at');
    expect(await locksOf(cwd)).toHaveLength(3);
    held.child.kill('SIGUSR2');
    const { exit, stderr } = await held.ended;
    expect(stderr).toContain(`paused at ${STOP}:after; go on: switchtraffic fault release '${STOP}:after', or kill -USR2 ${held.child.pid}; give up: Ctrl-C\n`);
    expect(exit).toBe(0);

    const given = folder('hardened');
    const before = await stateOf(given);
    const ended = await run(given, `${SWITCH} --fault '${STOP}:after=pause' --action-timeout 500ms`);
    expect(ended.exit).toBe(1);
    expect(await stateOf(given)).toEqual(before);
  });

  it('SWITCHTRAFFIC_FAILPOINTS arms faults; one that never fires is said so, and changes no exit status', async () => {
    const cwd = folder('hardened');
    const failed = await run(cwd, SWITCH, { SWITCHTRAFFIC_FAILPOINTS: `${STOP}=return(ABORTED,"as told")` });
    expect(failed).toMatchObject({ exit: 1 });
    expect(failed.stderr).toContain('as told');
    const unfired = await run(cwd, 'GetKeyspaces', { SWITCHTRAFFIC_FAILPOINTS: `${STOP}=return` });
    expect(unfired).toMatchObject({ exit: 0, stderr: `fault "${STOP}=return" never fired: its place was never reached\n` });
  });
});

// A folder that may not be written is not tried: tests may run as root, to whom that means nothing.
describe.concurrent('state that cannot be used', () => {
  const topology = '.switchtraffic/topology.db';
  const shard = '.switchtraffic/shards/customer.0.db';

  it.each<[what: string, spoil: (cwd: string) => void, names: string]>([
    ['missing', (cwd) => rmSync(join(cwd, '.switchtraffic'), { recursive: true }), 'there is no cluster in'],
    ['a topology that is no database', (cwd) => writeFileSync(join(cwd, topology), 'my notes, '.repeat(500)), 'topology.db is not a state file'],
    ['an empty topology', (cwd) => truncateSync(join(cwd, topology), 0), 'topology.db is empty: what it held is gone'],
    ['an empty shard', (cwd) => truncateSync(join(cwd, shard), 0), 'customer.0.db is empty: what it held is gone'],
    ['a topology cut in half', (cwd) => halve(join(cwd, topology)), 'topology.db is damaged'],
    ['a missing shard', (cwd) => rmSync(join(cwd, shard)), 'there is no file'],
    ['a shard cut in half', (cwd) => halve(join(cwd, shard)), 'customer.0.db is damaged'],
    ['a newer topology', (cwd) => newer(join(cwd, topology)), 'topology.db has schema 99'],
    ['a newer shard', (cwd) => newer(join(cwd, shard)), 'customer.0.db has schema 99'],
  ])('%s: one clear line, nothing lost', async (_what, spoil, names) => {
    const cwd = folder('hardened');
    spoil(cwd);
    const before = digests(cwd);
    const { exit, stdout, stderr } = await run(cwd, SWITCH);
    expect(exit, stderr).toBe(1);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/^[^\n]+\nnext: [^\n]+\n$/);
    expect(stderr.split('\n')[0]).toContain(names);
    expect(digests(cwd)).toEqual(before);
  });

  it('a state folder that is a file, or below one, or cannot be', async () => {
    const cwd = folder();
    writeFileSync(join(cwd, 'file'), 'mine');
    for (const state of ['file', 'file/below', '/proc/nope/state']) {
      const { exit, stderr } = await run(cwd, `--state ${state} init commerce`);
      expect([1, 2], stderr).toContain(exit);
      expect(stderr).toMatch(/^switchtraffic: [^\n]+\n(?:next: [^\n]+\n)?$/);
    }
    expect(readFileSync(join(cwd, 'file'), 'utf8')).toBe('mine');
  });

  function halve(file: string): void {
    truncateSync(file, Math.floor(statSync(file).size / 2));
  }

  function newer(file: string): void {
    const database = new BetterSqlite3(file);
    database.pragma('user_version = 99');
    database.close();
  }

  /** Of every file but SQLite's own helpers, which come and go. */
  function digests(cwd: string): Record<string, string> {
    const files = existsSync(join(cwd, '.switchtraffic')) ? readdirSync(cwd, { recursive: true, withFileTypes: true }) : [];
    return Object.fromEntries(
      files
        .filter((file) => file.isFile() && !/-(?:wal|shm)$/.test(file.name))
        .map((file) => [file.name, createHash('sha256').update(readFileSync(join(file.parentPath, file.name))).digest('hex')]),
    );
  }
});

describe.concurrent('init where something is', () => {
  it('refuses, and --force replaces the cluster and nothing else', async () => {
    const cwd = folder('hardened');
    const mine = ['notes.txt', 'shards/notes.txt', 'shards/mine.db'].map((name) => join(cwd, '.switchtraffic', name));
    for (const file of mine) writeFileSync(file, 'mine');
    const refused = await run(cwd, 'init commerce');
    expect(refused).toMatchObject({ exit: 2, stdout: '' });
    expect(refused.stderr).toMatch(/^switchtraffic: there is a cluster in [^\n]+ already\nnext: [^\n]+--force\n$/);
    expect(await look(cwd, 'Workflow --keyspace customer list')).toContain('c2c');
    await ok(cwd, 'init commerce --force');
    expect(await look(cwd, 'Workflow --keyspace customer list')).not.toContain('c2c');
    for (const file of mine) expect(readFileSync(file, 'utf8')).toBe('mine');
  });

  it('a demo that is kept leaves a folder named shards alone', async () => {
    const cwd = folder();
    mkdirSync(join(cwd, 'shards'));
    writeFileSync(join(cwd, 'shards/mine.txt'), 'mine');
    await ok(cwd, 'demo --fast --keep .');
    expect(readFileSync(join(cwd, 'shards/mine.txt'), 'utf8')).toBe('mine');
  });
});
