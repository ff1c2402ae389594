import { describe, expect, it } from 'vitest';
import { findRelease, LANDMARKS } from '../../../src/lib/releases.ts';
import { type Failure, predictOutcome } from '../../../src/workflow/switch/outcome.ts';
import { FULL_PATH, type SwitchPath } from '../../../src/workflow/switch/path.ts';
import { planSteps } from '../../../src/workflow/switch/plan.ts';
import { feltReshard } from '../../helpers/felt-reshard.ts';
import { reshardingWithStreams } from '../../helpers/other-streams.ts';
import { reshardLine } from '../../helpers/reshard.ts';
import { sample } from '../../helpers/sample.ts';

const PATH: SwitchPath = { ...FULL_PATH, kind: 'shards' };
/** A sample in `npm test`; a prime, so that each release and each step are met. */
const EVERY = 17;

interface Case {
  version: string;
  fault: string;
  failure: Failure;
}

/** Each step of each release fails, before its effect or after it, before the journal. */
const CASES = LANDMARKS.flatMap((version): Case[] => {
  const steps = planSteps(PATH, findRelease(version).behaviours);
  const before = steps.slice(0, steps.findIndex((step) => step.pointOfNoReturn));
  return before.flatMap(({ name, occurrence }) =>
    ([false, true] as const).map((effectDone) => ({
      version,
      fault: `${name}:${effectDone ? 'after' : 'before'}#${occurrence}=return(INTERNAL)`,
      failure: { step: name, occurrence, effectDone, callerEnded: false, locksLost: false },
    })),
  );
});

/** What is said of other releases when a Reshard's switch fails is computed; here the releases are run. */
describe('a failed switch of a Reshard leaves what was computed', () => {
  it.each(sample(CASES, EVERY))('on $version: $fault', async ({ version, fault, failure }) => {
    const cluster = await reshardingWithStreams('2 to 4', version);
    const { exit, stderr } = await cluster.run(reshardLine(`switchtraffic --fault '${fault}'`));
    expect(exit, stderr).toBe(1);
    const { unnoticed, ...outcome } = predictOutcome(findRelease(version).behaviours, PATH, failure);
    expect(unnoticed).toBe(false);
    expect(feltReshard(cluster, '2 to 4')).toEqual(outcome);
  });

  it.each(LANDMARKS)('on %s when the caller has gone', async (version) => {
    const cluster = await reshardingWithStreams('2 to 4', version);
    const step = 'switchTraffic/writes/createReverseVReplication';
    await cluster.run(reshardLine(`switchtraffic --fault '${step}=ctx(cancel)'`));
    const failure: Failure = { step, occurrence: 1, effectDone: false, callerEnded: true, locksLost: false };
    const { unnoticed: _, ...outcome } = predictOutcome(findRelease(version).behaviours, PATH, failure);
    expect(feltReshard(cluster, '2 to 4')).toEqual(outcome);
  });
});
