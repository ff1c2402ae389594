import { describe, expect, it } from 'vitest';
import { findRelease } from '../../src/lib/releases.ts';
import { FULL_PATH, type SwitchPath } from '../../src/workflow/switch/path.ts';
import { planSteps } from '../../src/workflow/switch/plan.ts';
import { fingerprint } from '../helpers/fingerprint.ts';
import { movingCluster, switchLine } from '../helpers/shell.ts';

/**
 * On `hardened`, whatever fails before the journal leaves everything as it was. Generated from the list of steps, so that a
 * new step is in here without anybody thinking of it.
 */
const FAULTS = ['return', 'ctx(cancel)', 'ctx(deadline)', 'lease(expire)', 'lease(steal)'];
const EDGES = ['before', 'after'];

interface Case {
  types: string;
  path: SwitchPath;
  faults: string[];
}

/** Writes alone run the same steps but for the reads: a sample of the faults is enough there. */
const CASES: Case[] = [
  { types: 'primary,replica,rdonly', path: FULL_PATH, faults: FAULTS },
  { types: 'primary', path: { ...FULL_PATH, reads: false }, faults: ['return', 'lease(expire)'] },
];

describe.each(CASES)('a switch of $types on hardened', ({ types, path, faults }) => {
  const steps = planSteps(path, findRelease('hardened').behaviours);
  const journal = steps.findIndex((step) => step.pointOfNoReturn);

  describe.each(steps.slice(0, journal).map((step) => ({ at: `${step.name}#${step.occurrence}`, step })))('$at', ({ step }) => {
    it.each(EDGES.flatMap((edge) => faults.map((fault) => ({ edge, fault }))))('$edge: $fault', async ({ edge, fault }) => {
      const cluster = await movingCluster();
      const before = fingerprint(cluster.host);
      const point = `${step.name}:${edge}#${step.occurrence}`;
      const failed = await cluster.run(switchLine(`--tablet-types ${types} --fault '${point}=1*${fault}'`));

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
      expect(await cluster.ok(`query "insert into customer(email) values ('after@example.com')"`)).toBeDefined();
      expect(await cluster.ok(`query "select count(*) from commerce.customer"`)).toContain('6');
      const again = await cluster.run(switchLine());
      expect(again.stderr).not.toContain('STRANDED');
      expect(again.exit, again.stderr).toBe(0);
    });
  });
});

/** A thief's ticket stays until somebody looks at it after it has run out. */
function clean(state: Record<string, unknown>): Record<string, unknown> {
  const { locks: _locks, ...rest } = state;
  return rest;
}
