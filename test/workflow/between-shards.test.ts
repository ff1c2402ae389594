import { describe, expect, it } from 'vitest';
import { findRelease } from '../../src/lib/releases.ts';
import { planSteps } from '../../src/workflow/switch/plan.ts';
import { fingerprint } from '../helpers/fingerprint.ts';
import { reshardReversed, reshardSubject, type Subject, TABLES_TO_SHARDS } from '../helpers/subjects.ts';

/*
 * A switch of `hardened` that is killed in the middle of a step which goes shard by shard: run again, it comes to what an undisturbed run
 * comes to. Half of a step must never pass for all of it.
 */
const { behaviours } = findRelease('hardened');
const MOVED = reshardSubject('2 to 4', { streams: true });
const SUBJECTS: [Subject, first: { source: string; target: string }][] = [
  [TABLES_TO_SHARDS, { source: 'commerce/0', target: 'customer/-80' }],
  [MOVED, { source: 'customer/-80', target: 'customer/-40' }],
  [reshardReversed(MOVED), { source: 'customer/-40', target: 'customer/-80' }],
];

const INSTANTS = SUBJECTS.flatMap(([subject, first]) =>
  planSteps(subject.path, behaviours)
    .filter(({ entry }) => entry.perTarget === true)
    .flatMap(({ name, occurrence, entry }) =>
      (['source', 'target'] as const).filter((side) => (entry.side ?? side) === side).map((side) => ({ name: subject.name, subject, point: `${name}:after#${occurrence}@${first[side]}` })),
    ),
);

const undisturbed = new Map<string, Promise<Record<string, unknown>>>();

async function runOf(subject: Subject): Promise<Record<string, unknown>> {
  const cluster = await subject.make();
  await cluster.ok(subject.line());
  return fingerprint(cluster.host);
}

describe('hardened, killed between two shards of a step', () => {
  it.each(INSTANTS)('$name at $point', async ({ name, subject, point }) => {
    const wanted = undisturbed.get(name) ?? runOf(subject);
    undisturbed.set(name, wanted);
    const cluster = await subject.make();
    const killed = await cluster.run(subject.line(`--fault '${point}=panic'`));
    // Where a subject has one shard on that side, or nothing to do on this one, the fault does not come up.
    expect([0, 137], killed.stderr).toContain(killed.exit);
    if (killed.exit === 137) await cluster.ok(subject.line());
    expect(fingerprint(cluster.host)).toEqual(await wanted);
  });
});
