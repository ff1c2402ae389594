import { describe, expect, it } from 'vitest';
import { findRelease, LANDMARKS } from '../../src/lib/releases.ts';
import { compareReleases, describeOutcome, type Failure, predictOutcome } from '../../src/workflow/switch/outcome.ts';
import { FULL_PATH } from '../../src/workflow/switch/path.ts';
import { planSteps } from '../../src/workflow/switch/plan.ts';
import { type Felt, feltState } from '../helpers/felt.ts';
import { movingCluster, switchLine } from '../helpers/shell.ts';
import { sample } from '../helpers/sample.ts';

/**
 * What a failed switch says of other releases is computed from the step list. Here the same failure is run on each release and
 * compared with what was computed.
 */
describe.each(LANDMARKS)('a failed switch on %s', (version) => {
  const { behaviours } = findRelease(version);
  const steps = planSteps(FULL_PATH, behaviours);
  const journal = steps.findIndex((step) => step.pointOfNoReturn);
  const points = steps.slice(0, journal);

  it.each(sample(points.map((step) => ({ name: step.name, occurrence: step.occurrence })), 3))(
    'leaves what was computed: $name#$occurrence fails',
    async ({ name, occurrence }) => {
      const cluster = await movingCluster(version);
      const { exit, stderr } = await cluster.run(switchLine(`--fault '${name}#${occurrence}=return(INTERNAL)'`));
      expect(exit, stderr).toBe(1);
      const failure: Failure = { step: name, occurrence, effectDone: false, callerEnded: false, locksLost: false };
      expect(feltState(cluster)).toEqual(predicted(version, failure));
    },
  );

  const ended = ['switchTraffic/writes/lockTables', 'switchTraffic/writes/waitForCatchup', 'switchTraffic/writes/createReverseVReplication'];
  it.each(points.filter((step) => ended.includes(step.name) && step.occurrence === 1).map((step) => step.name))(
    'leaves what was computed: the caller ends before %s',
    async (name) => {
      const cluster = await movingCluster(version);
      const { exit, stderr } = await cluster.run(switchLine(`--fault '${name}#1=ctx(cancel)'`));
      expect(exit, stderr).toBe(1);
      const failure: Failure = { step: name, occurrence: 1, effectDone: false, callerEnded: true, locksLost: false };
      expect(feltState(cluster)).toEqual(predicted(version, failure));
    },
  );

  it.each([
    ['missing', '--allow select,insert,update', true],
    ['granted on a pattern of databases', "--on '_v%'", false],
  ])('leaves what was computed: rights on _vt are %s', async (_how, flags, missing) => {
    const cluster = await movingCluster(version);
    await cluster.ok(`tablet privileges zone1-0000000100 ${flags}`);
    const { exit, stderr } = await cluster.run(switchLine());
    const failure: Failure = {
      step: 'switchTraffic/writes/validateReverse',
      occurrence: 1,
      effectDone: false,
      callerEnded: false,
      locksLost: false,
      cause: { kind: 'privileges', missing },
    };
    if (predictOutcome(behaviours, FULL_PATH, failure).unnoticed === false) {
      expect(exit).toBe(1);
      expect(feltState(cluster)).toEqual(predicted(version, failure));
    } else {
      expect(exit, stderr).toBe(0);
    }
  });

  it('leaves what was computed: the locks are lost and catch-up fails', async () => {
    const cluster = await movingCluster(version);
    const name = 'switchTraffic/writes/waitForCatchup';
    const { exit } = await cluster.run(switchLine(`--fault '${name}=1*lease(expire)->return(INTERNAL)' --fault '${name}:after=return(INTERNAL)'`));
    expect(exit).toBe(1);
    const failure: Failure = { step: name, occurrence: 1, effectDone: true, callerEnded: false, locksLost: true };
    expect(feltState(cluster)).toEqual(predicted(version, failure));
  });
});

function predicted(version: string, failure: Failure): Felt {
  const { unnoticed, ...outcome } = predictOutcome(findRelease(version).behaviours, FULL_PATH, failure);
  expect(unnoticed).toBe(false);
  return outcome;
}

describe('a journal of more than 64 KB', () => {
  const outcomes = compareReleases(FULL_PATH, {
    step: 'switchTraffic/writes/createJournals',
    occurrence: 1,
    effectDone: false,
    callerEnded: false,
    locksLost: false,
    cause: { kind: 'journal', bytes: 65_536 },
  });

  it('strands writes until v22, and nothing after', () => {
    const fine = outcomes.find(({ outcome }) => outcome.unnoticed === 'no such failure')?.releases;
    expect(fine).toEqual(['23.0.7', '24.0.0-SNAPSHOT']);
    for (const { releases, outcome } of outcomes) {
      if (releases.includes('23.0.7')) expect(describeOutcome(outcome)).toBe('would not have failed');
      else expect(outcome).toMatchObject({ sourceDenied: true, streams: 'stopped', reverse: true, journaled: false });
    }
  });
});
