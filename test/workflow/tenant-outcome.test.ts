import { expect, it } from 'vitest';
import { findRelease } from '../../src/lib/releases.ts';
import { describeOutcome, type Failure, predictOutcome } from '../../src/workflow/switch/outcome.ts';
import { FULL_PATH, type SwitchPath } from '../../src/workflow/switch/path.ts';
import { zoneOf } from '../../src/workflow/switch/zones.ts';
import { tenantCluster, tenantLine } from '../helpers/tenants.ts';
import { CATCH_UP, denied } from './behaviours/see.ts';

/** What a failed switch of one tenant is computed to leave is what it leaves, to the tenant and to the others (#17794, K7). */
const PATH: SwitchPath = { ...FULL_PATH, kind: 'multi-tenant', reads: false };
const FAILURE: Failure = { step: 'switchTraffic/writes/waitForCatchup', occurrence: 1, effectDone: false, callerEnded: false, locksLost: false };

it.each([
  ['20.0.4', 'strands', 'nobody serves writes to t1, t2'],
  ['20.0.6', 'strands', 'mt refuses t1, t2 to every tenant that has moved there'],
  ['21.0.3', 'strands', 'mt refuses t1, t2 to every tenant that has moved there'],
  ['22.0.4', 'strands', 'nobody serves writes to t1, t2'],
  ['hardened', 'rolls back', 'rolled back; everything is as it was'],
] as const)('%s: %s, and %s', async (version, zone, says) => {
  const cluster = await tenantCluster(version);
  const { exit, stderr } = await cluster.run(tenantLine(1, `switchtraffic --tablet-types primary --fault '${CATCH_UP}=return'`));
  expect(exit).toBe(1);
  expect(stderr).toContain(says);

  const { behaviours } = findRelease(version);
  const outcome = predictOutcome(behaviours, PATH, FAILURE);
  expect([outcome.sourceDenied, outcome.targetDenied]).toEqual([denied(cluster, 's1').length > 0, denied(cluster, 'mt').length > 0]);
  expect(outcome.otherTenantsDenied).toBe(denied(cluster, 'mt').length > 0);
  expect(describeOutcome(outcome).includes('those of other tenants REFUSED')).toBe(outcome.otherTenantsDenied);
  expect(zoneOf(behaviours, PATH, { ...FAILURE, edge: 'before' })).toBe(zone);
});
