import { describe, expect, it } from 'vitest';
import { fingerprint } from '../../helpers/fingerprint.ts';
import { movingCluster, switchLine, type TestCluster } from '../../helpers/shell.ts';

const CATCH_UP = 'switchTraffic/writes/waitForCatchup';

interface Kept {
  set: { name: string; text: string; evaluated: number; fired: number }[];
  waiting: { point: string; process: string }[];
  points: { name: string; armed: string[] }[];
}

async function list(cluster: TestCluster): Promise<Kept> {
  return JSON.parse(await cluster.ok('fault list --format json')) as Kept;
}

async function counts(cluster: TestCluster): Promise<[string, number, number][]> {
  return (await list(cluster)).set.map(({ text, evaluated, fired }) => [text, evaluated, fired]);
}

describe('faults that are set', () => {
  it('strike every command until they are cleared, and count over all of them', async () => {
    const cluster = await movingCluster();
    expect(await cluster.ok(`fault set '${CATCH_UP}=1*off->2*error(INTERNAL,no)'`)).toBe(`set ${CATCH_UP}=1*off->2*return(INTERNAL,"no")\n`);
    const text = `${CATCH_UP}=1*off->2*return(INTERNAL,"no")`;
    expect(await counts(cluster)).toEqual([[text, 0, 0]]);
    await cluster.ok(switchLine('--tablet-types replica'));
    expect(await counts(cluster)).toEqual([[text, 0, 0]]);
    // Off is a turn of it too, and is used up over commands as the rest is.
    await cluster.ok(switchLine());
    expect(await counts(cluster)).toEqual([[text, 1, 0]]);
    const back = 'MoveTables --workflow c2c --target-keyspace customer reversetraffic';
    for (const fired of [1, 2]) {
      const { exit, stderr } = await cluster.run(back);
      expect([exit, stderr]).toEqual([1, expect.stringContaining('desc = no')]);
      expect(stderr).toContain(`fault "${text}", which is set for this cluster, fired; to take it away: switchtraffic fault clear\n`);
      expect(await counts(cluster)).toEqual([[text, 1 + fired, fired]]);
    }
    await cluster.ok(back);
    expect(await counts(cluster)).toEqual([[text, 4, 2]]);
    expect(await cluster.ok('fault clear')).toBe(`cleared ${text}, which fired 2 times\n`);
    expect(await counts(cluster)).toEqual([]);
  });

  it('that kill are counted, and do not kill again', async () => {
    const cluster = await movingCluster();
    await cluster.ok(`fault set 'switchTraffic/writes/createJournals:after=1*panic'`);
    expect((await cluster.run(switchLine())).exit).toBe(137);
    await cluster.ok(switchLine());
    expect(await counts(cluster)).toEqual([['switchTraffic/writes/createJournals:after=1*panic', 2, 1]]);
  });

  it('have names: setting one again replaces it, clearing one leaves the others', async () => {
    const cluster = await movingCluster();
    await cluster.ok(`fault set '${CATCH_UP}:before=return' 'tablet/refreshState@zone1-0000000100=sleep(1s)' '${CATCH_UP}:after@customer=off'`);
    await cluster.ok(`fault set '${CATCH_UP}=print(x)'`);
    expect((await list(cluster)).set.map(({ name, text }) => [name, text])).toEqual([
      ['tablet/refreshState@zone1-0000000100', 'tablet/refreshState@zone1-0000000100=sleep(1s)'],
      [`${CATCH_UP}:after@customer`, `${CATCH_UP}:after@customer=off`],
      [CATCH_UP, `${CATCH_UP}=print("x")`],
    ]);
    await cluster.ok(`fault clear ${CATCH_UP}:before`);
    expect((await list(cluster)).set).toHaveLength(2);
    const { exit, stderr } = await cluster.run(`fault clear ${CATCH_UP}`);
    expect([exit, stderr]).toEqual([1, `switchtraffic: no fault is set at ${CATCH_UP}; there are: tablet/refreshState@zone1-0000000100, ${CATCH_UP}:after@customer\nnext: switchtraffic fault list\n`]);
  });

  it('are shown with their counts, and where they strike', async () => {
    const cluster = await movingCluster();
    await cluster.ok(`fault set '${CATCH_UP}=return'`);
    await cluster.run(switchLine());
    expect(await cluster.ok('fault list')).toMatch(/SET +REACHED +FIRED\n.*waitForCatchup=return\(UNAVAILABLE\) +1 +1\n/);
    expect((await list(cluster)).points.filter(({ armed }) => armed.length > 0).map(({ name }) => name)).toEqual([CATCH_UP]);
  });

  it('leave no trace when cleared', async () => {
    const cluster = await movingCluster();
    const before = fingerprint(cluster.host);
    await cluster.ok(`fault set '${CATCH_UP}=return'`);
    expect(fingerprint(cluster.host)).not.toEqual(before);
    await cluster.ok('fault clear');
    expect(fingerprint(cluster.host)).toEqual(before);
  });

  it.each([
    ['nonsense=return', 'there is no step "nonsense"'],
    [`${CATCH_UP}@nowhere=return`, 'there is no keyspace or shard "nowhere"'],
    ['tablet/refreshState@zone1-1=return', 'there is no tablet "zone1-1"'],
    [`${CATCH_UP}=explode`, 'unknown action "explode"'],
    [`${CATCH_UP}=return;${CATCH_UP}:before=off`, `${CATCH_UP} is given twice`],
  ])('%s is refused, and nothing set', async (text, why) => {
    const cluster = await movingCluster();
    const { exit, stderr } = await cluster.run(`fault set '${text}'`);
    expect([exit, stderr]).toEqual([2, expect.stringContaining(why)]);
    expect(await counts(cluster)).toEqual([]);
  });

  it('of another version are passed over with a warning', async () => {
    const cluster = await movingCluster();
    await cluster.ok("fault set 'switchTraffic/rollback/relock=return'");
    const { exit, stderr } = await cluster.run(switchLine('--vitess-version 22'));
    expect([exit, stderr]).toEqual([0, expect.stringContaining('has no place in 22.0.')]);
    expect(stderr).not.toContain('never fired');
  });

  it('at calls of the topology server do not keep from clearing them', async () => {
    const cluster = await movingCluster();
    await cluster.ok("fault set 'topo/*=return' 'topo/*:after=return'");
    expect((await cluster.run(switchLine())).exit).toBe(1);
    await cluster.ok('fault clear');
    await cluster.ok(switchLine());
  });

  it('are not looked for at every step: a cluster without any is read no more than before', async () => {
    const cluster = await movingCluster();
    const reads = new Map<string, number>();
    const nodes = cluster.host.store.cell('global');
    const { get } = nodes;
    nodes.get = (path) => {
      reads.set(path, (reads.get(path) ?? 0) + 1);
      return get.call(nodes, path);
    };
    await cluster.ok(switchLine());
    expect(reads.get('switchtraffic/faults')).toBe(1);
  });
});

