import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { describe, expect, test } from 'vitest';
import { byHand } from './by-hand/all.ts';
import { CANNOT_APPLY } from './cannot-apply.ts';
import { driveCase } from './drive.ts';
import { conformance } from './main.ts';
import { mutations } from './mutate.ts';
import { readCases } from './read-cases.ts';
import { errorText } from '../../src/lib/errors.ts';
import { seededRandom } from '../../src/runtime/random.ts';

const FILE = fileURLToPath(new URL('cases.yaml', import.meta.url));
const CASES = readCases(FILE);

/** Driven cases that the project holds itself to, at least. */
const LEAST_DRIVEN = 226;

/** What the program says of a part that it lacks yet: such cases wait for it. */
const NOT_BUILT = /\S.* is not built yet/;

const DRIVEN = CASES.filter(({ id }) => !byHand.has(id) && CANNOT_APPLY[id] === undefined);

describe('driven', () => {
  test.for(DRIVEN.map((one) => [one.id, one] as const))('%s', async ([, one], { skip }) => {
    const verdict = await driveCase(one);
    if (verdict.kind === 'skip' && NOT_BUILT.test(verdict.why)) skip(verdict.why);
    expect(verdict).toEqual({ kind: 'ok' });
  });
});

describe('by hand', () => {
  test.for([...byHand])('%s', async ([, check], { skip }) => {
    try {
      await check();
    } catch (error) {
      const text = NOT_BUILT.exec(errorText(error))?.[0];
      if (text !== undefined) skip(text);
      throw error;
    }
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

test('the runner prints a line for each case, counts them on the last, and says so with its status', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'conformance-'));
  const run = async (cases: readonly object[]): Promise<{ exit: number; lines: string[] }> => {
    const file = join(folder, 'cases.yaml');
    writeFileSync(file, stringify(cases));
    const lines: string[] = [];
    return { exit: await conformance(file, (line) => lines.push(line)), lines };
  };
  const good = { id: 'workflow_ids.mine', area: 'workflow_ids', given: {}, when: { op: 'reverse workflow name', inputs: ['a'] }, then: { results: ['a_reverse'] } };
  const bad = { ...good, id: 'workflow_ids.wrong', then: { results: ['b'] } };
  const odd = { ...good, id: 'workflow_ids.odd', given: { colour: 'red' } };
  try {
    expect(await run([good, bad, odd])).toEqual({
      exit: 1,
      lines: [
        'ok workflow_ids.mine',
        'FAIL workflow_ids.wrong: results[0]: expected "b", got "a_reverse"',
        'skip workflow_ids.odd: the adapter of "reverse workflow name" does not know given.colour',
        '1 passed, 1 failed, 1 skipped',
      ],
    });
    expect(await run([good, odd])).toMatchObject({ exit: 0 });
    expect(await run([good, good])).toMatchObject({ exit: 2, lines: [expect.stringContaining('the id workflow_ids.mine stands twice')] });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
