import { describe, expect, it } from 'vitest';
import type { BufferConfig } from '../../src/gate/buffer/config.ts';
import { DEFAULT_BUFFER } from '../../src/gate/buffer/config.ts';
import { background } from '../../src/runtime/context.ts';
import { parseRate, type WorkloadSpec } from '../../src/workload/spec.ts';
import { isGood, type RunningWorkload, startWorkload } from '../../src/workload/workload.ts';
import { openCluster } from '../helpers/open-cluster.ts';
import { movingCluster, switchLine, type TestCluster } from '../helpers/shell.ts';

const slowSwitch = switchLine("--fault 'switchTraffic/writes/waitForCatchup=sleep(2s)'");
const failingSwitch = switchLine("--fault 'switchTraffic/writes/waitForCatchup=return'");
const DENIED = 'target: commerce.0.primary: vttablet: rpc error: code = FailedPrecondition desc = disallowed due to rule: enforce denied tables (CallerID: user)';

function start(cluster: TestCluster, more: Partial<WorkloadSpec> = {}, release = 'hardened', buffer?: BufferConfig): Promise<RunningWorkload> {
  const gate = { cell: 'zone1', ...(buffer === undefined ? {} : { buffer }) };
  const spec: WorkloadSpec = { writers: 4, readers: 2, rate: 40, forMs: 4000, seed: 7, gate, ...more };
  return startWorkload(background(), openCluster(cluster.host, release), spec);
}

describe('a workload beside a switch', () => {
  it('that succeeds: refused meanwhile, nothing lost, and the switch says what was felt', async () => {
    const cluster = await movingCluster();
    const running = await start(cluster);
    await cluster.machine.clock.sleep(1000);
    const switched = await cluster.run(slowSwitch);
    const report = await running.finished;
    expect(switched.exit, switched.stderr).toBe(0);
    const refused = report.writes.refused + report.reads.refused;
    expect(switched.stderr).toBe(`writes to corder, customer were refused for 2.2s; tablets refused ${refused} statements\n`);
    expect(report.writes.refused).toBeGreaterThan(50);
    expect(report.writes.longestGapMs).toBeGreaterThanOrEqual(2200);
    expect(report.errors.writes).toEqual([expect.objectContaining({ text: DENIED, outcome: 'refused', count: report.writes.refused })]);
    expect(report.refusedAtEnd).toBe(false);
    expect(report.reads.replica).toBeGreaterThan(0);
    expect(report.check).toMatchObject({ lost: 0, doubled: 0, phantom: 0, fromReplicas: [], unread: [] });
    expect(report.check.rows).toBeGreaterThan(50);
    expect(isGood(report)).toBe(true);
    expect(await cluster.ok('show history 1')).toContain('were refused for 2.2s');
  });

  it('that fails and is rolled back: writes go on at the source', async () => {
    const cluster = await movingCluster();
    const running = await start(cluster, { forMs: 2500 });
    await cluster.machine.clock.sleep(1000);
    expect((await cluster.run(failingSwitch)).exit).toBe(1);
    const report = await running.finished;
    expect(report.writes.refused).toBeGreaterThan(0);
    expect(report.refusedAtEnd).toBe(false);
    expect(isGood(report)).toBe(true);
  });

  it('that strands the tables on 21.0.2: refused to the end, and said so', async () => {
    const cluster = await movingCluster('21.0.2');
    const workload = cluster.run('workload --for 3s --seed 3');
    await cluster.machine.clock.sleep(1000);
    const failed = await cluster.run(failingSwitch);
    const { exit, stdout } = await workload;
    expect(failed.stderr).toMatch(/writes to corder, customer have been refused for 200ms and still are; tablets refused \d+ statements/);
    expect(stdout).toMatch(/writes are still refused: none has been acknowledged for \d/);
    expect(stdout).toContain('corder was read from replicas: its primary refuses reads');
    expect(stdout).toMatch(/check: \d+ rows looked for: 0 lost, 0 doubled, 0 there although refused/);
    expect(exit).toBe(0);
  });

  it('with a gate that buffers: every statement is acknowledged', async () => {
    const cluster = await movingCluster();
    const running = await start(cluster, {}, 'hardened', DEFAULT_BUFFER);
    await cluster.machine.clock.sleep(1000);
    const switched = await cluster.run(slowSwitch);
    const report = await running.finished;
    expect(report.writes).toMatchObject({ refused: 0, ambiguous: 0 });
    expect(report.reads).toMatchObject({ refused: 0, ambiguous: 0 });
    expect(report.buffered).toHaveLength(1);
    const [window] = report.buffered;
    expect(switched.stderr).toContain(`\nbuffered for ${(window!.to! - window!.from) / 1000}s, ${window!.statements} statements\n`);
    expect(window!.statements).toBeGreaterThanOrEqual(4);
    expect(isGood(report)).toBe(true);
    // Nothing of it stays once the gate has gone.
    expect([...cluster.host.store.cell('global').keys()].filter((path) => path.startsWith('switchtraffic/gates'))).toEqual([]);
  });

  it('with a buffer that is too small: the one that has waited longest is told', async () => {
    const cluster = await movingCluster();
    const running = await start(cluster, { readers: 0 }, 'hardened', { ...DEFAULT_BUFFER, size: 2 });
    await cluster.machine.clock.sleep(1000);
    await cluster.run(slowSwitch);
    const report = await running.finished;
    const first = `failed to automatically buffer and retry failed request during failover. original err`;
    const original = `${first} (type=*vterrors.fundamental): ${DENIED.replace('target: commerce.0.primary: ', '')}: buffer full: request evicted for newer request`;
    expect(report.errors.writes.map(({ text }) => text)).toContain(`target: commerce.0.primary: ${original}`);
    expect(report.errors.writes.map(({ text }) => text)).toContain(
      `target: commerce.0.primary: ${first} (type=<nil>): <nil>: buffer full: request evicted for newer request`,
    );
    expect(isGood(report)).toBe(true);
  });
});

