import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isStale, judge, type LedgerRow, newRow, nextVersion, type Outcome, record } from '../../src/workload/ledger.ts';

/** A row's life as its writer saw it, and the version that a store without flaws has in the end. */
interface Life {
  row: LedgerRow;
  stored: number;
}

/** Statements of one writer: how each ended, whether it deletes, and whether an unknown one was done. */
const step = fc.record({
  outcome: fc.constantFrom<Outcome>('acknowledged', 'acknowledged', 'refused', 'ambiguous'),
  remove: fc.boolean(),
  done: fc.boolean(),
});
const steps = fc.array(step, { minLength: 1, maxLength: 12 });

function live(list: readonly { outcome: Outcome; remove: boolean; done: boolean }[], counts: boolean): Life {
  const row = newRow('t', 1);
  let stored = 0;
  for (const { outcome, remove, done } of list) {
    if (row.over) break;
    const version = remove && row.acknowledged > 0 ? 0 : nextVersion(row, counts);
    if (outcome === 'acknowledged' || (outcome === 'ambiguous' && done)) stored = version;
    record(row, version, outcome);
  }
  return { row, stored };
}

const found = (version: number): number[] => (version === 0 ? [] : [version]);

describe.each([true, false])('the checker, with versions that %s', (counts) => {
  it('finds nothing wrong with a store that does what it says', () => {
    fc.assert(
      fc.property(steps, (list) => {
        const { row, stored } = live(list, counts);
        expect(judge(row, found(stored))).toBeUndefined();
      }),
    );
  });

  it('finds a row that was lost, one that is there twice and one that is older than acknowledged', () => {
    fc.assert(
      fc.property(steps, (list) => {
        const { row, stored } = live(list, counts);
        if (stored > 0) expect(judge(row, [stored, stored])).toBe('doubled');
        if (row.acknowledged > 0 && row.maybe !== 0) {
          expect(['lost', 'phantom']).toContain(judge(row, []));
          for (let old = 1; old < row.acknowledged; old++) expect(judge(row, [old])).toBe('lost');
        }
      }),
    );
  });

  it('finds a statement that was done although it was refused, or once more', () => {
    fc.assert(
      fc.property(steps, (list) => {
        const { row } = live(list, counts);
        const above = row.highest + 1;
        expect(judge(row, [above])).toBe('doubled');
        for (const version of row.refused) {
          if (version <= row.acknowledged || version === row.maybe) continue;
          expect(judge(row, [version])).toBe('phantom');
        }
      }),
    );
  });
});

it('a read must not see what is older than acknowledged', () => {
  const row = newRow('t', 1);
  record(row, 1, 'acknowledged');
  record(row, 2, 'acknowledged');
  expect(isStale(2, row, 1)).toBe(true);
  expect(isStale(2, row, 3)).toBe(false);
  expect(isStale(2, row, 0)).toBe(true);
  row.pending = 0;
  expect(isStale(2, row, 0)).toBe(false);
  record(row, 0, 'acknowledged');
  expect(isStale(0, row, 2)).toBe(true);
  expect(isStale(0, row, 0)).toBe(false);
});
