import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { folder, look, ok, removeAll, root, type Running, start } from '../helpers/process.ts';

/*
 * What a signal does to a command of `hardened`, by what the command is at. Real processes: each is held at a `pause`.
 */
const MT = 'MoveTables --workflow c2c --target-keyspace customer';
const SWITCH = `${MT} switchtraffic`;
const BEFORE = 'switchTraffic/writes/waitForCatchup:after';
const AFTER = 'switchTraffic/writes/createJournals:after';
const SIGNALS = [
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const;

beforeAll(async () => {
  const cwd = join(root, 'moving');
  mkdirSync(cwd, { recursive: true });
  await ok(cwd, 'init commerce');
  await ok(cwd, `${MT} create --source-keyspace commerce --tables customer,corder`);
  await ok(cwd, `${MT} status`);
});
afterAll(removeAll);

async function pausedAt(cwd: string, line: string, point: string): Promise<Running> {
  const running = start(cwd, `${line} --fault '${point}=pause'`);
  await running.said('paused at');
  return running;
}

const locksOf = async (cwd: string): Promise<{ holder?: { pid: number }; waiters: unknown[] }[]> =>
  (JSON.parse(await look(cwd, 'show locks --format json')) as { locks: { holder?: { pid: number }; waiters: unknown[] }[] }).locks;
const intentsOf = async (cwd: string): Promise<{ step: string; journaled: boolean; alive: string }[]> =>
  (JSON.parse(await look(cwd, 'show workflow --format json')) as { intents: { step: string; journaled: boolean; alive: string }[] }).intents;
const insert = (cwd: string): Promise<string> => look(cwd, "query \"insert into customer(email) values ('served@example.com')\"");

describe.concurrent.each(SIGNALS)('%s', (name, exit) => {
  it('before the journal: rolls back, and says so', async () => {
    const cwd = folder('moving');
    const before = await look(cwd, `${MT} status`);
    const running = await pausedAt(cwd, SWITCH, BEFORE);
    running.child.kill(name);
    const ended = await running.ended;
    expect([ended.exit, ended.signal, ended.stdout], ended.stderr).toEqual([exit, null, '']);
    expect(ended.stderr).toContain(`${name}: stopping; once more leaves at once`);
    expect(ended.stderr).toContain('state: rolled back; everything is as it was before the command');
    expect([await locksOf(cwd), await intentsOf(cwd)]).toEqual([[], []]);
    expect(await look(cwd, `${MT} status`)).toBe(before);
    await insert(cwd);
  });

  it('past the journal: completes, and says so', async () => {
    const cwd = folder('moving');
    const running = await pausedAt(cwd, SWITCH, AFTER);
    running.child.kill(name);
    const ended = await running.ended;
    expect([ended.exit, ended.signal], ended.stderr).toEqual([exit, null]);
    expect(ended.stdout).toContain('Current State: All Reads Switched. Writes Switched');
    expect(ended.stderr).toContain('state: it was past the point of no return when it was told to stop, and is completed');
    expect([await locksOf(cwd), await intentsOf(cwd)]).toEqual([[], []]);
    await insert(cwd);
  });
});

describe.concurrent('SIGINT', () => {
  it('twice leaves at once, with its intent written', async () => {
    const cwd = folder('moving');
    const running = await pausedAt(cwd, `${SWITCH} --fault 'switchTraffic/rollback/revertDeniedTables=sleep(20s)'`, BEFORE);
    running.child.kill('SIGINT');
    await running.said('stopping');
    running.child.kill('SIGINT');
    expect((await running.ended).exit).toBe(130);
    const [intent] = await intentsOf(cwd);
    expect(intent).toMatchObject({ step: expect.stringContaining('switchTraffic/') as string, journaled: false, alive: 'dead' });
    expect(await look(cwd, `${SWITCH} --lock-timeout 1s`)).toContain('Writes Switched');
    await insert(cwd);
  });

  it('takes a create back, and says so', async () => {
    const cwd = folder('moving');
    await look(cwd, `${MT} cancel`);
    const before = await look(cwd, 'show keyspace --format json');
    const running = await pausedAt(cwd, `${MT} create --source-keyspace commerce --tables customer,corder`, 'create/createStreams:after');
    running.child.kill('SIGINT');
    const { exit, stderr } = await running.ended;
    expect([exit, stderr]).toEqual([130, expect.stringContaining('warning: what MoveTables create c2c had made is taken back: everything is as it was before it')]);
    expect(await look(cwd, 'show keyspace --format json')).toBe(before);
  });

  it('leaves a cancel half done, and says how it is finished', async () => {
    const cwd = folder('moving');
    const running = await pausedAt(cwd, `${MT} cancel --keep-data`, 'cancel/dropTargetDeniedTables:before');
    running.child.kill('SIGINT');
    const { exit, stderr } = await running.ended;
    expect([exit, stderr]).toEqual([130, expect.stringContaining(`which does the rest: switchtraffic ${MT} cancel --keep-data`)]);
    expect((await intentsOf(cwd)).map(({ alive }) => alive)).toEqual(['dead']);
    await look(cwd, `${MT} cancel --keep-data`);
    expect(await intentsOf(cwd)).toEqual([]);
  });
});

describe.concurrent('SIGTERM', () => {
  it('leaves the queue of a lock', async () => {
    const cwd = folder('moving');
    const holder = await pausedAt(cwd, SWITCH, BEFORE);
    const waiter = start(cwd, SWITCH);
    const waits = async (): Promise<boolean> => (await locksOf(cwd)).some(({ waiters }) => waiters.length > 0);
    for (let looks = 0; looks < 400 && !(await waits()); looks++) await new Promise((resolve) => setTimeout(resolve, 20));
    waiter.child.kill('SIGTERM');
    const ended = await waiter.ended;
    expect([ended.exit, ended.stderr]).toEqual([143, expect.stringContaining('failed to lock the customer/c2c workflow: interrupted: ')]);
    const locks = await locksOf(cwd);
    expect(locks.map(({ holder: by, waiters }) => [by?.pid, waiters])).toEqual(locks.map(() => [holder.child.pid, []]));
    holder.child.kill('SIGUSR2');
    expect((await holder.ended).exit).toBe(0);
  });
});
