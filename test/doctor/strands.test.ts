import { describe, expect, it } from 'vitest';
import { PROBLEMS } from '../../src/lib/problems.ts';
import { sample } from '../helpers/sample.ts';
import type { TestCluster } from '../helpers/shell.ts';
import { makeGround, perform } from './strands/acts.ts';
import { consult, type Said, shellWords } from './strands/doctor.ts';
import { rowsOf, serves } from './strands/front.ts';
import { OPEN, STRANDS } from './strands/index.ts';
import type { Strand } from './strands/types.ts';
import { expectState, stateOf } from './strands/state.ts';

/**
 * Every state that Vitess's procedures strand is built by its own trigger on a release, told by the records, named by `doctor`, and
 * put right by nothing but the lines that `doctor` prints.
 */

/** So often may an operator ask, and do all that is said. */
const ROUNDS = 3;

const CASES = STRANDS.filter(({ id }) => (process.env['ONLY'] === undefined ? !OPEN.has(id) : new RegExp(`^(${process.env['ONLY']})$`).test(id))).flatMap((strand) =>
  strand.releases.flatMap((release) =>
    Array.from({ length: Math.max(1, waysOf(strand)) }, (_, way) => ({ title: `${strand.id} on ${release}${strand.ways === undefined ? '' : `, way ${way + 1}`}`, strand, release, way })),
  ),
);

describe('a stranded state is recognised, and the printed commands put it right', () => {
  it.each(sample(CASES, 7))('$title', async ({ strand, release, way }) => {
    const cluster = await makeGround(strand.ground, release);
    const before = await rowsOf(cluster, strand.ground);
    await perform(cluster, strand.trigger);
    expectState(await stateOf(cluster), strand.state);
    const first = await consult(cluster);
    expect(first.exit, first.text).toBe(1);
    expect(codesOf(first), first.text).toEqual(expect.arrayContaining(strand.finds.map((kind) => PROBLEMS[kind].code)));
    expect(Math.max(0, ...first.problems.map(({ ways }) => ways.length)), first.text).toBe(waysOf(strand));
    await perform(cluster, strand.before ?? []);
    await recover(cluster, strand, first, way);
    await cluster.machine.clock.sleep(5000);
    await serves(cluster, strand.ground, before);
  });
});

function waysOf({ ways, gone }: Strand): number {
  return ways ?? (gone === true ? 0 : 1);
}

function codesOf({ problems }: Said): string[] {
  return problems.flatMap(({ code, also }) => [code, ...also]);
}

/** Does what is printed, and asks again, until all is well. */
async function recover(cluster: TestCluster, strand: Strand, first: Said, way: number): Promise<void> {
  let said = first;
  for (let round = 1; said.exit !== 0 && !isPastCure(strand, said); round++) {
    if (round > ROUNDS) throw new Error(`not well after ${ROUNDS} rounds:\n${said.text}`);
    const lines = said.problems.flatMap(({ ways }) => ways[Math.min(way, ways.length - 1)] ?? []);
    expect(lines, said.text).not.toEqual([]);
    for (const line of lines) await runLine(cluster, line, said);
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

