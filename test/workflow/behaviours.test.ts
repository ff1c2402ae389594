import { describe, expect, it } from 'vitest';
import { BEHAVIOURS, type BehaviourName, type Behaviours, type BuiltName } from '../../src/lib/behaviours.ts';
import { EVERY_RELEASE, findRelease } from '../../src/lib/releases.ts';
import { GATE_RUNS } from './behaviours/gate.ts';
import { LOCKS_AND_CHECKS_RUNS } from './behaviours/locks-and-checks.ts';
import { RESHARD_RUNS } from './behaviours/reshard.ts';
import type { Run, Runs } from './behaviours/see.ts';
import { SEQUENCES_RUNS } from './behaviours/sequences.ts';
import { SWITCHING_RUNS } from './behaviours/switching.ts';
import { TABLETS_RUNS } from './behaviours/tablets.ts';
import { TENANTS_RUNS } from './behaviours/tenants.ts';
import { VDIFF_RUNS } from './behaviours/vdiff.ts';
import { WORKFLOWS_RUNS } from './behaviours/workflows.ts';

/**
 * Each row of the table is tied to a run that finds out, by command lines, what a release does. It is made on either side of
 * the first boundary of each value, and on `hardened`: what it sees is what the table says.
 */
const RUNS: Runs = {
  ...SWITCHING_RUNS,
  ...LOCKS_AND_CHECKS_RUNS,
  ...WORKFLOWS_RUNS,
  ...TENANTS_RUNS,
  ...RESHARD_RUNS,
  ...SEQUENCES_RUNS,
  ...GATE_RUNS,
  ...TABLETS_RUNS,
  ...VDIFF_RUNS,
};

const valueOf = (name: BehaviourName, release: string): Behaviours[BehaviourName] => findRelease(release).behaviours[name];

/** The release before each value's first one, and that one; where nothing ever changes, the newest. */
function eitherSide(name: BehaviourName): string[] {
  const seen = new Set([valueOf(name, EVERY_RELEASE[0]!)]);
  const found = new Set<string>();
  EVERY_RELEASE.forEach((release, index) => {
    const value = valueOf(name, release);
    if (seen.has(value)) return;
    seen.add(value);
    found.add(EVERY_RELEASE[index - 1]!).add(release);
  });
  return found.size === 0 ? [EVERY_RELEASE.at(-1)!] : [...found];
}

function runOf<K extends BuiltName>(name: K): Run<K> {
  const run = RUNS[name] as Run<K> | Run<K>['see'];
  return typeof run === 'function' ? { see: run } : run;
}

describe.each(Object.keys(RUNS) as BuiltName[])('%s', (name) => {
  const { see, at, idleOnHardened } = runOf(name);
  it.each([...(at ?? eitherSide(name)), ...(idleOnHardened === undefined ? ['hardened'] : [])])('on %s', async (release) => {
    expect(await see(release)).toEqual(valueOf(name, release));
  });
});

describe('a row without a run', () => {
  it('waits for something that is not built', () => {
    const waiting = Object.entries(BEHAVIOURS).flatMap(([name, row]) => ('waitsFor' in row ? [`${name}: ${row.waitsFor}`] : []));
    expect(waiting).toMatchInlineSnapshot(`
      [
        "preparedTransactions: two-phase commit",
        "gateBuildsMissing: start-up of the gate",
      ]
    `);
    expect(Object.keys(RUNS).length + waiting.length).toBe(Object.keys(BEHAVIOURS).length);
  });
});