describe('a paused command', () => {
  /** Runs a switch that pauses, and what happens meanwhile. */
  async function paused(cluster: TestCluster, line: string, meanwhile: () => Promise<void>): Promise<{ exit: number; stderr: string }> {
    cluster.machine.pauses.expected = true;
    const running = cluster.run(line);
    for (let turn = 0; turn < 2000 && cluster.machine.pauses.waiting.length === 0; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(cluster.machine.pauses.waiting).not.toEqual([]);
    await meanwhile();
    return running;
  }

  it('is listed, released by name, and has by then what was set meanwhile', async () => {
    const cluster = await movingCluster();
    const { exit, stderr } = await paused(cluster, switchLine(`--fault '${CATCH_UP}=pause'`), async () => {
      expect((await list(cluster)).waiting.map(({ point }) => point)).toEqual([`${CATCH_UP}:before`]);
      await cluster.ok("fault set 'switchTraffic/writes/createJournals=return(INTERNAL,later)'");
      expect((await cluster.run('fault release switchTraffic/writes/stopStreams')).stderr).toContain(`nothing waits at switchTraffic/writes/stopStreams; paused: ${CATCH_UP}:before`);
      expect(await cluster.ok(`fault release ${CATCH_UP}`)).toBe(`released ${CATCH_UP}:before\n`);
    });
    expect([exit, stderr]).toEqual([1, expect.stringContaining('later')]);
  });

  it.each(['clear', `clear ${CATCH_UP}`, `set '${CATCH_UP}=off'`])('goes on after fault %s', async (how) => {
    const cluster = await movingCluster();
    await cluster.ok(`fault set '${CATCH_UP}=pause'`);
    const { exit } = await paused(cluster, switchLine(), async () => void (await cluster.ok(`fault ${how}`)));
    expect(exit).toBe(0);
  });

  it('is needed to release one', async () => {
    const { exit, stderr } = await (await movingCluster()).run("fault release '**'");
    expect([exit, stderr]).toEqual([1, 'switchtraffic: nothing waits at **; no command is paused\nnext: switchtraffic fault list\n']);
  });
});
