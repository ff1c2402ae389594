import { parseDuration } from '../../../src/lib/duration.ts';
import { forked, type TestCluster, testCluster } from '../../helpers/shell.ts';
import type { Act, Ground } from './types.ts';

/** A cluster of this kind on a release, of its own. */
export function makeGround({ name, init, lines }: Ground, release: string): Promise<TestCluster> {
  return forked(`strand ${name} ${release}`, async () => {
    const cluster = testCluster();
    await cluster.ok(`${init} --vitess-version ${release}`);
    for (const line of lines) await cluster.ok(line);
    return cluster;
  });
}

/** Has things happen, one after another. Throws if one ends otherwise than it was to. */
export async function perform(cluster: TestCluster, acts: readonly Act[]): Promise<void> {
  for (const act of acts) await performOne(cluster, act);
}

async function performOne(cluster: TestCluster, act: Act): Promise<void> {
  if (typeof act === 'string') await cluster.ok(act);
  else if ('wait' in act) await cluster.machine.clock.sleep(parseDuration(act.wait));
  else if ('fails' in act && !('while' in act)) await ends(cluster, act.fails, 1, act.says);
  else if ('dies' in act) await ends(cluster, act.dies, 137, undefined);
  else {
    const { while: line, acts, fails } = act as Extract<Act, { while: string }>;
    const running = ends(cluster, line, fails === undefined ? 0 : 1, fails);
    // Where something else throws first, nobody waits for the command any more.
    running.catch(() => {});
    await cluster.machine.clock.sleep(1000);
    await perform(cluster, acts);
    await running;
  }
}

async function ends(cluster: TestCluster, line: string, exit: number, says: string | undefined): Promise<void> {
  const result = await cluster.run(line);
  if (result.exit !== exit) throw new Error(`${line}\nexit ${result.exit} instead of ${exit}\n${result.stdout}${result.stderr}`);
  if (says !== undefined && !result.stderr.includes(says)) throw new Error(`${line}\ndoes not say "${says}":\n${result.stderr}`);
}
