import { expect, it } from 'vitest';
import { movingCluster, switchLine } from '../helpers/shell.ts';

/* Several commands wait for one that is at work, and that one does not come to its end. */

it.each([
  ['before its journal', 'switchTraffic/writes/waitForCatchup'],
  ['past its journal', 'switchTraffic/writes/startReverseVReplication'],
])('of those who wait for a switch that breaks off %s, each gets its turn', async (_when, step) => {
  const cluster = await movingCluster();
  const line = switchLine();
  const first = cluster.run(`${line} --fault '${step}:before=sleep(3s)' --fault '${step}:after=exit(9)'`);
  await cluster.machine.clock.sleep(1000);
  const results = await Promise.all([first, cluster.run(line), cluster.run(line), cluster.run(line)]);
  expect(results.map(({ exit }) => exit), results.map(({ stderr }) => stderr).join('\n')).toEqual([9, 0, 0, 0]);
  expect(cluster.host.store.tickets).toEqual([]);
  await cluster.ok('doctor');
});

it('of those who wait for a cancel that breaks off, each is told how it is finished', async () => {
  const cluster = await movingCluster();
  const step = 'cancel/dropTargetDeniedTables';
  const first = cluster.run(`${switchLine().replace('switchtraffic', 'cancel')} --fault '${step}:before=sleep(3s)' --fault '${step}:after=exit(9)'`);
  await cluster.machine.clock.sleep(1000);
  const results = await Promise.all([first, cluster.run(switchLine()), cluster.run(switchLine())]);
  expect(results.map(({ exit }) => exit)).toEqual([9, 1, 1]);
  for (const { stderr } of results.slice(1)) expect(stderr).toContain('was interrupted, and what it had begun is not finished');
});