describe('a workload', () => {
  it('is the same for the same seed', async () => {
    const once = async (seed: number): Promise<string> => {
      const cluster = await movingCluster();
      const running = await start(cluster, { forMs: 1500, seed });
      await cluster.machine.clock.sleep(500);
      await cluster.run(switchLine());
      return JSON.stringify(await running.finished);
    };
    const [a, b, other] = [await once(11), await once(11), await once(12)];
    expect(a).toBe(b);
    expect(other).not.toBe(a);
  });

  it('finds rows that were lost', async () => {
    const cluster = await movingCluster();
    const running = await start(cluster, { forMs: 1000, readers: 0, tables: ['customer'] });
    await cluster.machine.clock.sleep(900);
    await cluster.ok("query 'delete from customer where customer_id > 1000'");
    const report = await running.stop();
    expect(report.check.lost).toBeGreaterThan(5);
    expect(report.check.findings[0]).toMatchObject({ flaw: 'lost', table: 'customer', found: [] });
    expect(isGood(report)).toBe(false);
  });

  it('finds an update that was done twice', async () => {
    const cluster = await movingCluster();
    const running = await start(cluster, { forMs: 1000, readers: 0, tables: ['corder'] });
    await cluster.machine.clock.sleep(950);
    await cluster.ok("query 'update corder set price = price + 1 where order_id > 1000'");
    expect((await running.finished).check.doubled).toBeGreaterThan(5);
  });

  it('refuses what makes no sense', async () => {
    const cluster = await movingCluster();
    const bad: [string, string][] = [
      ['--writers 0 --readers 0', 'a workload needs a writer or a reader'],
      ['--writers -1', '--writers must be a number from 0 to 1000'],
      ['--rate 50', 'bad rate "50": it is a number of statements per second, minute or hour'],
      ['--rate 0/s', 'a rate must be above 0'],
      ['--for 0s', '--for 0s leaves no time'],
      ['--table product', 'a workload cannot write to table product: its primary key is not one INT or BIGINT column'],
      ['--buffer-size 3', '--buffer-size does nothing without --enable-buffer'],
      ['--enable-buffer --buffer-window 500ms', '--buffer-window must be >= 1s (specified value: 500ms)'],
      ['--enable-buffer --buffer-window 30s', '--buffer-window must be <= --buffer-max-failover-duration: 30s vs. 20s'],
      ['--enable-buffer --buffer-min-time-between-failovers 0', '--buffer-min-time-between-failovers must be >= 1s (specified value: 0s)'],
    ];
    for (const [flags, text] of bad) {
      const { exit, stderr } = await cluster.run(`workload ${flags.includes('--for') ? '' : '--for 1s'} ${flags}`);
      expect([exit, stderr.includes(text)], `${flags}\n${stderr}`).toEqual([2, true]);
    }
    expect((await cluster.run('workload --for 1s --table nope')).stderr).toContain('table nope not found');
    expect((await cluster.run('workload')).stderr).toContain('needs --for');
  });

  it('reads rates', () => {
    expect([parseRate('50/s'), parseRate('3000/m'), parseRate('0.5/s'), parseRate('36/h')]).toEqual([50, 50, 0.5, 0.01]);
  });
});
