import { describe, expect, it } from 'vitest';
import { findRelease } from '../../src/lib/releases.ts';
import { FULL_PATH } from '../../src/workflow/switch/path.ts';
import { planSteps } from '../../src/workflow/switch/plan.ts';
import { during } from '../helpers/during.ts';
import { fingerprint } from '../helpers/fingerprint.ts';
import { movingCluster, switchLine, type TestCluster } from '../helpers/shell.ts';
import { sample } from '../helpers/sample.ts';

/** Something that really breaks, and what cures it. */
interface Failure {
  breaks: string;
  cure?: string;
}

const FAILURES: Failure[] = [
  ...['100', '101', '200', '202'].map((uid) => ({ breaks: `tablet stop zone1-${uid}`, cure: `tablet start zone1-${uid}` })),
  { breaks: 'tablet set-type zone1-102 backup', cure: 'tablet set-type zone1-102 rdonly' },
  { breaks: 'PlannedReparentShard commerce/0 --new-primary zone1-101' },
  { breaks: 'PlannedReparentShard customer/0 --new-primary zone1-201' },
];

const STEPS = planSteps(FULL_PATH, findRelease('hardened').behaviours).map((step, index) => ({ ...step, index }));
const JOURNAL = STEPS.findIndex((step) => step.pointOfNoReturn);
const STOP = STEPS.findIndex((step) => step.name === 'switchTraffic/writes/stopSourceWrites');

/** Every failure from the stop of the writes on; before that nothing has changed yet, and one at each step is enough. */
const CASES = STEPS.filter((step) => !step.name.endsWith('/checkLocks')).flatMap(({ name, occurrence, index }) => {
  const failures = index < STOP ? [FAILURES[index % FAILURES.length]!] : FAILURES;
  return failures.map((failure) => ({ at: `${name}#${occurrence}`, index, failure }));
});

const alone = new Map<string, Promise<Record<string, unknown>>>();

/** What the failure alone leaves when it is cured. */
function withoutSwitch(failure: Failure): Promise<Record<string, unknown>> {
  const there = alone.get(failure.breaks) ?? breakAndCure(failure);
  alone.set(failure.breaks, there);
  return there;
}

async function breakAndCure({ breaks, cure }: Failure): Promise<Record<string, unknown>> {
  const cluster = await movingCluster();
  await cluster.ok(breaks);
  if (cure !== undefined) await cluster.ok(cure);
  return fingerprint(cluster.host);
}

const customers = (cluster: TestCluster, keyspace: string): number => cluster.host.shards.open(keyspace, '0').db.all('SELECT 1 FROM customer').length;

describe('whatever breaks at whatever step of a switch on hardened', () => {
  it.each(sample(CASES, 5))('$at: $failure.breaks', async ({ at, index, failure }) => {
    const { breaks, cure } = failure;
    const cluster = await movingCluster();
    const { exit, stderr } = await during(cluster, switchLine(), at, () => cluster.ok(breaks));
    expect(stderr).not.toMatch(/never fired|STRANDED/);
    if (cure !== undefined) await cluster.ok(cure);
    // A primary keeps its place; the switch asks who it is now.
    if (cure === undefined) expect(exit, stderr).toBe(0);
    if (exit !== 0 && index <= JOURNAL) {
      // What a dead primary has kept of it is taken back by the next run, which then fails by itself.
      if (stderr.includes('what is left of it is recorded')) await cluster.run(switchLine("--fault 'switchTraffic/prepare/canSwitch=return'"));
      expect(fingerprint(cluster.host)).toEqual(await withoutSwitch(failure));
    }
    if (exit !== 0) await cluster.ok(switchLine());
    await cluster.ok("query \"insert into customer (email) values ('after')\"");
    await cluster.ok('MoveTables --workflow c2c_reverse --target-keyspace commerce status');
    expect([customers(cluster, 'customer'), customers(cluster, 'commerce')]).toEqual([6, 6]);
  });
});
