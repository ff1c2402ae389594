import { describe, expect, it } from 'vitest';
import { FIX_STEPS } from '../../src/workflow/fix-steps.ts';
import { findRelease } from '../../src/lib/releases.ts';
import { FULL_PATH } from '../../src/workflow/switch/path.ts';
import { planRollback, planSteps } from '../../src/workflow/switch/plan.ts';
import { fingerprint } from '../helpers/fingerprint.ts';
import { sample } from '../helpers/sample.ts';
import { forkCluster, movingCluster, switchLine, type TestCluster } from '../helpers/shell.ts';

/** What a switch that broke off left, on each side of the point of no return. */
const STRANDED: [version: string, fault: string][] = [
  ['hardened', 'switchTraffic/writes/waitForCatchup=panic'],
  ['hardened', 'switchTraffic/writes/startReverseVReplication=panic'],
  ['21.0.2', 'switchTraffic/writes/createReverseVReplication=panic'],
  ['24.0.0-SNAPSHOT', 'switchTraffic/writes/startReverseVReplication=return(INTERNAL)'],
];

/** Each step of a fix, its commands one by one, and each step of what those run. */
function placesOf(version: string): string[] {
  const { behaviours } = findRelease(version);
  const own = Object.values(FIX_STEPS).flatMap((step) => [`${step}:before`, `${step}:after`]);
  const commands = [2, 3, 4, 5, 6, 7].map((number) => `${FIX_STEPS.command}:before#${number}`);
  const inner = [...planSteps({ ...FULL_PATH, resume: true }, behaviours).map(({ name, occurrence }) => `${name}#${occurrence}`), ...planRollback('tables', behaviours)];
  return [...own, ...commands, ...inner];
}

/** A stream that was started says so once it has applied something, which it does when somebody looks. */
async function settled(cluster: TestCluster): Promise<Record<string, unknown>> {
  await cluster.ok('doctor');
  return fingerprint(cluster.host);
}

describe.each(STRANDED)('a doctor that dies while it repairs, on %s after %s', (version, fault) => {
  it('can be run again, whatever it was at, and comes to the same end', async () => {
    const first = await movingCluster(version);
    expect((await first.run(switchLine(`--fault '${fault}'`))).exit).not.toBe(0);
    const whole = forkCluster(first);
    await whole.ok('doctor --fix');
    const expected = await settled(whole);
    let died = 0;
    for (const place of sample(placesOf(version), 5)) {
      const cluster = forkCluster(first);
      const { exit, stdout } = await cluster.run(`doctor --fix --fault '${place}=panic'`);
      // Not every plan has each step.
      if (exit === 0) continue;
      expect(exit, stdout).toBe(137);
      died++;
      const again = await cluster.run('doctor --fix');
      expect(again.exit, `${place}\n${stdout}\n--\n${again.stdout}${again.stderr}`).toBe(0);
      expect(await settled(cluster), place).toEqual(expected);
    }
    expect(died).toBeGreaterThan(3);
  });

  it('may die again and again', async () => {
    const cluster = await movingCluster(version);
    await cluster.run(switchLine(`--fault '${fault}'`));
    const whole = forkCluster(cluster);
    await whole.ok('doctor --fix');
    for (const place of ['lock:after', 'snapshot:after', 'command:before', 'command:after', 'verify:before', 'unlock:before']) {
      const { exit } = await cluster.run(`doctor --fix --fault 'doctor/fix/${place}=panic'`);
      expect([0, 137]).toContain(exit);
    }
    await cluster.ok('doctor --fix');
    expect(await settled(cluster)).toEqual(await settled(whole));
    await cluster.ok(`query "insert into customer (customer_id, email) values (6, 'after@example.com')"`);
  });
});
