import type { ShellResult } from '../../src/cli/shell.ts';
import type { TestCluster } from './shell.ts';

/** Runs a command that waits at a step, something else meanwhile, and then the rest of the command. */
export async function during(cluster: TestCluster, line: string, step: string, act: () => Promise<unknown>): Promise<ShellResult> {
  const running = cluster.run(`${line} --fault '${step}=sleep(5s)'`);
  await cluster.machine.clock.sleep(1000);
  await act();
  return running;
}
