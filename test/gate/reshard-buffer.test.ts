import { describe, expect, it } from 'vitest';
import { DEFAULT_BUFFER } from '../../src/gate/buffer/config.ts';
import { Gate } from '../../src/gate/gate.ts';
import { background } from '../../src/runtime/context.ts';
import { openCluster } from '../helpers/open-cluster.ts';
import { allRows, misplacedRows, reshardingCluster, reshardLine, RESHARDS } from '../helpers/reshard.ts';

const INSERT = "insert into customer values (1001, 'late@example.com')";
const { from, to } = RESHARDS['1 to 2'];
const switchSlowly = reshardLine("switchtraffic --fault 'switchTraffic/writes/waitForCatchup=sleep(5s)'");

describe.each(['hardened', '24.0.0-SNAPSHOT'])('a Reshard on %s', (version) => {
  it('lets go of held statements when it has switched, and they go to the new shards at once', async () => {
    const cluster = await reshardingCluster('1 to 2', { version });
    const gate = new Gate(openCluster(cluster.host, version), { cell: 'zone1', buffer: DEFAULT_BUFFER });
    const { clock } = cluster.machine;
    const switched = cluster.run(switchSlowly);
    await clock.sleep(1000);
    const start = clock.now();
    expect(await gate.run(background(), { sql: INSERT })).toMatchObject({ rowsAffected: 1 });
    expect(clock.now() - start).toBeLessThan(4500);
    expect(await switched).toMatchObject({ exit: 0 });
    await gate.close();
    expect(allRows(cluster, 'customer', to).filter((row) => row.includes('late@'))).toHaveLength(1);
    expect(misplacedRows(cluster, 'customer', to)).toEqual([]);
  });

  it('leaves no primary behind that takes what nobody would read', async () => {
    const cluster = await reshardingCluster('1 to 2', { version });
    await cluster.ok(reshardLine('switchtraffic'));
    const late = await cluster.run(`query --target customer:${from[0]} "${INSERT}"`);
    expect(late.stderr).toContain('operation not allowed in state NOT_SERVING');
    await cluster.ok(reshardLine('reversetraffic'));
    await cluster.ok(`query --target customer:${from[0]} "${INSERT}"`);
  });
});

describe('a primary whose writes a Reshard moved away, on hardened', () => {
  const NOT_SERVING = 'operation not allowed in state NOT_SERVING';
  const late = `query --target customer:${from[0]} "${INSERT}"`;

  it.each(['RefreshStateByShard customer/0', 'tablet stop zone1-100 && tablet start zone1-100', 'PlannedReparentShard customer/0'])(
    'stays off after %s',
    async (lines) => {
      const cluster = await reshardingCluster('1 to 2');
      await cluster.ok(reshardLine('switchtraffic'));
      for (const line of lines.split(' && ')) await cluster.ok(line);
      expect((await cluster.run(late)).stderr).toContain(NOT_SERVING);
      await cluster.ok(reshardLine('reversetraffic'));
      await cluster.ok(late);
    },
  );
});
