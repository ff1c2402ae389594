import { describe, expect, it } from 'vitest';
import { DEFAULT_BUFFER } from '../../src/gate/buffer/config.ts';
import { background } from '../../src/runtime/context.ts';
import type { WorkloadSpec } from '../../src/workload/spec.ts';
import { isGood, startWorkload, type WorkloadReport } from '../../src/workload/workload.ts';
import { openCluster } from '../helpers/open-cluster.ts';
import { partialCluster, partialLine } from '../helpers/partial.ts';
import type { TestCluster } from '../helpers/shell.ts';
import { tenantCluster, tenantLine } from '../helpers/tenants.ts';

/** A workload with a switch, or another command, in the middle of it. */
async function beside(cluster: TestCluster, line: string, more: Partial<WorkloadSpec>, buffer = false): Promise<{ report: WorkloadReport; exit: number; stderr: string }> {
  const gate = { cell: 'zone1', ...(buffer ? { buffer: DEFAULT_BUFFER } : {}) };
  const running = await startWorkload(background(), openCluster(cluster.host, 'hardened'), { writers: 3, readers: 1, rate: 40, forMs: 2500, seed: 5, gate, ...more });
  await cluster.machine.clock.sleep(800);
  const { exit, stderr } = await cluster.run(line);
  return { report: await running.finished, exit, stderr };
}

const SLOW = "--fault 'switchTraffic/writes/waitForCatchup=sleep(500ms)'";
const FAILING = "--fault 'switchTraffic/writes/waitForCatchup=return'";

describe('a workload beside a switch of one shard', () => {
  it.each([
    ['switched', SLOW, 0],
    ['rolled back', FAILING, 1],
  ])('that is %s loses nothing, and the other shard is not felt', async (_, fault, exit) => {
    const cluster = await partialCluster();
    const result = await beside(cluster, partialLine('p80d', `switchtraffic ${fault}`), { tables: ['customer'] });
    expect(result.exit, result.stderr).toBe(exit);
    expect(result.report.check).toMatchObject({ lost: 0, doubled: 0, phantom: 0 });
    expect(result.report.check.rows).toBeGreaterThan(30);
    expect(result.report.refusedAtEnd).toBe(false);
    expect(isGood(result.report)).toBe(true);
    // Writes to the shard that moves were turned away, those to the other one never.
    expect(result.report.writes.refused).toBeGreaterThan(0);
    expect(result.report.errors.writes.every(({ text }) => text.startsWith('target: customer.80-.primary: '))).toBe(true);
  });

  it('through a gate that buffers is not felt at all', async () => {
    const cluster = await partialCluster();
    const result = await beside(cluster, partialLine('p80d', `switchtraffic ${SLOW}`), { tables: ['customer'] }, true);
    expect(result.exit, result.stderr).toBe(0);
    expect(result.report.writes).toMatchObject({ refused: 0, ambiguous: 0 });
    expect(result.report.buffered[0]!.statements).toBeGreaterThan(0);
    expect(isGood(result.report)).toBe(true);
  });
});

describe("a workload of a tenant beside the tenant's switch", () => {
  it.each([
    ['switched', SLOW, 0],
    ['rolled back', FAILING, 1],
  ])('that is %s loses nothing', async (_, fault, exit) => {
    const cluster = await tenantCluster();
    const result = await beside(cluster, tenantLine(1, `switchtraffic ${fault}`), { tables: ['s1.t1'], values: { tenant_id: '1' } });
    expect(result.exit, result.stderr).toBe(exit);
    expect(result.report.check).toMatchObject({ lost: 0, doubled: 0, phantom: 0 });
    expect(result.report.check.rows).toBeGreaterThan(30);
    expect(isGood(result.report)).toBe(true);
    // Every row is the tenant's, and stands where the tenant is served.
    const { db } = cluster.host.shards.open(exit === 0 ? 'mt' : 's1', '0');
    expect(Number(db.get<{ n: number }>('SELECT count(*) AS n FROM t1 WHERE tenant_id = 1')!.n)).toBeGreaterThan(30);
    expect(Number(db.get<{ n: number }>('SELECT count(*) AS n FROM t1 WHERE tenant_id IS NOT 1')!.n)).toBe(0);
  });

  it('through a gate that buffers is not felt at all', async () => {
    const cluster = await tenantCluster();
    const result = await beside(cluster, tenantLine(1, `switchtraffic ${SLOW}`), { tables: ['s1.t1'], values: { tenant_id: '1' } }, true);
    expect(result.exit, result.stderr).toBe(0);
    expect(result.report.writes).toMatchObject({ refused: 0, ambiguous: 0 });
    expect(isGood(result.report)).toBe(true);
  });

  it('is asked for on the command line', async () => {
    const cluster = await tenantCluster();
    const stdout = await cluster.ok('workload --for 1s --seed 2 --table s1.t1 --value tenant_id=1');
    expect(stdout).toMatch(/check: \d+ rows looked for: 0 lost, 0 doubled, 0 there although refused/);
    for (const [flags, text] of [
      ['--table s1.t1 --value tenant_id', 'switchtraffic: bad value "tenant_id": it is a column and what it holds, as in tenant_id=1'],
      ['--table s1.t1 --value nope=1', 'a workload cannot write to table s1.t1: it has no column nope'],
      ['--table s1.t1 --value id=1', 'a workload cannot write to table s1.t1: its column id is different in every row'],
      ['--table nope.t1', 'nope'],
    ] as const) {
      const { exit, stderr } = await cluster.run(`workload --for 1s ${flags}`);
      expect(exit, flags).not.toBe(0);
      expect(stderr.split('\n')[0], flags).toContain(text);
    }
  });
});
