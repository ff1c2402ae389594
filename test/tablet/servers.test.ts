import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parsePosition, positionAtLeast } from '../../src/lib/gtid.ts';
import { positionAt, sequenceOf, type Term } from '../../src/tablet/servers.ts';

const UUIDS = ['a', 'b', 'c'].map((letter) => `${letter.repeat(8)}-0000-4000-8000-${letter.repeat(12)}`);

/** Terms of up to three servers, each of one transaction at least, and never two of one server in a row. */
const terms = fc.array(fc.tuple(fc.constantFrom(...UUIDS), fc.integer({ min: 1, max: 9 })), { minLength: 1, maxLength: 8 }).map((parts) => {
  const found: Term[] = [];
  let first = 1;
  for (const [uuid, length] of parts) {
    if (found.at(-1)?.uuid !== uuid) found.push({ first, uuid });
    first += length;
  }
  return found;
});
const sequence = fc.integer({ min: 1, max: 90 });

describe('positions over the servers of a shard', () => {
  it('of one server are its transactions from the first', () => {
    expect(String(positionAt([{ first: 1, uuid: UUIDS[0]! }], 7))).toBe(`MySQL56/${UUIDS[0]}:1-7`);
  });

  it('keep what the first wrote when another one is primary, and go on where it was when it is so again', () => {
    const [a, b] = UUIDS as [string, string];
    const reparented = [{ first: 1, uuid: b }, { first: 4, uuid: a }, { first: 6, uuid: b }];
    expect(String(positionAt(reparented, 3))).toBe(`MySQL56/${b}:1-3`);
    expect(String(positionAt(reparented, 5))).toBe(`MySQL56/${a}:1-2,${b}:1-3`);
    expect(String(positionAt(reparented, 7))).toBe(`MySQL56/${a}:1-2,${b}:1-5`);
    expect(sequenceOf(reparented, parsePosition(`MySQL56/${b}:1-3`))).toBe(3);
    expect(sequenceOf(reparented, parsePosition(`MySQL56/${a}:1,${b}:1-3`))).toBe(4);
  });

  it('hold nothing of a server that the shard does not know', () => {
    expect(sequenceOf([{ first: 1, uuid: UUIDS[0]! }], parsePosition(`MySQL56/${UUIDS[1]}:1-9`))).toBe(0);
    expect(sequenceOf([{ first: 1, uuid: UUIDS[0]! }], parsePosition(''))).toBe(0);
  });

  it('lead back to the transaction they were made for, and grow with it', () => {
    fc.assert(
      fc.property(terms, sequence, (list, at) => {
        const position = positionAt(list, at);
        expect(sequenceOf(list, parsePosition(String(position)))).toBe(at);
        const next = positionAt(list, at + 1);
        expect([positionAtLeast(next, position), positionAtLeast(position, next)]).toEqual([true, false]);
      }),
    );
  });

  it('of before a reparent mean the same after it', () => {
    fc.assert(
      fc.property(terms, sequence, fc.constantFrom(...UUIDS), (list, at, uuid) => {
        const end = Math.max(at, (list.at(-1)?.first ?? 1) + 3);
        const longer = [...list, { first: end + 1, uuid }];
        expect(String(positionAt(longer, at))).toBe(String(positionAt(list, at)));
      }),
    );
  });
});
