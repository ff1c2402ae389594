import { describe, expect, it } from 'vitest';
import { PROBLEMS } from '../../src/lib/problems.ts';
import { sample } from '../helpers/sample.ts';
import type { TestCluster } from '../helpers/shell.ts';
import { makeGround, perform } from './strands/acts.ts';
import { consult, type Said, shellWords } from './strands/doctor.ts';
import { refusedNow, rowsOf, serves } from './strands/front.ts';
import { LEFT_OUT, STRANDS } from './strands/index.ts';
import type { Strand } from './strands/types.ts';
import { strandsPage } from './strands/page.ts';
import { expectState, stateOf } from './strands/state.ts';

/**
 * Every state that Vitess's procedures strand is built by its own trigger on a release, told by the records, named by `doctor`, and
 * put right by nothing but the lines that `doctor` prints.
 */

/** So often may an operator ask, and do all that is said. */
const ROUNDS = 3;

const CASES = STRANDS.flatMap((strand) =>
  strand.releases.flatMap((release) =>
    Array.from({ length: strand.ways ?? 1 }, (_, way) => ({ title: `${strand.id} on ${release}${strand.ways === undefined ? '' : `, way ${way + 1}`}`, strand, release, way })),
  ),
);

describe('a stranded state is recognised, and the printed commands put it right', () => {
  it.each(sample(CASES, 11))('$title', async ({ strand, release, way }) => {
    const cluster = await makeGround(strand.ground, release);
    const before = await rowsOf(cluster, strand.ground);
    await perform(cluster, strand.trigger);
    expectState(await stateOf(cluster), strand.state);
    const first = await consult(cluster);
    expect(first.exit, first.text).toBe(1);
    expect(codesOf(first), first.text).toEqual(expect.arrayContaining(strand.finds.map((kind) => PROBLEMS[kind].code)));
    const { ways = 1, gone = false } = strand;
    const most = Math.max(0, ...first.problems.map((problem) => problem.ways.length));
    if (gone) expect(first.problems.some((problem) => problem.ways.length === 0), first.text).toBe(true);
    else expect(most, first.text).toBe(ways);
    await perform(cluster, strand.before ?? []);
    await recover(cluster, strand, first, way);
    await cluster.machine.clock.sleep(5000);
    await serves(cluster, strand.ground, before);
  });
});

it('every weak place of the catalogue is a row, or is left out with the reason', () => {
  const known = new Set([...STRANDS, ...LEFT_OUT].map(({ id }) => /^[A-Z]\d+/.exec(id)?.[0]));
  expect(Array.from({ length: 55 }, (_, index) => `K${index + 1}`).filter((id) => !known.has(id))).toEqual([]);
  // The states that a switch strands between its checks, of tables and of shards.
  for (const state of ['S-A', 'S-B', 'S-C', 'S-D', 'S-E', 'S-F']) expect(STRANDS.filter(({ id }) => id.includes(state)).length, state).toBe(2);
  expect(new Set(STRANDS.map(({ id }) => id)).size).toBe(STRANDS.length);
});

describe('what is left out', () => {
  const harmless = LEFT_OUT.flatMap(({ id, what, harmless: run }) => (run === undefined ? [] : [{ id, what, run }]));
  it.each(sample(harmless, 3))('$id: $what', async ({ run }) => {
    const cluster = await makeGround(run.ground, run.release);
    await perform(cluster, run.trigger);
    const { exit, text } = await consult(cluster);
    expect(exit, text).toBe(0);
  });
});

it('docs/stranded-states.md says the same', async () => {
  await expect(strandsPage()).toMatchFileSnapshot('../../docs/stranded-states.md');
});

function codesOf({ problems }: Said): string[] {
  return problems.flatMap(({ code, also }) => [code, ...also]);
}

/** Does what is printed, and asks again, until all is well. */
async function recover(cluster: TestCluster, strand: Strand, first: Said, way: number): Promise<void> {
  let said = first;
  let refused = await refusedNow(cluster);
  for (let round = 1; said.exit !== 0 && !isPastCure(strand, said); round++) {
    if (round > ROUNDS) throw new Error(`not well after ${ROUNDS} rounds:\n${said.text}`);
    const lines = said.problems.flatMap(({ ways }) => ways[Math.min(way, ways.length - 1)] ?? []);
    expect(lines, said.text).not.toEqual([]);
    for (const line of lines) {
      await runLine(cluster, line, said);
      // Nothing is ever made worse on the way.
      const now = await refusedNow(cluster);
      expect([...now].filter((one) => !refused.has(one)), `${line}\n${said.text}`).toEqual([]);
      refused = now;
    }
    said = await consult(cluster);
  }
}

/** Data that is gone stays so. */
function isPastCure({ gone, finds }: Strand, { problems }: Said): boolean {
  return gone === true && problems.every(({ code, ways }) => ways.length === 0 && finds.some((kind) => PROBLEMS[kind].code === code));
}

async function runLine(cluster: TestCluster, line: string, said: Said): Promise<void> {
  const { exit, stdout, stderr } = await cluster.runWords(shellWords(line));
  if (exit !== 0) throw new Error(`${line}\nexit ${exit}\n${stdout}${stderr}\nas was printed:\n${said.text}`);
}

