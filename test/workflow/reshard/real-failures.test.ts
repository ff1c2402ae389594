import { describe, expect, it } from 'vitest';
import { findRelease } from '../../../src/lib/releases.ts';
import { FULL_PATH } from '../../../src/workflow/switch/path.ts';
import { planSteps } from '../../../src/workflow/switch/plan.ts';
import { during } from '../../helpers/during.ts';
import { fingerprint } from '../../helpers/fingerprint.ts';
import { allRows, misplacedRows, reshardingCluster, reshardLine } from '../../helpers/reshard.ts';
import { sample } from '../../helpers/sample.ts';

interface Failure {
  breaks: string;
  cure?: string;
}

const FAILURES: Failure[] = [
  ...['100', '101', '1000', '1101'].map((uid) => ({ breaks: `tablet stop zone1-${uid}`, cure: `tablet start zone1-${uid}` })),
  { breaks: 'PlannedReparentShard customer/0 --new-primary zone1-101' },
  { breaks: 'PlannedReparentShard customer/80- --new-primary zone1-1101' },
];

const STEPS = planSteps({ ...FULL_PATH, kind: 'shards' }, findRelease('hardened').behaviours).map((step, index) => ({ ...step, index }));
const JOURNAL = STEPS.findIndex((step) => step.pointOfNoReturn);
const STOP = STEPS.findIndex((step) => /\/(stopSourceWrites|stopStreams)$/.test(step.name));

const CASES = STEPS.filter((step) => step.index >= STOP && !step.name.endsWith('/checkLocks')).flatMap(({ name, occurrence, index }) =>
  FAILURES.map((failure) => ({ at: `${name}#${occurrence}`, index, failure })),
);

const alone = new Map<string, Promise<Record<string, unknown>>>();

/** What the failure alone leaves when it is cured. */
function withoutSwitch(failure: Failure): Promise<Record<string, unknown>> {
  const there = alone.get(failure.breaks) ?? breakAndCure(failure);
  alone.set(failure.breaks, there);
  return there;
}

async function breakAndCure({ breaks, cure }: Failure): Promise<Record<string, unknown>> {
  const cluster = await reshardingCluster('1 to 2');
  await cluster.ok(breaks);
  if (cure !== undefined) await cluster.ok(cure);
  return fingerprint(cluster.host);
}

const SWITCH = reshardLine('switchtraffic');

describe('whatever breaks at whatever step of a Reshard on hardened', () => {
  it.each(sample(CASES, 5))('$at: $failure.breaks', async ({ at, index, failure }) => {
    const { breaks, cure } = failure;
    const cluster = await reshardingCluster('1 to 2');
    const { exit, stderr } = await during(cluster, SWITCH, at, () => cluster.ok(breaks));
    expect(stderr).not.toMatch(/never fired|STRANDED/);
    if (cure !== undefined) await cluster.ok(cure);
    if (cure === undefined) expect(exit, stderr).toBe(0);
    if (exit !== 0 && index <= JOURNAL) {
      if (stderr.includes('what is left of it is recorded')) await cluster.run(`${SWITCH} --fault 'switchTraffic/prepare/canSwitch=return'`);
      expect(fingerprint(cluster.host)).toEqual(await withoutSwitch(failure));
    }
    if (exit !== 0) await cluster.ok(SWITCH);
    await cluster.ok("query \"insert into customer.customer (customer_id, email) values (1000, 'after')\"");
    await cluster.ok('Reshard --workflow cust2cust_reverse --target-keyspace customer status');
    const shards = ['-80', '80-'];
    expect(misplacedRows(cluster, 'customer', shards)).toEqual([]);
    expect([allRows(cluster, 'customer', shards).length, allRows(cluster, 'customer', ['0']).length]).toEqual([41, 41]);
  });
});
