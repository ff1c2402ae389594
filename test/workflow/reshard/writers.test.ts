import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findRelease } from '../../../src/lib/releases.ts';
import { background } from '../../../src/runtime/context.ts';
import { FULL_PATH } from '../../../src/workflow/switch/path.ts';
import { planSteps } from '../../../src/workflow/switch/plan.ts';
import { DEFAULT_BUFFER } from '../../../src/gate/buffer/config.ts';
import { isGood, startWorkload } from '../../../src/workload/workload.ts';
import { openCluster } from '../../helpers/open-cluster.ts';
import { allRows, misplacedRows, reshardingCluster, reshardLine, RESHARDS, type ReshardShape } from '../../helpers/reshard.ts';
import { WHOLE } from '../../helpers/sample.ts';

const STEPS = planSteps({ ...FULL_PATH, kind: 'shards' }, findRelease('hardened').behaviours).map((step) => `${step.name}#${step.occurrence}`);
const SHAPES = Object.keys(RESHARDS) as ReshardShape[];
const TABLES = ['customer', 'corder'];

/** A command of the Reshard, and where it fails: nowhere, or at some edge of some step, with an error or as if killed. */
const action = fc.record({
  verb: fc.constantFrom('switchtraffic', 'switchtraffic', 'reversetraffic'),
  types: fc.constantFrom('primary,replica,rdonly', 'replica,rdonly', 'primary'),
  fault: fc.option(fc.record({ step: fc.constantFrom(...STEPS), edge: fc.constantFrom('before', 'after'), how: fc.constantFrom('return', 'panic', 'lease(expire)') }), { nil: undefined }),
});

describe('a Reshard beside writers', () => {
  it('never loses or doubles an acknowledged row, nor puts one on the wrong shard, whatever is tried and fails', async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...SHAPES), fc.array(action, { minLength: 1, maxLength: 4 }), fc.integer({ min: 1, max: 1000 }), async (shape, actions, seed) => {
        const cluster = await reshardingCluster(shape, { rows: 6 });
        const spec = { writers: 3, readers: 1, rate: 30, forMs: 6000, seed, tables: TABLES, gate: { cell: 'zone1' } };
        const running = await startWorkload(background(), openCluster(cluster.host, 'hardened'), spec);
        await cluster.machine.clock.sleep(300);
        for (const { verb, types, fault } of actions) {
          const flags = fault === undefined ? '' : ` --fault '${fault.step.replace('#', `:${fault.edge}#`)}=1*${fault.how}'`;
          await cluster.run(reshardLine(`${verb} --tablet-types ${types} --timeout 2s${flags}`));
          await cluster.machine.clock.sleep(200);
        }
        // Whatever was left half-way, the next command settles it, or says that only the other direction does.
        const { stderr: said } = await cluster.run(reshardLine('switchtraffic'));
        if (said.includes('ReverseTraffic cust2cust was interrupted')) await cluster.ok(reshardLine('reversetraffic'));
        const report = await running.finished;
        expect(report.check).toMatchObject({ lost: 0, doubled: 0, phantom: 0 });
        expect(isGood(report)).toBe(true);
        const status = await cluster.ok(reshardLine('status'));
        const serving = status.includes('. Writes Switched') ? RESHARDS[shape].to : RESHARDS[shape].from;
        for (const table of TABLES) {
          expect(misplacedRows(cluster, table, serving)).toEqual([]);
          const rows = allRows(cluster, table, serving);
          expect(new Set(rows).size).toBe(rows.length);
        }
      }),
      { numRuns: WHOLE ? 200 : 5 },
    );
  }, 300_000);

  it('behind a gate that buffers is not felt', async () => {
    const cluster = await reshardingCluster('1 to 2', { rows: 6 });
    const spec = { writers: 3, readers: 1, rate: 40, forMs: 4000, seed: 7, tables: TABLES, gate: { cell: 'zone1', buffer: DEFAULT_BUFFER } };
    const running = await startWorkload(background(), openCluster(cluster.host, 'hardened'), spec);
    await cluster.machine.clock.sleep(1000);
    const { exit, stderr } = await cluster.run(reshardLine("switchtraffic --fault 'switchTraffic/writes/waitForCatchup=sleep(1s)'"));
    expect(exit, stderr).toBe(0);
    const report = await running.finished;
    expect(report.writes).toMatchObject({ refused: 0, ambiguous: 0 });
    expect(isGood(report)).toBe(true);
  });
});
