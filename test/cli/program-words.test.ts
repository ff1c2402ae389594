import { describe, expect, it } from 'vitest';
import { movingCluster, switchLine, testCluster } from '../helpers/shell.ts';

describe('a command that is printed to be typed', () => {
  it('is about the cluster that was named with --state', async () => {
    const { stderr } = await testCluster().run("show keyspace --state 'my cluster'");
    expect(stderr).toMatch(/\nnext: switchtraffic --state 'my cluster' init commerce\n$/);
    expect((await testCluster().run('show keyspace')).stderr).toMatch(/\nnext: switchtraffic init commerce\n$/);
  });

  it('names it in each command of a recovery, and once in a command that is to be repeated', async () => {
    const stranding = await movingCluster('21.0.2');
    const failing = "--fault 'switchTraffic/writes/waitForCatchup=return'";
    const stranded = await stranding.run(switchLine(`${failing} --state .switchtraffic`));
    const commands = stranded.stderr.split('\n').filter((line) => line.startsWith('  switchtraffic '));
    expect(commands.length).toBeGreaterThan(1);
    for (const command of commands) expect(command).toMatch(/^ {2}switchtraffic --state \.switchtraffic \w/);
    const cluster = await movingCluster();
    const failed = await cluster.run(switchLine(`${failing} --state .switchtraffic`));
    expect(failed.stderr.match(/^next: .*: switchtraffic (.*)$/m)?.[1]?.split('--state')).toHaveLength(2);
  });
});
