import { describe, expect, it } from 'vitest';
import { findRelease } from '../../src/lib/releases.ts';
import { planSteps } from '../../src/workflow/switch/plan.ts';
import { fingerprint } from '../helpers/fingerprint.ts';
import { WHOLE } from '../helpers/sample.ts';
import {
  PARTIAL,
  PARTIAL_REVERSED,
  reshardReversed,
  reshardSubject,
  type Subject,
  TABLES,
  TABLES_REVERSED,
  TABLES_TO_SHARDS,
  TABLES_TO_SHARDS_REVERSED,
  TABLES_WRITES,
  TENANT_READS,
  TENANT_READS_REVERSED,
  tenantSubject,
} from '../helpers/subjects.ts';

/**
 * On `hardened`, whatever fails before the point of no return leaves everything as it was. Generated from the list of steps, so
 * that a new step is in here without anybody thinking of it.
 */
const FAULTS = ['return', 'ctx(cancel)', 'ctx(deadline)', 'lease(expire)', 'lease(steal)'];
const EDGES = ['before', 'after'];

interface Try {
  edge: string;
  fault: string;
}

const EVERY: Try[] = EDGES.flatMap((edge) => FAULTS.map((fault) => ({ edge, fault })));

/** What goes through the same steps in another way is tried once at some of them, in turn; `npm run test:all` tries everything. */
const some = (nth: number) => (index: number): Try[] => (WHOLE ? EVERY : index % nth === 0 ? [EVERY[(index * 3) % EVERY.length]!] : []);

const READS = { flags: '--tablet-types replica,rdonly', path: { writes: false } };
const WRITES = { flags: '--tablet-types primary', path: { reads: false } };
const MOVED = reshardSubject('2 to 4', { streams: true });
const SHARES: { nth: number; subjects: Subject[] }[] = [
  { nth: 2, subjects: [MOVED] },
  {
    nth: 5,
    subjects: [
      TABLES_WRITES,
      TABLES_REVERSED,
      TABLES_TO_SHARDS,
      TABLES_TO_SHARDS_REVERSED,
      PARTIAL,
      PARTIAL_REVERSED,
      tenantSubject('unsharded'),
      tenantSubject('sharded'),
      TENANT_READS,
      TENANT_READS_REVERSED,
      reshardReversed(MOVED),
      reshardSubject('1 to 2'),
      reshardSubject('1 to 2', READS),
      reshardReversed(reshardSubject('1 to 2', READS), READS.flags),
      reshardSubject('1 to 2', WRITES),
      reshardReversed(reshardSubject('1 to 2')),
      reshardSubject('4 to 2'),
      reshardReversed(reshardSubject('4 to 2')),
    ],
  },
];

const CASES: { subject: Subject; tries: (index: number) => Try[] }[] = [
  { subject: TABLES, tries: (index) => (WHOLE ? EVERY : EVERY.filter((_, at) => (at + index) % 5 === 0)) },
  ...SHARES.flatMap(({ nth, subjects }) => subjects.map((subject) => ({ subject, tries: some(nth) }))),
];

describe.each(CASES.map((one) => ({ ...one, name: one.subject.name })))('$name on hardened', ({ subject, tries }) => {
  const steps = planSteps(subject.path, findRelease('hardened').behaviours);
  const committed = steps.findIndex((step) => step.pointOfNoReturn);

  const tried = steps.slice(0, committed).map((step, index) => ({ at: `${step.name}#${step.occurrence}`, step, tries: tries(index) }));
  describe.each(tried.filter((one) => one.tries.length > 0))('$at', ({ step, tries: faults }) => {
    it.each(faults)('$edge: $fault', async ({ edge, fault }) => {
      const cluster = await subject.make();
      const before = fingerprint(cluster.host);
      const point = `${step.name}:${edge}#${step.occurrence}`;
      const failed = await cluster.run(subject.line(`--fault '${point}=1*${fault}'`));

      expect(failed.stderr).not.toContain('never fired');
      if (step.name === 'switchTraffic/prepare/lockWorkflow' && edge === 'before' && fault.startsWith('lease')) {
        // No lock is held yet that could be lost.
        expect(failed.exit, failed.stderr).toBe(0);
        return;
      }
      expect(failed.exit, failed.stderr).toBe(1);
      // A stolen lock runs out by itself.
      cluster.machine.clock.advance(3_000);
      expect(clean(fingerprint(cluster.host))).toEqual(clean(before));
      await subject.write(cluster);
      await subject.whole(cluster, true);
      const again = await cluster.run(subject.line());
      expect(again.stderr).not.toContain('STRANDED');
      expect(again.exit, again.stderr).toBe(0);
      await subject.whole(cluster, true);
    });
  });
});

/** A thief's ticket stays until somebody looks at it after it has run out. */
function clean(state: Record<string, unknown>): Record<string, unknown> {
  const { locks: _locks, ...rest } = state;
  return rest;
}
