import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BEHAVIOURS, type BehaviourName } from '../../../src/lib/behaviours.ts';
import { EVERY_RELEASE, findRelease } from '../../../src/lib/releases.ts';
import type { BehaviourFacts, ReleaseFacts } from '../../../src/report/versions.ts';
import { displayWidth } from '../../../src/lib/table.ts';
import { testCluster } from '../../helpers/shell.ts';

const { ok } = testCluster();
const json = async <T>(words: string): Promise<{ releases: string[]; behaviours: T[] }> =>
  JSON.parse(await ok(`versions ${words} --format json`)) as { releases: string[]; behaviours: T[] };

/** The releases that a span means, as the legend says. */
function members(span: string): string[] {
  const line = (release: string): string => release.split('.')[0]!;
  if (span === 'all') return [...EVERY_RELEASE];
  const within = / on in (\d+)$/.exec(span);
  const from = span.split(' ')[0]!;
  const first = EVERY_RELEASE.indexOf(from.includes('.') ? from : `${from}.0.0`);
  const later = EVERY_RELEASE.slice(first);
  if (within !== null) return later.filter((release) => line(release) === within[1]);
  if (span.endsWith(' on')) return later;
  const to = / (?:to|and) (\S+)$/.exec(span)?.[1] ?? from;
  const last = to.startsWith('.') ? `${line(from)}.0${to}` : to;
  const end = last.includes('.') ? EVERY_RELEASE.indexOf(last) : EVERY_RELEASE.findLastIndex((release) => line(release) === last);
  return EVERY_RELEASE.slice(first, end + 1);
}

describe('versions', () => {
  it('works without a cluster, and fits a page of 100 columns', async () => {
    for (const words of ['', 'v21.0.2', 'v19 hardened']) {
      for (const line of (await ok(`versions ${words}`)).split('\n')) expect(displayWidth(line), line).toBeLessThanOrEqual(100);
    }
  });

  it('has every behaviour once, with its issues', async () => {
    const text = await ok('versions');
    for (const name of Object.keys(BEHAVIOURS)) expect(text.split(`    ${name}; `).length, name).toBe(2);
    expect(text).toContain("    19.0.9, 20.0.5, 21.0.2: a fresh one, which has lost the locks\n");
  });

  it('tells of each value exactly the releases that have it', async () => {
    const { behaviours } = await json<BehaviourFacts>('');
    expect(behaviours.map(({ name }) => name).toSorted()).toEqual(Object.keys(BEHAVIOURS).toSorted());
    for (const { name, values } of behaviours) {
      for (const { value, releases, hardened } of values) {
        const has = (release: string): boolean => findRelease(release).behaviours[name as BehaviourName] === value;
        expect(releases.flatMap(members), `${name} ${value}`).toEqual(EVERY_RELEASE.filter(has));
        expect(hardened).toBe(has('hardened'));
      }
    }
  });

  it('marks what is not built', async () => {
    const text = await ok('versions');
    expect(text).toContain('which prepared transactions Reshard waits for *\n');
    expect(text).toMatch(/\n\* not built here yet: it waits for /);
  });

  it('of one release is what that release does', async () => {
    const { releases, behaviours } = await json<ReleaseFacts>('v21');
    expect(releases).toEqual(['21.0.6']);
    expect(Object.fromEntries(behaviours.map(({ name, values }) => [name, values[0]?.value]))).toEqual({ ...findRelease('21').behaviours });
    expect(await ok('versions hardened')).toMatch(/^hardened: what it does/);
  });

  it('between two says what changed, in words', async () => {
    expect(await ok('versions v21.0.2 21.0.3')).toMatchInlineSnapshot(`
      "Vitess 21.0.2 → Vitess 21.0.3: 5 differences

      Roll-back of a failed switch
        the context that a roll-back runs on
          rollbackContext; #17340, #17616, #17620
          a fresh one, which has lost the locks
        → one that outlives the caller and keeps the locks
        how long a roll-back may take in all
          rollbackTimeoutMs; #17340, #17616
          1 minute
        → 2 minutes
        a failed roll-back is told to the client, and not only logged
          rollbackErrorsReturned; #17616
          no
        → yes
        what a roll-back does with denied tables
          rollbackDirection; #15977, #17616
          denies the source once more: writes stay refused
        → frees the source and denies the target

      Checks before a switch
        what the lag check measures
          lag; #17616
          a stream's last sign of life
        → the last transaction that a stream applied
      "
    `);
    expect(await ok('versions v18.0.6 v18.0.8')).toBe(
      'Vitess 18.0.6 → Vitess 18.0.8: nothing differs in what is known here (switchtraffic versions shows all of it)\n',
    );
    expect(await ok('versions v22 22')).toContain('they are the same release');
  });

  it('between any two are the rows whose values differ, and the way back is the same', async () => {
    const release = fc.constantFrom(...EVERY_RELEASE, 'hardened', '24.0.0-SNAPSHOT');
    await fc.assert(
      fc.asyncProperty(release, release, async (a, b) => {
        const there = (await json<ReleaseFacts>(`${a} ${b}`)).behaviours;
        const back = (await json<ReleaseFacts>(`${b} ${a}`)).behaviours;
        const wanted = Object.keys(BEHAVIOURS).filter(
          (name) => findRelease(a).behaviours[name as BehaviourName] !== findRelease(b).behaviours[name as BehaviourName],
        );
        expect(there.map(({ name }) => name).toSorted()).toEqual(wanted.toSorted());
        expect(back.map(({ values }) => values.toReversed())).toEqual(there.map(({ values }) => values));
      }),
      { numRuns: 25 },
    );
  });
});
