import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { byHand } from './by-hand/all.ts';
import { CANNOT_APPLY } from './cannot-apply.ts';
import { driveCase } from './drive.ts';
import { conformance } from './main.ts';
import { mutations } from './mutate.ts';
import { readCases } from './read-cases.ts';
import { seededRandom } from '../../src/runtime/random.ts';

const FILE = fileURLToPath(new URL('cases.yaml', import.meta.url));
const CASES = readCases(FILE);

/** Driven cases that the project holds itself to, at least. */
const LEAST_DRIVEN = 130;

const DRIVEN = CASES.filter(({ id }) => !byHand.has(id) && CANNOT_APPLY[id] === undefined);

describe('driven', () => {
  test.each(DRIVEN.map((one) => [one.id, one] as const))('%s', async (_id, one) => {
    expect(await driveCase(one)).toEqual({ kind: 'ok' });
  });
});

describe('by hand', () => {
  test.each([...byHand])('%s', async (_id, check) => {
    await check();
  });
});

describe('cannot apply', () => {
  test.each(Object.entries(CANNOT_APPLY))('%s: %s', async (id) => {
    // As soon as it can be driven, it has to be.
    expect((await driveCase(CASES.find((one) => one.id === id)!)).kind).not.toBe('ok');
  });
});

test('every case is driven, or written by hand, or stands in the list with its reason: one of these', () => {
  const ids = new Set(CASES.map(({ id }) => id));
  const listed = [...byHand.keys(), ...Object.keys(CANNOT_APPLY)];
  expect(listed.filter((id, index) => listed.indexOf(id) < index || !ids.has(id))).toEqual([]);
  expect(DRIVEN.length).toBeGreaterThanOrEqual(LEAST_DRIVEN);
});

test('a case that expects anything else does not pass', async () => {
  const random = seededRandom(4);
  const passed: string[] = [];
  let failed = 0;
  for (const one of DRIVEN) {
    const others = mutations(one);
    if (others.length === 0) continue;
    const other = others[random.below(others.length)]!;
    const { kind } = await driveCase(other.record);
    if (kind === 'ok') passed.push(`${one.id}: ${other.path}`);
    if (kind === 'fail') failed++;
  }
  expect(passed).toEqual([]);
  // The rest holds values that no adapter knows.
  expect(failed).toBeGreaterThan(LEAST_DRIVEN * 0.8);
});

test('a field that the adapter does not know skips the case, wherever it stands', async () => {
  const first = CASES.find(({ id }) => id === 'denied_tables.after_reverse_writes')!;
  for (const part of ['given', 'when', 'then'] as const) {
    const record = { ...first, [part]: { ...(first[part] as object), unheard_of: 1 } };
    expect(await driveCase(record)).toEqual({ kind: 'skip', why: `the adapter of "ReverseTraffic" does not know ${part}.unheard_of` });
  }
});

test('the runner prints a line for each case and counts them on the last', async () => {
  const lines: string[] = [];
  expect(await conformance(FILE, (line) => lines.push(line))).toBe(0);
  expect(lines).toHaveLength(CASES.length + 1);
  expect(lines.at(-1)).toMatch(/^\d+ passed, 0 failed, \d+ skipped$/);
});
