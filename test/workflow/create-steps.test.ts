import { describe, expect, it } from 'vitest';
import { findRelease } from '../../src/lib/releases.ts';
import { CREATE_STEPS, type CreateStep, createZoneOf, planCreate } from '../../src/workflow/create/steps.ts';
import { createSubjects } from '../helpers/create-subjects.ts';
import { fingerprint } from '../helpers/fingerprint.ts';
import { sample } from '../helpers/sample.ts';
import { movingCluster, testCluster } from '../helpers/shell.ts';

/*
 * A create that fails anywhere comes to what its list of steps says. `npm test` has a sample, `npm run test:all` every place.
 */
const PLACES = ['hardened', '18.0.8', '21.0.6', '24.0.0-SNAPSHOT'].flatMap((version) => {
  const { behaviours } = findRelease(version);
  return createSubjects(version).flatMap((subject) =>
    planCreate(subject.path, behaviours).flatMap((step) =>
      (['before', 'after'] as const).map((edge) => ({ version, ...subject, point: `${step}:${edge}`, zone: createZoneOf(behaviours, subject.path, step, edge)! })),
    ),
  );
});

it.each(sample(PLACES, 11))('create of $name on $version fails at $point: $zone', async ({ make, line, point, zone }) => {
  const cluster = await make();
  const before = fingerprint(cluster.host);
  const failed = await cluster.run(line(`--fault '${point}=return'`));
  expect([failed.exit, failed.stderr]).toEqual([1, expect.not.stringContaining('never fired')]);
  const now = fingerprint(cluster.host);
  if (zone === 'nothing changed' || zone === 'rolls back') {
    expect(now).toEqual(before);
    await cluster.ok(line());
  } else if (!/extendVSchema:after|copySchema:before/.test(point)) {
    // The VSchema of a sharded target lacks nothing.
    expect(now).not.toEqual(before);
  }
  if (zone !== 'done') return;
  const undisturbed = await make();
  await undisturbed.ok(line());
  expect(now).toEqual(fingerprint(undisturbed.host));
});

it('a create that cannot start its streams is finished by the next run', async () => {
  const { make, line } = createSubjects().find(({ name }) => name === 'tables to two shards, with sequences')!;
  const cluster = await make();
  // Some shards' streams may run by now: there is no way back.
  const failed = await cluster.run(line("--fault 'create/startStreams:after@customer/-80=return'"));
  expect(failed.exit).toBe(1);
  if (failed.stderr.includes('not all streams are started')) expect(failed.stderr).toContain('finish it by running it again');
  const again = await cluster.run(line());
  expect(again.exit === 0 || again.stderr.includes('already exists'), again.stderr).toBe(true);
});

describe('the lists of create', () => {
  it.each(['create', 'Reshard create'])('steps %s has what it runs', async (command) => {
    const { steps, rollback } = JSON.parse(await testCluster().ok(`steps '${command}' --vitess-version hardened --format json`)) as Record<'steps' | 'rollback', { name: string }[]>;
    for (const { name } of [...steps, ...rollback]) expect(CREATE_STEPS[name as keyof typeof CREATE_STEPS] as CreateStep).toBeDefined();
    expect(steps.length).toBeGreaterThan(2);
    expect(rollback.length).toBeGreaterThan(1);
  });

  it('fault list create says what a failure comes to, on each release', async () => {
    const cluster = await movingCluster();
    expect(await cluster.ok('fault list create')).toContain('rolls back');
    const release = await cluster.ok('fault list create --vitess-version 22');
    expect(release).toContain('left as is');
    expect(release).toContain('cleaned up');
    expect(release).not.toContain('create/rollback');
  });
});
