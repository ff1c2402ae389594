import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { seededRandom } from '../../src/runtime/random.ts';

/** A few kills of `npm run crash`, so that it works when it is needed: the thousand take too long for this suite. */
const SCRIPT = fileURLToPath(new URL('../../bench/crash.js', import.meta.url));
const part = (name: string): Promise<unknown> => import(new URL(`../../bench/crash/${name}.js`, import.meta.url).href);

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'switchtraffic-crash-'));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function crash(...argv: string[]): Promise<{ exit: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [SCRIPT, '--jobs', '1', '--seed', '5', '--sample', '--keep', join(folder, 'kept'), ...argv], { stdio: ['ignore', 'pipe', 'pipe'] });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (data: Buffer) => (stdout += data.toString()));
  child.stderr.on('data', (data: Buffer) => (stderr += data.toString()));
  return new Promise((resolve) => child.on('close', (exit) => resolve({ exit, stdout, stderr })));
}

describe('npm run crash', { timeout: 120_000 }, () => {
  it('kills, recovers and finds every promise held', async () => {
    const { exit, stdout, stderr } = await crash('--kills', '6', '--only', 'move switch of reads', '--by', 'again');
    expect(exit, stdout + stderr).toBe(0);
    expect(stdout).toMatch(/^[6-8] kills in \d trials of 1 plans, /m);
    expect(stdout).toContain('every promise held');
    const row = /^switchTraffic\/reads\/switchTableReads +(\d+) +(\d+)/m.exec(stdout);
    expect(Number(row?.[2])).toBeGreaterThan(0);
    expect(/writes of the application: ([\d,]+) acknowledged/.exec(stdout)?.[1]).not.toBe('0');
  });

  it('would notice: without any recovery an intent is left', async () => {
    const { exit, stdout } = await crash('--kills', '2', '--only', 'move switch of reads', '--by', 'nothing');
    expect(exit, stdout).toBe(1);
    expect(stdout).toMatch(/^WRONG: trial \d, move switch of reads, by nothing, killed /m);
    expect(stdout).toMatch(/^ {2}a lock on \S+, its owner dead/m);
  });

  it('refuses what it does not know', async () => {
    const { exit, stderr } = await crash('--only', 'flight');
    expect(exit).toBe(2);
    expect(stderr).toContain('--only flight: there are "move create"');
  });
});

it('instants are drawn over every commit, and half a millisecond either side of it', async () => {
  const { drawKill } = (await part('draw')) as { drawKill: (random: unknown, profile: object[]) => { commit: number; fromBegin?: number; fromPrevious?: number } };
  const profile = Array.from({ length: 10 }, (_, index) => ({ gap: index === 0 ? undefined : 2_000_000, took: 300_000 }));
  const random = seededRandom(1);
  const drawn = Array.from({ length: 5000 }, () => drawKill(random, profile));
  for (let commit = 1; commit <= 10; commit++) expect(drawn.filter((one) => one.commit === commit).length).toBeGreaterThan(400);
  const offsets = drawn.filter(({ commit }) => commit > 1).map(({ fromBegin, fromPrevious }) => fromBegin ?? fromPrevious! - 2_000_000);
  expect(Math.min(...offsets)).toBeGreaterThanOrEqual(-500_000);
  expect(Math.max(...offsets)).toBeLessThanOrEqual(800_000);
  for (const [low, high] of [[-500_000, -300_000], [-200_000, 0], [0, 300_000], [600_000, 800_000]] as const) {
    expect(offsets.filter((offset) => offset >= low && offset < high).length).toBeGreaterThan(500);
  }
});

it('what a killed process wrote down says at which step it was, and on which side of a commit', async () => {
  const { readNotes, whereKilled } = (await part('notes')) as {
    readNotes: (file: string) => { commits: { step: string; after: boolean }[]; place: { step: string; after: boolean } };
    whereKilled: (seen: unknown, wanted: number) => { where: string; done: number; offset: number };
  };
  const file = join(folder, 'notes');
  const notes = ['B 1 1000000', 'A 1 1200000', 'I a/one', 'B 2 2000000', 'X 2 2000100', 'B 2 3000000', 'A 2 3200000', 'O a/one', 'B 3 4000000', 'K 4100000'];
  writeFileSync(file, `${notes.join('\n')}\n`);
  const seen = readNotes(file);
  expect(seen.commits.map(({ step, after }) => `${step} ${after}`)).toEqual(['(before the first step) false', 'a/one false']);
  expect(seen.place).toEqual({ step: 'a/one', after: true });
  expect(whereKilled(seen, 3)).toEqual({ where: 'inside', done: 2, committing: true, offset: 0.1 });
  expect(whereKilled(seen, 2)).toMatchObject({ where: 'after', done: 2 });
  expect(whereKilled(seen, 4)).toMatchObject({ where: 'before', committing: true });
});

it('a log knows what each row must be: what was sent and never answered is ambiguous', async () => {
  const { readLog } = (await part('judge')) as { readLog: (file: string) => { rows: { key: number; acknowledged: number; maybe?: number }[]; counts: object } };
  const file = join(folder, 'log');
  const entry = (key: number, version: number, outcome: string): string => JSON.stringify({ table: 't', key, version, outcome });
  writeFileSync(file, `${[entry(1, 1, 'sent'), entry(1, 1, 'acknowledged'), entry(2, 1, 'sent'), entry(2, 1, 'refused'), entry(1, 2, 'sent')].join('\n')}\n`);
  const { rows, counts } = readLog(file);
  expect(rows.map(({ key, acknowledged, maybe }) => [key, acknowledged, maybe])).toEqual([
    [1, 1, 2],
    [2, 0, undefined],
  ]);
  expect(counts).toEqual({ acknowledged: 1, refused: 1, ambiguous: 1 });
});
