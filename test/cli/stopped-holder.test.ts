import { afterAll, beforeAll, expect, it } from 'vitest';
import { fileHost } from '../../src/cli/host.ts';
import { makeShell, type ShellResult } from '../../src/cli/shell.ts';
import { realWorld, type World } from '../../src/runtime/world.ts';
import { folder, look, ok, removeAll, type Running, start } from '../helpers/process.ts';
import { words } from '../helpers/shell.ts';

/*
 * The pause test: a process is stopped (SIGSTOP) just before a guarded write, for longer than its lease lasts; another one takes its
 * locks over and does its work; the first goes on (SIGCONT) as if nothing had happened. Both are the real program on real files.
 * Nobody sits the lease out: the other runs here, where the clock since boot is ahead.
 */
const MOVE = 'MoveTables --workflow c2c --target-keyspace customer';
const LATER_MS = 15_000;

function later(): World {
  const world = realWorld(1);
  const { clock } = world;
  return { ...world, clock: { ...clock, monotonic: () => clock.monotonic() + LATER_MS } };
}

const runLater = (cwd: string, line: string): Promise<ShellResult> => makeShell(fileHost('.switchtraffic', cwd, later))(words(line));

/** Stops it where it waits, has the other run, and lets it go on. Returns how each ended. */
async function overtaken(cwd: string, held: Running, point: string, line: string): Promise<{ first: Awaited<Running['ended']>; second: ShellResult }> {
  await held.said(`paused at ${point}`);
  held.child.kill('SIGSTOP');
  const second = await runLater(cwd, line);
  // Both at once: it leaves the pause in the moment in which it goes on, before any timer of its own.
  held.child.kill('SIGUSR2');
  held.child.kill('SIGCONT');
  return { first: await held.ended, second };
}

let cluster: string;
beforeAll(async () => {
  cluster = folder();
  await ok(cluster, 'init commerce');
  await ok(cluster, `${MOVE} create --source-keyspace commerce --tables customer,corder`);
  await ok(cluster, `${MOVE} status`);
});
afterAll(removeAll);

it('before a write on the topology: it is refused, and says which lock, who has it since, and what to do', async () => {
  const cwd = copyOf(cluster);
  const held = start(cwd, `${MOVE} switchtraffic --tablet-types primary --fault 'switchTraffic/writes/checkJournals:after=pause'`);
  const { first, second } = await overtaken(cwd, held, 'switchTraffic/writes/checkJournals:after', `${MOVE} switchtraffic`);
  expect(second.exit, second.stderr).toBe(0);
  const after = await look(cwd, 'GetRoutingRules');
  expect(first.exit).toBe(1);
  const other = `held since by \\S+ pid ${process.pid}: ${MOVE} switchtraffic, nobody holds it now`;
  expect(first.stderr).toMatch(new RegExp(`lock on named customer/c2c was lost \\(its lease ran out; ${other}\\), the write was refused`));
  expect(first.stderr).toContain('state: nothing was changed');
  expect(first.stderr).toMatch(/^next: .*: switchtraffic lock show named customer\/c2c$/m);
  await stands(cwd, after);
});

it('before a write on a tablet: the same, and the tablet has what the other wrote', async () => {
  const cwd = copyOf(cluster);
  await ok(cwd, `${MOVE} switchtraffic`);
  const held = start(cwd, `${MOVE} complete --fault 'complete/validate:after=pause'`);
  const { first, second } = await overtaken(cwd, held, 'complete/validate:after', `${MOVE} complete --rename-tables`);
  expect(second.exit, second.stderr).toBe(0);
  expect(first.exit).toBe(1);
  expect(first.stderr).toMatch(new RegExp(`lock on named customer/c2c was lost \\(its lease ran out; held since by \\S+ pid ${process.pid}: ${MOVE} complete --rename-tables`));
  expect(first.stderr).toMatch(/^next: .*switchtraffic lock show named customer\/c2c$/m);
  // Of the table that the first wanted to drop, the second made another name.
  expect(await look(cwd, "query --target commerce:0 'select count(*) from _customer_old'")).toContain('5');
  expect(await look(cwd, 'lock show')).toBe('nobody holds a lock\n');
});

/** The second one's work is there, whole, and clients are served. */
async function stands(cwd: string, rules: string): Promise<void> {
  expect(await look(cwd, 'GetRoutingRules')).toBe(rules);
  expect(await look(cwd, `${MOVE} status`)).toContain('Traffic State: All Reads Switched. Writes Switched');
  expect(await look(cwd, 'lock show')).toBe('nobody holds a lock\n');
  await look(cwd, `query "insert into customer(email) values ('after@example.com')"`);
}

function copyOf(cwd: string): string {
  return folder(cwd.split('/').at(-1)!);
}
