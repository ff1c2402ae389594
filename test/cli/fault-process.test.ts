import { afterAll, describe, expect, it } from 'vitest';
import { folder, look, ok, removeAll, run, start } from '../helpers/process.ts';

/*
 * Faults that are set for a cluster, seen by processes that know nothing of each other but its files.
 */
const SWITCH = 'MoveTables --workflow c2c --target-keyspace customer switchtraffic';

afterAll(removeAll);

async function moving(): Promise<string> {
  const cwd = folder();
  await ok(cwd, 'init commerce');
  await ok(cwd, 'MoveTables --workflow c2c --target-keyspace customer create --source-keyspace commerce --tables customer,corder');
  return cwd;
}

interface Kept {
  set: { evaluated: number; fired: number }[];
  waiting: { point: string; process: string }[];
}

const list = async (cwd: string): Promise<Kept> => JSON.parse(await look(cwd, 'fault list --format json')) as Kept;

describe.concurrent('in a terminal of its own', () => {
  it('a fault kills one process and not the next, inside of a transaction too', async () => {
    const cwd = await moving();
    await ok(cwd, "fault set 'switchTraffic/writes/changeRouting:commit=1*panic'");
    const killed = await run(cwd, SWITCH);
    expect(killed.signal ?? killed.exit).toBe('SIGKILL');
    expect((await list(cwd)).set).toMatchObject([{ evaluated: 1, fired: 1 }]);
    await ok(cwd, SWITCH);
    expect((await list(cwd)).set[0]!.fired).toBe(1);
  });

  it('a paused command is seen, and let go on', async () => {
    const cwd = await moving();
    await ok(cwd, "fault set '**/createJournals=pause'");
    const running = start(cwd, SWITCH);
    let waiting: Kept['waiting'] = [];
    for (let tries = 0; tries < 400 && waiting.length === 0; tries++) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      ({ waiting } = await list(cwd));
    }
    expect(waiting).toEqual([{ point: 'switchTraffic/writes/createJournals:before', since: expect.any(Number) as number, process: expect.stringMatching(/pid \d+$/) as string }]);
    const released = await ok(cwd, 'fault release **/createJournals');
    expect(released.stdout).toMatch(/^released switchTraffic\/writes\/createJournals:before \(.* pid \d+\)\n$/);
    const ended = await running.ended;
    expect([ended.exit, ended.stderr]).toEqual([0, expect.stringContaining("go on: switchtraffic fault release 'switchTraffic/writes/createJournals:before', or kill -USR2")]);
    expect((await list(cwd)).waiting).toEqual([]);
  });
});
